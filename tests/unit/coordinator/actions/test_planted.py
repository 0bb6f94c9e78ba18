"""Planted people at the coordinator: what declarations may say of them, and that no result has anything of them."""

from collections.abc import Sequence

import msgspec
import pytest
from field_nodes import FieldNode, field_round
from harness import Coordinator

from isthmus.contract.errors import AnswersMalformed, MalformedDocument
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.results import fetch_quality

PEOPLE, PLANTED = 60, 6
"""The last six rows of both providers are those of planted people; ten real people are in one of both files each."""

LEFT, RIGHT = [*range(40), *range(54, 60)], [*range(10, 50), *range(54, 60)]
PLANTED_ROWS = tuple(range(40, 46))
TERMS = {"slots": 8, "planted": PLANTED}


@pytest.fixture
def nodes(hub: Coordinator) -> list[FieldNode]:
    """Two providers whose round waits for their answers."""
    made = field_round(hub, LEFT, RIGHT, comparison=TERMS)
    hub.match()
    return made


def _open(node: FieldNode, other: FieldNode, planted: Sequence[int]) -> list[bytes]:
    chunks = node.chunks(other.id)
    node.open(msgspec.structs.replace(node.declaration(other.id, chunks), planted=tuple(planted)))
    return chunks


def _answer(node: FieldNode, other: FieldNode, planted: Sequence[int]) -> None:
    for index, payload in enumerate(_open(node, other, planted)):
        node.store(other.id, index, payload)
    node.complete(other.id)


def _finish(nodes: list[FieldNode], left: Sequence[int], right: Sequence[int]) -> str:
    """Have both answer, and take the round to its end; give what the log says of planted people."""
    _answer(nodes[0], nodes[1], left)
    _answer(nodes[1], nodes[0], right)
    nodes[0].hub.match()
    assert nodes[0].hub.state(nodes[0].round_id) is RoundState.RELEASED
    (outcome,) = [event["outcome"] for event in nodes[0].hub.events() if event["action"] == "planted.find"]
    return str(outcome)


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ((), "as many planted people"),
        (PLANTED_ROWS[1:], "as many planted people"),
        ((*PLANTED_ROWS, 3), "as many planted people"),
        ((*PLANTED_ROWS[1:], len(LEFT)), "did not send"),
        ((*PLANTED_ROWS[1:], -1), "did not send"),
    ],
)
def test_rows_that_cannot_be_the_planted_people_are_refused(
    nodes: list[FieldNode], planted: tuple[int, ...], said: str
) -> None:
    with pytest.raises(AnswersMalformed, match=said):
        _open(nodes[0], nodes[1], planted)


def test_row_that_is_named_twice_is_refused(nodes: list[FieldNode]) -> None:
    with pytest.raises(MalformedDocument, match="one row for two"):
        _open(nodes[0], nodes[1], (*PLANTED_ROWS[1:], PLANTED_ROWS[1]))


def test_planted_people_of_a_project_that_plants_none_are_refused(hub: Coordinator) -> None:
    left, right = field_round(hub, LEFT, RIGHT)
    hub.match()

    with pytest.raises(AnswersMalformed, match="as many planted people"):
        _open(left, right, PLANTED_ROWS)


def test_planted_people_are_the_same_about_every_other_provider(hub: Coordinator) -> None:
    one, two, three = field_round(hub, LEFT, RIGHT, LEFT, comparison=TERMS)
    hub.match()
    _open(one, two, PLANTED_ROWS)

    with pytest.raises(AnswersMalformed, match="other rows than this party declared"):
        _open(one, three, PLANTED_ROWS[::-1])


def test_planted_people_are_found_and_have_no_pseudonym(nodes: list[FieldNode]) -> None:
    said = _finish(nodes, PLANTED_ROWS, PLANTED_ROWS)

    assert said == f"riverside and college: {PLANTED} of {PLANTED}, {PLANTED} asked for"
    assert set(nodes[0].linked()) == set(range(10, 40))
    assert set(nodes[1].linked()) == set(range(30))


def test_spine_has_no_planted_people_either(hub: Coordinator) -> None:
    nodes = field_round(hub, LEFT, RIGHT, comparison=TERMS, reveal="spine")
    hub.match()
    _finish(nodes, PLANTED_ROWS, PLANTED_ROWS)

    for node in nodes:
        assert set(node.linked()) == set(range(40))
        assert {row.slot for row in node.map()} <= set(range(1000))


def test_results_are_those_of_a_round_without_planted_rows(hub: Coordinator) -> None:
    planting = field_round(hub, LEFT, RIGHT, comparison=TERMS)
    hub.match()
    _finish(planting, PLANTED_ROWS, PLANTED_ROWS)

    with hub.context.store.read() as tx:
        table = msgspec.json.decode(tx.results.releases()[0].document)
    assert [row["count"] for row in table["rows"]] == [40, 40, 10, 10, 30]


def test_quality_report_counts_planted_people_beside_the_others(nodes: list[FieldNode]) -> None:
    _finish(nodes, PLANTED_ROWS, PLANTED_ROWS)

    context, actor = nodes[0].hub.context, nodes[0].party.actor
    (pair,) = fetch_quality(context, actor, round_id=nodes[0].round_id).report.pairs
    assert (pair.planted.planted, pair.planted.found) == (PLANTED, PLANTED)
    assert pair.rows == (40, 40)
    assert pair.accepted == 30


def test_people_whose_rows_are_mixed_up_are_not_found(nodes: list[FieldNode]) -> None:
    turned = (*PLANTED_ROWS[1:], PLANTED_ROWS[0])

    assert ": 0 of 6, 0 asked for" in _finish(nodes, PLANTED_ROWS, turned)
    assert set(nodes[0].linked()) == set(range(10, 40))


def test_who_names_real_rows_takes_them_out_and_no_others(nodes: list[FieldNode]) -> None:
    _finish(nodes, range(10, 10 + PLANTED), PLANTED_ROWS)

    assert set(nodes[0].linked()) == set(range(10 + PLANTED, 40))
    assert set(nodes[1].linked()) == set(range(PLANTED, 30))
