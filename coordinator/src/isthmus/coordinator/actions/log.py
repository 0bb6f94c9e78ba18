"""Showing a project's log to whom it concerns, and keeping what they say that they were shown.

docs/protocol.md section 12.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.contract.audit_log import Head, LoggedEvent
from isthmus.contract.canonical import Label, sign
from isthmus.contract.checkpoint import ACKNOWLEDGE, check_acknowledgement, head_text, new_checkpoint
from isthmus.contract.clock import to_text
from isthmus.contract.errors import MalformedMessage, NotAMember, NotFound
from isthmus.contract.ids import ProjectId
from isthmus.contract.outline import project_providers
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.store.protocol import Transaction

EVENTS_PER_MESSAGE: Final = 500
"""An event is some hundred bytes, and 8 KiB at the very most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPiece:
    """Some events of a log, or, at the end, its signed checkpoint."""

    events: tuple[bytes, ...] = ()
    checkpoint: bytes = b""
    signature: bytes = b""


MayRead = Callable[[Transaction, Actor, ProjectId], None]
"""Raises `NotAMember` where the caller may not read the project's log."""


def check_provider(tx: Transaction, actor: Actor, project: ProjectId) -> None:
    """Return only if the caller is a provider of the project; raise `NotAMember` otherwise."""
    refusal = NotAMember(kind="project", id=project)
    try:
        document = tx.rounds.project(project).document
    except NotFound:
        raise refusal from None
    if actor.party not in project_providers(document):
        raise refusal


def fetch_log(
    context: Context,
    actor: Actor,
    *,
    project: ProjectId,
    known: Head,
    signing_key: Ed25519PrivateKey,
    may_read: MayRead = check_provider,
) -> Iterator[LogPiece]:
    """Give the events after those that the caller knows and then a checkpoint; nothing where there is nothing new.

    Raises:
        NotAMember: `may_read` says that the log is not the caller's; unless told otherwise it is the providers'.
    """
    with context.store.read() as tx:
        may_read(tx, actor, project)
        head = tx.log.head(project)
    if head == known:
        return iter(())
    return _pieces(context, project, first=known.sequence, head=head, signing_key=signing_key)


def _pieces(
    context: Context, project: ProjectId, *, first: int, head: Head, signing_key: Ed25519PrivateKey
) -> Iterator[LogPiece]:
    """Give the log up to that end, a page at a time: it only ever grows, so pages fit together."""
    for after in range(first, head.sequence, EVENTS_PER_MESSAGE):
        most = min(EVENTS_PER_MESSAGE, head.sequence - after)
        with context.store.read() as tx:
            yield LogPiece(events=tuple(tx.log.events(project, after=after, most=most)))
    document = new_checkpoint(project, head, at=to_text(context.clock.now())).to_bytes()
    yield LogPiece(checkpoint=document, signature=sign(signing_key, Label.CHECKPOINT, document))


def acknowledge_checkpoint(context: Context, actor: Actor, *, project: ProjectId, head: Head, signature: bytes) -> None:
    """Record that the caller was shown the log up to that end.

    Where nothing but acknowledgements happened since its last one, nothing is recorded: else they would never end.

    Raises:
        NotAMember: the caller is no provider of the project, or there is no such project.
        MalformedMessage: the log does not hold that event at that place.
        SignatureInvalid: the caller's identity key did not sign it.
    """
    with context.store.begin() as tx:
        check_provider(tx, actor, project)
        if tx.log.hash_at(project, head.sequence) != head.hash:
            raise MalformedMessage(field="head", problem="not an end that this project's log ever had")
        key = tx.parties.get(actor.party).identity_key or b""
        check_acknowledgement(key, signature, scope=project, party=actor.party, head=head)
        if _something_happened(tx, project, since=tx.log.acknowledged(project, actor.party), until=head.sequence):
            event = context.event(
                scope=project,
                actor=actor.party,
                action=ACKNOWLEDGE,
                object=head_text(head),
                outcome=signature.hex(),
            )
            tx.log.acknowledge(project, actor.party, head.sequence, audit=event)


def _something_happened(tx: Transaction, project: ProjectId, *, since: int, until: int) -> bool:
    events = tx.log.events(project, after=since, most=max(0, until - since))
    return any(msgspec.json.decode(one, type=LoggedEvent).action != ACKNOWLEDGE for one in events)
