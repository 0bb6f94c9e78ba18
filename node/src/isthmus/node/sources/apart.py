"""Excel and Parquet files as tables, read by a process of their own.

The libraries that decode them end the whole process over some damaged files (an abort, a loop that takes all memory),
and print what they tripped over. So they run in a child (`isthmus.node.sources.reader`) whose memory is bounded, whose
standard error goes nowhere, and whose end is told as `SourceDamaged`; the node goes on.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from isthmus.node.sources.drivers import check_driver
from isthmus.node.sources.errors import SourceDamaged
from isthmus.node.sources.table import Batch, Table

_ENDED: Final = "the program that reads such files ended over it, so it is damaged, or far larger than it seems"
_FEW_THREADS: Final = {"POLARS_MAX_THREADS": "4"}
"""Every thread takes address space, which is bounded; unless the environment says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRequest:
    """Which file is to be opened, as what (`excel` or `parquet`); the rest as of `open_excel`."""

    kind: str
    path: Path
    sheet: str | None = None
    header_row: int | None = None
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What the child tells of a table once it is open: the fields of `Table` but for its rows."""

    kind: str
    name: str
    header: tuple[str, ...]
    header_is_doubtful: bool
    findings: tuple[str, ...]
    expected_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A `BadInput` that the child met: its class and fields, since errors of keyword fields do not pickle."""

    error: type[Exception]
    fields: dict[str, Any]


class Ended:
    """Says that the last batch has come."""


@contextmanager
def open_apart(request: FileRequest) -> Iterator[Table]:
    """Open a file as a table in a process of its own, which ends with the context.

    Raises:
        DriverMissing: the library is not installed.
        BadInput: what `open_excel` or `open_parquet` raises.
        SourceDamaged: the process ended before the file did; the table's rows raise it too.
    """
    check_driver(request.kind)
    command = [sys.executable, "-m", "isthmus.node.sources.reader"]
    with subprocess.Popen(  # noqa: S603 - this interpreter, and a module of ours
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_FEW_THREADS | os.environ,
    ) as child:
        try:
            yield _table(child, request)
        finally:
            child.kill()


def _table(child: subprocess.Popen[bytes], request: FileRequest) -> Table:
    opened = _answer(child, request, asked=request)

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        batch = _answer(child, request, asked=list(places))
        while not isinstance(batch, Ended):
            yield batch
            batch = _answer(child, request)

    return Table(
        kind=opened.kind,
        name=opened.name,
        header=opened.header,
        header_is_doubtful=opened.header_is_doubtful,
        findings=opened.findings,
        expected_rows=opened.expected_rows,
        batches=batches,
    )


def _answer(child: subprocess.Popen[bytes], request: FileRequest, *, asked: object = None) -> Any:
    """Give what the child says next, having asked it something if there is something to ask."""
    told, heard = child.stdin, child.stdout
    if told is None or heard is None:
        raise ValueError("the child must have pipes")
    try:
        if asked is not None:
            pickle.dump(asked, told)
            told.flush()
        answer = pickle.load(heard)  # noqa: S301 - from our own child
    except (EOFError, BrokenPipeError, pickle.UnpicklingError) as exc:
        raise SourceDamaged(source=str(request.path), problem=_ENDED) from exc
    if isinstance(answer, Failed):
        raise answer.error(**answer.fields)
    return answer
