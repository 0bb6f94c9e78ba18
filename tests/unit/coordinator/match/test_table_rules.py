"""The rules of linking: what a profile's groups, tables and match keys say."""

from dataclasses import replace

import pytest
from unit.coordinator.match.match_parts import FIELDS

from isthmus.contract.hardened import hardened_1, hardened_2
from isthmus.contract.match_keys import Part, PartForm
from isthmus.coordinator.match.table_rules import LinkRules, left_open, link_rules

EVERY_FIELD = (
    "first_name", "middle_name", "last_name", "dob", "birth_year", "sex", "street_number", "street_name", "city",
    "state", "zip", "phone", "ssn",
)  # fmt: skip


def said_by(rules: LinkRules, key: str) -> dict[str, float]:
    """How much of each group an equal tag leaves open, where it says something."""
    (rule,) = (rule for rule in rules.keys if rule.name == key)
    return {group.name: bound for group, bound in zip(rules.groups, rule.bounds, strict=True) if bound < 1}


def test_shares_of_a_full_table_add_up_to_the_same_in_every_table() -> None:
    rules = link_rules(hardened_1(FIELDS, name_table=True))
    sums = [sum(table.shares) for table in rules.tables]

    assert len(sums) == 3
    assert max(sums) - min(sums) < 1e-9
    assert all(0.4 < total < 0.5 for total in sums)


def test_tables_of_one_pair_show_which_groups_a_row_holds() -> None:
    rules = link_rules(hardened_1(FIELDS, name_table=True))

    assert [(table.name, table.pair) for table in rules.tables] == [
        ("all", None),
        ("person", None),
        ("first-last", (0, 1)),
    ]
    assert link_rules(hardened_1(("first_name", "dob"))).tables[0].pair == (0, 1)


def test_fields_of_no_group_stand_apart_and_say_nothing() -> None:
    rules = link_rules(hardened_1(("first_name", "last_name", "dob", "city")))
    rest = rules.groups[-1]

    assert (rest.name, rest.agree_bits, rest.differ_bits, rest.personal) == ("rest", 0, 0, False)
    assert [table.name for table in rules.tables] == ["all", "person"]
    assert [table.shares[-1] > 0 for table in rules.tables] == [True, False]
    assert {rule.bounds[-1] for rule in rules.keys} == {1}


def test_a_birth_year_beside_a_birth_date_adds_nothing() -> None:
    date, both, year = (
        link_rules(hardened_1(("first_name", *fields))).groups[1].agree_bits
        for fields in (("dob",), ("dob", "birth_year"), ("birth_year",))
    )

    assert date == both > year > 0


@pytest.mark.parametrize(
    ("part", "share"),
    [
        (Part(field="last_name"), 0.0),
        (Part(field="dob"), 0.0),
        (Part(field="dob", slices=((0, 6),), digits=8), 0.4),
        (Part(field="dob", slices=((0, 4), (6, 8)), digits=8), 0.4),
        (Part(field="dob", slices=((4, 8),), digits=8), 0.6),
        (Part(field="dob", slices=((0, 4),), digits=8), 0.6),
        (Part(field="first_name", slices=((0, 3),)), 0.6),
        (Part(field="first_name", slices=((0, 1),)), 1.0),
        (Part(field="first_name", form=PartForm.REVERSED, slices=((0, 3),)), 0.6),
        (Part(field="first_name", form=PartForm.SOUND), 0.6),
        (Part(field="dob", form=PartForm.UNORDERED_DATE, digits=8), 0.6),
    ],
    ids=[
        *("whole name", "whole date", "year and month", "year and day", "month and day", "year", "stem", "initial"),
        *("end", "sound", "unordered date"),
    ],
)
def test_equal_part_leaves_open_the_tokens_that_are_not_in_it(part: Part, share: float) -> None:
    assert left_open(part) == pytest.approx(share)


def test_share_of_a_date_left_open_is_that_of_its_positional_trigrams_that_can_change() -> None:
    def trigrams(date: str) -> list[str]:
        padded = f"  {date}  "
        return [padded[at : at + 3] for at in range(len(padded) - 2)]

    for slices, other in [(((0, 6),), "200103xx"), (((4, 8),), "xxxx0304"), (((0, 4), (6, 8)), "2001xx04")]:
        whole = "20010304"
        changed = sum(a != b for a, b in zip(trigrams(whole), trigrams(other), strict=True))
        assert left_open(Part(field="dob", slices=slices, digits=8)) == changed / len(trigrams(whole))


def test_equal_tags_leave_open_what_is_not_in_the_key_by_weight() -> None:
    rules = link_rules(hardened_1(FIELDS))

    assert said_by(rules, "first-birth") == {"first": 0, "birth": 0}
    assert said_by(rules, "initial-birth") == {"birth": 0}
    assert said_by(rules, "stems-year_month") == pytest.approx({"first": 0.6, "last": 0.6, "birth": 0.4})
    assert said_by(rules, "names-year") == pytest.approx({"first": 0, "last": 0, "birth": 0.6})
    # Of 30 + 20 + 25 for number, street and ZIP code.
    assert said_by(rules, "birth-zip") == pytest.approx({"birth": 0, "address": 50 / 75})
    assert said_by(rules, "initial-number-zip") == pytest.approx({"address": 20 / 75})


def test_equal_names_leave_a_middle_name_open_and_equal_dates_the_sex() -> None:
    rules = link_rules(hardened_1(("first_name", "middle_name", "last_name", "dob", "sex")))

    assert said_by(rules, "first-birth") == pytest.approx({"first": 30 / 130, "birth": 25 / 185})


@pytest.mark.parametrize("fields", [FIELDS, EVERY_FIELD, ("dob", "street_number", "zip"), ("dob", "ssn")])
def test_bounds_are_shares_and_those_of_groups_without_a_part_say_nothing(fields: tuple[str, ...]) -> None:
    profile = hardened_1(fields)
    rules = link_rules(profile)

    assert len(rules.keys) == len(profile.match_keys) > 0
    for key, rule in zip(profile.match_keys, rules.keys, strict=True):
        held = {place for place, group in enumerate(profile.groups) if {*key.fields} & {*group.fields}}
        assert rule.name == key.name
        assert {*rule.groups} == held
        assert all(0 <= bound <= 1 for bound in rule.bounds)
        assert all(bound == 1 for place, bound in enumerate(rule.bounds) if place not in held)


def test_every_match_key_says_something_of_a_group_that_tells_a_household_apart() -> None:
    rules = link_rules(hardened_1(EVERY_FIELD))

    for rule in rules.keys:
        assert any(rules.groups[place].personal for place in rule.groups), rule.name


def test_wide_tags_say_nothing_of_names_in_either_order_and_of_the_rest_what_is_in_the_key() -> None:
    rules = link_rules(hardened_2(FIELDS))

    assert said_by(rules, "sounds") == said_by(rules, "stems") == {}
    assert said_by(rules, "sounds-year") == pytest.approx({"birth": 0.6})
    assert said_by(rules, "ends") == pytest.approx({"first": 0.6, "last": 0.6})
    assert said_by(rules, "initials-birth") == {"birth": 0}
    assert said_by(rules, "initial-unordered_date") == pytest.approx({"birth": 0.6})


def test_rules_of_hardened_2_are_those_of_hardened_1_and_of_wide_keys_after_them() -> None:
    narrow, wide = link_rules(hardened_1(FIELDS)), link_rules(hardened_2(FIELDS))

    assert replace(wide, keys=narrow.keys) == narrow
    assert wide.keys[: len(narrow.keys)] == narrow.keys


def test_wide_key_shows_a_group_only_by_what_makes_a_row_hold_it() -> None:
    fields = ("first_name", "middle_name", "last_name", "dob")
    names = [group.name for group in hardened_2(fields).groups]
    groups = {rule.name: [names[place] for place in rule.groups] for rule in link_rules(hardened_2(fields)).keys}

    assert groups["initial-unordered_date"] == ["first", "birth"]
    assert groups["sounds"] == ["first", "last"]
