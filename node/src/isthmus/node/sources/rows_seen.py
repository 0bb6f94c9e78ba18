"""What is remembered of rows that have gone by: which had a fault, and which ids there were.

Numbers and marks of ids only, 24 bytes a row: the rows themselves are not kept.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from isthmus.contract.errors import BadInput
from isthmus.node.sources.errors import ROWS_SHOWN, BlankIds, DuplicateIds

_MARK_BYTES: Final = 16
"""Of 20 million ids two share a mark with a chance of one in 10**24: where both are longer than a mark."""

_LENGTHS: Final = [bytes([length]) for length in range(_MARK_BYTES)]


@dataclass(slots=True, kw_only=True)
class FaultyRows:
    """The rows with one fault: the first `ROWS_SHOWN` of their numbers, and how many there are."""

    first: list[int] = field(default_factory=list)
    total: int = 0

    def add(self, number: int) -> None:
        """Note one more row."""
        if self.total < ROWS_SHOWN:
            self.first.append(number)
        self.total += 1


class SeenIds:
    """The ids of a source, as marks. It knows blank ids at once and repeated ones at the end."""

    def __init__(self) -> None:
        """Begin with none."""
        self._marks = bytearray()
        self._numbers = array("Q")
        self._blank = FaultyRows()

    @property
    def any_blank(self) -> bool:
        """Whether an id was blank."""
        return self._blank.total > 0

    def add(self, ids: Sequence[str], numbers: Sequence[int]) -> None:
        """Note the ids of some rows, and the rows' numbers."""
        if "" in ids:
            for record_id, number in zip(ids, numbers, strict=True):
                if not record_id:
                    self._blank.add(number)
            numbers = [number for record_id, number in zip(ids, numbers, strict=True) if record_id]
        self._numbers.extend(numbers)
        self._marks += b"".join([_mark(record_id) for record_id in ids if record_id])

    def problems(self) -> list[BadInput]:
        """Tell the rows whose id is blank, and those whose id an earlier row has."""
        problems: list[BadInput] = []
        if self._blank.total:
            problems.append(BlankIds(rows=tuple(self._blank.first), total=self._blank.total))
        repeated = self._repeated()
        if repeated:
            problems.append(DuplicateIds(rows=tuple(repeated[:ROWS_SHOWN]), total=len(repeated)))
        return problems

    def _repeated(self) -> list[int]:
        """Give the numbers of rows whose id an earlier row has, rising."""
        import numpy as np  # noqa: PLC0415 - commands that read no rows start faster without

        marks = np.frombuffer(self._marks, dtype=np.uint64).reshape(-1, 2)
        order = np.lexsort((marks[:, 1], marks[:, 0]))  # stable: of equal marks the earliest row comes first
        marks = marks[order]
        later = order[1:][(marks[1:] == marks[:-1]).all(axis=1)]
        numbers: list[int] = np.sort(np.frombuffer(self._numbers, dtype=np.uint64)[later]).tolist()
        return numbers


def _mark(record_id: str) -> bytes:
    """16 bytes: a short id and its length, which costs a fifth of a digest; the digest of a longer one."""
    text = record_id.encode("utf-8", "surrogatepass")
    if len(text) < _MARK_BYTES:
        return text.ljust(_MARK_BYTES - 1, b"\0") + _LENGTHS[len(text)]
    return blake2b(text, digest_size=_MARK_BYTES).digest()
