"""Ids: what is one, and that none is made from anything but chance."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.errors import MalformedMessage
from isthmus.contract.ids import (
    ProjectId,
    new_round_id,
    parse_party_id,
    parse_project_id,
    parse_round_id,
    parse_table_id,
)

CHOSEN: list[Callable[[str], str]] = [parse_party_id, parse_project_id]
MADE: list[Callable[[str], str]] = [parse_round_id, parse_table_id]


@pytest.mark.parametrize("parse", CHOSEN + MADE)
@pytest.mark.parametrize("value", ["ab", "a1", "riverside-usd", "k12-to-work", "a" * 40])
def test_lawful_id_is_given_back(parse: Callable[[str], str], value: str) -> None:
    assert parse(value) == value


@pytest.mark.parametrize("parse", CHOSEN + MADE)
@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "-ab",
        "ab-",
        "a--b",
        "Ab",
        "a b",
        "a_b",
        "ab\n",
        "é1",
        "a/b",
        "..",
        "a.b",
        "٣٤",
        "a" * 81,
        "coordinator",
    ],
)
def test_anything_else_is_refused_without_being_shown(parse: Callable[[str], str], value: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        parse(value)

    assert refused.value.field.endswith("_id")
    assert value == "coordinator" or len(value) < 3 or value not in str(refused.value)


@pytest.mark.parametrize(
    ("parse", "longest"), [(parse_party_id, 40), (parse_project_id, 40), (parse_round_id, 60), (parse_table_id, 80)]
)
def test_each_id_has_its_own_greatest_length(parse: Callable[[str], str], longest: int) -> None:
    assert parse("a" * longest)
    with pytest.raises(MalformedMessage):
        parse("a" * (longest + 1))


def test_chosen_ids_begin_with_a_letter_and_made_ones_need_not() -> None:
    assert parse_round_id("7f-1") == "7f-1"
    with pytest.raises(MalformedMessage):
        parse_party_id("7f-1")


@given(st.binary(min_size=5, max_size=5), st.sampled_from(["k12-to-work", "a1", "a" * 40]))
def test_new_round_id_is_a_lawful_one_of_project_and_chance(chance: bytes, project: str) -> None:
    made = new_round_id(ProjectId(project), lambda count: chance[:count])

    assert parse_round_id(made) == f"{project}-{chance.hex()}"
