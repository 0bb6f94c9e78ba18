"""Checking a kept log from its first event on: what holds, what is open, what is wrong. docs/protocol.md section 12."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from isthmus.contract.acknowledgements import Acknowledged, Said, read_acknowledgement
from isthmus.contract.audit_log import EMPTY, Link, check_chain
from isthmus.contract.canonical import sha256
from isthmus.contract.checkpoint import read_checkpoint
from isthmus.contract.errors import IsthmusError
from isthmus.contract.ids import PartyId, ProjectId
from isthmus.contract.views import RoundView
from isthmus.node.kept_log import KeptLog
from isthmus.node.node import Node
from isthmus.node.verified import load_verified

DRAFT: Final = "round.draft"


class Holds(StrEnum):
    """What came of looking at something."""

    WELL = "ok"
    OPEN = "open"
    BAD = "BAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFinding:
    """What was looked at in which project's log, what came of it, in plain words."""

    project: ProjectId
    what: str
    holds: Holds
    says: str


class _Member(msgspec.Struct, frozen=True, kw_only=True):
    party: PartyId
    identity_key: str


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    id: ProjectId


class SignedTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifests of all versions say of round, project and members."""

    round_id: str
    project: _Named
    members: tuple[_Member, ...]


def signed_terms(node: Node, project: ProjectId) -> dict[str, SignedTerms]:
    """Give the terms of a project that this node signed, by the manifest's hash in hex."""
    read = {sha256(data).hex(): msgspec.json.decode(data, type=SignedTerms) for data in node.vault.signed_manifests()}
    return {digest: terms for digest, terms in read.items() if terms.project.id == project}


def known_keys(node: Node, terms: Collection[SignedTerms]) -> dict[PartyId, set[bytes]]:
    """Give the identity keys by which this node knows parties.

    Its own, those that signed terms list, and of the members of these terms those that were compared by people.
    """
    own, compared = node.identity, load_verified(node.folder)
    found = {own.party: {own.signing_key.public_key().public_bytes_raw()}}
    for one in terms:
        for member in one.members:
            found.setdefault(member.party, set()).add(bytes.fromhex(member.identity_key))
    for party, keys in compared.items():
        if party in found:
            found[party].add(keys.identity_key)
    return found


def verify_project(
    node: Node, log: KeptLog, project: ProjectId, *, views: Sequence[RoundView] | None
) -> Iterator[LogFinding]:
    """Give what there is to say about a project's kept log; `views` are its rounds as the coordinator tells of them."""

    def found(what: str, holds: Holds, says: str) -> LogFinding:
        return LogFinding(project=project, what=what, holds=holds, says=says)

    for refusal in log.refusals(project):
        if refusal.accepted_at is None:
            yield found("history", Holds.BAD, f"refused at {refusal.at}: {refusal.problem}")
        else:
            yield found("history", Holds.OPEN, f"accepted at {refusal.accepted_at}, because: {refusal.reason}")
    try:
        links = list(check_chain(log.events(project), scope=project))
    except IsthmusError as exc:
        yield found("events", Holds.BAD, f"the file on this machine is not as it was kept: {exc}")
        return
    head = links[-1].head if links else EMPTY
    yield found("events", Holds.WELL, f"{head.sequence} follow from one another; the last is {head.hash.hex()}")
    yield found("signed end", *_end(log, project, links))
    terms = signed_terms(node, project)
    accepted = max((one.until for one in log.refusals(project) if one.accepted_at), default=0)
    for party, holds, says in _words(links, known_keys(node, terms.values()), accepted=accepted):
        yield found(f"shown to {party}", holds, says)
    for round_id, says in _unlogged(links, terms, views or ()):
        yield found(f"round {round_id}", Holds.BAD, says)


def _end(log: KeptLog, project: ProjectId, links: Sequence[Link]) -> tuple[Holds, str]:
    """Say whether the coordinator signed the end of the chain."""
    end = log.end(project)
    if not end.checkpoint:
        return Holds.OPEN, "the coordinator has not signed one here yet"
    try:
        stated = read_checkpoint(end.checkpoint, end.signature, scope=project, coordinator_key=end.coordinator_key)
    except IsthmusError as exc:
        return Holds.BAD, f"the file on this machine is not as it was kept: {exc}"
    if not links or stated.end() != links[-1].head:
        return Holds.BAD, "the file on this machine is not as it was kept: its end is not the signed one"
    return Holds.WELL, f"signed by the coordinator at {stated.at}, key {end.coordinator_key.hex()}"


def _words(
    links: Sequence[Link], keys: Mapping[PartyId, Collection[bytes]], *, accepted: int
) -> Iterator[tuple[PartyId, Holds, str]]:
    """Say of every provider what it signed last about the history that it was shown."""
    hashes = {link.head.sequence: link.head.hash for link in links}
    last: dict[PartyId, Acknowledged] = {}
    for link in links:
        said = read_acknowledgement(link, keys=keys, hash_at=hashes.get)
        if said is not None and (said.said is not Said.OTHER or said.sequence > accepted):
            last[said.party] = said if _outweighs(said, last.get(said.party)) else last[said.party]
    for party in sorted({*keys, *last}):
        yield party, *_word(last.get(party), links)


def _outweighs(said: Acknowledged, before: Acknowledged | None) -> bool:
    return before is None or said.said is Said.OTHER or before.said is not Said.OTHER


def _word(said: Acknowledged | None, links: Sequence[Link]) -> tuple[Holds, str]:
    if said is None:
        return Holds.OPEN, "it has signed nothing about this log yet; ask it whether its node runs"
    upto = f"up to event {said.head.sequence} of {len(links)}, at {links[said.sequence - 1].event.at}"
    if said.said is Said.SAME:
        return Holds.WELL, f"it signed that it was shown this same history {upto}"
    if said.said is Said.UNSURE:
        return Holds.OPEN, f"it is said to have been shown this history {upto}, under no key of it that is known here"
    return Holds.BAD, f"it was shown another history: event {said.sequence} says so"


def _unlogged(
    links: Sequence[Link], terms: Mapping[str, SignedTerms], views: Sequence[RoundView]
) -> Iterator[tuple[str, str]]:
    """Give rounds that this node signed, or is told of, and whose story is not in the log."""
    drafts = {(link.event.object, link.event.outcome) for link in links if link.event.action == DRAFT}
    reached = {(link.event.object, link.event.outcome.rpartition(" to ")[2]) for link in links}
    for digest, one in terms.items():
        if (one.round_id, digest) not in drafts:
            yield one.round_id, "this node signed terms of it that the log does not have"
    for view in views:
        if (view.round_id, view.state.value) not in reached:
            yield view.round_id, f"it is said to be {view.state.value}, and the log does not say how it came there"
