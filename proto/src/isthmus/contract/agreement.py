"""An agreement: what its parties signed before any round, in versions that are chained by hash; and how one leaves it.

An agreement file (TOML) becomes an `Agreement`. When it is proposed, its place in the chain and its parties' identity
keys are pinned, and every provider signs the canonical bytes. docs/protocol.md section 16.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from isthmus.contract.agreement_check import LONGEST_REASON, agreement_problems
from isthmus.contract.agreement_terms import (
    AgreementParty,
    AgreementRole,
    LegalBasis,
    Redisclosure,
    Retention,
)
from isthmus.contract.canonical import Label, canonical_bytes, check_version, read_canonical, sha256, verify
from isthmus.contract.errors import InvalidAgreement, MalformedDocument, SignatureInvalid
from isthmus.contract.ids import AgreementId, PartyId, parse_agreement_id, parse_party_id
from isthmus.contract.text import is_plain_line
from isthmus.contract.toml import TomlInvalid, from_toml, parse_toml

AGREEMENT_FORMAT: Final = "isthmus/agreement/1"
WITHDRAWAL_FORMAT: Final = "isthmus/agreement-withdrawal/1"
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class Agreement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of an agreement. It counts on the days from `effective` to `expires`, both inclusive.

    `version` counts from 1; `previous` is the hash (hex) of the version before, null for the first. `pdf_sha256` is the
    hash (hex) of the signed paper, where there is one.
    """

    format: str
    id: AgreementId
    version: int = 1
    previous: str | None = None
    title: str
    purpose: str
    scope: str = ""
    legal_basis: LegalBasis
    other_law: str = ""
    consent_rule: str = ""
    effective: date
    expires: date
    frequency: str = ""
    redisclosure: Redisclosure
    publication_review_days: int
    breach_notice_hours: int
    retention: Retention
    pdf_sha256: str | None = None
    lead: PartyId
    parties: tuple[AgreementParty, ...]

    def to_bytes(self) -> bytes:
        """Give the canonical bytes, which the signers sign."""
        return canonical_bytes(msgspec.to_builtins(self))

    def digest(self) -> bytes:
        """Give the SHA-256 of the canonical bytes."""
        return sha256(self.to_bytes())

    def party(self, party: PartyId) -> AgreementParty | None:
        """Give the party of that id, if it is named."""
        return next((one for one in self.parties if one.party == party), None)

    def in_role(self, role: AgreementRole) -> tuple[PartyId, ...]:
        """Give the parties of that role, in the agreement's order."""
        return tuple(one.party for one in self.parties if role in one.roles)

    def signers(self) -> tuple[PartyId, ...]:
        """Give who has to sign: every provider."""
        return self.in_role(AgreementRole.PROVIDER)

    def covers(self, day: date) -> bool:
        """Say whether the agreement counts on that day."""
        return self.effective <= day <= self.expires

    def placed(self, *, before: "Agreement | None") -> "Agreement":
        """Give the agreement as the version that follows `before`, or as the first."""
        if before is None:
            return msgspec.structs.replace(self, version=1, previous=None)
        return msgspec.structs.replace(self, version=before.version + 1, previous=before.digest().hex())

    def pinned(self, keys: Mapping[PartyId, bytes]) -> "Agreement":
        """Give the agreement with these identity keys (32 bytes); whoever has none there has none in it."""
        parties = tuple(
            msgspec.structs.replace(one, identity_key=keys[one.party].hex() if one.party in keys else None)
            for one in self.parties
        )
        return msgspec.structs.replace(self, parties=parties)

    def same_terms(self, other: "Agreement") -> bool:
        """Say whether two say the same, whatever their place in the chain and the keys that they pin."""
        return self.placed(before=None).pinned({}) == other.placed(before=None).pinned({})

    def check_signature(self, party: PartyId, signature: bytes) -> None:
        """Return only if that party signed this version with the key that it pins; raise `SignatureInvalid`."""
        named = self.party(party)
        if named is None or named.identity_key is None:
            raise SignatureInvalid(document=Label.AGREEMENT.value)
        verify(bytes.fromhex(named.identity_key), Label.AGREEMENT, self.to_bytes(), signature)


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party leaves an agreement: from `effective` on it is in no new round under the version of that hash (hex)."""

    format: str
    agreement: AgreementId
    digest: str
    party: PartyId
    reason: str
    effective: date

    def to_bytes(self) -> bytes:
        """Give the canonical bytes, which the party signs."""
        return canonical_bytes(msgspec.to_builtins(self))


def agreement_from_toml(text: str) -> Agreement:
    """Read an agreement file.

    Raises:
        MalformedDocument: it is not TOML, or a key is unknown, missing or of another type.
        UnsupportedVersion: its format is one that this version does not know.
        InvalidAgreement: it is well formed but not lawful; all of what is wrong is named at once.
    """
    try:
        keys = parse_toml(text)
        if isinstance(keys.get("format"), str):  # before its keys, which another version may have otherwise
            check_version(keys["format"], AGREEMENT_FORMAT, document="agreement")
        return checked_agreement(from_toml(keys, Agreement))
    except TomlInvalid as exc:
        raise MalformedDocument(document="agreement file", problem=str(exc)) from exc


def agreement_from_bytes(data: bytes) -> Agreement:
    """Read an agreement's canonical bytes; raises as `agreement_from_toml`."""
    return checked_agreement(read_canonical(data, Agreement, document="agreement", version=AGREEMENT_FORMAT))


def checked_agreement(agreement: Agreement) -> Agreement:
    """Give the agreement back; raise `UnsupportedVersion` or `InvalidAgreement`."""
    check_version(agreement.format, AGREEMENT_FORMAT, document="agreement")
    problems = tuple(agreement_problems(agreement))
    if problems:
        raise InvalidAgreement(problem="; ".join(problems))
    return agreement


def withdrawal_from_bytes(data: bytes) -> Withdrawal:
    """Read a withdrawal's canonical bytes; raise `MalformedDocument`, `MalformedMessage` or `UnsupportedVersion`."""
    found = read_canonical(data, Withdrawal, document="withdrawal", version=WITHDRAWAL_FORMAT)
    parse_agreement_id(found.agreement)
    parse_party_id(found.party)
    if _HASH.fullmatch(found.digest) is None or not is_plain_line(found.reason, LONGEST_REASON):
        problem = f"it needs a hash of 64 hex digits and a reason of one printable line, {LONGEST_REASON} at most"
        raise MalformedDocument(document="withdrawal", problem=problem)
    return found


def withdrawal_of(agreement: Agreement, party: PartyId, *, reason: str, effective: date) -> Withdrawal:
    """Give the document by which a party leaves this version; raises as `withdrawal_from_bytes`."""
    made = Withdrawal(
        format=WITHDRAWAL_FORMAT,
        agreement=agreement.id,
        digest=agreement.digest().hex(),
        party=party,
        reason=reason,
        effective=effective,
    )
    return withdrawal_from_bytes(made.to_bytes())
