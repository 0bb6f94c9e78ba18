"""What an action works with, and the audit events that it writes."""

import threading
from dataclasses import dataclass, field

from isthmus.contract.clock import Clock
from isthmus.contract.ids import COORDINATOR, PartyId, RandomBytes, RoundId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.store.blobs import BlobFolder
from isthmus.coordinator.store.protocol import Store


@dataclass(slots=True)
class MatchProgress:
    """How far matching is, by round; written by the worker, read by whoever asks."""

    _pairs: dict[RoundId, tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, round_id: RoundId, done: int, total: int) -> None:
        """Note that so many record pairs of so many are compared."""
        with self._lock:
            self._pairs[round_id] = (done, total)

    def clear(self, round_id: RoundId) -> None:
        """Forget a round that is no longer being matched."""
        with self._lock:
            self._pairs.pop(round_id, None)

    def of(self, round_id: RoundId) -> tuple[int, int]:
        """Give pairs compared and pairs in all; (0, 0) where the round is not being matched."""
        with self._lock:
            return self._pairs.get(round_id, (0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Store, blobs, time and chance; the same for every action of one coordinator."""

    store: Store
    blobs: BlobFolder
    clock: Clock
    random_bytes: RandomBytes
    progress: MatchProgress

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
