"""Which refused calls stand in the log, so that nobody can fill it by being refused. docs/protocol.md section 12."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

DENIALS_EVERY: Final = timedelta(hours=1)
"""A refusal like one of this last while is counted; the count is one event when the time is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """What refusals have in common that are counted together: who called what, and the code of the refusal.

    Not the thing that was asked about, which the caller chooses. So there are at most as many as parties, calls and
    codes; `actor` is the coordinator where nobody is known.
    """

    actor: str
    call: str
    code: str


@dataclass(slots=True)
class Denials:
    """The refusals of the last while, by what they have in common: when the first was, and how many came after it."""

    _since: dict[Denial, tuple[datetime, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_new(self, denial: Denial, *, now: datetime) -> bool:
        """Note a refusal; say whether it is the first of its kind in a while."""
        with self._lock:
            first, more = self._since.get(denial, (now, -1))
            self._since[denial] = (first, more + 1)
            return more < 0

    def take_ended(self, *, now: datetime) -> list[tuple[Denial, datetime, int]]:
        """Forget what began a while ago; give what of it was counted: kind, when it began, how many came after."""
        with self._lock:
            ended = {kind: kept for kind, kept in self._since.items() if now - kept[0] >= DENIALS_EVERY}
            for kind in ended:
                del self._since[kind]
        return [(kind, first, more) for kind, (first, more) in ended.items() if more]
