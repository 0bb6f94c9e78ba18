"""Estimated beside true precision, recall and F1 of linking by fields: how far the estimates are from the truth.

    .venv/bin/python benchmarks/quality_estimates.py
    .venv/bin/python benchmarks/quality_estimates.py --half report --acceptance 0.5

Rows are encoded and compared as in a round, with pads; the model is fitted without truth; links are grouped; then the
estimates of `match/compare/estimates.py` are held against the truth. As planted people stand 100 of those whom both
files hold, drawn at random: they are damaged like everybody else, which is more than a project can know of its own. The
number beside an estimate says how far it is off, and `!` that the truth is outside of the interval.

Of the sets, `choose` were looked at while the estimator was made, `report` only when it was done:

- `choose`: the households of `link_accuracy`, seeds 5 and 6, as they are and damaged, with five lists of fields;
- `report`: febrl4, the demo's files two by two, and damaged households that are small, overlap hardly, not at all or
  nearly wholly, or hold many twins: of the same birth date, address, telephone and last name.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random
from secrets import token_bytes
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import Comparison, comparison_1
from isthmus.contract.differences import field_levels
from isthmus.contract.hardened import hardened_1
from isthmus.contract.ids import PartyId
from isthmus.contract.kinds import Floats, Kind, Levels, Shares, random_shares
from isthmus.contract.quality import Estimate, Interval, NotEnoughData
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.coordinator.match.compare.estimates import Evidence, estimate_quality
from isthmus.coordinator.match.compare.model import Candidates, Model, fit
from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found
from isthmus.coordinator.match.group import Groups, group_rows
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.near_misses import field_codes, fit_near_misses, near_pairs, own_differences
from isthmus.node.compare.pads import PadKeys, consecutive
from isthmus.node.compare.row_fields import RowFields, read_row_fields

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
# The people live with the scripts, which are no package, and benchmarks are none either.
from isthmus_people.corrupt import HEAVY_DAMAGE, corrupt
from isthmus_people.population import write_people

from benchmarks.link_accuracy import (
    FIELD_SETS,
    Columns,
    People,
    by_tables,
    demo,
    febrl4,
    normalised,
    read_rows,
    read_truth,
)

COMPARE, PAD = Secret(b"c" * 32), Secret(b"p" * 32)
KEYS: Final = PadKeys(pad=PAD, left=PartyId("left"), right=PartyId("right"))
PLANTED: Final = 100
MOST_RANDOM_PAIRS: Final = 60_000
RANDOM_PAIRS_OF_ROW: Final = 8
TWIN_NAMES: Final = ("maria", "john", "linda", "david", "susan", "kevin", "anna", "paul", "laura", "mark")
TWIN_IN_FILE: Final = 0.6
HOUSEHOLD_FIELDS: Final = tuple(fields for fields in FIELD_SETS["households"] if len(fields) > 2)
FEWER_FIELDS: Final = tuple(fields for fields in HOUSEHOLD_FIELDS if len(fields) in (3, 5, 9))

Record = dict[str, str]
Numbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """True numbers of one set: links, those of them that are right, candidates that are right, and people in both."""

    links: int
    right: int
    found: int
    shared: int

    @property
    def precision(self) -> float:
        """Share of the links that are right; 1 without links."""
        return self.right / self.links if self.links else 1.0

    @property
    def recall_of_candidates(self) -> float:
        """Share of the right candidates that are links; 1 without any."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the people in both files that are linked; 1 without any."""
        return self.right / self.shared if self.shared else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def choose(folder: Path) -> Iterator[People]:
    """Give the sets that the estimator was made with."""
    for seed in (5, 6):
        for damaged in (False, True):
            name = f"households{', damaged' if damaged else ''}, seed {seed}"
            yield made_up(folder, name, rows=6_000, overlap=0.4, seed=seed, damaged=damaged)


def report(folder: Path) -> Iterator[People]:
    """Give the sets that the estimator is held against."""
    yield from febrl4(folder, 1)
    for people in demo(folder, 1):
        yield from two_by_two(people)
    for name, rows, overlap, twins, seed in (
        ("60 rows", 60, 0.4, 0.0, 7),
        ("300 rows", 300, 0.4, 0.0, 7),
        ("2 % shared", 1_000, 0.02, 0.0, 7),
        ("nobody shared", 3_000, 0.0, 0.0, 7),
        ("twins, 30 % shared", 3_000, 0.3, 0.1, 7),
        ("twins, 90 % shared", 3_000, 0.9, 0.1, 8),
    ):
        yield made_up(folder, name, rows=rows, overlap=overlap, seed=seed, damaged=True, twins=twins)


HALVES: Final = {"choose": choose, "report": report}


def two_by_two(people: People) -> Iterator[People]:
    """Give every two providers of a set as a set."""
    for pair in combinations(range(len(people.columns)), 2):
        yield People(
            name=people.name if len(people.columns) == 2 else f"{people.name} {pair[0]}-{pair[1]}",
            columns=tuple(people.columns[place] for place in pair),
            entities=tuple(people.entities[place] for place in pair),
            field_sets=people.field_sets,
        )


def made_up(
    folder: Path, name: str, *, rows: int, overlap: float, seed: int, damaged: bool, twins: float = 0.0
) -> People:
    """Give two files of made-up households; a share of the people have a twin, who is in most of their files."""
    *paths, truth_path = write_people(folder / name, rows=rows, providers=2, overlap=overlap, seed=seed)
    truth, rng = read_truth(truth_path), Random(f"{seed}/damage")
    columns, entities = [], []
    for path in paths:
        records = [(record, truth[path.stem, record["rec_id"]]) for record in read_rows(path)]
        records += list(_twins(records, twins, seed=seed, holder=path.stem))
        written = [corrupt(record, HEAVY_DAMAGE, rng) if damaged else record for record, _ in records]
        fields = [field for field in written[0] if field != "rec_id"]
        columns.append(normalised({field: [record[field] for record in written] for field in fields}))
        entities.append([entity for _, entity in records])
    field_sets = HOUSEHOLD_FIELDS if rows == 6_000 else FEWER_FIELDS
    return People(name=name, columns=tuple(columns), entities=tuple(entities), field_sets=field_sets)


def _twins(
    records: Sequence[tuple[Record, str]], share: float, *, seed: int, holder: str
) -> Iterator[tuple[Record, str]]:
    for record, entity in records:
        # The same at every provider: whether there is a twin, and who it is.
        rng = Random(f"{seed}/{entity}/twin")
        if rng.random() < share and Random(f"{seed}/{entity}/{holder}").random() < TWIN_IN_FILE:
            names = {"first_name": rng.choice(TWIN_NAMES), "middle_name": rng.choice(("a", "lee", "ann", ""))}
            yield record | names | {"ssn": str(rng.randrange(10**8, 8 * 10**8))}, f"{entity}-twin"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighed:
    """Candidates of two files with their probabilities, and the model that gave them."""

    candidates: Candidates
    model: Model
    probability: Floats
    random_pairs: int

    def evidence(self, acceptance: float) -> Evidence:
        """Give what the estimates start from, if pairs are links from this acceptance on."""
        groups = group_rows(accepted_pairs(self.candidates, self.probability, acceptance), sizes=self.candidates.rows)
        return Evidence(
            candidates=self.candidates,
            model=self.model,
            probability=self.probability,
            accepted=linked(self.candidates, groups),
            acceptance=acceptance,
            random_pairs=self.random_pairs,
        )


def weighed(people: People, fields: tuple[str, ...]) -> Weighed:
    """Compare two files by fields, as a round does."""
    profile = hardened_1(fields)
    found = by_tables(people, profile).candidates
    comparison, (left, right) = comparison_1(profile.fields), people.sizes
    rows = [read_row_fields(columns, comparison, compare=COMPARE, pad=PAD) for columns in people.columns]
    rng = np.random.default_rng(1)
    count = min(MOST_RANDOM_PAIRS, RANDOM_PAIRS_OF_ROW * max(left, right))
    drawn = (rng.integers(0, left, count, np.uint32), rng.integers(0, right, count, np.uint32))
    shares = random_shares(levels(rows, *drawn, comparison, first=len(found)), comparison.fields)
    candidates = Candidates(
        fields=comparison.fields,
        levels=levels(rows, found.left_row, found.right_row, comparison, first=0),
        left_row=found.left_row,
        right_row=found.right_row,
        rows=(left, right),
    )
    near = [
        kind
        for columns, own in zip(people.columns, rows, strict=True)
        for kind in near_misses(columns, own, comparison, shares)
    ]
    model, probability = fit(candidates, random=shares, near=near)
    return Weighed(candidates=candidates, model=model, probability=probability, random_pairs=count)


def levels(rows: Sequence[RowFields], left: Numbers, right: Numbers, comparison: Comparison, *, first: int) -> Levels:
    """Give the levels that the coordinator reads from both nodes' answers."""
    ours, theirs = (
        Answers(comparison=comparison, rows=own, keys=KEYS, side=side, random_bytes=token_bytes).of(
            numbers, numbers=consecutive(first, len(numbers))
        )
        for own, side, numbers in zip(rows, (Side.LEFT, Side.RIGHT), (left, right), strict=True)
    )
    return field_levels(read_differences(ours, theirs, comparison), comparison.fields)


def near_misses(columns: Columns, rows: RowFields, comparison: Comparison, shares: Shares) -> Iterator[Kind]:
    """Give the near misses of one provider, by half of their share: the other half are the other provider's."""
    own = near_pairs(field_codes(rows, comparison))
    count = len(columns[comparison.fields[0]])
    kinds = fit_near_misses(
        field_levels(own_differences(rows, own, comparison), comparison.fields),
        random=shares,
        all_pairs=count * (count - 1) // 2,
    )
    return (Kind(share=kind.share / 2, shares=kind.shares) for kind in kinds)


def accepted_pairs(candidates: Candidates, probability: Floats, acceptance: float) -> CandidatePairs:
    """Give the candidates from the acceptance on, best first."""
    kept = probability >= acceptance
    return merge_found(
        [
            Found(
                left_dataset=0,
                right_dataset=1,
                similarity=probability[kept],
                left_row=candidates.left_row[kept],
                right_row=candidates.right_row[kept],
            )
        ]
    )


def linked(candidates: Candidates, groups: Groups) -> NDArray[np.bool_]:
    """Say which candidates are of one group."""
    # A row that is linked to nobody is of a number that no row of the other file has.
    entity = [np.full(size, -1 - place, np.int64) for place, size in enumerate(candidates.rows)]
    for place, of_file in enumerate(entity):
        inside = groups.dataset == place
        of_file[groups.row[inside]] = groups.entity[inside]
    same: NDArray[np.bool_] = entity[0][candidates.left_row] == entity[1][candidates.right_row]
    return same


def truth_of(people: People, told: Evidence) -> tuple[Truth, int, int]:
    """Give the true numbers, and how many people are planted and found of them."""
    codes = {entity: code for code, entity in enumerate(sorted({name for rows in people.entities for name in rows}))}
    left, right = (np.array([codes[name] for name in rows]) for rows in people.entities)
    one = left[told.candidates.left_row]
    same, shared = one == right[told.candidates.right_row], np.intersect1d(left, right)
    truth = Truth(
        links=told.links,
        right=int(np.count_nonzero(same & told.accepted)),
        found=int(np.count_nonzero(same)),
        shared=shared.size,
    )
    chance = Random(f"{people.name}/{told.candidates.fields}/{told.acceptance}/planted")
    planted = chance.sample(shared.tolist(), min(PLANTED, shared.size))
    return truth, len(planted), int(np.isin(planted, one[same & told.accepted]).sum())


@dataclass(slots=True)
class Tally:
    """How often the truth was inside of the interval, and how far estimates were off."""

    inside: int = 0
    of: int = 0
    off: float = 0.0

    def add(self, estimate: Estimate, true: float) -> str:
        """Count one estimate and give it as it is printed."""
        if isinstance(estimate, NotEnoughData):
            return estimate.reason.value
        hit = estimate.low <= true <= estimate.high
        self.inside, self.of, self.off = self.inside + hit, self.of + 1, self.off + abs(estimate.value - true)
        return _printed(estimate) + ("" if hit else " !")


def _printed(estimate: Interval) -> str:
    return f"{estimate.value:.4f} ({estimate.low:.4f}-{estimate.high:.4f})"


@dataclass(slots=True)
class FalseLinks:
    """How far the number of false links is off by the estimate, and by the sum of what probabilities lack to 1."""

    of: int = 0
    estimate: float = 0.0
    probabilities: float = 0.0

    def add(self, told: Evidence, estimated: float | None, true: int) -> None:
        """Count one case, where there is an estimate."""
        if estimated is not None:
            self.of += 1
            self.estimate += abs(estimated - true)
            self.probabilities += abs(float((1 - told.probability[told.accepted]).sum()) - true)

    def __str__(self) -> str:
        """Give both means."""
        of = max(self.of, 1)
        return f"off by {self.estimate / of:.1f} in the mean, by the sum of probabilities {self.probabilities / of:.1f}"


MEASURES: Final = ("precision", "recall_of_candidates", "recall", "f1")


def main() -> int:
    """Print a line for each set, list of fields and acceptance, then how often the truth was inside."""
    parser = argparse.ArgumentParser(description="estimates of quality beside the truth")
    parser.add_argument("--half", action="append", choices=tuple(HALVES), help="which sets (default: both halves)")
    parser.add_argument("--acceptance", type=float, action="append", help="least probability (default: 0.1 and 0.5)")
    arguments = parser.parse_args()
    for half in arguments.half or HALVES:
        tallies, false = {measure: Tally() for measure in MEASURES}, FalseLinks()
        print(
            f"{half}: data | fields | accept | links | false | " + " | ".join(f"{one} | estimate" for one in MEASURES)
        )
        with tempfile.TemporaryDirectory() as folder:
            for people in HALVES[half](Path(folder)):
                for fields in people.field_sets:
                    _measure(people, fields, arguments.acceptance or (0.1, 0.5), tallies, false)
        for measure, tally in tallies.items():
            share = f"{tally.inside} of {tally.of}"
            print(f"{half}: {measure}: truth inside {share}, off by {tally.off / max(tally.of, 1):.4f} in the mean")
        print(f"{half}: false links: {false}")
    return 0


def _measure(
    people: People,
    fields: tuple[str, ...],
    acceptances: Sequence[float],
    tallies: dict[str, Tally],
    false: FalseLinks,
) -> None:
    of_fields = weighed(people, fields)
    for acceptance in acceptances:
        told = of_fields.evidence(acceptance)
        truth, planted, found = truth_of(people, told)
        quality = estimate_quality(told, seed=1, planted=planted, found=found)
        cells = [
            f"{getattr(truth, one):.4f} | {tallies[one].add(getattr(quality, one), getattr(truth, one))}"
            for one in MEASURES
        ]
        false.add(told, quality.false_links, truth.links - truth.right)
        line = (people.name, " ".join(fields), acceptance, truth.links, truth.links - truth.right, *cells)
        print(" | ".join(map(str, line)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
