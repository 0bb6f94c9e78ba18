"""Projects and rounds up to collecting: who may propose, sign, decline and confirm, and what each refuses."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from harness import OPERATOR, START, Coordinator, Enrolled, agreement_key_of, public_bytes, random_rows
from project_files import PROJECT, project_text

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.errors import (
    AlreadyExists,
    IllegalTransition,
    InvalidProject,
    MalformedDocument,
    MalformedMessage,
    NotAMember,
    NotFound,
    RoundStateMismatch,
    SignatureInvalid,
    WrongManifest,
)
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.manifest import manifest_from_bytes
from isthmus.contract.parties import Role
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import Waiting
from isthmus.coordinator.actions import rounds
from isthmus.coordinator.actions.context import Compared


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


def _sign(
    hub: Coordinator, by: Enrolled, round_id: RoundId, *, manifest_hash: bytes, signed: bytes, label: Label
) -> None:
    signature = sign(by.signing_key, label, signed)
    rounds.sign_round(hub.context, by.actor, round_id=round_id, manifest_hash=manifest_hash, signature=signature)


def _waited_for(hub: Coordinator, by: Enrolled, round_id: RoundId) -> list[str]:
    return [one.party for one in rounds.get_round(hub.context, by.actor, round_id=round_id)[0].waiting_for]


def test_project_is_kept_as_its_canonical_bytes_and_adding_it_again_changes_nothing(hub: Coordinator) -> None:
    hub.register("riverside")
    hub.register("college")
    text = project_text(providers=["riverside", "college"])

    first = rounds.add_project(hub.context, OPERATOR, text=text)
    again = rounds.add_project(hub.context, OPERATOR, text=text + "# a comment\n")

    assert first == again
    assert sha256(first.document) == first.digest
    assert [event["action"] for event in hub.events()] == ["project.add"]


def test_project_of_the_same_id_with_other_content_is_refused(hub: Coordinator) -> None:
    hub.register("riverside")
    hub.register("college")
    rounds.add_project(hub.context, OPERATOR, text=project_text(providers=["riverside", "college"]))

    with pytest.raises(AlreadyExists):
        rounds.add_project(
            hub.context, OPERATOR, text=project_text(providers=["riverside", "college"], min_cell_count=6)
        )


def test_project_names_everybody_who_is_not_registered_in_the_role_at_once(hub: Coordinator) -> None:
    hub.register("riverside")
    hub.register("college", Role.ANALYST)
    text = project_text(providers=["riverside", "college", "nobody"], analysts=["research"])

    with pytest.raises(InvalidProject) as refused:
        rounds.add_project(hub.context, OPERATOR, text=text)

    assert "college is not registered as provider" in str(refused.value)
    assert "nobody is not registered" in str(refused.value)


def test_project_names_an_analyst_who_is_registered_otherwise(hub: Coordinator) -> None:
    for party in ("riverside", "college", "research"):
        hub.register(party)
    text = project_text(providers=["riverside", "college"], analysts=["research"])

    with pytest.raises(InvalidProject, match="research is not registered as analyst"):
        rounds.add_project(hub.context, OPERATOR, text=text)


def test_project_file_that_does_not_parse_is_refused(hub: Coordinator) -> None:
    with pytest.raises(MalformedDocument):
        rounds.add_project(hub.context, OPERATOR, text="format =")


def test_round_pins_project_members_and_time(hub: Coordinator, providers: list[Enrolled]) -> None:
    hub.clock.set(START + timedelta(days=1))

    round_id = hub.propose(providers)

    manifest = hub.manifest(round_id)
    assert round_id.startswith(f"{PROJECT}-")
    assert hub.state(round_id) is RoundState.PROPOSED
    assert [(one.party, one.identity_key) for one in manifest.members] == [
        (one.id, public_bytes(one.signing_key).hex()) for one in providers
    ]
    assert all(
        agreement_key_of(one.party, providers[0].signing_key).key.hex() == one.agreement_key for one in manifest.members
    )
    assert manifest.epoch == 1
    assert manifest.coordinator_key == public_bytes(hub.signing_key).hex()
    assert manifest.proposed_at == "2026-01-16T12:00:00Z"
    assert hub.row(round_id).manifest_hash == manifest.digest()


def test_round_needs_every_provider_enrolled(hub: Coordinator) -> None:
    riverside = hub.party("riverside")
    hub.register("college")
    college = Enrolled(
        actor=riverside.actor.__class__(party=PartyId("college"), role=Role.PROVIDER), signing_key=riverside.signing_key
    )

    with pytest.raises(InvalidProject, match="not enrolled yet: college"):
        hub.propose([riverside, college])

    assert rounds.list_all_rounds(hub.context) == []


def test_round_of_an_unknown_project_is_refused(hub: Coordinator) -> None:
    with pytest.raises(NotFound):
        rounds.propose_round(hub.context, OPERATOR, project_id=ProjectId("nothing"), coordinator_key=bytes(32))


def test_last_signature_locks_the_round(hub: Coordinator, providers: list[Enrolled]) -> None:
    riverside, college = providers
    round_id = hub.propose(providers)
    assert _waited_for(hub, riverside, round_id) == ["riverside", "college"]

    hub.sign(round_id, riverside)
    assert hub.state(round_id) is RoundState.PROPOSED
    assert _waited_for(hub, riverside, round_id) == ["college"]
    hub.sign(round_id, college)

    assert hub.state(round_id) is RoundState.LOCKED
    outcomes = [event["outcome"] for event in hub.events() if event["action"] == "round.advance"]
    assert outcomes == ["draft to proposed", "proposed to locked"]


def test_signing_again_changes_nothing(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.propose(providers)
    hub.sign(round_id, *providers)
    before = hub.events()

    hub.sign(round_id, *providers)

    assert hub.events() == before


def test_signatures_are_shown_to_members_with_the_manifest(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.propose(providers)
    hub.sign(round_id, providers[1])

    view, manifest, signatures = rounds.get_round(hub.context, providers[0].actor, round_id=round_id)

    assert manifest_from_bytes(manifest).round_id == view.round_id == round_id
    assert [one.party for one in signatures] == ["college"]


def _other_hash(row_hash: bytes) -> bytes:
    return sha256(row_hash)


@pytest.mark.parametrize(
    ("make_hash", "refusal"), [(_other_hash, WrongManifest), (lambda known: known[:31], MalformedMessage)]
)
def test_signing_or_declining_another_manifest_is_refused(
    hub: Coordinator, providers: list[Enrolled], make_hash: Callable[[bytes], bytes], refusal: type[Exception]
) -> None:
    round_id = hub.propose(providers)
    row = hub.row(round_id)
    other = make_hash(row.manifest_hash)

    with pytest.raises(refusal):
        _sign(hub, providers[0], round_id, manifest_hash=other, signed=row.manifest, label=Label.ROUND_MANIFEST)
    with pytest.raises(refusal):
        rounds.decline_round(hub.context, providers[0].actor, round_id=round_id, manifest_hash=other)

    assert hub.state(round_id) is RoundState.PROPOSED


@pytest.mark.parametrize("label", [label for label in Label if label is not Label.ROUND_MANIFEST])
def test_signature_under_another_label_is_refused(hub: Coordinator, providers: list[Enrolled], label: Label) -> None:
    round_id = hub.propose(providers)
    row = hub.row(round_id)

    with pytest.raises(SignatureInvalid):
        _sign(hub, providers[0], round_id, manifest_hash=row.manifest_hash, signed=row.manifest, label=label)


def test_signature_of_another_member_is_refused(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.propose(providers)
    row = hub.row(round_id)
    forged = Enrolled(actor=providers[0].actor, signing_key=providers[1].signing_key)

    with pytest.raises(SignatureInvalid):
        _sign(hub, forged, round_id, manifest_hash=row.manifest_hash, signed=row.manifest, label=Label.ROUND_MANIFEST)
    assert _waited_for(hub, providers[0], round_id) == ["riverside", "college"]


def test_round_of_others_looks_like_one_that_is_not_there(hub: Coordinator, providers: list[Enrolled]) -> None:
    stranger = hub.party("stranger")
    round_id = hub.propose(providers)
    missing = RoundId(f"{PROJECT}-0000000000")

    def refusal(asked: RoundId) -> tuple[str, str]:
        with pytest.raises(NotAMember) as refused:
            rounds.get_round(hub.context, stranger.actor, round_id=asked)
        return refused.value.code, str(refused.value).replace(asked, "X")

    assert refusal(round_id) == refusal(missing)
    with pytest.raises(NotAMember):
        hub.sign(round_id, stranger)
    with pytest.raises(NotAMember):
        hub.confirm(round_id, stranger)
    with pytest.raises(NotAMember):
        rounds.decline_round(
            hub.context, stranger.actor, round_id=round_id, manifest_hash=hub.row(round_id).manifest_hash
        )
    assert rounds.list_rounds(hub.context, stranger.actor) == []


def test_members_list_their_own_rounds_the_latest_change_first(hub: Coordinator, providers: list[Enrolled]) -> None:
    first, second = hub.propose(providers), hub.propose(providers)
    hub.sign(first, *providers)

    listed = [view.round_id for view in rounds.list_rounds(hub.context, providers[0].actor)]

    assert listed == [first, second] == [view.round_id for view in rounds.list_all_rounds(hub.context)]


def test_declining_ends_the_round(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.propose(providers)
    hub.sign(round_id, providers[0])

    view = rounds.decline_round(
        hub.context, providers[1].actor, round_id=round_id, manifest_hash=hub.row(round_id).manifest_hash
    )

    assert view.state is RoundState.CANCELLED
    assert view.waiting_for == ()
    assert (hub.events()[-1]["actor"], hub.events()[-1]["action"]) == ("college", "round.decline")
    with pytest.raises(RoundStateMismatch):
        hub.sign(round_id, providers[1])


def test_declining_is_too_late_once_all_have_signed(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.propose(providers)
    hub.sign(round_id, *providers)

    with pytest.raises(RoundStateMismatch):
        rounds.decline_round(
            hub.context, providers[1].actor, round_id=round_id, manifest_hash=hub.row(round_id).manifest_hash
        )


def test_operator_cancels_a_round_before_its_release_once(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.propose(providers)

    assert rounds.cancel_round(hub.context, OPERATOR, round_id=round_id).state is RoundState.CANCELLED
    with pytest.raises(IllegalTransition):
        rounds.cancel_round(hub.context, OPERATOR, round_id=round_id)
    with pytest.raises(NotFound):
        rounds.cancel_round(hub.context, OPERATOR, round_id=RoundId("no-such-round"))


def test_round_that_did_not_fail_is_not_matched_again(hub: Coordinator, providers: list[Enrolled]) -> None:
    with pytest.raises(RoundStateMismatch, match="failed"):
        rounds.retry_round(hub.context, OPERATOR, round_id=hub.propose(providers))


def test_view_shows_progress_of_matching(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.propose(providers)
    now = hub.clock.now()
    hub.context.progress.report(round_id, 0, 8, now=now)
    hub.context.progress.report(round_id, 5, 8, before=1, now=now + timedelta(seconds=2))
    view = rounds.get_round(hub.context, providers[0].actor, round_id=round_id)[0]
    hub.context.progress.clear(round_id)

    assert (view.pairs_done, view.pairs_total, view.pairs_a_second) == (5, 8, 2)
    assert hub.context.progress.of(round_id) == Compared()


def test_view_waits_for_nobody_else_than_it_says(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.collecting(providers)
    for seed, provider in enumerate(providers):
        hub.submit(provider, round_id, random_rows(3, seed=seed))

    (waiting,) = rounds.get_round(hub.context, providers[0].actor, round_id=round_id)[0].waiting_for

    assert isinstance(waiting, Waiting)
    assert waiting.party == "coordinator"
