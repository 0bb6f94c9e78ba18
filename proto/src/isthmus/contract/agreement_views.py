"""Agreements as a party sees them over the wire, and their way there and back."""

from dataclasses import dataclass
from datetime import date, datetime

from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.ids import AgreementId, PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementSummary:
    """Where a version of an agreement stands: who has still to sign it, and who has left it by today."""

    agreement_id: AgreementId
    version: int
    digest: bytes
    state: AgreementState
    title: str
    effective: date
    expires: date
    waiting_for: tuple[PartyId, ...]
    withdrawn: tuple[PartyId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a party did with a version: its signature (64 bytes), or why it declined, one of the two."""

    party: PartyId
    at: datetime
    signature: bytes | None = None
    declined: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedWithdrawal:
    """A withdrawal's canonical bytes and the signature of the party that leaves."""

    document: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementVersion:
    """A version with its canonical bytes, what parties decided about it, and who left it."""

    summary: AgreementSummary
    document: bytes
    decisions: tuple[Decision, ...]
    withdrawals: tuple[SignedWithdrawal, ...]

    def signatures(self) -> dict[PartyId, bytes]:
        """Give the signatures on it, unchecked."""
        return {one.party: one.signature for one in self.decisions if one.signature}
