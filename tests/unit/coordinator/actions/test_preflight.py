"""Preflight at the coordinator: all confirm the lead's key and profile, and the same again is harmless."""

import pytest
from harness import KEY_CHECK, Coordinator, Enrolled

from isthmus.contract.errors import MalformedMessage, RoundStateMismatch, WrongLinkageKey, WrongProfile
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import rounds

OTHER_KEY = bytes(16)


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


def _waited_for(hub: Coordinator, by: Enrolled, round_id: RoundId) -> list[str]:
    return [one.party for one in rounds.get_round(hub.context, by.actor, round_id=round_id)[0].waiting_for]


def _in_preflight(hub: Coordinator, providers: list[Enrolled]) -> RoundId:
    round_id = hub.propose(providers)
    hub.sign(round_id, *providers)
    hub.agree(round_id, *providers)
    return round_id


def test_collecting_begins_when_all_confirmed_the_same_key(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = _in_preflight(hub, providers)

    hub.confirm(round_id, providers[1])
    assert hub.state(round_id) is RoundState.PREFLIGHT
    assert _waited_for(hub, providers[0], round_id) == ["riverside"]
    hub.confirm(round_id, providers[0])

    assert hub.state(round_id) is RoundState.COLLECTING
    assert _waited_for(hub, providers[0], round_id) == ["riverside", "college"]


def test_other_key_than_the_leads_is_refused_once_the_lead_has_confirmed(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    lead, college = providers
    round_id = _in_preflight(hub, providers)
    hub.confirm(round_id, lead)

    with pytest.raises(WrongLinkageKey):
        hub.confirm(round_id, college, key_check=OTHER_KEY)

    assert _waited_for(hub, lead, round_id) == ["college"]


def test_other_key_that_came_before_the_leads_is_asked_for_again(hub: Coordinator, providers: list[Enrolled]) -> None:
    lead, college = providers
    round_id = _in_preflight(hub, providers)
    hub.confirm(round_id, college, key_check=OTHER_KEY)

    hub.confirm(round_id, lead)

    assert hub.state(round_id) is RoundState.PREFLIGHT
    assert _waited_for(hub, lead, round_id) == ["college"]
    assert "college must confirm again" in hub.events()[-1]["outcome"]
    hub.confirm(round_id, college)
    assert hub.state(round_id) is RoundState.COLLECTING


def test_lead_that_changes_its_key_makes_the_others_confirm_again(hub: Coordinator) -> None:
    providers = hub.parties("riverside", "college", "workforce")
    round_id = _in_preflight(hub, providers)
    hub.confirm(round_id, providers[0], providers[1], key_check=OTHER_KEY)

    hub.confirm(round_id, providers[0])

    assert _waited_for(hub, providers[0], round_id) == ["college", "workforce"]


def test_confirming_the_same_again_is_harmless_and_another_key_is_too_late(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    round_id = hub.collecting(providers)
    before = hub.events()

    hub.confirm(round_id, *providers)

    assert hub.events() == before
    with pytest.raises(RoundStateMismatch):
        hub.confirm(round_id, providers[1], key_check=OTHER_KEY)


def test_confirming_before_all_signed_is_refused(hub: Coordinator, providers: list[Enrolled]) -> None:
    with pytest.raises(RoundStateMismatch):
        hub.confirm(hub.propose(providers), providers[0])


@pytest.mark.parametrize("digest", [b"", bytes(32)])
def test_other_profile_is_refused(hub: Coordinator, providers: list[Enrolled], digest: bytes) -> None:
    round_id = _in_preflight(hub, providers)

    with pytest.raises(WrongProfile):
        rounds.confirm_preflight(
            hub.context,
            providers[0].actor,
            round_id=round_id,
            key_check=KEY_CHECK,
            profile_digest=digest,
            answers=hub.answers(round_id),
        )


def test_key_check_value_of_another_length_is_refused(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = _in_preflight(hub, providers)

    with pytest.raises(MalformedMessage):
        hub.confirm(round_id, providers[0], key_check=bytes(15))


@pytest.mark.parametrize("place", [0, 1], ids=["lead", "other"])
def test_confirming_the_same_again_before_the_others_is_not_recorded(
    hub: Coordinator, providers: list[Enrolled], place: int
) -> None:
    round_id = _in_preflight(hub, providers)
    hub.confirm(round_id, providers[place])
    before = hub.events()

    for _ in range(3):
        hub.confirm(round_id, providers[place])

    assert hub.events() == before
    hub.confirm(round_id, providers[1 - place])
    assert hub.state(round_id) is RoundState.COLLECTING


def test_lead_that_confirms_otherwise_is_recorded_and_what_it_said_before_is_forgotten(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    round_id = _in_preflight(hub, providers)
    for key in (OTHER_KEY, KEY_CHECK, OTHER_KEY):
        hub.confirm(round_id, providers[0], key_check=key)

    assert [event["action"] for event in hub.events()].count("round.preflight") == 3
    with pytest.raises(WrongLinkageKey):
        hub.confirm(round_id, providers[1])
