"""Giving results out: to each provider its own map and to each analyst the tables of its projects, never more."""

import pytest
from harness import Coordinator, Enrolled, random_rows
from project_files import PROJECT

from isthmus.contract.errors import NotAMember, NotReady
from isthmus.contract.ids import RoundId, TableId
from isthmus.contract.parties import Role
from isthmus.coordinator.actions.results import fetch_pseudonyms, fetch_table, list_tables


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


@pytest.fixture
def analyst(hub: Coordinator) -> Enrolled:
    return hub.party("research", Role.ANALYST)


def _released(hub: Coordinator, providers: list[Enrolled], **changes: object) -> RoundId:
    round_id = hub.collecting(providers, **changes)
    left = random_rows(40, seed=1)
    hub.submit(providers[0], round_id, left)
    hub.submit(providers[1], round_id, random_rows(30, seed=2).with_people_of(left, 12))
    hub.match()
    return round_id


def test_provider_fetches_its_own_rows_and_the_fetch_is_recorded(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = _released(hub, providers)

    slot_count, batches = fetch_pseudonyms(hub.context, providers[0].actor, round_id=round_id)

    (rows,) = list(batches)
    own = {handle.tobytes() for handle in random_rows(40, seed=1).handles[:12]}
    assert slot_count == 0
    assert {row.handle for row in rows} == own
    event = hub.events()[-1]
    assert (event["actor"], event["action"], event["outcome"]) == ("riverside", "result.fetch", "10-49 rows")


def test_spine_comes_with_its_number_of_slots(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = _released(hub, providers, reveal="spine")

    slot_count, batches = fetch_pseudonyms(hub.context, providers[1].actor, round_id=round_id)

    assert slot_count == 1000
    assert sum(len(batch) for batch in batches) == 30


def test_rows_come_in_batches_that_fit_a_message(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.collecting(providers, reveal="spine")
    hub.submit(providers[0], round_id, random_rows(10_005, seed=1))
    hub.submit(providers[1], round_id, random_rows(1, seed=2))
    hub.match()

    slot_count, batches = fetch_pseudonyms(hub.context, providers[0].actor, round_id=round_id)

    assert slot_count == 11_000
    assert [len(batch) for batch in batches] == [10_000, 5]


def test_nothing_is_given_out_before_release(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.collecting(providers)

    with pytest.raises(NotReady, match="collecting"):
        fetch_pseudonyms(hub.context, providers[0].actor, round_id=round_id)

    assert [event["action"] for event in hub.events()].count("result.fetch") == 0


def test_rounds_result_is_for_its_providers_alone(
    hub: Coordinator, providers: list[Enrolled], analyst: Enrolled
) -> None:
    round_id = _released(hub, providers, analysts=["research"])
    stranger = hub.party("stranger")

    for caller in (stranger, analyst):
        with pytest.raises(NotAMember):
            fetch_pseudonyms(hub.context, caller.actor, round_id=round_id)


def test_analyst_lists_and_fetches_the_tables_of_its_project(
    hub: Coordinator, providers: list[Enrolled], analyst: Enrolled
) -> None:
    round_id = _released(hub, providers, analysts=["research"])

    (listed,) = list_tables(hub.context, analyst.actor)
    view, table = fetch_table(hub.context, analyst.actor, table_id=listed.table_id)

    assert view == listed
    assert (view.project_id, view.round_id) == (PROJECT, round_id)
    counts = {row.key: row.count for row in table.rows}
    assert counts["in the data of exactly", "riverside + college"] == 12
    assert (hub.events()[-1]["actor"], hub.events()[-1]["action"]) == ("research", "table.fetch")


def test_small_counts_of_the_table_are_hidden_by_the_projects_own_rule(
    hub: Coordinator, providers: list[Enrolled], analyst: Enrolled
) -> None:
    _released(hub, providers, analysts=["research"], min_cell_count=20)
    (listed,) = list_tables(hub.context, analyst.actor)

    table = fetch_table(hub.context, analyst.actor, table_id=listed.table_id)[1]

    assert table.min_cell_count == 20
    assert {row.key: row.count for row in table.rows}["in the data of exactly", "riverside + college"] is None


def test_analyst_of_another_project_sees_neither_the_table_nor_that_it_exists(
    hub: Coordinator, providers: list[Enrolled], analyst: Enrolled
) -> None:
    round_id = _released(hub, providers)
    own = TableId(f"{round_id}-overlap")
    missing = TableId(f"{round_id}-nothing")

    def refusal(table: TableId) -> str:
        with pytest.raises(NotAMember) as refused:
            fetch_table(hub.context, analyst.actor, table_id=table)
        return str(refused.value).replace(table, "X")

    assert refusal(own) == refusal(missing)
    assert list_tables(hub.context, analyst.actor) == []


def test_provider_asking_for_a_table_is_refused(hub: Coordinator, providers: list[Enrolled], analyst: Enrolled) -> None:
    round_id = _released(hub, providers, analysts=[analyst.id])

    with pytest.raises(NotAMember):
        fetch_table(hub.context, providers[0].actor, table_id=TableId(f"{round_id}-overlap"))

    assert list_tables(hub.context, providers[0].actor) == []
