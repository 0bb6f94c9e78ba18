"""Agreements as stored, and what follows from them: who has to sign, which version counts, what forbids a round.

docs/protocol.md section 16.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from isthmus.contract.agreement import Agreement, Withdrawal, agreement_from_bytes, withdrawal_from_bytes
from isthmus.contract.agreement_terms import AgreementRole, AgreementState
from isthmus.contract.ids import AgreementId, PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """A version of an agreement: canonical bytes, their hash, and where it stands."""

    id: AgreementId
    version: int
    digest: bytes
    document: bytes
    state: AgreementState


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """What a party did with a version: its signature (64 bytes), or why it declined, one of the two."""

    digest: bytes
    party: PartyId
    at: datetime
    signature: bytes | None = None
    declined: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRow:
    """A party's withdrawal from a version: canonical bytes and signature."""

    digest: bytes
    party: PartyId
    document: bytes
    signature: bytes

    def read(self) -> Withdrawal:
        """Give the document."""
        return withdrawal_from_bytes(self.document)


@dataclass(frozen=True, kw_only=True)
class AgreementHistory:
    """All of one agreement: versions and decisions in the order in which they came, and withdrawals."""

    versions: tuple[AgreementRow, ...]
    decisions: tuple[DecisionRow, ...]
    withdrawals: tuple[WithdrawalRow, ...]

    @cached_property
    def documents(self) -> dict[bytes, Agreement]:
        """Give every version's document by its hash."""
        return {row.digest: agreement_from_bytes(row.document) for row in self.versions}

    def in_state(self, state: AgreementState) -> AgreementRow | None:
        """Give the version in that state, of which there is one at most for `proposed` and `in-force`; the last one."""
        return next((row for row in reversed(self.versions) if row.state is state), None)

    def parties(self) -> frozenset[PartyId]:
        """Give who has to sign, or had to sign, any version: those who may see the agreement."""
        return frozenset(party for one in self.documents.values() for party in one.signers())

    def auditors(self) -> tuple[PartyId, ...]:
        """Give who may look at what happened under the agreement: those whom the version that all signed last names."""
        row = self.in_state(AgreementState.IN_FORCE)
        return self.documents[row.digest].in_role(AgreementRole.AUDITOR) if row else ()

    def withdrawn(self, digest: bytes, *, day: date) -> frozenset[PartyId]:
        """Give who has left a version by that day."""
        return frozenset(one.party for one in self.withdrawals if one.digest == digest and one.read().effective <= day)

    def keys_to_sign(self, digest: bytes, *, day: date) -> dict[PartyId, bytes]:
        """Give who has to sign a version and with which identity key (32 bytes).

        Its own signers, and those of the version in force who have not left it: nobody's duties change behind its back.
        """
        document = self.documents[digest]
        keys = _keys(document)
        before = bytes.fromhex(document.previous) if document.previous else None
        if before in self.documents:
            left = self.withdrawn(before, day=day)
            keys = {party: key for party, key in _keys(self.documents[before]).items() if party not in left} | keys
        return keys

    def signatures(self, digest: bytes) -> dict[PartyId, bytes]:
        """Give the signatures on a version."""
        return {one.party: one.signature for one in self.decisions if one.digest == digest and one.signature}

    def waiting_for(self, digest: bytes, *, day: date) -> tuple[PartyId, ...]:
        """Give who has to sign a proposed version and has not."""
        signed = self.signatures(digest)
        return tuple(party for party in self.keys_to_sign(digest, day=day) if party not in signed)


def round_problem(history: AgreementHistory, *, day: date, providers: Collection[PartyId]) -> str | None:
    """Say why no round may be proposed on that day with these providers; None where it may."""
    row = history.in_state(AgreementState.IN_FORCE)
    if row is None:
        return "no version of it is signed by all"
    agreement = history.documents[row.digest]
    if day < agreement.effective:
        return f"it counts from {agreement.effective} on"
    if day > agreement.expires:
        return f"it expired on {agreement.expires}"
    if left := sorted(history.withdrawn(row.digest, day=day) & set(providers)):
        return f"{', '.join(left)} withdrew from it"
    return None


def _keys(agreement: Agreement) -> dict[PartyId, bytes]:
    named = {one.party: one.identity_key or "" for one in agreement.parties}
    return {party: bytes.fromhex(named[party]) for party in agreement.signers()}
