"""Keeping a project's log: fetch what is new, hold it against what was kept, refuse or acknowledge it.

docs/protocol.md section 12.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from isthmus.contract.acknowledgements import Acknowledged, Said, read_acknowledgement
from isthmus.contract.audit_log import EMPTY, Head, Link, check_chain
from isthmus.contract.checkpoint import ACKNOWLEDGE, head_text, read_checkpoint, sign_acknowledgement
from isthmus.contract.clock import to_text
from isthmus.contract.errors import MalformedDocument, MalformedMessage, NotAMember, Passing, SignatureInvalid
from isthmus.contract.ids import PartyId, ProjectId
from isthmus.node.client import Client, ShownLog
from isthmus.node.errors import LocalFault, LogRewritten
from isthmus.node.kept_log import KeptLog, SignedEnd
from isthmus.node.node import Node

ACKNOWLEDGE_EVERY: Final = timedelta(minutes=1)
"""How often a node that runs says what it was shown, at most: each time is an event in the log of everybody."""

_TRIES: Final = 5
"""How often another program of the same node may be faster."""


class _Untrue(Exception):
    """What is shown is no continuation of what was kept; the text says why."""


def keep_log(node: Node, client: Client, log: KeptLog, project: ProjectId, *, every: timedelta = timedelta(0)) -> None:
    """Keep what is new in a project's log, and acknowledge it unless that was done less than `every` ago.

    One call where nothing is new.

    Raises:
        LogRewritten: what is shown is no continuation of what was kept, now or at an earlier time, and nobody here
            accepted that. Then nothing is to be done in rounds of the project.
        MalformedMessage: the answer is cut off.
        NotAMember, Passing: as every call.
    """
    refusal = log.standing_refusal(project)
    if refusal is not None:
        raise LogRewritten(project=project, problem=refusal.problem)
    if not any(_extend(node, client, log, project) for _ in range(_TRIES)):
        raise LocalFault(problem="other programs of this node write its log all the time")
    _acknowledge(node, client, log, project, every=every)


def _extend(node: Node, client: Client, log: KeptLog, project: ProjectId) -> bool:
    """Fetch, check and keep; say whether what was kept is what was checked."""
    known, acknowledged = log.head(project), log.acknowledged(project)[0]
    shown = _fetch(client, project, known)
    try:
        links = _check(node, log, project, shown, known=known)
        _check_own_words(node.identity.party, log, project, links, since=acknowledged)
    except _Untrue as exc:
        if log.head(project) == known:
            _refuse(node, client, log, project, shown, problem=str(exc))
        return False
    if not shown.checkpoint:
        return True
    extended = log.extend(project, links, after=known, end=_signed_end(node, shown))
    for said in _said_before(node, log, project, links) if extended else ():
        log.save_acknowledged(project, said.head.sequence, at=to_text(node.clock.now()))
    return extended


def _fetch(client: Client, project: ProjectId, known: Head) -> ShownLog:
    """Fetch what is new; a coordinator that no longer knows a project whose log is here shows an empty one."""
    try:
        return client.fetch_log(project, known)
    except NotAMember:
        if known == EMPTY:
            raise
        return ShownLog(is_gone=True)


def _said_before(node: Node, log: KeptLog, project: ProjectId, links: Iterable[Link]) -> Iterator[Acknowledged]:
    """Give what this party said of the log before, as where the node's folder is a new one."""
    own = {node.identity.party: [node.identity.signing_key.public_key().public_bytes_raw()]}
    for link in links:
        said = read_acknowledgement(link, keys=own, hash_at=partial(log.hash_at, project))
        if said is not None and said.party in own and said.said is Said.SAME:
            yield said


def _check(node: Node, log: KeptLog, project: ProjectId, shown: ShownLog, *, known: Head) -> Sequence[Link]:
    """Give the new events, held against the chain, its signed end, and what others said that they were shown."""
    if shown.is_gone:
        raise _Untrue("the coordinator says that there is no such project, or that this party is not in it")
    if not shown.checkpoint and shown.events:
        raise MalformedMessage(field="log", problem="cut off before its end")
    if not shown.checkpoint:
        return ()
    stated = _stated_end(node, project, shown)
    if stated.sequence < known.sequence:
        raise _Untrue(f"it ends at event {stated.sequence}, and this node has {known.sequence} events")
    try:
        links = list(check_chain(shown.events, scope=project, head=known))
    except MalformedDocument as exc:
        raise _Untrue(f"{exc.document}: {exc.problem}") from exc
    end = links[-1].head if links else known
    if stated != end:
        raise _Untrue(f"the coordinator signed another end than event {end.sequence} as this node has it")
    _check_other_words(log, project, links)
    return links


def _stated_end(node: Node, project: ProjectId, shown: ShownLog) -> Head:
    key = node.identity.coordinator_key
    try:
        return read_checkpoint(shown.checkpoint, shown.signature, scope=project, coordinator_key=key).end()
    except SignatureInvalid as exc:
        raise _Untrue("the coordinator's signature on its end does not verify") from exc
    except MalformedDocument as exc:
        raise _Untrue(f"{exc.document}: {exc.problem}") from exc


def _check_other_words(log: KeptLog, project: ProjectId, links: Sequence[Link]) -> None:
    """Return only if every acknowledgement is of this history; those that a person accepted are passed over."""
    new = {link.head.sequence: link.head.hash for link in links}
    accepted = max((one.until for one in log.refusals(project) if one.accepted_at), default=0)

    def hash_at(sequence: int) -> bytes | None:
        return new.get(sequence) or log.hash_at(project, sequence)

    for link in links:
        said = read_acknowledgement(link, keys={}, hash_at=hash_at)
        if said is not None and said.said is Said.OTHER and said.sequence > accepted:
            raise _Untrue(
                f"by event {said.sequence} of it, {said.party} signed that it was shown another history; so the"
                " coordinator shows two, or wrote that itself"
            )


def _check_own_words(own: PartyId, log: KeptLog, project: ProjectId, links: Iterable[Link], *, since: int) -> None:
    """Return only if the acknowledgement of this node's that the coordinator took last is in the log."""
    digest = log.hash_at(project, since)
    if digest is None:
        return
    about = head_text(Head(sequence=since, hash=digest))
    shown = ((link.event.actor, link.event.action, link.event.object) for link in links)
    if (own, ACKNOWLEDGE, about) in shown or log.has_acknowledgement(project, own, about):
        return
    raise _Untrue(f"this node's own statement about event {since}, which the coordinator took, is not in it")


def _signed_end(node: Node, shown: ShownLog) -> SignedEnd:
    return SignedEnd(
        checkpoint=shown.checkpoint, signature=shown.signature, coordinator_key=node.identity.coordinator_key
    )


def _refuse(node: Node, client: Client, log: KeptLog, project: ProjectId, shown: ShownLog, *, problem: str) -> None:
    """Keep the whole other history as evidence, as far as it is shown, and raise."""
    try:
        whole = client.fetch_log(project, EMPTY)
    except (Passing, NotAMember):
        whole = shown
    events, problem = list(whole.events), problem + _parting(log.events(project), list(whole.events))
    now = to_text(node.clock.now())
    log.refuse(project, events, at=now, problem=problem, until=len(events), end=_signed_end(node, whole))
    raise LogRewritten(project=project, problem=problem)


def _parting(kept: Sequence[bytes], shown: Sequence[bytes]) -> str:
    """Say where two histories part; "" where one continues the other."""
    both = enumerate(zip(kept, shown, strict=False), start=1)
    place = next((number for number, (left, right) in both if left != right), None)
    if place is not None:
        return f"; the two histories part at event {place}"
    return f"; the last {len(kept) - len(shown)} events are gone" if len(shown) < len(kept) else ""


def _acknowledge(node: Node, client: Client, log: KeptLog, project: ProjectId, *, every: timedelta) -> None:
    sequence, at = log.acknowledged(project)
    now = node.clock.now()
    if at and now - datetime.fromisoformat(at) < every:
        return
    head = log.head(project)
    if not log.something_happened(project, since=sequence):
        return
    party = node.identity.party
    signature = sign_acknowledgement(node.identity.signing_key, scope=project, party=party, head=head)
    client.acknowledge_checkpoint(project, head=head, signature=signature)
    log.save_acknowledged(project, head.sequence, at=to_text(now))


def log_warning(node: Node, client: Client, log: KeptLog, project: ProjectId) -> str:
    """Keep the log as `keep_log` does, for a command that takes no step; say what stands against it, "" for nothing."""
    try:
        keep_log(node, client, log, project)
    except LogRewritten as exc:
        return f"{exc} [{exc.code}]"
    return ""
