"""Showing a log and taking acknowledgements: to whom, how much, and when one counts."""

from collections.abc import Iterable

import pytest
from harness import OPERATOR, Coordinator, Enrolled, public_bytes
from project_files import PROJECT, project_text

from isthmus.contract.audit_log import EMPTY, Head, check_chain
from isthmus.contract.checkpoint import ACKNOWLEDGE, read_checkpoint, sign_acknowledgement
from isthmus.contract.errors import MalformedMessage, NotAMember, SignatureInvalid
from isthmus.contract.ids import ProjectId
from isthmus.coordinator.actions import log, rounds
from isthmus.coordinator.actions.log import LogPiece, acknowledge_checkpoint, fetch_log


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    made = hub.parties("riverside", "college", "stranger")
    text = project_text(providers=["riverside", "college"], agreement=hub.agree_once(made[:2]))
    rounds.add_project(hub.context, OPERATOR, text=text)
    return made


def _fetch(hub: Coordinator, provider: Enrolled, known: Head = EMPTY, project: ProjectId = PROJECT) -> list[LogPiece]:
    return list(fetch_log(hub.context, provider.actor, project=project, known=known, signing_key=hub.signing_key))


def _events(pieces: Iterable[LogPiece]) -> list[bytes]:
    return [event for piece in pieces for event in piece.events]


def _end(hub: Coordinator) -> Head:
    with hub.context.store.read() as tx:
        return tx.log.head(PROJECT)


def _acknowledge(hub: Coordinator, provider: Enrolled, head: Head, *, by: Enrolled | None = None) -> None:
    signer = by or provider
    signature = sign_acknowledgement(signer.signing_key, scope=PROJECT, party=provider.id, head=head)
    acknowledge_checkpoint(hub.context, provider.actor, project=PROJECT, head=head, signature=signature)


def _acknowledged(hub: Coordinator) -> list[tuple[str, str]]:
    return [(one["actor"], one["object"]) for one in hub.events() if one["action"] == ACKNOWLEDGE]


def test_provider_is_shown_the_whole_chain_and_a_signed_end(hub: Coordinator, providers: list[Enrolled]) -> None:
    rounds.propose_round(hub.context, OPERATOR, project_id=PROJECT, coordinator_key=public_bytes(hub.signing_key))

    pieces = _fetch(hub, providers[1])

    links = list(check_chain(_events(pieces), scope=PROJECT))
    last = pieces[-1]
    end = read_checkpoint(
        last.checkpoint, last.signature, scope=PROJECT, coordinator_key=public_bytes(hub.signing_key)
    ).end()
    assert [link.event.action for link in links][:2] == ["project.add", "round.draft"]
    assert end == links[-1].head == _end(hub)
    assert not any(piece.checkpoint for piece in pieces[:-1])


def test_nothing_at_all_is_shown_where_nothing_is_new(hub: Coordinator, providers: list[Enrolled]) -> None:
    assert _fetch(hub, providers[0], _end(hub)) == []


def test_only_what_is_new_is_shown(hub: Coordinator, providers: list[Enrolled]) -> None:
    known = _end(hub)
    _acknowledge(hub, providers[0], known)

    events = _events(_fetch(hub, providers[1], known))

    assert [link.event.action for link in check_chain(events, scope=PROJECT, head=known)] == [ACKNOWLEDGE]


def test_caller_who_knows_another_history_gets_the_signed_end_of_this_one(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    longer = Head(sequence=9, hash=bytes(32))

    (piece,) = _fetch(hub, providers[0], longer)

    assert piece.events == ()
    assert b'"sequence":1' in piece.checkpoint


def test_long_log_comes_in_pieces(hub: Coordinator, providers: list[Enrolled], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "EVENTS_PER_MESSAGE", 2)
    rounds.propose_round(hub.context, OPERATOR, project_id=PROJECT, coordinator_key=public_bytes(hub.signing_key))

    pieces = _fetch(hub, providers[0])

    assert [len(piece.events) for piece in pieces[:-1]] == [2, 2]
    assert len(list(check_chain(_events(pieces), scope=PROJECT))) == 4


@pytest.mark.parametrize("project", [PROJECT, "no-such-project"])
def test_stranger_cannot_tell_a_project_from_none(
    hub: Coordinator, providers: list[Enrolled], project: ProjectId
) -> None:
    with pytest.raises(NotAMember):
        _fetch(hub, providers[2], project=project)
    with pytest.raises(NotAMember):
        acknowledge_checkpoint(hub.context, providers[2].actor, project=project, head=EMPTY, signature=b"")


def test_acknowledgement_stands_in_the_log(hub: Coordinator, providers: list[Enrolled]) -> None:
    end = _end(hub)

    _acknowledge(hub, providers[0], end)

    assert _acknowledged(hub) == [("riverside", f"{end.sequence}:{end.hash.hex()}")]


def test_acknowledgements_of_acknowledgements_are_not_recorded(hub: Coordinator, providers: list[Enrolled]) -> None:
    for _ in range(3):
        for provider in providers[:2]:
            _acknowledge(hub, provider, _end(hub))

    assert [party for party, _ in _acknowledged(hub)] == ["riverside", "college"]


def test_what_happens_later_is_acknowledged_again(hub: Coordinator, providers: list[Enrolled]) -> None:
    _acknowledge(hub, providers[0], _end(hub))
    rounds.propose_round(hub.context, OPERATOR, project_id=PROJECT, coordinator_key=public_bytes(hub.signing_key))

    _acknowledge(hub, providers[0], _end(hub))

    assert len(_acknowledged(hub)) == 2


def test_older_end_than_acknowledged_before_changes_nothing(hub: Coordinator, providers: list[Enrolled]) -> None:
    first = _end(hub)
    rounds.propose_round(hub.context, OPERATOR, project_id=PROJECT, coordinator_key=public_bytes(hub.signing_key))
    _acknowledge(hub, providers[0], _end(hub))

    _acknowledge(hub, providers[0], first)

    assert len(_acknowledged(hub)) == 1


@pytest.mark.parametrize("head", [Head(sequence=1, hash=bytes(32)), Head(sequence=7, hash=bytes(32)), EMPTY])
def test_end_that_this_log_never_had_is_refused(hub: Coordinator, providers: list[Enrolled], head: Head) -> None:
    with pytest.raises(MalformedMessage):
        _acknowledge(hub, providers[0], head)
    assert _acknowledged(hub) == []


def test_acknowledgement_in_the_name_of_another_is_refused(hub: Coordinator, providers: list[Enrolled]) -> None:
    with pytest.raises(SignatureInvalid):
        _acknowledge(hub, providers[0], _end(hub), by=providers[1])
    assert _acknowledged(hub) == []
