"""Gates: what a submission's encodings must look like, as far as that can be seen without a key.

They stop mistakes (rows not de-duplicated, another program's output) and cheap malice: vectors so dense that they are
similar to everything, rows in a narrow table without the table that would tell them apart, tags that several rows have,
buckets so small that they tell of a person or so large that they stop the round.
They do not stop a provider who makes up plausible people (docs/threat-model.md).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import sqrt
from operator import or_
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import tag_words
from isthmus.contract.hardened import NAME_PAIR, HardenedProfile, Hardening
from isthmus.contract.keyed_blocks import NO_BLOCK, Blocks
from isthmus.contract.match_keys import MatchKey
from isthmus.contract.profiles import AnyProfile
from isthmus.coordinator.match.encodings import Buckets, TabledRows, split_rows

MOST_IDENTICAL_SHARE: Final = 0.2
"""Rows that are identical to an earlier row of their submission; people have twins in a file, not every fifth row."""

INTEROP_DENSITY: Final = (0.05, 0.5)
"""Of `interop-1`: a full record sets 0.39 of a CLK in the mean, the least that may link 0.2; values of many tokens set
somewhat more, and of few tokens somewhat less, than their share."""

_NAMES: Final = "-".join(NAME_PAIR)

_ANY_VALUE: Final = ("", "x")
_ANY_DATE: Final = ("", "x", "20000101")
"""No value, one that has no parts of a date, one that has."""

SIGMAS: Final = 7.0
"""Standard deviations allowed on each side of what diffusion gives: chance passes them once in some 10^11 rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityGate:
    """The share of set bits that an encoding in one table may have, both ends inclusive; empty encodings pass."""

    table: str
    low: float
    high: float


@dataclass(slots=True, kw_only=True)
class Gates:
    """Looks at a submission piece by piece.

    Memory grows by 8 bytes for each row, by 8 for each row and match key, and by 4 for each row and block key.

    `density` is of the tables and `match_keys` are the names of the match keys, both in order. `patterns` are the
    combinations of the two that a row may have: bit t of one stands for table t, those after them for the match keys.
    Of a data set that `repeats` people, any number of rows may be identical.
    """

    density: Sequence[DensityGate]
    match_keys: Sequence[str]
    patterns: frozenset[int]
    clk_bits: int
    repeats: bool = False
    blocks: Blocks | None = None

    def problem(self, pieces: Iterable[NDArray[np.uint8]]) -> str | None:
        """Say what stands against a submission, or nothing.

        Args:
            pieces: the encodings of some rows each, uint8 of shape (n, row_bits / 8).
        """
        # People of one full name are no repetition, so the table of names is not looked at.
        telling = [place for place, gate in enumerate(self.density) if gate.table != _NAMES and not self.repeats]
        digests, words, tagged = [], [], np.zeros(len(self.match_keys), np.intp)
        buckets = [np.empty((0, len(self._block_keys)), np.uint32)]
        for encoded in pieces:
            rows = split_rows(encoded, tables=len(self.density), clk_bits=self.clk_bits, blocks=len(self._block_keys))
            found = self._density_problem(rows.clks) or self._pattern_problem(rows) or self._row_problem(rows)
            if found is not None:
                return found
            digests.append([_row_digests(rows.clks[:, place]) for place in telling])
            words.append(tag_words(rows.tags))
            tagged += rows.tags.any(axis=2).sum(axis=0)
            buckets += [] if rows.buckets is None else [rows.buckets]
        repeated = (_identity_problem(np.concatenate(table)) for table in zip(*digests, strict=True))
        return (
            next(filter(None, repeated), None)
            or self._tag_problem(words, tagged.tolist())
            or self._size_problem(np.concatenate(buckets))
        )

    @property
    def _block_keys(self) -> Sequence[str]:
        return self.blocks.keys if self.blocks else ()

    def _row_problem(self, rows: TabledRows) -> str | None:
        """Look at the bucket numbers of some rows, each by itself."""
        if self.blocks is None or rows.buckets is None:
            return None
        if bool((rows.buckets > self.blocks.buckets).any()):
            return f"rows have bucket numbers above {self.blocks.buckets}, the number of buckets of this project"
        empty = ~rows.clks.any(axis=(1, 2)) & ~rows.tags.any(axis=(1, 2))
        if bool(rows.buckets[empty].any()):
            return "rows without any encoding have bucket numbers; a row that is not compared is in no bucket"
        return None

    def _size_problem(self, buckets: Buckets) -> str | None:
        """Look at how many rows each bucket has; `buckets` are those of all rows."""
        if self.blocks is None:
            return None
        least, most = self.blocks.least_rows, self.blocks.most_rows
        for key, of_key in zip(self.blocks.keys, buckets.T, strict=True):
            _, sizes = np.unique(of_key[of_key != NO_BLOCK], return_counts=True)
            if sizes.size and int(sizes.min()) < least:
                return f"block key {key} has buckets of fewer than {least} rows, which a node withholds"
            if sizes.size and int(sizes.max()) > most:
                return f"block key {key} has buckets of more than {most} rows, which this project does not allow"
        return None

    def _pattern_problem(self, rows: TabledRows) -> str | None:
        inside = np.hstack([rows.clks.any(axis=2), rows.tags.any(axis=2)])
        patterns = (inside << np.arange(inside.shape[1], dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
        strange = next((pattern for pattern in np.unique(patterns).tolist() if pattern not in self.patterns), None)
        if strange is None:
            return None
        names = [*(gate.table for gate in self.density), *self.match_keys]
        held = [name for place, name in enumerate(names) if strange >> place & 1]
        return (
            f"rows have encodings in exactly these tables and match keys: {', '.join(held)}; whichever fields a row"
            " lacks, this profile makes no such rows"
        )

    def _density_problem(self, clks: NDArray[np.uint8]) -> str | None:
        for place, gate in enumerate(self.density):
            share = np.bitwise_count(clks[:, place]).sum(axis=1, dtype=np.uint32) / self.clk_bits
            outside = (share != 0) & ((share < gate.low) | (share > gate.high))
            if bool(outside.any()):
                return (
                    f"encodings of table {gate.table} have a share of set bits outside {gate.low:.2f} to"
                    f" {gate.high:.2f}, which this profile does not make"
                )
        return None

    def _tag_problem(self, words: Sequence[NDArray[np.uint64]], tagged: Sequence[int]) -> str | None:
        """Look for tags that two rows share, as far as their first halves tell, which is far enough by chance.

        `tagged` says how many rows have a tag; a first half of zeros, which chance hardly ever makes, counts as shared.
        """
        for place, (name, count) in enumerate(zip(self.match_keys, tagged, strict=True)):
            tags = np.concatenate([each[place] for each in words])
            if len(np.unique(tags[tags != 0])) < count:
                return f"two rows have the same tag of match key {name}; a tag that rows share is never sent"
        return None


def gates_of(profile: AnyProfile, *, blocks: Blocks | None = None, repeats: bool = False) -> Gates:
    """Give the gates that follow from a profile, from the keyed blocks that the project grants, if it does, and from
    whether the data set repeats people.
    """
    if isinstance(profile, HardenedProfile):
        density = [_hardened_gate(name, profile.hardening) for name in profile.table_names]
        patterns = frozenset(_patterns(profile))
    else:
        low, high = INTEROP_DENSITY
        density = [DensityGate(table=name, low=low, high=high) for name in profile.table_names]
        patterns = frozenset({0, 1})
    return Gates(
        density=density,
        match_keys=profile.match_key_names,
        patterns=patterns,
        clk_bits=profile.clk_bits,
        repeats=repeats,
        blocks=blocks,
    )


def _patterns(profile: HardenedProfile) -> Iterator[int]:
    """Give, for every set of values that a row can hold, the tables and match keys that it has encodings in."""
    anchors = {anchor for group in profile.groups for anchor in group.anchors}
    fields = sorted(anchors.union(*(key.fields for key in profile.match_keys)))
    choices = [_ANY_DATE if field == "dob" else _ANY_VALUE for field in fields]
    lost = {
        (field, value): _lost_keys(profile.match_keys, field, value)
        for field, values in zip(fields, choices, strict=True)
        for value in values
    }
    every = (1 << len(profile.match_keys)) - 1
    for values in product(*choices):
        row = dict(zip(fields, values, strict=True))
        held = {group.name for group in profile.groups if any(row[anchor] for anchor in group.anchors)}
        inside = (any({*pair} <= held for pair in table.pairs) for table in profile.tables)
        keys = every & ~reduce(or_, (lost[value] for value in row.items()), 0)
        yield sum(1 << place for place, has in enumerate(inside) if has) | keys << len(profile.tables)


def _lost_keys(keys: Sequence[MatchKey], field: str, value: str) -> int:
    """Give the match keys that a row with this value in that field has no tag of, bit t for key t."""
    lacking = [any(part.field == field and not part.of(value) for part in key.parts) for key in keys]
    return sum(1 << place for place, lacks in enumerate(lacking) if lacks)


def _hardened_gate(table: str, hardening: Hardening) -> DensityGate:
    """Bound the density of a diffused table: boxes give random bits, so half are set, however thin the row is."""
    spread = SIGMAS * 0.5 / sqrt(hardening.clk_bits)
    return DensityGate(table=table, low=0.5 - spread, high=0.5 + spread)


def _row_digests(clks: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Give 64 bits for each row that hold something: equal for equal rows, and by chance hardly ever otherwise.

    A multiply-and-mix over words is enough, because the only consequence of a clash is one row counted as a duplicate.
    """
    words = np.ascontiguousarray(clks[clks.any(axis=1)]).view(np.uint64)
    digest = np.full(len(words), 0x9E3779B97F4A7C15, np.uint64)
    for column in words.T:
        digest = (digest ^ column) * np.uint64(0xFF51AFD7ED558CCD)
        digest ^= digest >> np.uint64(32)
    return digest


def _identity_problem(digests: NDArray[np.uint64]) -> str | None:
    repeated = len(digests) - len(np.unique(digests))
    if repeated > max(1, MOST_IDENTICAL_SHARE * len(digests)):
        return (
            f"more than {MOST_IDENTICAL_SHARE:.0%} of its rows are identical to another of its rows; the data set"
            " should hold one row for each person"
        )
    return None
