"""What the product is held against: an exact key, one CLK at a threshold, and a generic Splink model in the clear.

Each gives scored pairs of rows. Groups are made of them as the product makes its own (`group_linked`): what is
connected, best first, with one row of a provider at most. That is kinder than plain clusters, which join all of it.
"""

import csv
import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations, islice
from pathlib import Path
from typing import Final

import numpy as np

from isthmus.contract.ids import PartyId
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.profile import interop_1
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found
from isthmus.node.encode.interop import encode_interop

sys.path.insert(0, str(Path(__file__).parents[2]))
# The benchmarks are no package.
from benchmarks.quality.people import DataSet
from benchmarks.quality.score import NOBODY, Ints, Side, equal_pairs

QUALITY_PYTHON: Final = Path(__file__).parents[2] / ".venv-quality" / "bin" / "python"
"""The Python of the environment of `requirements/quality.txt`."""

CLK_LEAST: Final = 0.6
"""Unrelated rows of few fields come close to it; no threshold below it is tried."""

CLK_BEST_OF_ROW: Final = 5
SPLINK_TIMEOUT_S: Final = 600

KEYS: Final = (
    ("first_name", "last_name", "dob"),
    ("last_name", "ssn"),
    ("first_name", "last_name", "street_number", "street_name"),
    ("first_name", "last_name", "zip"),
)
"""The exact key of two providers is the first of these that both can make."""


def exact_key(people: DataSet) -> CandidatePairs:
    """Give the pairs whose key is equal; a row that lacks a part of it has none."""
    repeating = frozenset(place for place, one in enumerate(people.providers) if one.repeats)
    sides = [*combinations(range(len(people.providers)), 2), *((place, place) for place in repeating)]
    found = []
    for left, right in sides:
        shared = set(people.shared_fields(left, right))
        key = next(one for one in KEYS if shared.issuperset(one))
        ours, theirs = equal_pairs(*_key_numbers(people, (left, right), key))
        kept = (ours < theirs) | (left != right)
        found.append(_found(left, right, ours[kept], theirs[kept], np.ones(np.count_nonzero(kept))))
    return merge_found(found, repeating=repeating)


def _key_numbers(people: DataSet, places: Sequence[int], key: Sequence[str]) -> list[Ints]:
    """Give each row's key as a number, by provider, `NOBODY` where a part is missing."""
    values = [
        list(zip(*(people.providers[place].columns[field] for field in key), strict=True)) for place in places
    ]  # fmt: skip
    numbers = {one: number for number, one in enumerate(sorted({one for column in values for one in column}))}
    return [np.array([numbers[one] if all(one) else NOBODY for one in column], np.int64) for column in values]


def one_clk(people: DataSet, *, max_pairs: int) -> CandidatePairs:
    """Give the best pairs of each row by clkhash's CLKs of all shared fields, compared by anonlink."""
    profile = interop_1(people.shared_fields())
    schema = parse_linkage_schema(profile.linkage_schema)
    datasets = [
        Dataset(
            party=PartyId(f"p-{place}"),
            clks=encode_interop([one.columns[field] for field in profile.fields], schema=schema, secret=b"no secret"),
            repeats=one.repeats,
        )
        for place, one in enumerate(people.providers)
    ]
    engine = AnonlinkEngine(workers=1, max_pairs=max_pairs)
    return engine.candidate_pairs(datasets, threshold=CLK_LEAST, progress=lambda *_: None, best_of_row=CLK_BEST_OF_ROW)


def splink(people: DataSet, folder: Path) -> CandidatePairs:
    """Give Splink's pairs of every two providers, linked by the fields that these two share.

    Raises:
        RuntimeError: Splink's program failed.
    """
    repeating = frozenset(place for place, one in enumerate(people.providers) if one.repeats)
    found: dict[Side, Found] = {}
    for left, right in combinations(range(len(people.providers)), 2):
        fields = people.shared_fields(left, right)
        paths = [folder / f"splink-{name}.csv" for name in ("left", "right", "pairs")]
        for place, path in zip((left, right), paths[:2], strict=True):
            _write(path, fields, people, place)
        options = ["--repeats"] if repeating else []
        command = [str(one) for one in (QUALITY_PYTHON, Path(__file__).with_name("splink_pairs.py"), *paths, *options)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SPLINK_TIMEOUT_S)
        if done.returncode:
            raise RuntimeError(f"Splink failed: {done.stderr.splitlines()[-1:]}")
        # Pairs inside a provider come with each other provider; the first time is enough.
        found = _read(paths[2], (left, right)) | found
    kept = [one for side, one in found.items() if side[0] != side[1] or side[0] in repeating]
    return merge_found(kept, repeating=repeating)


def _write(path: Path, fields: Sequence[str], people: DataSet, place: int) -> None:
    columns = people.providers[place].columns
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        writer.writerows(zip(*(columns[field] for field in fields), strict=True))


def _read(path: Path, places: Side) -> dict[Side, Found]:
    """Give the pairs of two providers, and those inside each of them, by the providers of both rows."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [[float(value) for value in row] for row in islice(csv.reader(file), 1, None)]
    table = np.array(rows, np.float64).reshape(-1, 5)
    numbers = table[:, :4].astype(np.int64)
    found = {}
    for one, other in ((0, 1), (0, 0), (1, 1)):
        inside = (numbers[:, 0] == one) & (numbers[:, 2] == other)
        left, right = places[one], places[other]
        found[left, right] = _found(left, right, numbers[inside, 1], numbers[inside, 3], table[inside, 4])
    return found


def _found(left: int, right: int, left_row: Ints, right_row: Ints, similarity: np.ndarray) -> Found:
    return Found(
        left_dataset=left,
        right_dataset=right,
        similarity=similarity.astype(np.float64),
        left_row=left_row.astype(np.uint32),
        right_row=right_row.astype(np.uint32),
    )
