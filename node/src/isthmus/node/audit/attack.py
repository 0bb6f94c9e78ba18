"""The whole attack on encodings of a population that the attacker has a full list of.

What the attacker has: the encodings, in random order, and the plaintext of everybody, but not the key; perhaps some
people whose rows are known. What it does: `signature` (who looks like whom without anybody known), `equality` (joined
tables), `match` (growth from landmarks). It is our own attack: others may do better, so its figures are a lower bound.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from isthmus.node.audit.channels import Channels, Expectation, channel_similarity
from isthmus.node.audit.match import CLAIM_PROBABILITY, Scene, match
from isthmus.node.audit.signature import Rehearsal, learn, log_likelihood, observe
from isthmus.node.audit.vectors import (
    AnyProfile,
    Columns,
    EncodedTables,
    Floats,
    Rows,
    boxed_of,
    encode_tables,
    row_count,
    taps_of,
    undiffused_tables,
)

MOST_TARGETS: Final = 2000
"""Of more rows a random sample is attacked; the list of people is whole in any case."""

Timer = Callable[[], float]
"""Seconds since any moment."""

Report = Callable[[str, int, int], None]
"""(stage, done, total)."""

_REHEARSALS: Final = 3
_OWN_KEYS: Final = 2
_VARIANCE_ROWS: Final = 400


class Join(StrEnum):
    """How an attacker uses several tables."""

    ONE = "one"
    SUMMED = "summed"
    JOINED = "joined"
    UNDIFFUSED = "undiffused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to attack: some tables, taken one as `tables[0]`, summed to one similarity, or joined by equality."""

    join: Join
    tables: tuple[str, ...]

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"table {self.tables[0]}" if self.join is Join.ONE else self.join.value

    @property
    def channels(self) -> Channels:
        """What is compared as one."""
        return (self.tables,) if self.join is Join.SUMMED else tuple((table,) for table in self.tables)


def variants_of(tables: tuple[str, ...]) -> Iterator[Variant]:
    """Every way to attack these tables: one by one and, where there are several, summed and joined."""
    for table in tables:
        yield Variant(join=Join.ONE, tables=(table,))
    if len(tables) > 1:
        yield Variant(join=Join.SUMMED, tables=tables)
        yield Variant(join=Join.JOINED, tables=tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackResult:
    """What one attack found out.

    `right` of `attacked` rows were given to the right one of `candidates` people; rows of known people do not count.
    Of `claimed` rows, `claimed_right` rightly, the attacker itself was at least 90 % sure.
    """

    variant: str
    known: int
    candidates: int
    attacked: int
    right: int
    claimed: int
    claimed_right: int
    seconds: float

    @property
    def percent(self) -> float:
        """Share of the attacked rows that were recognised, in percent."""
        return 100 * self.right / self.attacked if self.attacked else 0.0

    @property
    def chance_percent(self) -> float:
        """What guessing at random would recognise, in percent."""
        return 100 / self.candidates if self.candidates else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """What an attacker makes of a list of people before it sees an encoding: the list under keys of its own."""

    rehearsed: tuple[EncodedTables, ...]
    expected: Expectation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """A variant prepared: what its rehearsals taught, and the variance of each channel's noise."""

    variant: Variant
    rehearsal: Rehearsal
    variance: tuple[float, ...]


def attack(
    encoded: EncodedTables,
    population: Columns,
    *,
    profile: AnyProfile,
    variant: Variant,
    known: int,
    rng: np.random.Generator,
    timer: Timer,
) -> AttackResult:
    """Attack encodings whose row i is person i of the population, which the attack itself is not told.

    Args:
        encoded: as `encode_tables` gives them.
        population: the attacker's list of people, normalised.
        profile: under which both are encoded; the attacker knows it.
        variant: of tables that the profile has.
        known: how many people's rows the attacker knows, drawn at random; at most the rows.
        rng: draws order, known people, sample, and the attacker's own keys.
        timer: for `seconds`.
    """
    study = study_population(population, profile=profile, rng=rng)
    plan = plan_attack(study, variant, rng=rng)
    return carry_out(plan, study, encoded, known=known, rng=rng, timer=timer)


def study_population(population: Columns, *, profile: AnyProfile, rng: np.random.Generator) -> Study:
    """Encode a list of people under made-up keys, often enough to learn from it."""
    rehearsed = tuple(encode_tables(population, profile=profile, random_bytes=rng.bytes) for _ in range(_REHEARSALS))
    filters = tuple(undiffused_tables(population, profile=profile, random_bytes=rng.bytes) for _ in range(_OWN_KEYS))
    expected = Expectation(filters=filters, present=rehearsed[0], taps=taps_of(profile), boxed=boxed_of(profile))
    return Study(rehearsed=rehearsed, expected=expected)


def plan_attack(study: Study, variant: Variant, *, rng: np.random.Generator) -> Plan:
    """Prepare one variant."""
    seen = [
        observe(_only(tables, variant), channels=variant.channels, join=_joins(variant), rng=rng)
        for tables in study.rehearsed
    ]
    variance = tuple(_noise(study, channel, rng) for channel in variant.channels)
    return Plan(variant=variant, rehearsal=learn(seen), variance=variance)


def carry_out(
    plan: Plan,
    study: Study,
    encoded: EncodedTables,
    *,
    known: int,
    rng: np.random.Generator,
    timer: Timer,
    report: Report | None = None,
) -> AttackResult:
    """Attack as planned; arguments as of `attack`."""
    started = timer()
    variant, rows = plan.variant, row_count(encoded)
    person_of_row = rng.permutation(rows)
    shuffled = {table: encoded[table].take(person_of_row) for table in variant.tables}
    drawn = rng.permutation(rows)
    known_rows, targets = drawn[:known], np.sort(drawn[known : known + MOST_TARGETS])
    scene = Scene(
        encoded=shuffled,
        expected=study.expected,
        channels=variant.channels,
        variance=plan.variance,
        targets=targets,
        prior=_prior(plan, shuffled, targets, rng),
        known_rows=known_rows,
        known_people=person_of_row[known_rows],
    )
    stage = f"{variant.name}, {known} known"
    guess = match(scene, progress=lambda done, total: report(stage, done, total) if report else None)
    right, claimed = guess.people == person_of_row[targets], guess.probability >= CLAIM_PROBABILITY
    return AttackResult(
        variant=variant.name,
        known=known,
        candidates=rows - known,
        attacked=len(targets),
        right=int(right.sum()),
        claimed=int(claimed.sum()),
        claimed_right=int((right & claimed).sum()),
        seconds=timer() - started,
    )


def _prior(plan: Plan, shuffled: EncodedTables, targets: Rows, rng: np.random.Generator) -> Floats:
    seen = observe(shuffled, channels=plan.variant.channels, join=_joins(plan.variant), rng=rng)
    return log_likelihood(seen, plan.rehearsal, targets)


def _joins(variant: Variant) -> bool:
    """A sum of similarities is attacked by itself, to see what joining adds."""
    return variant.join is not Join.SUMMED


def _only(tables: EncodedTables, variant: Variant) -> EncodedTables:
    return {table: tables[table] for table in variant.tables}


def _noise(study: Study, channel: tuple[str, ...], rng: np.random.Generator) -> float:
    """Mean square of what a rehearsal's similarities are off the expected ones."""
    rows = rng.permutation(row_count(study.rehearsed[0]))[: 2 * _VARIANCE_ROWS]
    left, right = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    off = channel_similarity(study.rehearsed[0], channel, left, right) - study.expected.similarity(channel, left, right)
    return float(np.mean(off**2)) + 1e-6
