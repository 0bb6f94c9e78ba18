"""Gates: what a submission's encodings must look like, as far as that can be seen without a key.

They stop mistakes (rows not de-duplicated, another program's output) and cheap malice: vectors so dense that they are
similar to everything, rows in a narrow table without the table that would tell them apart. They do not stop a provider
who makes up plausible people (docs/threat-model.md).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile, Hardening
from isthmus.contract.profiles import AnyProfile

MOST_IDENTICAL_SHARE: Final = 0.2
"""Rows that are identical to an earlier row of their submission; people have twins in a file, not every fifth row."""

INTEROP_DENSITY: Final = (0.05, 0.5)
"""Of `interop-1`: a full record sets 0.39 of a CLK in the mean, the least that may link 0.2; values of many tokens set
somewhat more, and of few tokens somewhat less, than their share."""

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
    """Looks at a submission piece by piece; memory grows by 8 bytes a row.

    `patterns` are the combinations of tables that a row may be in: bit t of one stands for table t.
    """

    density: Sequence[DensityGate]
    patterns: frozenset[int]
    clk_bytes: int

    def problem(self, pieces: Iterable[NDArray[np.uint8]]) -> str | None:
        """Say what stands against a submission, or nothing.

        Args:
            pieces: the encodings of some rows each, uint8 of shape (n, tables * clk_bytes).
        """
        digests = []
        for clks in pieces:
            found = self._density_problem(clks) or self._pattern_problem(clks)
            if found is not None:
                return found
            digests.append(_row_digests(clks))
        return _identity_problem(np.concatenate(digests))

    def _pattern_problem(self, clks: NDArray[np.uint8]) -> str | None:
        inside = clks.reshape(len(clks), len(self.density), self.clk_bytes).any(axis=2)
        patterns = (inside << np.arange(len(self.density), dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
        strange = next((pattern for pattern in np.unique(patterns).tolist() if pattern not in self.patterns), None)
        if strange is None:
            return None
        names = [gate.table for place, gate in enumerate(self.density) if strange >> place & 1]
        return (
            f"rows have encodings in exactly these tables: {', '.join(names)}; by the groups of fields that a row can"
            " hold, this profile makes no such rows"
        )

    def _density_problem(self, clks: NDArray[np.uint8]) -> str | None:
        by_table = clks.reshape(len(clks), len(self.density), self.clk_bytes)
        for place, gate in enumerate(self.density):
            share = np.bitwise_count(by_table[:, place]).sum(axis=1, dtype=np.uint32) / (8 * self.clk_bytes)
            outside = (share != 0) & ((share < gate.low) | (share > gate.high))
            if bool(outside.any()):
                return (
                    f"encodings of table {gate.table} have a share of set bits outside {gate.low:.2f} to"
                    f" {gate.high:.2f}, which this profile does not make"
                )
        return None


def gates_of(profile: AnyProfile) -> Gates:
    """Give the gates that follow from a profile."""
    if isinstance(profile, HardenedProfile):
        density = [_hardened_gate(name, profile.hardening) for name in profile.table_names]
        patterns = frozenset(_patterns(profile))
    else:
        low, high = INTEROP_DENSITY
        density = [DensityGate(table=name, low=low, high=high) for name in profile.table_names]
        patterns = frozenset({0, 1})
    return Gates(density=density, patterns=patterns, clk_bytes=profile.clk_bits // 8)


def _patterns(profile: HardenedProfile) -> Iterator[int]:
    """Give, for every set of groups that a row can hold, the tables that let it in."""
    names = [group.name for group in profile.groups]
    for held in chain.from_iterable(combinations(names, count) for count in range(len(names) + 1)):
        inside = (any({*pair} <= {*held} for pair in table.pairs) for table in profile.tables)
        yield sum(1 << place for place, let_in in enumerate(inside) if let_in)


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
