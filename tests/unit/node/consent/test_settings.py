"""Rules in node.toml: what they may say, and which columns they read."""

import tomllib
from datetime import date
from typing import Any

import msgspec
import pytest

from isthmus.node.consent_settings import ConsentRule, columns_needed, consent_problems, words

OPT_OUT = ConsentRule(column="DirectoryOptOut", exclude_if=("Y", "1", "true"))


def _read(text: str) -> tuple[ConsentRule, ...]:
    data = tomllib.loads(text)["datasets"]["students"]["consent"]
    return msgspec.convert(data, tuple[ConsentRule, ...])


def test_rules_are_read_from_toml_as_documented() -> None:
    rules = _read("""
        [[datasets.students.consent]]
        column = "DirectoryOptOut"
        exclude_if = ["Y", "1", "true"]

        [[datasets.students.consent]]
        column = "ResearchConsent"
        include_if = ["Y"]
        from_column = "ConsentFrom"
        until_column = "ConsentUntil"
        from = 2026-07-01
        until = "2027-06-30"
        projects = ["k12-to-work"]
    """)

    assert rules == (
        OPT_OUT,
        ConsentRule(
            column="ResearchConsent",
            include_if=("Y",),
            from_column="ConsentFrom",
            until_column="ConsentUntil",
            from_day=date(2026, 7, 1),
            until_day=date(2027, 6, 30),
            projects=("k12-to-work",),
        ),
    )
    assert consent_problems(rules, dataset="students") == []


@pytest.mark.parametrize(
    "text", ["exclude = ['Y']", "column = 5", "column = 'C'\nfrom_day = 2026-01-01", "column = 'C'\nfrom = 'soon'"]
)
def test_unknown_keys_and_wrong_types_are_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        _read(f"[[datasets.students.consent]]\n{text}")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"column": " "}, "names no column"),
        ({"exclude_if": ()}, "needs a word in exclude_if or include_if"),
        ({"include_if": ("y ",)}, "has the same word in exclude_if and include_if"),
        ({"from_day": date(2026, 2, 1), "until_day": date(2026, 1, 1)}, "has an until before its from"),
        ({"projects": ("k12-to-work", "K12 to work")}, "names a project that is not a project id"),
    ],
)
def test_unlawful_rule_is_told_with_its_place(changes: dict[str, Any], problem: str) -> None:
    rules = (OPT_OUT, msgspec.structs.replace(OPT_OUT, **changes))

    assert consent_problems(rules, dataset="students") == [f"datasets.students.consent rule 2 {problem}"]


def test_all_problems_are_told_at_once() -> None:
    problems = consent_problems((ConsentRule(column=""), ConsentRule(column="C")), dataset="students")

    assert [problem.partition(" rule ")[2] for problem in problems] == [
        "1 names no column",
        "1 needs a word in exclude_if or include_if",
        "2 needs a word in exclude_if or include_if",
    ]


def test_columns_needed_are_each_named_once_in_order() -> None:
    dated = ConsentRule(column="Consent", include_if=("Y",), from_column="Signed", until_column="DirectoryOptOut")

    assert columns_needed([dated, OPT_OUT]) == ("Consent", "Signed", "DirectoryOptOut")
    assert columns_needed([]) == ()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (ConsentRule(column="C", exclude_if=("Y",)), ({"y"}, {"n", "no", "f", "false", "0"})),
        (ConsentRule(column="C", include_if=("No", "0")), ({"y", "yes", "t", "true", "1"}, {"no", "0"})),
        (ConsentRule(column="C", exclude_if=("Y", "refused")), ({"y", "refused"}, set())),
        (ConsentRule(column="C", exclude_if=("1.0",), include_if=("9",)), ({"1"}, {"9"})),
    ],
)
def test_the_usual_opposite_is_known_where_only_one_list_says_yes_or_no(
    rule: ConsentRule, expected: tuple[set[str], set[str]]
) -> None:
    assert words(rule) == tuple(map(frozenset, expected))
