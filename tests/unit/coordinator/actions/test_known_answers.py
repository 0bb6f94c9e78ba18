"""Known answers at the coordinator: who differs is named by party and field, and nothing is collected before."""

import pytest
from harness import Coordinator, Enrolled

from isthmus.contract.errors import KnownAnswersDiffer, MalformedMessage
from isthmus.contract.round_state import RoundState


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


def test_provider_whose_answers_differ_from_the_leads_is_refused_by_party_and_field(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    round_id = hub.propose(providers)
    hub.sign(round_id, *providers)
    hub.agree(round_id, *providers)
    hub.confirm(round_id, providers[0])

    with pytest.raises(KnownAnswersDiffer) as refused:
        hub.confirm(round_id, providers[1], answers=hub.answers(round_id, last_name=b"x" * 16, all=b"x" * 16))

    assert (refused.value.party, refused.value.lead) == (providers[1].id, providers[0].id)
    assert refused.value.parts == "field:last_name"
    assert hub.state(round_id) is RoundState.PREFLIGHT


def test_provider_that_answered_otherwise_before_the_lead_must_confirm_again(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    round_id = hub.propose(providers)
    hub.sign(round_id, *providers)
    hub.agree(round_id, *providers)
    hub.confirm(round_id, providers[1], answers=hub.answers(round_id, dob=b"x" * 16))

    hub.confirm(round_id, providers[0])

    assert hub.state(round_id) is RoundState.PREFLIGHT
    outcomes = [event["outcome"] for event in hub.events()]
    assert f"{providers[1].id} must confirm again: field:dob" in outcomes


def test_answers_for_other_parts_than_the_profiles_are_refused(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.propose(providers)
    hub.sign(round_id, *providers)
    hub.agree(round_id, *providers)

    with pytest.raises(MalformedMessage):
        hub.confirm(round_id, providers[0], answers=hub.answers(round_id)[1:])


def test_provider_that_makes_other_buckets_is_named_by_its_block_key(hub: Coordinator) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.propose(providers, blocks={"keys": ["first-birth", "names-year"], "buckets": 64})
    hub.sign(round_id, *providers)
    hub.agree(round_id, *providers)
    hub.confirm(round_id, providers[0])

    with pytest.raises(KnownAnswersDiffer) as refused:
        hub.confirm(round_id, providers[1], answers=hub.answers(round_id, **{"names-year": b"x" * 16}))

    assert refused.value.parts == "block:names-year"
