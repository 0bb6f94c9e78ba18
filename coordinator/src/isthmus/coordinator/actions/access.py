"""Who is calling, and what is theirs: certificate key -> party -> role, on every call. Refusals are recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from isthmus.contract.clock import to_text
from isthmus.contract.errors import (
    CertificateExpired,
    CertificateUnknown,
    EnrolmentTokenInvalid,
    IsthmusError,
    NotAMember,
    NotFound,
    PermissionDenied,
)
from isthmus.contract.ids import COORDINATOR, PartyId, RoundId
from isthmus.contract.manifest import RoundManifest, manifest_from_bytes
from isthmus.contract.outline import manifest_outline
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE, AuditEvent
from isthmus.coordinator.domain.denials import Denial
from isthmus.coordinator.domain.records import RoundRow
from isthmus.coordinator.domain.roles import Actor, check_role
from isthmus.coordinator.store.protocol import Transaction


def authenticate(context: Context, key_digest: bytes) -> Actor:
    """Give the party and role behind a certificate's key (SHA-256 of its SubjectPublicKeyInfo).

    Raises:
        CertificateUnknown: this coordinator did not issue it, or withdrew it.
        CertificateExpired: its time is over.
    """
    with context.store.read() as tx:
        certificate = tx.parties.certificate(key_digest)
        if certificate.revoked:
            raise CertificateUnknown
        if certificate.expires_at < context.clock.now():
            raise CertificateExpired(expired_at=to_text(certificate.expires_at))
        return Actor(party=certificate.party, role=tx.parties.get(certificate.party).role)


def identify(context: Context, key_digest: bytes, *, service: str, call: str) -> Actor:
    """Give who is behind a certificate's key, where that party may make the call; a refusal is recorded.

    Raises:
        CertificateUnknown, CertificateExpired: as `authenticate`.
        PermissionDenied: the role does not allow the call.
    """
    try:
        actor = authenticate(context, key_digest)
    except (CertificateUnknown, CertificateExpired) as exc:
        record_denial(context, _holder(context, key_digest), call, exc)
        raise
    authorise(context, actor, service=service, call=call)
    return actor


def authorise(context: Context, actor: Actor, *, service: str, call: str) -> None:
    """Return only if the role may make the call; raise `PermissionDenied`, and record the attempt, otherwise."""
    try:
        check_role(actor, service, call)
    except PermissionDenied as exc:
        record_denial(context, actor.party, call, exc)
        raise


@contextmanager
def denials_recorded(context: Context, actor: Actor | None, call: str) -> Iterator[None]:
    """Record what the block refuses to the caller because it is not theirs; no actor for a caller without a role."""
    try:
        yield
    except (NotAMember, EnrolmentTokenInvalid) as exc:
        record_denial(context, actor.party if actor else None, call, exc)
        raise


def record_denial(context: Context, party: PartyId | None, call: str, refusal: IsthmusError) -> None:
    """Record a refusal, and how often older ones came again; one like another of the last while is only counted.

    No party where nobody is known.
    """
    now = context.clock.now()
    denial = Denial(actor=party or COORDINATOR, call=call, code=refusal.code)
    outcome = f"{refusal.code}: {refusal.spec.sentence.format(**refusal.fields())}"
    is_new = context.denials.is_new(denial, now=now)
    _record(context, [*_counted(context, now), *([_denied(context, denial, outcome)] if is_new else [])])


def record_counted_denials(context: Context) -> None:
    """Record how often refusals came again, of those whose time is over."""
    _record(context, _counted(context, context.clock.now()))


def _counted(context: Context, now: datetime) -> list[AuditEvent]:
    return [
        _denied(context, denial, f"{denial.code}: {more} more since {to_text(first)}")
        for denial, first, more in context.denials.take_ended(now=now)
    ]


def _denied(context: Context, denial: Denial, outcome: str) -> AuditEvent:
    actor = PartyId(denial.actor)
    return context.event(
        scope=COORDINATOR_SCOPE, actor=actor, action="access.deny", object=denial.call, outcome=outcome
    )


def _record(context: Context, events: list[AuditEvent]) -> None:
    if events:
        with context.store.begin() as tx:
            for event in events:
                tx.record(event)


def _holder(context: Context, key_digest: bytes) -> PartyId | None:
    """Give whose certificate it was, where it is on record: withdrawn or past its time."""
    with context.store.read() as tx:
        try:
            return tx.parties.certificate(key_digest).party
        except CertificateUnknown:
            return None


def member_round(tx: Transaction, actor: Actor, round_id: RoundId) -> tuple[RoundRow, RoundManifest]:
    """Give a round in which the caller is a provider.

    Raises:
        NotAMember: it is none of the caller's, or there is none: the two cannot be told apart from outside.
        UnsupportedVersion: another version of this program made it.
    """
    row = member_row(tx, actor, round_id)
    return row, manifest_from_bytes(row.manifest)


def member_row(tx: Transaction, actor: Actor, round_id: RoundId) -> RoundRow:
    """Give a round in which the caller is a provider, whichever version made it; raise `NotAMember` otherwise."""
    refusal = NotAMember(kind="round", id=round_id)
    try:
        row = tx.rounds.get(round_id)
    except NotFound:
        raise refusal from None
    if actor.party not in manifest_outline(row.manifest).parties():
        raise refusal
    return row
