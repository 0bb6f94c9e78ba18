"""The self-audit as a whole: every attack and test on some encodings, and what people are told of it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from textwrap import wrap
from typing import Any, Final

import numpy as np

from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import RandomBytes
from isthmus.node.audit.advice import next_steps, verdict
from isthmus.node.audit.attack import (
    AttackResult,
    Plan,
    Report,
    Study,
    Timer,
    carry_out,
    plan_attack,
    study_population,
    variants_of,
)
from isthmus.node.audit.bits import TableFigures, examine_table
from isthmus.node.audit.errors import AuditTooSmall
from isthmus.node.audit.undiffuse import UNDIFFUSED, study_filters, undo_diffusion
from isthmus.node.audit.vectors import AnyProfile, Columns, EncodedTables, encode_tables

KNOWN_PEOPLE: Final = (0, 20, 100)
MOST_KNOWN: Final = 100
"""A project's limit is held against the strongest attack with so many known people at most."""

LEAST_ROWS: Final = 50
_WIDTH: Final = 100

_MEANING: Final = """\
How to read this: somebody has your encodings and a complete, error-free list of the same people, but not the key, and
tries to say whose encoding is whose. A percentage is how many of the encodings it gives to the right person. Of those
whom it knows beforehand, it knows the encoding already; they are not counted.
What this does not tell: these are our own attacks, and others may do better, so the true figures may be higher; low
ones are no proof of safety. A list that is incomplete or has errors does worse. With the key, everybody is recognised.
Bucket numbers, which leave as well where a project grants keyed blocks (isthmus-node round show says so), are not
attacked here: docs/threat-model.md, section 2, has what they give away.
Encodings are pseudonymous personal data, whatever these figures are."""

_DETAILS: Final = """\
Details, for people who know such attacks (docs/guides/audit.md):"""

_SURE: Final = """\
"sure of" are rows of which an attack was at least 90 % sure, and how many of these it had right."""

_BITS: Final = """\
Equal vectors, and single bits beside random ones (random in brackets). Diffusion that could be undone (attack
"undiffused") shows only where there are more rows than a filter has bits, 1,024."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What the attacks and tests on `rows` encodings under one profile found."""

    profile: str
    rows: int
    attacks: tuple[AttackResult, ...]
    tables: tuple[TableFigures, ...]

    def strongest(self, *, known: int) -> AttackResult:
        """The attack with at most so many known people that recognised the largest share.

        Raises:
            ValueError: there is none.
        """
        return max((one for one in self.attacks if one.known <= known), key=lambda one: one.percent)

    def to_data(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        attacks = [asdict(one) | {"percent": one.percent, "chance_percent": one.chance_percent} for one in self.attacks]
        return {
            "profile": self.profile,
            "rows": self.rows,
            "attacks": attacks,
            "tables": [asdict(one) for one in self.tables],
            "strongest_percent": self.strongest(known=MOST_KNOWN).percent,
            "result": " ".join(verdict(self.strongest(known=MOST_KNOWN))),
            "next_steps": list(self.next_steps()),
            "meaning": _MEANING,
        }

    def next_steps(self) -> tuple[str, ...]:
        """What to do next, as sentences, the most effective first."""
        single = [one for one in self.attacks if one.known <= MOST_KNOWN and one.variant.startswith("table ")]
        worst = self.strongest(known=MOST_KNOWN)
        return next_steps(profile=self.profile, rows=self.rows, worst=worst, tables=single)

    def to_text(self) -> str:
        """The report for a terminal: what it comes to, what to do, and the figures behind it."""
        many, so = verdict(self.strongest(known=MOST_KNOWN))
        steps = (
            line
            for number, step in enumerate(self.next_steps(), 1)
            for line in wrap(step, _WIDTH, initial_indent=f"  {number}. ", subsequent_indent="     ")
        )
        parts = [
            [f"Self-audit of {self.rows:,} encodings under {self.profile}"],
            [f"Result: {many}.", so],
            list(_people_lines(self)),
            ["What to do next:", *steps],
            [_MEANING],
            [_DETAILS, *_attack_lines(self.attacks), _SURE],
            [_BITS, *_table_lines(self.tables)],
        ]
        return "\n\n".join("\n".join(part) for part in parts)


def audit_encodings(
    columns: Columns,
    *,
    profile: AnyProfile,
    random_bytes: RandomBytes,
    rng: np.random.Generator,
    timer: Timer,
    known: Sequence[int] = KNOWN_PEOPLE,
    report: Report | None = None,
) -> AuditReport:
    """Encode records under a throw-away key and attack the encodings in every way.

    Args:
        columns: normalised values of at least the profile's fields.
        profile: under which they would be sent.
        random_bytes: makes the throw-away key.
        rng: all other chance, the attacker's.
        timer: seconds since any moment.
        known: with how many known people; more than half of the rows is left out.
        report: told how far it is.

    Raises:
        AuditTooSmall: fewer than `LEAST_ROWS` records.
        InvalidValues, ColumnsMismatch: as the encoders do.
    """
    rows = len(columns[profile.fields[0]])
    if rows < LEAST_ROWS:
        raise AuditTooSmall(least=LEAST_ROWS)
    encoded = encode_tables(columns, profile=profile, random_bytes=random_bytes)
    study = study_population(columns, profile=profile, rng=rng)
    attacks = tuple(
        carry_out(plan, knowledge, seen, known=count, rng=rng, timer=timer, report=report)
        for plan, knowledge, seen in _prepared(encoded, columns, study, profile=profile, rng=rng, report=report)
        for count in known
        if 2 * count <= rows
    )
    tables = tuple(examine_table(name, vectors, rng=rng) for name, vectors in encoded.items())
    return AuditReport(profile=profile.name, rows=rows, attacks=attacks, tables=tables)


def _prepared(
    encoded: EncodedTables,
    columns: Columns,
    study: Study,
    *,
    profile: AnyProfile,
    rng: np.random.Generator,
    report: Report | None,
) -> Iterator[tuple[Plan, Study, EncodedTables]]:
    """Every attack: how, with what knowledge, on what."""
    for variant in variants_of(tuple(encoded)):
        yield plan_attack(study, variant, rng=rng), study, encoded
    if isinstance(profile, HardenedProfile):
        undone = undo_diffusion(encoded, profile=profile, rng=rng, report=report or _silent)
        if undone.filters is not None:
            knowledge = study_filters(columns, study, profile=profile, rng=rng)
            yield plan_attack(knowledge, UNDIFFUSED, rng=rng), knowledge, undone.filters


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Report nothing."""


def audit_limit_problem(report: AuditReport, limit_percent: float) -> str | None:
    """Why a project's limit blocks the round, or None where it does not.

    The limit is held against the strongest attack with up to 100 known people. A share equal to the limit passes.
    """
    worst = report.strongest(known=MOST_KNOWN)
    if worst.percent <= limit_percent:
        return None
    return (
        f"the self-audit recognised {worst.percent:.1f} % of {worst.attacked:,} rows ({worst.variant}, {worst.known} "
        f"known people), more than the {limit_percent:g} % that the project allows"
    )


def _attack_lines(attacks: Sequence[AttackResult]) -> Iterator[str]:
    width = max(len("attack"), *(len(one.variant) for one in attacks))
    yield f"{'attack':<{width}}  {'known':>5}  {'right %':>7}  {'chance %':>8}  {'sure of':>14}  {'seconds':>7}"
    for one in attacks:
        sure = f"{one.claimed:,} ({one.claimed_right:,} right)"
        yield (
            f"{one.variant:<{width}}  {one.known:>5}  {one.percent:>7.2f}  {one.chance_percent:>8.3f}  {sure:>14}"
            f"  {one.seconds:>7.1f}"
        )


def _table_lines(tables: Sequence[TableFigures]) -> Iterator[str]:
    width = max(len("table"), *(len(one.table) for one in tables))
    yield f"{'table':<{width}}  {'rows':>6}  {'repeated %':>10}  {'aligned %':>9}  bits"
    for one in tables:
        bits, chance = one.bits, one.chance
        yield (
            f"{one.table:<{width}}  {one.rows:>6}  {one.repeated_percent:>10.2f}  {one.aligned_percent:>9.2f}  "
            f"fill {bits.fill_sigma:.1f} ({chance.fill_sigma:.1f}) sd, pairs {bits.pair_sigma:.1f} "
            f"({chance.pair_sigma:.1f}) sd, pattern of {bits.pattern_bits} ({chance.pattern_bits}), "
            f"rank {bits.rank} ({chance.rank})"
        )


def _people_lines(report: AuditReport) -> Iterator[str]:
    """The strongest attack for each number of known people that a limit counts."""
    yield "somebody who knows beforehand   recognises   strongest attack"
    for known in sorted({one.known for one in report.attacks if one.known <= MOST_KNOWN}):
        best = max((one for one in report.attacks if one.known == known), key=lambda one: one.percent)
        whom = f"{known} of the people" if known else "nobody"
        yield f"{whom:<30}  {best.percent:>8.1f} %   {best.variant}"
