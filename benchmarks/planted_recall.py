"""How far recall of planted people is from true recall, where the truth is known.

    .venv/bin/python benchmarks/planted_recall.py
    .venv/bin/python benchmarks/planted_recall.py --data published --people 1000 --seed 2

Both providers plant people, all rows are encoded under `hardened-1`, candidates are asked for with eight slots, answers
are made and read as in a round, and the model is fitted to real rows alone. A line for each data set and list of
fields: of planted people and of truly shared ones the share that was asked for and the share that was linked, and the
90 % interval of the former's recall (Wilson, 1927). The data sets are those of `link_accuracy.py` that have two files,
and `published`: 3,000 rows a side, half of them shared, who are as planted people are and have the published errors.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from secrets import token_bytes
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import comparison_1
from isthmus.contract.comparison_terms import Accept
from isthmus.contract.differences import GRADES
from isthmus.contract.field_answers import pad_numbers, row_numbers
from isthmus.contract.hardened import hardened_1
from isthmus.contract.ids import PartyId
from isthmus.contract.kinds import Kind
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.compare.link import Compared, merge_links, weigh
from isthmus.coordinator.match.compare.model import Candidates
from isthmus.coordinator.match.compare.people import find_people, group_linked
from isthmus.coordinator.match.compare.planted import Planted, PlantedFound, find_planted
from isthmus.coordinator.match.compare.reading import Read, read_answers
from isthmus.coordinator.match.compare.requests import Requests, build_requests
from isthmus.coordinator.match.engine import merge_found
from isthmus.coordinator.match.field_candidates import field_candidates
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.near_misses import own_near_misses
from isthmus.node.compare.pads import PadKeys
from isthmus.node.compare.row_fields import RowFields, read_row_fields
from isthmus.node.planted.copies import planted_copies

sys.path.insert(0, str(Path(__file__).parents[1]))
# The people and how they are encoded.
from benchmarks.link_accuracy import DATA, Columns, People, submission

ENGINE: Final = KernelEngine(workers=1, max_pairs=10**7)
SLOTS: Final = 8
ACCEPT: Final = Accept.BALANCED.probability
PARTIES: Final = (PartyId("left"), PartyId("right"))
PUBLISHED_ROWS: Final = 3_000
PUBLISHED_FIELDS: Final = (
    ("first_name", "last_name", "dob"),
    ("first_name", "last_name", "dob", "sex", "zip"),
    ("first_name", "middle_name", "last_name", "dob", "street_number", "street_name", "city", "zip"),
)
_Z: Final = 1.6449


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Planted people as they were found; of truly shared people how many were asked for and how many linked."""

    planted: PlantedFound
    true: int
    asked: int
    linked: int


def published(folder: Path, seed: int) -> Iterator[People]:  # noqa: ARG001 - nothing is written
    """Give two files of people who are as planted ones are, with the errors that are published, half of them shared."""
    half, key = PUBLISHED_ROWS // 2, Secret(seed.to_bytes(32, "big"))
    copies = [list(planted_copies(key, party=party, count=3 * half)) for party in PARTIES]
    files = [range(2 * half), range(half, 3 * half)]
    yield People(
        name="published",
        columns=tuple(
            {field: [known[number][field] for number in file] for field in known[0]}
            for known, file in zip(copies, files, strict=True)
        ),
        entities=tuple([str(number) for number in file] for file in files),
        field_sets=PUBLISHED_FIELDS,
    )


def measure(people: People, fields: tuple[str, ...], *, count: int, seed: int) -> Recall:
    """Plant so many people, link, and hold what is found against the truth."""
    sizes, key = people.sizes, Secret((2**64 + seed).to_bytes(32, "big"))
    columns = [_planting(one, party, key, count) for one, party in zip(people.columns, PARTIES, strict=True)]
    profile = hardened_1(tuple(fields))
    sent = [submission(one, profile) for one in columns]
    found = field_candidates(sent, profile=profile, engine=ENGINE, max_pairs=10**7, progress=_silent)
    rows = (len(sent[0]), len(sent[1]))
    requests = build_requests(
        found.left_row, found.right_row, rows=rows, slots=SLOTS, seed=Secret(seed.to_bytes(32, "big"))
    )
    planted = Planted(left_row=_last(sizes[0], count), right_row=_last(sizes[1], count))
    read, near = _answered(columns, fields, requests, planted, sizes, seed)
    return _recall(people, requests, read, near, planted)


def _planting(columns: Columns, party: PartyId, key: Secret, count: int) -> Columns:
    copies = list(planted_copies(key, party=party, count=count))
    return {field: [*values, *(copy[field] for copy in copies)] for field, values in columns.items()}


def _last(rows: int, count: int) -> NDArray[np.uint32]:
    return np.arange(rows, rows + count, dtype=np.uint32)


def _answered(
    columns: Sequence[Columns],
    fields: tuple[str, ...],
    requests: Requests,
    planted: Planted,
    sizes: Sequence[int],
    seed: int,
) -> tuple[Read, tuple[Kind, ...]]:
    """Give the levels of candidates, and near misses of both; planted rows are in no random pair and no kind."""
    comparison, rng = comparison_1(fields), np.random.default_rng(seed)
    keys = PadKeys(pad=Secret(b"p" * 32), left=PARTIES[0], right=PARTIES[1])
    rows = [read_row_fields(one, comparison, compare=Secret(b"c" * 32), pad=keys.pad) for one in columns]
    sides = [
        Answers(comparison=comparison, rows=one, keys=keys, side=side, random_bytes=token_bytes).of(
            row_numbers(asked), numbers=pad_numbers(asked, first=0)
        )
        for one, side, asked in zip(rows, Side, (requests.left_place, requests.right_place), strict=True)
    ]
    used = requests.candidate | requests.compared & ~planted.concerns(requests.left_row, requests.right_row)
    read = read_answers([(sides[0][used], sides[1][used], requests.candidate[used])], comparison, grades=GRADES)
    kinds = [
        own_near_misses(_first(one, size), comparison, grades=GRADES, rng=rng)
        for one, size in zip(rows, sizes, strict=True)
    ]
    return read, tuple(Kind(share=kind.share / 2, shares=kind.shares) for of in kinds for kind in of)


def _first(rows: RowFields, count: int) -> RowFields:
    return RowFields(
        vectors={name: one[:count] for name, one in rows.vectors.items()},
        numbers={name: one[:count] for name, one in rows.numbers.items()},
        bands={name: one[:count] for name, one in rows.bands.items()},
        present={name: one[:count] for name, one in rows.present.items()},
    )


def _recall(people: People, requests: Requests, read: Read, near: tuple[Kind, ...], planted: Planted) -> Recall:
    left, right = requests.left_row[requests.candidate], requests.right_row[requests.candidate]
    real, sizes = ~planted.concerns(left, right), people.sizes
    levels = Read(
        fields=read.fields,
        levels=read.levels[:, real],
        random_counts=read.random_counts,
        random_pairs=read.random_pairs,
    )
    compared = Compared(left=0, right=1, left_row=left[real], right_row=right[real], read=levels, near=near)
    inside = merge_found([])
    weighed = weigh(compared, people=find_people(inside, sizes=sizes))
    links = merge_links([weighed], accept=ACCEPT, inside=inside)
    groups = group_linked(links, sizes=sizes)
    candidates = Candidates(
        fields=read.fields, levels=read.levels, left_row=left, right_row=right, rows=(sizes[0], sizes[1])
    )
    truth = [np.array(entities) for entities in people.entities]
    places = [np.flatnonzero(groups.dataset == place) for place in (0, 1)]
    entity = [dict(zip(groups.entity[at].tolist(), groups.row[at].tolist(), strict=True)) for at in places]
    pairs = [(entity[0][name], entity[1][name]) for name in entity[0].keys() & entity[1].keys()]
    return Recall(
        planted=find_planted(planted, candidates, weighed.model, accept=ACCEPT),
        true=int(np.intersect1d(truth[0], truth[1]).size),
        asked=int(np.unique(truth[0][left[real]][truth[0][left[real]] == truth[1][right[real]]]).size),
        linked=sum(bool(truth[0][one] == truth[1][other]) for one, other in pairs),
    )


def wilson(found: int, people: int) -> tuple[float, float]:
    """Give the 90 % interval of a share: Wilson (1927)."""
    share, spread = found / people, _Z * sqrt(found * (people - found) / people + _Z**2 / 4)
    middle = (share * people + _Z**2 / 2) / (people + _Z**2)
    return middle - spread / (people + _Z**2), middle + spread / (people + _Z**2)


def _silent(done: int, total: int) -> None:
    """Nobody waits."""


def main() -> int:
    """Measure and print a line for each data set and list of fields."""
    sets = {"published": published, **{name: make for name, make in DATA.items() if name != "demo"}}
    parser = argparse.ArgumentParser(description="recall of planted people beside true recall")
    parser.add_argument("--data", action="append", choices=tuple(sets), help="which people (default: all)")
    parser.add_argument("--people", type=int, default=500, help="how many are planted")
    parser.add_argument("--seed", type=int, default=1, help="another seed plants others")
    arguments = parser.parse_args()
    print("data | fields | planted: asked | linked | interval | true: asked | linked")
    print("---|---|---|---|---|---|---")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.data or sets:
            for people in sets[name](Path(folder), arguments.seed):
                for fields in people.field_sets:
                    _print(people, fields, measure(people, fields, count=arguments.people, seed=arguments.seed))
    return 0


def _print(people: People, fields: tuple[str, ...], found: Recall) -> None:
    planted = found.planted
    low, high = wilson(planted.found, planted.people)
    print(
        f"{people.name} | {' '.join(fields)} | {planted.asked / planted.people:.3f}"
        f" | {planted.found / planted.people:.3f} | {low:.3f} to {high:.3f}"
        f" | {found.asked / found.true:.3f} | {found.linked / found.true:.3f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
