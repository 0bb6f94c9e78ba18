"""The child of `isthmus.node.sources.apart`: opens one file that it is asked for, and writes its rows to its output.

It may take as much memory as an honest file of that size can need, and leaves no core, which would hold records.
"""

import dataclasses
import pickle
import resource
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final

from isthmus.contract.errors import BadInput
from isthmus.node.sources.apart import Ended, Failed, FileRequest, Opened
from isthmus.node.sources.excel_file import open_excel
from isthmus.node.sources.parquet_file import open_parquet
from isthmus.node.sources.table import Table

_LEAST_MEMORY_BYTES: Final = 3 << 30
_MEMORY_PER_BYTE: Final = 100
"""Address space: that of the libraries and their threads, and what a packed file may unfold to."""

_CPU_SECONDS: Final = 3600


def main() -> None:
    """Open, tell the header, wait for the wanted columns, and send their rows."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    request: FileRequest = pickle.load(requests)  # noqa: S301 - from our own parent
    _limit(request.path)
    try:
        with _opening(request) as table:
            _say(answers, _opened(table))
            for batch in table.batches(pickle.load(requests)):  # noqa: S301 - as above
                _say(answers, batch)
            _say(answers, Ended())
    except BadInput as exc:
        fields = {one.name: getattr(exc, one.name) for one in dataclasses.fields(exc)}
        _say(answers, Failed(error=type(exc), fields=fields))


def _opening(request: FileRequest) -> AbstractContextManager[Table]:
    if request.kind == "parquet":
        return open_parquet(request.path)
    return open_excel(request.path, sheet=request.sheet, header_row=request.header_row, asked=request.asked)


def _opened(table: Table) -> Opened:
    told = {one.name: getattr(table, one.name) for one in dataclasses.fields(Opened)}
    return Opened(**told)


def _limit(path: Path) -> None:
    size = path.stat().st_size if path.exists() else 0
    most = _LEAST_MEMORY_BYTES + _MEMORY_PER_BYTE * size
    for what, wanted in ((resource.RLIMIT_AS, most), (resource.RLIMIT_CPU, _CPU_SECONDS), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        lawful = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(what, (lawful, hard))


def _say(answers: BinaryIO, what: object) -> None:
    pickle.dump(what, answers, protocol=pickle.HIGHEST_PROTOCOL)
    answers.flush()


if __name__ == "__main__":
    main()
