"""Parquet files as tables, read with polars some rows at a time; only the wanted columns are decoded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from isthmus.node.records import PIECE_ROWS
from isthmus.node.sources.drivers import load_driver
from isthmus.node.sources.errors import SourceMissing
from isthmus.node.sources.header import header_is_doubtful
from isthmus.node.sources.table import Batch, Table

_SLICE_ROWS: Final = PIECE_ROWS


@contextmanager
def open_parquet(path: Path) -> Iterator[Table]:
    """Open a Parquet file as a table. Rows are numbered from 1.

    Raises:
        DriverMissing: polars is not installed.
        SourceMissing: the file cannot be opened, or is no Parquet file.
    """
    polars = load_driver("parquet")
    try:
        path.open("rb").close()
        frame = polars.scan_parquet(path, glob=False)
        header = tuple(name.strip() for name in frame.collect_schema().names())
        rows: int = frame.select(polars.len()).collect().item()
    except OSError as exc:
        raise SourceMissing(source=str(path), problem=exc.strerror or "it cannot be read") from exc
    except polars.exceptions.PolarsError as exc:
        raise SourceMissing(source=str(path), problem="it is no Parquet file, or a damaged one") from exc

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        wanted = frame.select(polars.nth(place).alias(str(order)) for order, place in enumerate(places))
        for start in range(0, rows, _SLICE_ROWS):
            part = wanted.slice(start, _SLICE_ROWS).collect()
            columns = [series.to_list() for series in part.get_columns()]
            yield Batch(numbers=range(start + 1, start + 1 + part.height), columns=columns)

    yield Table(
        kind="Parquet",
        name=str(path),
        header=header,
        header_is_doubtful=header_is_doubtful(header),
        findings=(),
        expected_rows=rows,
        batches=batches,
    )
