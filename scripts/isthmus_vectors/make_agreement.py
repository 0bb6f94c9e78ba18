"""Vectors of agreements: two versions of one, signed by both providers, and a withdrawal from the second."""

from datetime import date
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.contract.agreement import AGREEMENT_FORMAT, Agreement, checked_agreement, withdrawal_of
from isthmus.contract.agreement_terms import (
    AgreementParty,
    AgreementRole,
    LegalBasis,
    Redisclosure,
    RedisclosureRule,
    Retention,
)
from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.ids import AgreementId, PartyId
from isthmus.contract.parties import PartyKind

Json = dict[str, Any]

_KEYS: Final = {
    PartyId(party): Ed25519PrivateKey.from_private_bytes(sha256(f"agreement vector {party}".encode()))
    for party in ("riverside", "college")
}


def agreement_vectors() -> Json:
    """Give the chain of versions with canonical text, hash and signatures, and the withdrawal."""
    public = {party: key.public_key().public_bytes_raw() for party, key in _KEYS.items()}
    first = checked_agreement(_FIRST.pinned(public))
    amended = msgspec.structs.replace(
        first, purpose="Wie geht es nach der Schule weiter? \u2014 née, \U0001f3eb", breach_notice_hours=24
    )
    second = checked_agreement(amended.placed(before=first))
    left = withdrawal_of(second, PartyId("college"), reason="The board decided so.", effective=date(2027, 3, 1))
    return {
        "about": [
            "Two versions of an agreement of made-up parties, and how one of them leaves it. Made by",
            "scripts/make_vectors, confirmed by scripts/verify_vectors from docs/protocol.md, sections 3 and 16.",
            "Canonical bytes are given as text; keys, hashes and signatures are hexadecimal.",
        ],
        "version": 1,
        "identity_keys": {party: key.hex() for party, key in public.items()},
        "versions": [_version(first), _version(second)],
        "withdrawal": {
            "party": left.party,
            "canonical": left.to_bytes().decode(),
            "signature": sign(_KEYS[left.party], Label.AGREEMENT_WITHDRAWAL, left.to_bytes()).hex(),
        },
    }


def _version(agreement: Agreement) -> Json:
    return {
        "document": msgspec.to_builtins(agreement),
        "canonical": agreement.to_bytes().decode(),
        "digest": agreement.digest().hex(),
        "signatures": {party: sign(key, Label.AGREEMENT, agreement.to_bytes()).hex() for party, key in _KEYS.items()},
    }


def _party(party: str, kind: PartyKind, *roles: AgreementRole) -> AgreementParty:
    return AgreementParty(
        party=PartyId(party), name=f"{party.title()} office", kind=kind, roles=roles, steward=f"Data desk of {party}"
    )


_FIRST: Final = Agreement(
    format=AGREEMENT_FORMAT,
    id=AgreementId("school-work"),
    title="From school to work",
    purpose="Describe how pupils of the district fare at college.",
    scope="Pupils of the last five school years.",
    legal_basis=LegalBasis.STUDIES,
    effective=date(2026, 9, 1),
    expires=date(2029, 8, 31),
    frequency="every year",
    redisclosure=Redisclosure(rule=RedisclosureRule.AGGREGATES_ONLY),
    publication_review_days=30,
    breach_notice_hours=48,
    retention=Retention(keep_days=30, method="Deleted and certified.", destroy_by=date(2029, 12, 31)),
    lead=PartyId("riverside"),
    parties=(
        _party("riverside", PartyKind.DISTRICT, AgreementRole.PROVIDER, AgreementRole.AUDITOR),
        _party("college", PartyKind.COLLEGE, AgreementRole.PROVIDER),
        _party("research", PartyKind.ANALYST, AgreementRole.ANALYST),
    ),
)
