"""What every store keeps of agreements."""

from collections.abc import Sequence
from typing import Protocol

from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.ids import AgreementId
from isthmus.coordinator.domain.agreements import AgreementHistory, AgreementRow, DecisionRow, WithdrawalRow
from isthmus.coordinator.domain.audit import AuditEvent


class AgreementTable(Protocol):
    """Versions of agreements, what parties decided, and withdrawals."""

    def add(self, row: AgreementRow, *, audit: AuditEvent) -> None:
        """Keep a version; raise `AlreadyExists` where the very same one was there before."""
        ...

    def ids(self) -> Sequence[AgreementId]:
        """Give the ids of all agreements, in order."""
        ...

    def history(self, agreement: AgreementId) -> AgreementHistory:
        """Give all of an agreement; raise `NotFound`."""
        ...

    def agreement_of(self, digest: bytes) -> AgreementId:
        """Give the agreement that a version is of; raise `NotFound`."""
        ...

    def decide(self, decision: DecisionRow, *, audit: AuditEvent) -> None:
        """Keep what a party decided; raise `AlreadyExists` where it decided before."""
        ...

    def advance(self, digest: bytes, *, expect: AgreementState, to: AgreementState, audit: AuditEvent) -> None:
        """Change where a version stands; raise `StateChanged` where it does not stand where it was expected."""
        ...

    def withdraw(self, withdrawal: WithdrawalRow, *, audit: AuditEvent) -> None:
        """Keep a withdrawal; raise `AlreadyExists` where the party left that version before."""
        ...
