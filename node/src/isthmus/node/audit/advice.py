"""What the figures of a self-audit mean for a provider, and what can be done: pure, and in plain words.

The bounds between few, some, many and most are ours. Whatever the figure, encodings are pseudonymous personal data.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from isthmus.contract.hardened import HARDENED_SINGLE_1
from isthmus.contract.profile import INTEROP_1
from isthmus.node.audit.attack import AttackResult

ENOUGH_ROWS: Final = 2000
"""Records from which on people have about as many relatives and namesakes among them as in a district's file."""

_RATED: Final = (
    (1.0, "few", "This is as good as this test can show, and no proof of safety."),
    (10.0, "some", "Let your steward decide whether that is acceptable before you sign a round."),
    (50.0, "many", "Sign a round only if you would trust its coordinator with these people's names."),
    (100.0, "most", "Treat these encodings as you would treat the names themselves."),
)
"""Up to which percent, how many people that is, and what to make of it."""

_LIMIT: Final = (
    "Have the project's lead write audit_limit_percent = {percent} into the project file: every node then runs this"
    " test before its rows leave, and stops where more are recognised."
)


def verdict(worst: AttackResult) -> tuple[str, str]:
    """How many people are recognised, and what to make of it, by the strongest attack."""
    many, so = next((many, so) for bound, many, so in _RATED if worst.percent <= bound)
    found = f"{worst.percent:.1f} % in the worst case below, where guessing finds {worst.chance_percent:.1f} %"
    return f"{many} people are recognised: {found}", so


def next_steps(*, profile: str, rows: int, worst: AttackResult, tables: Sequence[AttackResult]) -> tuple[str, ...]:
    """What to do next, the most effective first.

    Args:
        profile: the name of the profile that was attacked.
        rows: how many records were.
        worst: the strongest attack that counts.
        tables: attacks on single tables.
    """
    return (*_less_readable(profile, worst, tables), _limit(worst), *_larger_sample(rows))


def _less_readable(profile: str, worst: AttackResult, tables: Sequence[AttackResult]) -> Iterator[str]:
    if worst.percent <= _RATED[0][0]:
        return
    if profile == INTEROP_1:
        yield "Choose a hardened profile. See what it changes: run this again with --profile hardened-1."
    if profile != HARDENED_SINGLE_1:
        yield (
            "Choose hardened-single-1, which sends no match keys and finds fewer links between damaged records. See"
            " what it changes: run this again with --profile hardened-single-1. The project's lead sets it, as profile."
        )
    yield "Leave out fields that the study can do without: each one helps to tell people apart." + _telling(tables)


def _telling(tables: Sequence[AttackResult]) -> str:
    """Which table is read best by itself, where there are several: its name says of which fields it is."""
    if len({one.variant for one in tables}) < 2:
        return ""
    most = max(tables, key=lambda one: one.percent)
    return f" By itself, {most.variant} is read best ({most.percent:.1f} %)."


def _limit(worst: AttackResult) -> str:
    """The limit as a step: the bound of what was found, so that it holds what is, or of less where that is much."""
    bound = next(bound for bound, *_ in _RATED if worst.percent <= bound)
    return _LIMIT.format(percent=int(min(bound, 10.0)))


def _larger_sample(rows: int) -> Iterator[str]:
    if rows < ENOUGH_ROWS:
        yield (
            f"Only {rows:,} records were attacked, and among so few people figures come out higher or lower than in a"
            f" large file: take {ENOUGH_ROWS:,} or more if you have them (--sample)."
        )
