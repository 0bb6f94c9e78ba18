"""What an action works with, and the audit events that it writes."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from isthmus.contract.clock import Clock
from isthmus.contract.ids import COORDINATOR, PartyId, RandomBytes, RoundId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.denials import Denials
from isthmus.coordinator.store.blobs import BlobFolder
from isthmus.coordinator.store.protocol import Store
from isthmus.coordinator.store.runs import RunFolders


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How far a round's comparison is: pairs done, of which `before` in an earlier try, in all, and its pace.

    `pairs_a_second` is the mean since this try began; 0 while nothing is known.
    """

    done: int = 0
    before: int = 0
    total: int = 0
    pairs_a_second: int = 0


@dataclass(slots=True)
class MatchProgress:
    """How far matching is, by round; written by the worker, read by whoever asks."""

    _began: dict[RoundId, datetime] = field(default_factory=dict)
    _compared: dict[RoundId, Compared] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, round_id: RoundId, done: int, total: int, *, now: datetime, before: int = 0) -> Compared:
        """Note that so many record pairs of so many are compared, and give how far that is; with none a try begins."""
        with self._lock:
            if done == 0:
                self._began[round_id] = now
            seconds = (now - self._began.setdefault(round_id, now)).total_seconds()
            pace = int(max(0, done - before) / seconds) if seconds > 0 else 0
            self._compared[round_id] = Compared(done=done, before=before, total=total, pairs_a_second=pace)
            return self._compared[round_id]

    def clear(self, round_id: RoundId) -> None:
        """Forget a round that is no longer being matched."""
        with self._lock:
            self._began.pop(round_id, None)
            self._compared.pop(round_id, None)

    def of(self, round_id: RoundId) -> Compared:
        """Give how far the round is; nothing of nothing where it is not being matched."""
        with self._lock:
            return self._compared.get(round_id, Compared())


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Store, blobs, time, chance and who was refused; the same for every action of one coordinator."""

    store: Store
    blobs: BlobFolder
    clock: Clock
    random_bytes: RandomBytes
    progress: MatchProgress
    runs: RunFolders
    denials: Denials = field(default_factory=Denials)

    def event(self, *, scope: str, actor: PartyId | None, action: str, object: str, outcome: str) -> AuditEvent:  # noqa: A002 - the audit word
        """Give an audit event at the present time; no actor means the coordinator itself."""
        return AuditEvent(
            scope=scope,
            at=self.clock.now(),
            actor=actor or COORDINATOR,
            action=action,
            object=object,
            outcome=outcome,
        )
