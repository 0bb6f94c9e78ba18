"""Damaged files of every format, seeded: each is read, or refused by a typed error without a value; nothing else."""

import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from unit.node.sources.workbooks import write_workbook

from isthmus.contract.errors import IsthmusError
from isthmus.node.records import read_all
from isthmus.node.sources.errors import SourceDamaged
from isthmus.node.sources.open_source import Source, open_source, sample_source

HEADER = ["Id", "First", "Last", "Born"]
ROWS = [[f"{number:05d}", f"Quorimble{number % 37}", f"Zanthör{number}", "2001-02-03"] for number in range(300)]
COLUMNS = {"first_name": "First", "last_name": "Last", "dob": "Born"}
Damage = Callable[[random.Random, bytearray], None]


def _flip(rng: random.Random, content: bytearray) -> None:
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _scatter(rng: random.Random, content: bytearray) -> None:
    for _ in range(20):
        content[rng.randrange(len(content))] = rng.randrange(256)


def _cut(rng: random.Random, content: bytearray) -> None:
    del content[rng.randrange(len(content)) :]


def _blank(rng: random.Random, content: bytearray) -> None:
    start = rng.randrange(len(content))
    content[start : start + 64] = bytes(len(content[start : start + 64]))


def _insert(rng: random.Random, content: bytearray) -> None:
    start = rng.randrange(len(content))
    content[start:start] = rng.randbytes(8)


def _head(rng: random.Random, content: bytearray) -> None:
    content[rng.randrange(min(64, len(content)))] = rng.randrange(256)


def _foot(rng: random.Random, content: bytearray) -> None:
    content[-1 - rng.randrange(min(600, len(content)))] = rng.randrange(256)


DAMAGES: tuple[Damage, ...] = (_flip, _scatter, _cut, _blank, _insert, _head, _foot)


def _csv(folder: Path, encoding: str = "utf-8") -> Path:
    path = folder / "people.csv"
    path.write_text("\n".join(",".join(row) for row in [HEADER, *ROWS]) + "\n", encoding=encoding)
    return path


def _parquet(folder: Path, compression: str = "zstd") -> Path:
    polars = pytest.importorskip("polars", reason="reading Parquet needs isthmus-node[parquet]")
    path = folder / "people.parquet"
    frame = polars.DataFrame(ROWS, schema=HEADER, orient="row")
    frame.write_parquet(path, compression=compression, row_group_size=100)
    return path


def _xlsx(folder: Path) -> Path:
    pytest.importorskip("python_calamine", reason="reading Excel needs isthmus-node[excel]")
    return write_workbook(folder / "people.xlsx", {"people": [HEADER, *ROWS]})


def _xls(folder: Path) -> Path:
    pytest.importorskip("python_calamine", reason="reading Excel needs isthmus-node[excel]")
    return Path(shutil.copy(Path(__file__).with_name("people.xls"), folder / "people.xls"))


def _told(path: Path, columns: dict[str, str] = COLUMNS, id_column: str = "Id") -> str:
    """What reading a file and looking at it say, if they refuse; any other exception than a typed one is a fault."""
    told = ""
    source = Source(file=path.name, id_column=id_column, columns=columns)
    for attempt in (
        lambda: read_all(open_source(path.parent, source)),
        lambda: sample_source(path.parent, source, rows=2),
    ):
        try:
            attempt()
        except IsthmusError as exc:
            told += f"{exc}\n"
    return told


def _endure(path: Path, *, seed: int, times: int, capfd: pytest.CaptureFixture[str]) -> None:
    rng, whole = random.Random(seed), path.read_bytes()
    for number in range(times):
        content = bytearray(whole)
        DAMAGES[number % len(DAMAGES)](rng, content)
        path.write_bytes(content)
        told = _told(path)
        assert "Quorimble" not in told
        assert "Zanth" not in told
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_damaged_csv_is_read_or_refused(tmp_path: Path, encoding: str, capfd: pytest.CaptureFixture[str]) -> None:
    _endure(_csv(tmp_path, encoding), seed=3, times=21, capfd=capfd)


@pytest.mark.slow  # a process for each reading
@pytest.mark.parametrize("make", [_xlsx, _xls, _parquet])
def test_damaged_workbook_and_parquet_file_is_read_or_refused(
    tmp_path: Path, make: Callable[[Path], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    _endure(make(tmp_path), seed=11, times=5, capfd=capfd)


def test_damaged_page_of_a_parquet_file_is_told_without_a_value(tmp_path: Path) -> None:
    path = _parquet(tmp_path)
    content = bytearray(path.read_bytes())
    content[40:400] = bytes(360)
    path.write_bytes(content)

    with pytest.raises(SourceDamaged, match="cannot be read to its end"):
        read_all(open_source(tmp_path, Source(file=path.name, id_column="Id", columns=COLUMNS)))


def test_damaged_sheet_of_a_workbook_is_told_without_a_value(tmp_path: Path) -> None:
    path = _xlsx(tmp_path)
    with ZipFile(path) as parts:
        start = parts.getinfo("xl/s1.xml").header_offset
    content = bytearray(path.read_bytes())
    content[start + 300 : start + 310] = bytes(10)
    path.write_bytes(content)

    with pytest.raises(SourceDamaged) as refused:
        read_all(open_source(tmp_path, Source(file=path.name, id_column="Id", columns=COLUMNS)))
    assert "Quorimble" not in str(refused.value)


@pytest.mark.slow  # the reader takes all the memory that it may
@pytest.mark.skipif(sys.platform != "linux", reason="the bound on memory is Linux's")
def test_workbook_that_leads_in_a_circle_ends_its_reader_and_not_the_node(tmp_path: Path) -> None:
    path = _xls(tmp_path)
    content = bytearray(path.read_bytes())
    first = int.from_bytes(content[48:52], "little")  # the sector where its directory begins
    table = 512 * (1 + int.from_bytes(content[76:80], "little"))  # of each sector the next
    content[table + 4 * first : table + 4 * first + 4] = first.to_bytes(4, "little")
    path.write_bytes(content)

    with pytest.raises(SourceDamaged):
        read_all(open_source(tmp_path, Source(file=path.name, id_column="Id")))
