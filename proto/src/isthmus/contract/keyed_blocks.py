"""Keyed blocks: which rows of two providers are compared at all, where a project is too large to compare every pair.

Under each block key of a project a row falls into one of a fixed number of buckets, by a keyed hash over the parts of a
match key of that name (docs/protocol.md section 5). Rows of two providers that share a bucket of any key are compared,
exactly; others are not. Buckets are coarse on purpose: many people share one by chance, so that it says little of any
of them. What it gives away all the same: docs/threat-model.md.

A bucket number is pseudonymous personal data, as a CLK is.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from isthmus.contract.match_keys import MatchKey, match_keys_for

BLOCK_BITS: Final = 32
"""Length of a bucket number on the wire, big-endian; 0 for a row that is in no bucket of a key, else from 1."""

NO_BLOCK: Final = 0

FEWEST_BUCKETS, MOST_BUCKETS = 16, 2**24
MOST_BLOCK_KEYS: Final = 16
TELLING_KEYS: Final = frozenset(
    {
        *("initial-birth", "last_initial-birth", "birth-zip", "initial-number-zip", "initial-number-street"),
        *("year-number-street", "initial-last-zip", "initial-phone"),
    }
)
"""Match keys of initials, address or telephone: so many rows of a file share their parts that buckets give much more
away than those of whole names and dates (docs/decisions/0021-keyed-blocks.md). Lawful; a steward is told."""

SMALLEST_LEAST_ROWS: Final = 2
LARGEST_MOST_ROWS: Final = 1_000_000


class Blocks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a project grants.

    `keys` are names of match keys that its shared fields allow, `buckets` how many each has. A bucket in which a
    provider has fewer than `least_rows` rows does not leave its node; one in which it has more than `most_rows` is
    refused, because every row of it would be compared with every one of the other providers there.
    """

    keys: tuple[str, ...]
    buckets: int
    least_rows: int = 10
    most_rows: int = 10_000

    @property
    def row_bits(self) -> int:
        """How many bits the bucket numbers of a row take together."""
        return BLOCK_BITS * len(self.keys)

    def match_keys(self, fields: Sequence[str]) -> tuple[MatchKey, ...]:
        """Give the match keys that the rows are put into buckets by, in the order of `keys`.

        Raises:
            KeyError: a key is not one that these fields allow; `problems` tells.
        """
        allowed = {key.name: key for key in match_keys_for(fields)}
        return tuple(allowed[name] for name in self.keys)

    def problems(self, fields: Sequence[str]) -> list[str]:
        """Say all that is wrong with them for these shared fields."""
        allowed = [key.name for key in match_keys_for(fields)]
        found = [f"blocks: {problem}" for problem in self._number_problems()]
        unknown = sorted({name[:40] for name in self.keys} - set(allowed))
        if unknown:
            choice = ", ".join(allowed) or "none"
            found.append(
                f"blocks: no match key of the shared fields is called {', '.join(unknown)}; there are: {choice}"
            )
        return found

    def _number_problems(self) -> list[str]:
        found = []
        if not 1 <= len(self.keys) <= MOST_BLOCK_KEYS or len(set(self.keys)) != len(self.keys):
            found.append(f"keys must name 1 to {MOST_BLOCK_KEYS} match keys, each once")
        if not FEWEST_BUCKETS <= self.buckets <= MOST_BUCKETS:
            found.append(f"buckets is not between {FEWEST_BUCKETS} and {MOST_BUCKETS}")
        elif self.buckets * len(self.keys) > MOST_BUCKETS:
            # A node counts the rows of every bucket, in 4 bytes each.
            found.append(f"the buckets of all keys are more than {MOST_BUCKETS} together")
        if not SMALLEST_LEAST_ROWS <= self.least_rows < self.most_rows <= LARGEST_MOST_ROWS:
            found.append(
                f"least_rows and most_rows must rise from {SMALLEST_LEAST_ROWS} to {LARGEST_MOST_ROWS}, each bucket"
                " holding at least the one and at most the other"
            )
        return found
