"""What the actions need of a store for longitudinal projects. tests/contract/store holds every implementation to it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import KnownRow


class CarriedTable(Protocol):
    """Whose rows are known from earlier rounds of a project, and which rows' IDs a round changed."""

    def known(self, project: ProjectId) -> Sequence[KnownRow]:
        """Give what is known of every provider that ever had rows in a result, by party."""
        ...

    def carry(
        self,
        project: ProjectId,
        round_id: RoundId,
        *,
        known: Sequence[KnownRow],
        changes: Mapping[PartyId, bytes],
        audit: AuditEvent,
    ) -> None:
        """Keep what is known of some providers in place of what was, and the blobs of what a round changed.

        Raise `AlreadyExists` where the round has changes.
        """
        ...

    def changes(self, round_id: RoundId, party: PartyId) -> bytes | None:
        """Give the digest of the blob of a provider's rows whose IDs the round changed, if there is one."""
        ...
