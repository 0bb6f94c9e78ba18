"""Who is calling, and what is theirs: certificate key -> party -> role, on every call."""

from isthmus.contract.clock import to_text
from isthmus.contract.errors import CertificateExpired, CertificateUnknown, NotAMember, NotFound, PermissionDenied
from isthmus.contract.ids import RoundId
from isthmus.contract.manifest import RoundManifest, manifest_from_bytes
from isthmus.contract.outline import manifest_outline
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE
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


def authorise(context: Context, actor: Actor, *, service: str, call: str) -> None:
    """Return only if the role may make the call; raise `PermissionDenied`, and record the attempt, otherwise."""
    try:
        check_role(actor, service, call)
    except PermissionDenied:
        denial = context.event(
            scope=COORDINATOR_SCOPE, actor=actor.party, action="access.deny", object=call, outcome=actor.role.value
        )
        with context.store.begin() as tx:
            tx.record(denial)
        raise


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
