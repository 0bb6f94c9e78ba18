"""What an earlier version left in the database: listed, ended and kept from strangers, and never gone on with."""

from typing import Any

import pytest
from harness import OPERATOR, START, Coordinator, Enrolled, random_rows
from project_files import PROJECT, project_text

from isthmus.contract.canonical import canonical_bytes, sha256
from isthmus.contract.convert import MAX_SENTENCE
from isthmus.contract.errors import IllegalTransition, InvalidProject, NotAMember, UnsupportedVersion
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.manifest import manifest_from_bytes
from isthmus.contract.parties import Role
from isthmus.contract.project import project_from_bytes
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import matching, rounds
from isthmus.coordinator.actions.results import list_tables
from isthmus.coordinator.domain.records import ProjectRow, RoundRow
from isthmus.coordinator.domain.rounds import TRANSITIONS

OLD = ProjectId("old-work")
ENDABLE = [state for state in RoundState if RoundState.CANCELLED in TRANSITIONS[state]]


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


def _old_project(**changes: Any) -> dict[str, Any]:
    """Give a project as the first version of the program wrote it."""
    terms = [
        {"party": party, "dataset": "people", "fields": ["first_name", "last_name", "dob"]}
        for party in ("riverside", "college")
    ]
    return {
        "format": "isthmus/project/1",
        "id": OLD,
        "title": "From school to work",
        "purpose": "Testing",
        "lead": "riverside",
        "reveal": "linked",
        "providers": terms,
        "analysts": ["research"],
        "profile": "interop-1",
        "threshold": None,
        "min_cell_count": 10,
    } | changes


def _old_manifest(round_id: str) -> bytes:
    """Give a round manifest as the first version of the program wrote it: without epoch and agreement keys."""
    return canonical_bytes({
        "format": "isthmus/round-manifest/1",
        "round_id": round_id,
        "project": _old_project(),
        "profile": {"format": "isthmus/profile/1", "name": "interop-1"},
        "threshold": "0.85",
        "members": [
            {"party": party, "name": party.title(), "identity_key": key * 32}
            for party, key in (("riverside", "00"), ("college", "01"))
        ],
        "coordinator_key": "02" * 32,
        "proposed_at": "2026-01-15T12:00:00Z",
    })  # fmt: skip


def _keep_old(hub: Coordinator, state: RoundState = RoundState.PROPOSED, name: str = "old-work-0000000001") -> RoundId:
    """Put an old project and a round of it into the database."""
    document, manifest, round_id = canonical_bytes(_old_project()), _old_manifest(name), RoundId(name)
    event = hub.context.event(scope=OLD, actor=None, action="round.draft", object=round_id, outcome="made long ago")
    with hub.context.store.begin() as tx:
        tx.rounds.add_project(ProjectRow(id=OLD, document=document, digest=sha256(document)), audit=event)
        row = RoundRow(
            id=round_id,
            project=OLD,
            state=state,
            manifest=manifest,
            manifest_hash=sha256(manifest),
            updated_at=START,
        )
        tx.rounds.add(row, audit=event)
    return round_id


def test_documents_of_the_first_version_are_refused_by_their_format_and_not_by_their_keys() -> None:
    with pytest.raises(UnsupportedVersion, match="round-manifest/1"):
        manifest_from_bytes(_old_manifest("old-work-0000000001"))
    with pytest.raises(UnsupportedVersion, match="project/1"):
        project_from_bytes(canonical_bytes(_old_project()))


def test_list_says_which_rounds_another_version_made_and_shows_all_others(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    old, new = _keep_old(hub), hub.propose(providers)

    for listed in (rounds.list_all_rounds(hub.context), rounds.list_rounds(hub.context, providers[0].actor)):
        waiting = {view.round_id: view.waiting_for for view in listed}
        (one,) = waiting[old]
        assert one.party == "coordinator"
        assert "another version" in one.needs and "isthmus-coordinator round cancel" in one.needs
        assert [other.party for other in waiting[new]] == ["riverside", "college"]


@pytest.mark.parametrize("state", ENDABLE)
def test_round_of_another_version_is_cancelled_from_every_state_before_release(
    hub: Coordinator, state: RoundState
) -> None:
    old = _keep_old(hub, state)
    (waiting,) = rounds.list_all_rounds(hub.context)[0].waiting_for
    assert waiting.needs.isprintable() and len(waiting.needs) <= MAX_SENTENCE

    view = rounds.cancel_round(hub.context, OPERATOR, round_id=old)

    assert (view.state, view.waiting_for) == (RoundState.CANCELLED, ())


def test_released_round_of_another_version_waits_for_nobody_and_is_not_cancelled(hub: Coordinator) -> None:
    old = _keep_old(hub, RoundState.RELEASED)

    assert rounds.list_all_rounds(hub.context)[0].waiting_for == ()
    with pytest.raises(IllegalTransition):
        rounds.cancel_round(hub.context, OPERATOR, round_id=old)


def test_round_of_another_version_is_hidden_from_strangers_and_not_gone_on_with(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    old, stranger = _keep_old(hub, RoundState.PREFLIGHT), hub.party("stranger")

    assert rounds.list_rounds(hub.context, stranger.actor) == []
    with pytest.raises(NotAMember):
        rounds.get_round(hub.context, stranger.actor, round_id=old)
    with pytest.raises(NotAMember):
        _confirm(hub, stranger, old)
    with pytest.raises(UnsupportedVersion, match="round-manifest/1"):
        _confirm(hub, providers[0], old)
    assert hub.state(old) is RoundState.PREFLIGHT


def _confirm(hub: Coordinator, by: Enrolled, round_id: RoundId) -> None:
    rounds.confirm_preflight(
        hub.context, by.actor, round_id=round_id, key_check=bytes(16), profile_digest=bytes(32), answers=()
    )


def test_member_declines_a_round_of_another_version(hub: Coordinator, providers: list[Enrolled]) -> None:
    old = _keep_old(hub)

    view = rounds.decline_round(hub.context, providers[1].actor, round_id=old, manifest_hash=hub.row(old).manifest_hash)

    assert view.state is RoundState.CANCELLED


def test_worker_fails_a_sealed_round_of_another_version_and_goes_on_to_the_next(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    old = _keep_old(hub, RoundState.SEALED)
    new = hub.collecting(providers)
    for seed, provider in enumerate(providers):
        hub.submit(provider, new, random_rows(5, seed=seed))

    with pytest.raises(UnsupportedVersion) as refused:
        hub.match()
    matching.fail_round(hub.context, old, error=refused.value)

    assert hub.state(old) is RoundState.FAILED
    assert "round cancel" in rounds.list_all_rounds(hub.context)[0].waiting_for[0].needs
    assert hub.match() == new


def test_project_of_another_version_is_not_proposed_and_the_refusal_says_what_to_do(hub: Coordinator) -> None:
    _keep_old(hub)

    with pytest.raises(InvalidProject, match="new id and format isthmus/project/5"):
        rounds.propose_round(hub.context, OPERATOR, project_id=OLD, coordinator_key=bytes(32))


def test_tables_of_a_project_of_another_version_stay_its_analysts(hub: Coordinator, providers: list[Enrolled]) -> None:
    research, other = hub.party("research", Role.ANALYST), hub.party("other", Role.ANALYST)
    round_id = hub.collecting(providers, analysts=["research"])
    for seed, provider in enumerate(providers):
        hub.submit(provider, round_id, random_rows(5, seed=seed))
    hub.match()
    assert len(list_tables(hub.context, research.actor)) == 1

    _make_old(hub)

    assert [view.round_id for view in list_tables(hub.context, research.actor)] == [round_id]
    assert list_tables(hub.context, other.actor) == []


def _make_old(hub: Coordinator) -> None:
    """Let the database have the project as the first version wrote it."""
    old = canonical_bytes(_old_project(id=PROJECT))
    with hub.context.store.begin() as tx:
        connection = tx._connection  # type: ignore[attr-defined] # nothing in the program edits a project
        connection.exec_driver_sql("UPDATE projects SET document = ?", (old,))


def test_project_file_of_the_first_version_is_refused_by_its_format(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    text = project_text(providers=[one.id for one in providers], format="isthmus/project/1").replace("max_rows", "rows")

    with pytest.raises(UnsupportedVersion, match="isthmus/project/1"):
        rounds.add_project(hub.context, OPERATOR, text=text)
