"""Counting distinct values in bounded memory, without keeping one: keyed digests of 64 bits in sorted arrays.

Up to `cap` distinct values the counts are exact, but for digests that collide (under 1 in 10^5 at 10 million values).
Beyond it the `cap` smallest digests are kept, which are a uniform sample of the distinct values with exact counts,
and the counts are estimates. Source: Bar-Yossef et al., "Counting distinct elements in a data stream" (2002).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Digests: TypeAlias = NDArray[np.uint64]

DEFAULT_CAP: Final = 1 << 21
"""Distinct values that are kept of a field, 16 bytes each."""


def digest_column(values: Sequence[str], key: bytes) -> Digests:
    """The keyed digest of each value, uint64, shape (len(values),); that of "" is 0, and of no other value.

    Source: BLAKE2b, RFC 7693, keyed, 8 bytes.
    """
    digest_of = {value: _digest(value, key) for value in set(values)}
    return np.fromiter(map(digest_of.__getitem__, values), dtype=np.uint64, count=len(values))


def _digest(value: str, key: bytes) -> int:
    data = value.encode("utf-8", "surrogatepass")
    return (int.from_bytes(hashlib.blake2b(data, digest_size=8, key=key).digest(), "little") or 1) if value else 0


def digest_rows(columns: Sequence[Digests], key: bytes) -> Digests:
    """A digest of each row over the digests of its columns; the order of the columns counts."""
    odds = np.array([[_digest(f"column {place}", key) | 1] for place in range(len(columns))], dtype=np.uint64)
    rows: Digests = (np.array(columns, dtype=np.uint64) * odds).sum(axis=0, dtype=np.uint64)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is known of added digests: distinct ones, occurrences of those that occur again, and of the commonest.

    `largest` is None where the counts are estimates: the commonest value may not be in the sample.
    """

    distinct: int
    repeated: int
    largest: int | None
    estimated: bool


def _no_digests() -> Digests:
    return np.empty(0, dtype=np.uint64)


def _no_counts() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


@dataclass(slots=True, kw_only=True)
class DigestCounter:
    """Counts how often each digest was added. The order and the pieces in which they come make no difference."""

    cap: int = DEFAULT_CAP
    added: int = 0
    _keys: Digests = field(default_factory=_no_digests)
    _counts: NDArray[np.int64] = field(default_factory=_no_counts)
    _ceiling: int = (1 << 64) - 1
    """Digests above it are not counted."""

    def add(self, digests: Digests) -> None:
        """Count some more digests."""
        self.added += len(digests)
        keys, counts = np.unique(digests[digests <= np.uint64(self._ceiling)], return_counts=True)
        keys = np.concatenate((self._keys, keys))
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], np.concatenate((self._counts, counts))[order]
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.empty(0, np.intp)
        self._keys = keys[starts][: self.cap]
        self._counts = np.add.reduceat(counts, starts)[: self.cap] if len(keys) else _no_counts()
        if len(starts) > self.cap:
            self._ceiling = int(self._keys[-1])

    def tally(self) -> Tally:
        """What was counted so far."""
        sampled = (self._ceiling + 1) / 2**64
        repeated = int(self._counts[self._counts > 1].sum())
        if self._ceiling == (1 << 64) - 1:
            largest = int(self._counts.max(initial=0))
            return Tally(distinct=len(self._keys), repeated=repeated, largest=largest, estimated=False)
        distinct = round((len(self._keys) - 1) / sampled)
        return Tally(distinct=distinct, repeated=round(repeated / sampled), largest=None, estimated=True)
