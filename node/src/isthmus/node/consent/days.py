"""The day that effective dates are compared with, and last days as people write them."""

import re
from datetime import date, datetime, tzinfo
from typing import Final

from isthmus.node.normalise.dates import LAST_YEAR, DateOrder, parse_day

_NEVER: Final = re.compile(r"(9999[-/. ]?12[-/. ]?31|(12[-/. ]?31|31[-/. ]?12)[-/. ]?9999)([T ].*)?")
"""The last day of the year 9999, by which databases say that there is no end; no order makes it another day."""

_NO_END: Final = frozenset({"never", "none", "open", "infinity", "-"})


def local_day(now: datetime, zone: tzinfo | None = None) -> date:
    """The calendar day at the moment `now` (aware) in `zone`; None is this machine's, whose people write the dates."""
    return now.astimezone(zone).date()


def clock_is_behind(latest: date) -> str:
    """Say that this machine's clock is behind a day that the node has seen, and what comes of it."""
    return (
        f"this machine's clock is behind {latest}, a day that this node has seen: whoever is left out on either day is"
        " left out (if the clock is right now: isthmus-node opt-out trust-clock)"
    )


def parse_last_day(text: str, order: DateOrder) -> date | None:
    """The last day that a text writes, None where it is no date; no end, `date.max`, where it is after 2199."""
    if _NEVER.fullmatch(text.strip()):
        return date.max
    found = parse_day(text, order)
    return date.max if found is not None and found.year > LAST_YEAR else found


def says_no_end(text: str) -> bool:
    """Say whether a text says in a word, or by nothing, that there is no end."""
    return text.strip().casefold() in _NO_END | {""}
