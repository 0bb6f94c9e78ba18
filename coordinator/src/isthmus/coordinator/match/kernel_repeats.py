"""Comparing a dataset that repeats people with itself, by the kernels: every two of its rows once.

The dataset is cut into slabs; each slab is compared with those after it, and with itself. Inside a slab the kernels see
rows in the order of their set bits: parts below the diagonal are left out, and of those on it a pair counts where its
left row comes first in that order.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.best_of_row import best_of_each_row
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.kernels.blocks import Blocks, block_rows
from isthmus.coordinator.match.kernels.comparison import Comparison, Pairs, Part, join, parts, plan
from isthmus.coordinator.match.kernels.processors import Kernel
from isthmus.coordinator.match.records import STEPS, count_steps, pack_pairs, similarities, unpack_pairs
from isthmus.coordinator.match.runs import RECORD, Records
from isthmus.coordinator.match.search import Portion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnSides:
    """What the pieces of one comparison share: two slabs of a dataset from these rows on, or the same slab twice."""

    dataset: int
    first_left: int
    first_right: int
    comparison: Comparison
    best_of_row: int | None

    @property
    def is_one_slab(self) -> bool:
        """Whether both sides are the same rows."""
        return self.first_left == self.first_right


def own_sides(
    datasets: Sequence[Dataset], *, slab_rows: int, threshold: float, kernel: Kernel, best_of_row: int | None
) -> Iterator[OwnSides]:
    """Give the comparisons that hold every two rows of each dataset that repeats people."""
    for place, dataset in enumerate(datasets):
        starts = range(0, dataset.rows, slab_rows) if dataset.repeats else ()
        for first_left, first_right in combinations_with_replacement(starts, 2):
            left = block_rows(dataset.clks[first_left : first_left + slab_rows])
            right = left if first_left == first_right else block_rows(dataset.clks[first_right:][:slab_rows])
            yield OwnSides(
                dataset=place,
                first_left=first_left,
                first_right=first_right,
                comparison=plan(left, right, threshold=threshold, kernel=kernel),
                best_of_row=best_of_row,
            )


def own_parts(sides: OwnSides) -> list[Part]:
    """Cut the work, without what is below the diagonal."""
    return [part for part in parts(sides.comparison) if not sides.is_one_slab or part.first_left < part.last_right]


def compare_own(sides: OwnSides, some: Sequence[Part], room: int) -> Portion:
    """Find the candidate pairs of some parts; `search.Work`."""
    places = _places(sides.comparison.left)
    found = chain.from_iterable(join(sides.comparison, part) for part in some)
    chunks = (_packed(sides, pairs, places) for pairs in found)
    return _best(sides, chunks, room, k=sides.best_of_row) if sides.best_of_row else _all(chunks, room)


def _all(chunks: Iterable[Records], room: int) -> Portion:
    steps, kept, held = np.zeros(STEPS + 1, np.int64), [np.empty(0, RECORD)], 0
    for chunk in chunks:
        steps += count_steps(similarities(chunk))
        held += len(chunk)
        kept = [*kept, chunk] if held <= room else []
    return Portion(records=np.sort(np.concatenate(kept)) if held <= room else None, steps=steps)


def _best(sides: OwnSides, chunks: Iterable[Records], room: int, *, k: int) -> Portion:
    """Give the best of the rows; what is out stays out, for later pairs only push it further down."""
    kept, held = [np.empty(0, RECORD)], 0
    for chunk in chunks:
        kept.append(chunk)
        held += len(chunk)
        if held > room:
            kept = [_best_records(sides, kept, k)]
            held = len(kept[0])
            room = max(room, 2 * held)
    records = _best_records(sides, kept, k)
    return Portion(records=records, steps=count_steps(similarities(records)))


def _best_records(sides: OwnSides, kept: Sequence[Records], k: int) -> Records:
    records = np.sort(np.concatenate(kept))
    best: Records = records[best_of_each_row(unpack_pairs([records], repeating=frozenset({sides.dataset})), k=k)]
    return best


def _places(blocks: Blocks) -> NDArray[np.intp]:
    """Give where each row is in the order of set bits, -1 for a row without any."""
    rows = blocks.rows[blocks.counts > 0]
    places = np.full(int(rows.max(initial=0)) + 1, -1)
    places[rows] = np.arange(rows.size)
    return places


def _packed(sides: OwnSides, found: Pairs, places: NDArray[np.intp]) -> Records:
    """Give the pairs that count, the lower row of the dataset on the left."""
    counts = np.ones(len(found), np.bool_)
    if sides.is_one_slab:
        counts = places[found.left_row] < places[found.right_row]
    left = found.left_row[counts] + np.uint32(sides.first_left)
    right = found.right_row[counts] + np.uint32(sides.first_right)
    dataset = np.full(left.size, sides.dataset, np.uint32)
    return pack_pairs(found.similarity[counts], dataset, dataset, np.minimum(left, right), np.maximum(left, right))
