"""Auditing: a project is open to whom its agreement names, in the version that all signed last, and to nobody else."""

from collections.abc import Callable

import pytest
from harness import Coordinator, Enrolled, public_bytes
from project_files import PROJECT

from isthmus.contract.audit_log import EMPTY, check_chain
from isthmus.contract.checkpoint import read_checkpoint
from isthmus.contract.errors import NotAMember
from isthmus.contract.ids import AgreementId, PartyId, ProjectId, RoundId
from isthmus.contract.parties import Role
from isthmus.coordinator.actions.auditing import (
    AuditedProject,
    fetch_project_log,
    get_project_round,
    list_project_rounds,
    list_projects,
)

AGREED = AgreementId("looked-at")


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


@pytest.fixture
def court(hub: Coordinator) -> Enrolled:
    return hub.party("court-of-audit", Role.AUDITOR)


@pytest.fixture
def round_id(hub: Coordinator, providers: list[Enrolled], court: Enrolled) -> RoundId:
    agree(hub, providers, court.id)
    return hub.propose(providers, agreement=AGREED)


def agree(hub: Coordinator, providers: list[Enrolled], *auditors: PartyId) -> None:
    digest = hub.propose_agreement(providers, agreement=AGREED, auditors=auditors)
    hub.sign_agreement(digest, *providers)


def looks(hub: Coordinator, auditor: Enrolled, round_id: RoundId) -> list[str]:
    """Say what an auditor can look at, of all there is."""
    seen = ["list"] if list_projects(hub.context, auditor.actor) else []
    tries: dict[str, Callable[[], object]] = {
        "rounds": lambda: list_project_rounds(hub.context, auditor.actor, project=PROJECT),
        "round": lambda: get_project_round(hub.context, auditor.actor, round_id=round_id),
        "log": lambda: fetch_project_log(
            hub.context, auditor.actor, project=PROJECT, known=EMPTY, signing_key=hub.signing_key
        ),
    }
    for name, attempt in tries.items():
        try:
            attempt()
        except NotAMember:
            continue
        seen.append(name)
    return seen


def test_auditor_gets_projects_rounds_manifest_and_signatures(
    hub: Coordinator, providers: list[Enrolled], court: Enrolled, round_id: RoundId
) -> None:
    hub.sign(round_id, providers[0])

    (project,) = list_projects(hub.context, court.actor)
    (view,) = list_project_rounds(hub.context, court.actor, project=PROJECT)
    found, manifest, signatures = get_project_round(hub.context, court.actor, round_id=round_id)

    digest = hub.manifest(round_id).project.digest()
    assert project == AuditedProject(id=PROJECT, digest=digest, agreement=AGREED)
    assert view == found
    assert manifest == hub.row(round_id).manifest
    assert [one.party for one in signatures] == [providers[0].id]


def test_auditor_gets_the_log_with_a_signed_end(hub: Coordinator, court: Enrolled, round_id: RoundId) -> None:
    pieces = list(
        fetch_project_log(hub.context, court.actor, project=PROJECT, known=EMPTY, signing_key=hub.signing_key)
    )

    *_, last = check_chain([event for one in pieces for event in one.events], scope=PROJECT)
    end = read_checkpoint(
        pieces[-1].checkpoint, pieces[-1].signature, scope=PROJECT, coordinator_key=public_bytes(hub.signing_key)
    )
    assert end.end() == last.head


def test_auditor_that_no_agreement_names_sees_nothing(hub: Coordinator, round_id: RoundId) -> None:
    assert looks(hub, hub.party("curious", Role.AUDITOR), round_id) == []


def test_version_that_not_all_signed_opens_nothing(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId
) -> None:
    late = hub.party("late-auditor", Role.AUDITOR)
    digest = hub.propose_agreement(providers, agreement=AGREED, auditors=[late.id])
    hub.sign_agreement(digest, providers[0])
    assert looks(hub, late, round_id) == []

    hub.sign_agreement(digest, providers[1])
    assert looks(hub, late, round_id) == ["list", "rounds", "round", "log"]


def test_amendment_that_no_longer_names_an_auditor_ends_its_access(
    hub: Coordinator, providers: list[Enrolled], court: Enrolled, round_id: RoundId
) -> None:
    assert looks(hub, court, round_id) == ["list", "rounds", "round", "log"]

    agree(hub, providers)

    assert looks(hub, court, round_id) == []


def test_project_and_round_that_are_not_there_look_like_those_of_others(hub: Coordinator, court: Enrolled) -> None:
    with pytest.raises(NotAMember):
        list_project_rounds(hub.context, court.actor, project=ProjectId("nothing"))
    with pytest.raises(NotAMember):
        get_project_round(hub.context, court.actor, round_id=RoundId("nothing-0123456789"))
