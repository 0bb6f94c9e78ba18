"""Excel workbooks (xlsx, xlsm, xlsb, xls) and OpenDocument sheets (ods) as tables, read with python-calamine.

Which sheet and which row is the header are declared, or taken and told where there is no choice. Cells come as the
program that wrote them stored them: a date cell is a date whatever its format shows, a number cell has lost any leading
zeros, a formula has the value that was last calculated, and a cell with an error (#N/A) is empty.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from isthmus.node.sources.drivers import load_driver
from isthmus.node.sources.errors import HeaderRowWrong, SheetMissing, SheetUndeclared, SourceEmpty, SourceMissing
from isthmus.node.sources.header import header_is_doubtful
from isthmus.node.sources.table import BATCH_ROWS, Batch, Table
from isthmus.node.sources.values import column_text

Cells = Sequence[object]
_HEADER_ROWS_LOOKED_AT: Final = 30


@contextmanager
def open_excel(
    path: Path, *, sheet: str | None = None, header_row: int | None = None, asked: Sequence[str] = ()
) -> Iterator[Table]:
    """Open a sheet of a workbook as a table.

    Args:
        path: the workbook.
        sheet: the name of the sheet; None where only one has something in it.
        header_row: the row of the header, from 1; None for the first that is not blank.
        asked: the columns that are wanted, to tell a header in another row from missing columns.

    Raises:
        DriverMissing: python-calamine is not installed.
        SourceMissing: the file cannot be opened, is no workbook, or is protected by a password.
        SheetMissing, SheetUndeclared, HeaderRowWrong, SourceEmpty: as they say.
    """
    calamine = load_driver("excel")
    workbook = _open_workbook(calamine, path)
    try:
        taken, reason = _choose_sheet(workbook, sheet, path)
        yield _table(path, workbook.get_sheet_by_name(taken), header_row, asked, f'sheet "{taken}": {reason}')
    finally:
        workbook.close()


def _open_workbook(calamine: ModuleType, path: Path) -> Any:
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except calamine.PasswordError as exc:
        raise SourceMissing(source=str(path), problem="it is protected by a password") from exc
    except calamine.CalamineError as exc:
        raise SourceMissing(source=str(path), problem="it is no workbook, or a damaged one") from exc
    except OSError as exc:
        raise SourceMissing(source=str(path), problem=_system_problem(path)) from exc


def _system_problem(path: Path) -> str:
    """Give what the system says of a path that does not open; calamine gives no error number."""
    try:
        path.open("rb").close()
    except OSError as exc:
        return exc.strerror or "it cannot be read"
    return "it cannot be read"


def _choose_sheet(workbook: Any, sheet: str | None, path: Path) -> tuple[str, str]:
    """Give the name of the sheet to read, and why that one."""
    names: list[str] = list(workbook.sheet_names)
    if sheet is not None:
        if sheet not in names:
            raise SheetMissing(sheet=sheet, sheets=tuple(names))
        return sheet, "as declared"
    filled = [name for name in names if workbook.get_sheet_by_name(name).start is not None]
    if not filled:
        raise SourceEmpty(source=str(path), problem="no sheet of it has anything in it")
    if len(filled) > 1:
        raise SheetUndeclared(sheets=tuple(filled))
    return filled[0], "the only one" if len(names) == 1 else "the only one with something in it"


def _is_blank(cells: Cells) -> bool:
    return not any(cell.strip() if isinstance(cell, str) else cell is not None for cell in cells)


def _names(cells: Cells) -> tuple[str, ...]:
    """The column names in a header row, stripped, without the unnamed columns at its end."""
    names = column_text(cells).texts
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _find_header(path: Path, sheet: Any, header_row: int | None, asked: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """Give the number of the header's row, from 1, and its names."""
    looked_at = _HEADER_ROWS_LOOKED_AT if header_row is None else max(header_row, _HEADER_ROWS_LOOKED_AT)
    first_rows = {number: _names(cells) for number, cells in enumerate(islice(sheet.iter_rows(), looked_at), 1)}
    taken = next((number for number, names in first_rows.items() if names), 0) if header_row is None else header_row
    names = first_rows.get(taken, ())
    better = next((number for number, others in first_rows.items() if set(asked) <= set(others)), None)
    if better is not None and not set(asked) <= set(names):
        raise HeaderRowWrong(taken=taken, better=better)
    if not names:
        raise SourceEmpty(source=str(path), problem="the row of its header is blank")
    return taken, names


def _table(path: Path, sheet: Any, header_row: int | None, asked: Sequence[str], finding: str) -> Table:
    taken, names = _find_header(path, sheet, header_row, asked)
    reason = "the first row that is not blank" if header_row is None else "as declared"

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        numbered = ((number, row) for number, row in enumerate(sheet.iter_rows(), 1) if number > taken)
        rows = ((number, row) for number, row in numbered if not _is_blank(row))
        while batch := list(islice(rows, BATCH_ROWS)):
            columns = [[row[place] for _, row in batch] for place in places]
            yield Batch(numbers=[number for number, _ in batch], columns=columns)

    return Table(
        kind="Excel",
        name=str(path),
        header=names,
        header_is_doubtful=header_is_doubtful(names),
        findings=(finding, f"header in row {taken}: {reason}"),
        expected_rows=sheet.total_height,
        batches=batches,
    )
