"""A small round as a node sees it: identities, settings, and the manifest of two providers."""

from dataclasses import replace
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from isthmus_local.agreement_file import agreement_file

from isthmus.contract.agreement import Agreement, agreement_from_toml
from isthmus.contract.canonical import Label, sign
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.manifest import Member, RoundManifest, build_manifest
from isthmus.contract.project import PROJECT_FORMAT, Project, ProviderTerms, RevealMode
from isthmus.node.config import DatasetConfig, NodeConfig
from isthmus.party.identity import Identity

RIVERSIDE, COLLEGE = PartyId("riverside"), PartyId("college")
PROJECT, ROUND = ProjectId("k12-to-work"), RoundId("k12-to-work-1")
COORDINATOR_KEY = bytes(range(32))
KEYS = {
    RIVERSIDE: Ed25519PrivateKey.from_private_bytes(b"r" * 32),
    COLLEGE: Ed25519PrivateKey.from_private_bytes(b"c" * 32),
}
AGREEMENT_KEYS = {party: X25519PrivateKey.from_private_bytes(party.encode().ljust(32)) for party in KEYS}
STUDENTS = DatasetConfig(
    file="students.csv",
    id_column="StudentId",
    columns={"first_name": "First", "last_name": "Last", "dob": "Born", "zip": "Zip"},
)
CONFIG = NodeConfig(datasets={"students": STUDENTS})


def public_hex(party: PartyId) -> str:
    """Give a party's public identity key in hex."""
    return KEYS[party].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


AGREEMENT = agreement_from_toml(
    agreement_file("school-and-work", providers=tuple(KEYS), analysts=["research"], effective=date(2025, 1, 15))
).pinned({party: key.public_key().public_bytes_raw() for party, key in KEYS.items()})
TODAY = date(2026, 1, 15)


def member_of(party: PartyId, name: str | None = None, **changes: str) -> Member:
    """Give a party as a manifest lists it, with some keys changed."""
    keys = {
        "identity_key": public_hex(party),
        "agreement_key": AGREEMENT_KEYS[party].public_key().public_bytes_raw().hex(),
    }
    return Member(party=party, name=name or party.title(), **(keys | changes))


def identity(party: PartyId = RIVERSIDE, **changes: Any) -> Identity:
    """Give a party's identity; nothing here opens a connection, so certificates are empty."""
    whole = Identity(
        party=party,
        service_address="hub.example.org:7443",
        coordinator_key=COORDINATOR_KEY,
        signing_key=KEYS[party],
        tls_key=b"",
        certificate=b"",
        root=b"",
        agreement_key=AGREEMENT_KEYS[party],
    )
    return replace(whole, **changes)


def project(**changes: Any) -> Project:
    """Give a lawful project, with some parts changed."""
    parts: dict[str, Any] = {
        "format": PROJECT_FORMAT,
        "id": PROJECT,
        "title": "From school to work",
        "purpose": "Count pupils in training a year later.",
        "agreement": AGREEMENT.id,
        "lead": RIVERSIDE,
        "reveal": RevealMode.LINKED,
        "profile": "interop-1",
        "providers": (
            ProviderTerms(party=RIVERSIDE, dataset="students", fields=("first_name", "last_name", "dob")),
            ProviderTerms(party=COLLEGE, dataset="enrolments", fields=("first_name", "last_name", "dob", "ssn")),
        ),
    }
    return Project(**(parts | changes))


def signatures_on(agreement: Agreement) -> dict[PartyId, bytes]:
    """Give everybody's signature on a version."""
    return {party: sign(KEYS[party], Label.AGREEMENT, agreement.to_bytes()) for party in agreement.signers()}


def manifest(terms: Project | None = None, agreement: Agreement | None = None) -> RoundManifest:
    """Give the manifest of a round of a project, under an agreement that all signed."""
    under = agreement or AGREEMENT
    return build_manifest(
        terms or project(),
        agreement=under,
        agreement_signatures=signatures_on(under),
        round_id=ROUND,
        epoch=1,
        members=tuple(member_of(party) for party in KEYS),
        coordinator_key=COORDINATOR_KEY,
        proposed_at="2026-01-15T12:00:00Z",
    )
