"""How much memory a round's matching takes at most, told before the comparison begins.

The numbers are upper bounds, measured with benchmarks/coordinator_memory.py; a test holds them against the peaks of
processes. What takes memory one after another is not added up: comparing, gathering pairs, and making the results.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from isthmus.contract.ids import HANDLE_BYTES
from isthmus.contract.keyed_blocks import BLOCK_BITS
from isthmus.coordinator.match.bucket_join import SPAN_ROWS
from isthmus.coordinator.match.crowding import most_candidates
from isthmus.coordinator.match.engine import count_comparisons
from isthmus.coordinator.match.errors import NotEnoughMemory

MIB: Final = 2**20

PROGRAM_BYTES: Final = 320 * MIB
"""The program at rest, with the compiled code of comparing and grouping."""

SLAB_ROWS_HELD: Final = 4 * 2**15
"""Rows that are in memory a second time, as blocks: two slabs under comparison, the next, and one that is made."""

BLOCK_ROW_BYTES: Final = 160
"""What a row takes in a block beside its bits: number, set bits, and limits of three stages twice over."""

BEST_ROWS: Final = 4096 + 16384
BEST_BYTES: Final = 12
"""Rows of a part of the comparison, and what an entry takes of the lists of their best."""

BLOCK_KEY_BYTES: Final = 32
"""What a row takes for each block key: its bucket twice as sent, once among all rows, its place, and its stretch."""

BUCKETED_ROW_BYTES: Final = 64
"""What a row takes while rows are put in order by their buckets of one key, and pairs are counted and cut."""

SPAN_ROW_BYTES: Final = 48
"""What a row of a span takes beside its bits and buckets."""

PAIR_BYTES: Final = 120
"""A candidate pair while pairs are put in order, checked, scored or grouped, the pair itself counted in."""

RESULT_ROW_BYTES: Final = 420
"""A row while results are made: handle, entity's id, groups, and its part of the maps."""

SPINE_ROW_BYTES: Final = 800
"""What a row takes on top in reveal mode spine, where every entity gets a slot."""

SCORE_BYTES: Final = 96 * MIB
"""Scoring the pairs of tables, some thousand at a time, and looking for equal tags."""

TAGGED_ROW_BYTES: Final = 96

ASKED_PAIR_BYTES: Final = 100
"""A pair that two providers are asked about while these pairs are chosen, put in order and packed."""

FITTED_PAIR_BYTES: Final = 160
"""A pair that they have answered about: its rows, pattern, odds and sums of odds, beside its levels twice."""

KEPT_PAIR_BYTES: Final = 16
"""A pair of two providers while others are fitted: its rows and its probability, beside its levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a round asks for.

    Attributes:
        sizes: rows of each provider.
        row_bytes: of all that was sent of a row but its handle.
        clk_bytes, tables, match_keys: of a row; one table and no key for a plain CLK.
        best_of_row: how many candidates a row keeps in a table for each other provider; none for all.
        spine: whether every row gets a pseudonym and a slot.
        repeating: places of the providers whose rows are compared with each other too.
        block_keys: bucket numbers of a row; none where every pair is compared.
        bucket_rows: the most rows of a provider in a bucket.
        slots: in how many pairs a row of the larger of two providers is compared field by field; 0 where it is not.
        fields: how many fields two providers share at most.
    """

    sizes: Sequence[int]
    row_bytes: int
    clk_bytes: int
    tables: int
    match_keys: int
    best_of_row: int | None
    spine: bool
    repeating: frozenset[int] = frozenset()
    block_keys: int = 0
    bucket_rows: int = 0
    slots: int = 0
    fields: int = 0

    def asked_pairs(self) -> list[int]:
        """Give about how many pairs every two providers are asked."""
        return [self.slots * max(both) for both in combinations(self.sizes, 2)]

    @property
    def input_bytes(self) -> int:
        """How many bytes the providers sent."""
        return sum(self.sizes) * (HANDLE_BYTES + self.row_bytes)

    def most_pairs(self) -> int:
        """Give how many candidate pairs there can be at most, whatever the rows hold."""
        if self.best_of_row is None:
            return count_comparisons(self.sizes, repeating=self.repeating)
        return most_candidates(
            self.sizes,
            best_of_row=self.best_of_row,
            tables=self.tables,
            match_keys=self.match_keys,
            repeating=self.repeating,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What matching may take, and what it is set up to take whatever the round.

    Attributes:
        allowed_bytes: for the whole process.
        search_bytes: what engines call `memory_bytes`.
        workers: threads or processes that compare.
        worker_bytes: what each of them takes beside what is bounded by the rows.
    """

    allowed_bytes: int
    search_bytes: int
    workers: int
    worker_bytes: int


def needed_bytes(demand: Demand, memory: Memory, *, max_pairs: int) -> int:
    """Give how much memory the process takes at most while it matches such a round."""
    rows, providers = sum(demand.sizes), len(demand.sizes)
    held = _bucketed_bytes(demand, memory) if demand.block_keys else _slab_bytes(demand)
    lists = (demand.best_of_row or 0) * BEST_BYTES * BEST_ROWS * providers
    searching = held + memory.search_bytes + memory.workers * (memory.worker_bytes + lists)
    pairs = PAIR_BYTES * min(max_pairs, demand.most_pairs())
    gathering = pairs + rows * providers * (demand.best_of_row is not None) + memory.search_bytes
    scoring = pairs + SCORE_BYTES + TAGGED_ROW_BYTES * rows if demand.match_keys else 0
    results = rows * (RESULT_ROW_BYTES + SPINE_ROW_BYTES * demand.spine)
    asking = pairs + ASKED_PAIR_BYTES * max(demand.asked_pairs())
    settling = pairs + results if not demand.slots else max(asking, _answer_bytes(demand) + results)
    return PROGRAM_BYTES + max(demand.input_bytes + max(searching, gathering, scoring), settling)


def _answer_bytes(demand: Demand) -> int:
    """Give what answers take: those of two providers while the model is fitted, and what is kept of all of them."""
    asked = demand.asked_pairs()
    fitting = (FITTED_PAIR_BYTES + 2 * demand.fields) * max(asked)
    return max(fitting, PAIR_BYTES * sum(asked)) + (KEPT_PAIR_BYTES + demand.fields) * sum(asked)


def _slab_bytes(demand: Demand) -> int:
    return min(sum(demand.sizes), SLAB_ROWS_HELD) * (demand.clk_bytes + BLOCK_ROW_BYTES)


def _bucketed_bytes(demand: Demand, memory: Memory) -> int:
    """Give what rows by bucket take, and the spans of all workers: two each, as rows of one are copied or sent."""
    rows = sum(demand.sizes)
    span_rows = min(rows, SPAN_ROWS + demand.bucket_rows * len(demand.sizes))
    row_bytes = demand.clk_bytes + BLOCK_BITS // 8 * demand.block_keys + SPAN_ROW_BYTES
    ordered = rows * (BLOCK_KEY_BYTES * demand.block_keys + BUCKETED_ROW_BYTES)
    return ordered + 2 * memory.workers * span_rows * row_bytes


def check_memory(demand: Demand, memory: Memory, *, max_pairs: int) -> None:
    """Raise `NotEnoughMemory` where a round may take more than is allowed."""
    needed = needed_bytes(demand, memory, max_pairs=max_pairs)
    if needed > memory.allowed_bytes:
        raise NotEnoughMemory(
            rows=sum(demand.sizes), limit_mib=memory.allowed_bytes // MIB, needed_mib=-(-needed // MIB)
        )


def default_max_pairs(allowed_bytes: int, *, most: int) -> int:
    """Give how many candidate pairs to hold where no setting says it: as many as half of the memory is good for."""
    return max(1, min(most, allowed_bytes // (2 * PAIR_BYTES)))
