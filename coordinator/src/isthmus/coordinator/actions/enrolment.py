"""Registering parties, minting tokens, enrolling, and withdrawing certificates. docs/protocol.md section 2."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from isthmus.contract.canonical import IDENTITY_KEY_BYTES, Label, check_length, sha256, verify
from isthmus.contract.errors import AlreadyExists, MalformedMessage
from isthmus.contract.ids import PartyId, parse_party_id
from isthmus.contract.key_agreement import verify_agreement_key
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.project import LONGEST_NAME
from isthmus.contract.text import is_plain_line
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.authority import Authority, issue_certificate, key_digest
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE, AuditEvent
from isthmus.coordinator.domain.records import CertificateRow, PartyRow, TokenRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.store.protocol import Transaction
from isthmus.party.token import TOKEN_BYTES, EnrolmentToken

TOKEN_LIFETIME: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where parties reach this coordinator: host:port for enrolment and for everything else."""

    enrolment: str
    service: str


def add_party(
    context: Context, actor: Actor | None, *, party: PartyId, name: str, kind: PartyKind, role: Role
) -> PartyRow:
    """Register a party that may enrol; no actor means the coordinator itself, at its set-up."""
    parse_party_id(party)
    if not is_plain_line(name, LONGEST_NAME):
        raise MalformedMessage(field="name", problem=f"not one printable line of at most {LONGEST_NAME} characters")
    row = PartyRow(id=party, name=name.strip(), kind=kind, role=role, identity_key=None)
    event = context.event(
        scope=COORDINATOR_SCOPE,
        actor=actor.party if actor else None,
        action="party.add",
        object=party,
        outcome=role.value,
    )
    with context.store.begin() as tx:
        tx.parties.add(row, audit=event)
    return row


def list_parties(context: Context) -> list[PartyRow]:
    """Give all parties by id."""
    with context.store.read() as tx:
        return list(tx.parties.all())


def mint_token(
    context: Context, actor: Actor | None, *, party: PartyId, authority: Authority, doors: Doors
) -> tuple[EnrolmentToken, datetime]:
    """Make a one-time token of one hour for a registered party; earlier tokens of the party stop being valid."""
    secret = context.random_bytes(TOKEN_BYTES)
    expires_at = context.clock.now() + TOKEN_LIFETIME
    event = context.event(
        scope=COORDINATOR_SCOPE,
        actor=actor.party if actor else None,
        action="token.mint",
        object=party,
        outcome="for one hour",
    )
    with context.store.begin() as tx:
        tx.parties.get(party)
        tx.parties.add_token(TokenRow(digest=sha256(secret), party=party, expires_at=expires_at), audit=event)
    token = EnrolmentToken(
        party=party,
        enrolment_address=doors.enrolment,
        service_address=doors.service,
        secret=base64.b64encode(secret).decode("ascii"),
        root=authority.root_pem().decode("ascii"),
    )
    return token, expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAgreementKey:
    """An X25519 public key, 32 bytes, and the identity key's signature that binds the party to it, 64 bytes."""

    key: bytes
    proof: bytes


def enrol(
    context: Context,
    *,
    token: bytes,
    request: bytes,
    identity_key: bytes,
    identity_proof: bytes,
    authority: Authority,
    agreement_key: ShownAgreementKey | None = None,
) -> tuple[PartyId, str]:
    """Trade a token for a certificate: give the party and the certificate in PEM.

    An agreement key takes the place of the one before; without one, what there was stays.

    The token is used up only if everything else holds, so that a failed attempt costs nothing.

    Raises:
        EnrolmentTokenInvalid: the token is unknown, used or expired.
        SignatureInvalid: the caller does not hold the identity key that it shows, or did not bind the agreement key.
        MalformedMessage: the certificate request is not one.
        StateChanged: the party enrolled before with another identity key.
        AlreadyExists: the agreement key is another party's.
    """
    check_length(token, TOKEN_BYTES, "token")
    check_length(identity_key, IDENTITY_KEY_BYTES, "identity_key")
    now = context.clock.now()
    digest = sha256(token)
    with context.store.read() as tx:  # before anything is written, because anybody may call this
        tx.parties.token_party(digest, now=now)
    with context.store.begin() as tx:
        party = tx.parties.token_party(digest, now=now)
        verify(identity_key, Label.IDENTITY_PROOF, request, identity_proof)
        certificate = issue_certificate(authority, party=party, request=request, now=now)
        row = CertificateRow(
            key_digest=key_digest(certificate),
            party=party,
            expires_at=certificate.not_valid_after_utc,
            revoked=False,
        )
        tx.parties.use_token(digest, now=now, audit=_enrolled(context, party, "token.use"))
        tx.parties.set_identity_key(party, identity_key, audit=_enrolled(context, party, "identity.pin"))
        if agreement_key is not None:
            shown = agreement_key
            verify_agreement_key(identity_key, party=party, agreement_key=shown.key, proof=shown.proof)
            _check_nobody_elses(tx, party, shown.key)
            tx.parties.set_agreement_key(party, shown.key, audit=_enrolled(context, party, "party.key"))
        tx.parties.add_certificate(row, audit=_enrolled(context, party, "certificate.issue"))
    return party, certificate.public_bytes(Encoding.PEM).decode("ascii")


def revoke_party(context: Context, actor: Actor, *, party: PartyId) -> int:
    """Withdraw all certificates of a party, effective at its next call; give how many there were."""
    event = context.event(
        scope=COORDINATOR_SCOPE,
        actor=actor.party,
        action="party.revoke",
        object=party,
        outcome="certificates withdrawn",
    )
    with context.store.begin() as tx:
        tx.parties.get(party)
        return tx.parties.revoke_certificates(party, audit=event)


def _check_nobody_elses(tx: Transaction, party: PartyId, agreement_key: bytes) -> None:
    """Refuse another party's agreement key, which anybody can show; no round could list both."""
    holder = next((one.id for one in tx.parties.all() if one.agreement_key == agreement_key and one.id != party), None)
    if holder is not None:
        raise AlreadyExists(kind="agreement key, that of party", id=holder)


def _enrolled(context: Context, party: PartyId, action: str) -> AuditEvent:
    return context.event(scope=COORDINATOR_SCOPE, actor=party, action=action, object=party, outcome="at enrolment")
