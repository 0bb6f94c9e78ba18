"""How many IDs stay over three yearly rounds, and what carrying them over costs.

    .venv/bin/python benchmarks/longitudinal.py
    .venv/bin/python benchmarks/longitudinal.py --people 2000 --seed 2 --ways rule
    .venv/bin/python benchmarks/longitudinal.py --rows 1000000 --ways

Three providers hold made-up people in households (`isthmus_people.population`), each as that provider wrote the person
down, which stays so from year to year. Every year 8 % of each file leave and as many come, half of them people whom
another provider has; 2 % of all people take another last name, which seven files of ten write down at once and the
others never. The third provider is away in the second year. Each year all is encoded under new keys, linked (`rule`:
by tables and tags; `fields`: with field comparison, balanced), and IDs are carried over as the coordinator does it.

Of rows that had an ID before and have one in this year, `same` is the share whose ID is the same. `as truth` is that
of rows whose ID is borne, among all rows of all years that ever got it, mostly by the row's own person. `others` are
IDs under which the person of most rows, when it was given out last, has no row any more. The counts
are the coordinator's own, and the last line is arithmetic alone: clusters of random handles, two of three known, one in
fifty merged or split.
"""

import argparse
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.secret import Secret
from isthmus.coordinator.actions.carrying import row_clusters
from isthmus.coordinator.domain.longitudinal import Carried, KnownRows, PresentRows, carry_over
from isthmus.coordinator.match.group import Groups
from isthmus.node.encode.hardened import RoundKeys
from isthmus.node.keys.handles import lasting_handles

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
# The people live with the scripts, which are no package; linking is that of the quality kit.
from isthmus_people.population import Marginals, as_filed, people, read_marginals

from benchmarks.quality.people import DataSet, Person, Provider, normalised
from benchmarks.quality.pipeline import link, link_by_rule

PARTIES: Final = tuple(PartyId(name) for name in ("alpha", "beta", "gamma"))
AWAY: Final = {2: PARTIES[2]}
"""Who takes no part in which year."""

FIELDS: Final = ("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "zip")
TURNOVER, RENAMED, WRITTEN_DOWN = 0.08, 0.02, 0.7
HELD: Final = 0.6
"""The share of all people whom each provider has at first, drawn by itself."""

YEARS: Final = 3


@dataclass(slots=True, kw_only=True)
class Files:
    """What providers hold: by record id the person, and how this provider wrote the person down."""

    marginals: Marginals
    rng: Random
    population: list[Person]
    of: dict[PartyId, dict[str, tuple[int, Person]]] = field(default_factory=lambda: {party: {} for party in PARTIES})
    given: int = 0

    def begin(self) -> None:
        """Fill the files of the first year."""
        for party in PARTIES:
            for person in range(len(self.population)):
                if self.rng.random() < HELD:
                    self._file(party, person)

    def pass_a_year(self) -> None:
        """Let people leave, come, and take other names."""
        for person in self.rng.sample(range(len(self.population)), round(RENAMED * len(self.population))):
            self._rename(person)
        for party in PARTIES:
            mine = self.of[party]
            leaving = self.rng.sample(sorted(mine), round(TURNOVER * len(mine)))
            for record in leaving:
                del mine[record]
            for place in range(len(leaving)):
                self._file(party, self._elsewhere(party) if place % 2 else self._born())

    def _file(self, party: PartyId, person: int) -> None:
        self.given += 1
        self.of[party][f"{party}-{self.given}"] = person, as_filed(self.population[person], self.marginals, self.rng)

    def _rename(self, person: int) -> None:
        name = self.rng.choice(self.marginals.last)
        self.population[person] = self.population[person] | {"last_name": name}
        for records in self.of.values():
            for record, (who, filed) in records.items():
                if who == person and self.rng.random() < WRITTEN_DOWN:
                    records[record] = who, filed | {"last_name": name}

    def _born(self) -> int:
        self.population.append(next(people(self.marginals, self.rng)))
        return len(self.population) - 1

    def _elsewhere(self, party: PartyId) -> int:
        own = {person for person, _ in self.of[party].values()}
        others = {person for other in PARTIES for person, _ in self.of[other].values()}
        return self.rng.choice(sorted(others - own))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Year:
    """A round: of each provider that took part handles uint8 (n, 16), in their order, and who each row is."""

    parties: tuple[PartyId, ...]
    handles: Mapping[PartyId, NDArray[np.uint8]]
    persons: Mapping[PartyId, list[int]]
    data: DataSet


def held(files: Files, number: int) -> Year:
    """Give what providers bring to a round, rows in order of handle."""
    parties = tuple(party for party in PARTIES if AWAY.get(number) != party)
    handles, persons, providers = {}, {}, []
    for party in parties:
        records = sorted(files.of[party])
        made = lasting_handles(Secret(party.encode() * 8), records)
        order = sorted(range(len(records)), key=lambda row, made=made: made[row].tobytes())  # type: ignore[misc]
        rows = [files.of[party][records[row]] for row in order]
        handles[party], persons[party] = made[order], [person for person, _ in rows]
        columns = normalised({name: [filed[name] for _, filed in rows] for name in FIELDS})
        providers.append(Provider(columns=columns, entities=[str(one) for one in persons[party]], origins=[]))
    return Year(
        parties=parties, handles=handles, persons=persons, data=DataSet(name=str(number), providers=tuple(providers))
    )


def linked(year: Year, way: str, number: int) -> Groups:
    """Link a year's rows under keys of its own."""
    secrets = [Secret(f"{use} of year {number}, no secret".encode()) for use in ("encode", "diffusion", "match")]
    keys = RoundKeys(encode=secrets[0], diffusion=secrets[1], match=secrets[2])
    if way == "rule":
        return link_by_rule(year.data, profile="hardened-1", keys=keys)
    return link(year.data, profile="hardened-1", seed=number, keys=keys).groups["balanced"]


def present_rows(year: Year, groups: Groups, *, spine: bool) -> list[PresentRows]:
    """Give the rows with their clusters; the rows of people whom several providers have are shown, or all."""
    clusters = row_clusters(year.data.sizes, groups)
    datasets: dict[int, set[int]] = defaultdict(set)
    for entity, dataset in zip(groups.entity.tolist(), groups.dataset.tolist(), strict=True):
        datasets[entity].add(dataset)
    return [
        PresentRows(
            party=party,
            handles=year.handles[party],
            cluster=cluster,
            shown=np.array([spine or len(datasets[int(one)]) > 1 for one in cluster], np.bool_),
        )
        for party, cluster in zip(year.parties, clusters, strict=True)
    ]


@dataclass(slots=True)
class Followed:
    """IDs as providers got them: the last of every row, and by ID how often it was which person's, year by year."""

    last: dict[tuple[PartyId, bytes], bytes] = field(default_factory=dict)
    persons: dict[bytes, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    mostly: dict[bytes, int] = field(default_factory=dict)

    def take(self, year: Year, present: Sequence[PresentRows], carried: Carried) -> str:
        """Note a year's IDs and give its figures."""
        again = same = 0
        got: dict[bytes, Counter[int]] = defaultdict(Counter)
        for one in present:
            for place in np.flatnonzero(one.shown).tolist():
                row, now = (one.party, one.handles[place].tobytes()), carried.ids[one.party][place].tobytes()
                again += row in self.last
                same += self.last.get(row) == now
                self.last[row] = now
                got[now][year.persons[one.party][place]] += 1
        others = sum(now in self.mostly and self.mostly[now] not in bearers for now, bearers in got.items())
        for now, bearers in got.items():
            self.persons[now] += bearers
            self.mostly[now] = bearers.most_common(1)[0][0]
        own = sum(bearers.most_common(1)[0][1] for bearers in self.persons.values())
        total = sum(bearers.total() for bearers in self.persons.values())
        counts, rows = carried.counts, sum(year.data.sizes)
        return (
            f"{rows:>7,} {len(got):>7,} {again:>7,} {_percent(same, again):>8} {_percent(own, total):>8}"
            f" {others:>7,} {counts.kept:>7,} {counts.fresh:>6,} {counts.merged:>6,} {counts.split:>6,}"
            f" {counts.absent:>7,}"
        )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"


HEADING: Final = (
    f"{'way':7} {'mode':6} year {'rows':>7} {'IDs':>7} {'again':>7} {'same':>8} {'as truth':>8} {'others':>7}"
    f" {'kept':>7} {'fresh':>6} {'merged':>6} {'split':>6} {'absent':>7}"
)


def follow(count: int, seed: int, ways: Sequence[str]) -> Iterator[str]:
    """Run the years once a way of linking and mode; give a line for each year."""
    files = Files(marginals=read_marginals(), rng=Random(seed), population=[])
    files.population.extend(islice(people(files.marginals, files.rng), count))
    files.begin()
    years = []
    for number in range(1, YEARS + 1):
        if number > 1:
            files.pass_a_year()
        years.append(held(files, number))
    for way in ways:
        found = [linked(year, way, number) for number, year in enumerate(years, start=1)]
        for spine in (False, True):
            followed, known = Followed(), dict[PartyId, KnownRows]()
            for number, (year, groups) in enumerate(zip(years, found, strict=True), start=1):
                present = present_rows(year, groups, spine=spine)
                carried = carry_over(known, present, round_id=RoundId(f"years-{number}"), number=number)
                known = dict(carried.known)
                mode = "spine" if spine else "linked"
                yield f"{way:7} {mode:6} {number:>4} {followed.take(year, present, carried)}"


def large(rows: int, seed: int) -> str:
    """Give processor seconds and memory of a round of three providers of so many rows, and of making one's handles."""
    rng, people_count = np.random.default_rng(seed), 2 * rows
    began = time.process_time()
    made = lasting_handles(Secret(bytes(32)), [f"record-{number}" for number in range(rows)])
    handles_s = time.process_time() - began
    del made
    handles = {party: rng.integers(0, 256, (rows, 16), np.uint8) for party in PARTIES}
    persons = {party: rng.permutation(people_count)[:rows] for party in PARTIES}

    def present(number: int) -> list[PresentRows]:
        moved = {party: np.where(rng.random(rows) < 0.02 * (number - 1), rng.integers(0, people_count, rows), who)
                 for party, who in persons.items()}  # fmt: skip
        everyone = np.unique(np.concatenate(list(moved.values())), return_inverse=True)[1].reshape(3, rows)
        kept = {party: rng.random(rows) < 0.92 if number == 1 else np.ones(rows, np.bool_) for party in PARTIES}
        here = np.unique(np.concatenate([everyone[place][kept[party]] for place, party in enumerate(PARTIES)]))
        return [
            PresentRows(
                party=party,
                handles=handles[party][kept[party]],
                cluster=np.searchsorted(here, everyone[place][kept[party]]),
                shown=np.ones(int(kept[party].sum()), np.bool_),
            )
            for place, party in enumerate(PARTIES)
        ]

    first = carry_over({}, present(1), round_id=RoundId("large-1"), number=1)
    second, before_mb = present(2), _peak_mb()
    began = time.process_time()
    carried = carry_over(first.known, second, round_id=RoundId("large-2"), number=2)
    seconds, counts = time.process_time() - began, carried.counts
    return (
        f"{rows:,} rows at each of three providers: handles of one {handles_s:.1f} s; carried over in {seconds:.1f} s,"
        f" peak {_peak_mb():,.0f} MB (before {before_mb:,.0f} MB); {counts.kept:,} kept, {counts.fresh:,} new,"
        f" {counts.merged:,} merged, {counts.split:,} split"
    )


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 10**6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=5_000, help="people of the first year")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ways", nargs="*", default=("rule", "fields"), choices=("rule", "fields"))
    parser.add_argument("--rows", type=int, default=0, help="rows of each provider for the last line; 0 leaves it out")
    arguments = parser.parse_args()
    if arguments.ways:
        print(HEADING, flush=True)
        for line in follow(arguments.people, arguments.seed, arguments.ways):
            print(line, flush=True)
    if arguments.rows:
        print(large(arguments.rows, arguments.seed))


if __name__ == "__main__":
    main()
