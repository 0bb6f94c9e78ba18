"""Which share of the true pairs field comparison is asked about, and how far it depends on what rows may keep.

    .venv/bin/python benchmarks/candidate_recall.py --data febrl4
    .venv/bin/python benchmarks/candidate_recall.py --data households --seed 5 --best 3 4 8 --floors 0.57 0.53

For every profile, number of best of a row and floor: the share of the true pairs that are candidates (`found`), the
share that is left when every row has so many slots for candidates and the best take them first (`in slots`; rows of a
smaller file have more, so that both files have as many), candidates a row of the larger file, and seconds of comparing
and scoring. Encodings are made once for each profile. The people are those of `link_accuracy.py`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_2, hardened_single_1
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.match_keys import MATCH_KEY_BITS
from isthmus.contract.profile import interop_1
from isthmus.contract.profiles import AnyProfile
from isthmus.coordinator.match.encodings import TabledRows
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.field_candidates import Reach, candidates_within
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.node.encode.interop import encode_interop

sys.path.insert(0, str(Path(__file__).parents[1]))
# The people and how they are encoded.
from benchmarks.link_accuracy import DATA, KEYS, NAMES, People, candidate_recall, submission

ENGINE: Final = KernelEngine(workers=1, max_pairs=10**7)


def profiles_of(fields: tuple[str, ...]) -> Iterator[tuple[str, AnyProfile]]:
    """Give every profile of these fields with its name, the granted table of names apart."""
    yield "interop-1", interop_1(fields)
    yield "hardened-single-1", hardened_single_1(fields)
    yield "hardened-1", hardened_1(fields)
    yield "hardened-2", hardened_2(fields)
    if set(NAMES) <= set(fields):
        yield "hardened-1 names", hardened_1(fields, name_table=True)


def sent(people: People, profile: AnyProfile) -> list[TabledRows]:
    """Give what every provider sends."""
    if isinstance(profile, HardenedProfile):
        return [submission(columns, profile) for columns in people.columns]
    schema, secret = parse_linkage_schema(profile.linkage_schema), KEYS.encode.reveal()
    clks = [
        encode_interop([one[field] for field in profile.fields], schema=schema, secret=secret) for one in people.columns
    ]
    return [
        TabledRows(clks=one[:, np.newaxis], tags=np.zeros((len(one), 0, MATCH_KEY_BITS // 8), np.uint8)) for one in clks
    ]


def in_slots(pairs: CandidatePairs, *, sizes: Sequence[int], slots: int) -> CandidatePairs:
    """Give the pairs that get a slot of both of their rows, best first."""
    kept = np.zeros(len(pairs), np.bool_)
    for left, right in combinations(range(len(sizes)), 2):
        inside = np.flatnonzero((pairs.left_dataset == left) & (pairs.right_dataset == right))
        most = slots * max(sizes[left], sizes[right])
        free = [most // sizes[left]] * sizes[left], [most // sizes[right]] * sizes[right]
        rows = zip(pairs.left_row[inside].tolist(), pairs.right_row[inside].tolist(), strict=True)
        for place, (of_left, of_right) in zip(inside.tolist(), rows, strict=True):
            if free[0][of_left] and free[1][of_right]:
                free[0][of_left] -= 1
                free[1][of_right] -= 1
                kept[place] = True
    return _those(pairs, kept)


def _those(pairs: CandidatePairs, kept: NDArray[np.bool_]) -> CandidatePairs:
    return CandidatePairs(
        similarity=pairs.similarity[kept],
        left_dataset=pairs.left_dataset[kept],
        right_dataset=pairs.right_dataset[kept],
        left_row=pairs.left_row[kept],
        right_row=pairs.right_row[kept],
    )


def main() -> int:
    """Measure and print a line for each data set, list of fields, profile and reach."""
    parser = argparse.ArgumentParser(description="candidate recall for field comparison")
    parser.add_argument("--data", action="append", choices=tuple(DATA), help="which people (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other people")
    parser.add_argument("--best", type=int, nargs="+", default=[3, 4], help="how many best of a row are kept")
    parser.add_argument("--floors", type=float, nargs="+", default=[0.57, 0.53], help="least Dice of a candidate")
    parser.add_argument("--slots", type=int, default=7, help="slots of a row for candidates")
    arguments = parser.parse_args()
    reaches = [Reach(best_of_row=best, floor=floor) for floor in arguments.floors for best in arguments.best]
    print("data | fields | profile | best of row | floor | found | in slots | candidates a row | s")
    print("---|---|---|---|---|---|---|---|---")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.data or DATA:
            for people in DATA[name](Path(folder), arguments.seed):
                _measure(people, reaches, arguments.slots)
    return 0


def _measure(people: People, reaches: Sequence[Reach], slots: int) -> None:
    larger = sum(max(pair) for pair in combinations(people.sizes, 2))
    for fields in people.field_sets:
        for name, profile in profiles_of(fields):
            submissions = sent(people, profile)
            for reach in reaches:
                began = time.process_time()
                pairs = candidates_within(
                    reach, submissions, profile=profile, engine=ENGINE, max_pairs=10**7, progress=_silent
                )
                seconds = time.process_time() - began
                left = in_slots(pairs, sizes=people.sizes, slots=slots)
                print(
                    f"{people.name} | {' '.join(fields)} | {name} | {reach.best_of_row} | {reach.floor}"
                    f" | {candidate_recall(people, pairs):.4f} | {candidate_recall(people, left):.4f}"
                    f" | {len(pairs) / larger:.1f} | {seconds:.1f}",
                    flush=True,
                )


def _silent(done: int, total: int) -> None:
    """Nobody waits."""


if __name__ == "__main__":
    sys.exit(main())
