"""Who is left out by rules over columns: effective dates are kept, and what is not understood leaves a row out."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from unit.node.consent.consent_parts import OTHER, PROJECT, TODAY, day, opt_out

from isthmus.node.consent.opt_outs import Exclusions, Reason, exclusions
from isthmus.node.consent.rules import ON_THE_LIST, Cause, Ground, Kept, join_kept, keep_rows
from isthmus.node.consent_settings import ConsentRule
from isthmus.node.normalise.dates import DateOrder

NOBODY = exclusions([], project=PROJECT, as_of=TODAY)
OPT_OUT = ConsentRule(column="DirectoryOptOut", exclude_if=("Y",))
CONSENT = ConsentRule(column="Consent", include_if=("Y",))
DATED = ConsentRule(column="Consent", include_if=("Y",), from_column="Signed", until_column="Ends")
DATED_OPT_OUT = ConsentRule(column="Out", exclude_if=("Y",), from_column="From", until_column="Until")


def _keep(
    columns: Mapping[str, Sequence[str]],
    *rules: ConsentRule,
    exclusions: Exclusions = NOBODY,
    date_order: DateOrder = DateOrder.YMD,
    ids: Sequence[str] | None = None,
) -> Kept:
    rows = len(next(iter(columns.values())))
    names = ids or [f"rec-{row}" for row in range(rows)]
    return keep_rows(names, columns, rules=rules, exclusions=exclusions, date_order=date_order)


def _cause(rule: ConsentRule, *values: str, as_of: date = TODAY, order: DateOrder = DateOrder.YMD) -> str | None:
    """Give why one row with these values of the rule's columns is left out."""
    names = [name for name in (rule.column, rule.from_column, rule.until_column) if name]
    columns = {name: [value] for name, value in zip(names, values, strict=True)}
    kept = _keep(columns, rule, exclusions=exclusions([], project=PROJECT, as_of=as_of), date_order=order)
    return next((ground.cause for ground in kept.counts), None)


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("Y", Cause.OPTED_OUT),
        (" y ", Cause.OPTED_OUT),
        ("N", None),
        ("false", None),
        ("", None),
        ("  ", None),
        ("?", Cause.UNKNOWN_VALUE),
        ("Yes", Cause.UNKNOWN_VALUE),
    ],
)
def test_opt_out_column_keeps_blanks_and_leaves_out_what_it_does_not_know(value: str, cause: Cause | None) -> None:
    assert _cause(OPT_OUT, value) == cause


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("Y", None),
        ("y", None),
        ("N", Cause.NO_CONSENT),
        ("", Cause.NO_CONSENT),
        ("maybe", Cause.UNKNOWN_VALUE),
    ],
)
def test_consent_column_leaves_out_every_row_without_consent(value: str, cause: Cause | None) -> None:
    assert _cause(CONSENT, value) == cause


def test_a_listed_blank_means_what_its_list_says() -> None:
    asked = ConsentRule(column="C", include_if=("Y", ""))
    silent = ConsentRule(column="C", exclude_if=("Y", ""))

    assert _cause(asked, "") is None
    assert _cause(silent, "") == Cause.OPTED_OUT


@pytest.mark.parametrize(
    ("first", "last", "cause"),
    [
        ("2026-09-01", "2026-09-01", None),
        ("2026-08-31", "", None),
        ("2026-08-31", "9999-12-31", None),
        ("2026-09-02", "", Cause.OUT_OF_DATE),
        ("2020-01-01", "2026-08-31", Cause.OUT_OF_DATE),
        ("", "2027-01-01", Cause.UNDATED_CONSENT),
        ("soon", "", Cause.UNREADABLE_DATE),
        ("2026-01-01", "31/12/2026", Cause.UNREADABLE_DATE),
        ("2026-10-01", "2026-08-01", Cause.UNREADABLE_DATE),
    ],
)
def test_consent_holds_within_its_dates_and_only_with_a_date(first: str, last: str, cause: Cause | None) -> None:
    assert _cause(DATED, "Y", first, last) == cause


@pytest.mark.parametrize(
    ("first", "last", "cause"),
    [
        ("", "", Cause.OPTED_OUT),
        ("2026-09-01", "2026-09-01", Cause.OPTED_OUT),
        ("2026-09-02", "", None),
        ("", "2026-08-31", None),
        ("", "9999-12-31", Cause.OPTED_OUT),
        ("??", "", Cause.UNREADABLE_DATE),
        ("2026-10-01", "2026-08-01", Cause.UNREADABLE_DATE),
    ],
)
def test_opt_out_holds_within_its_dates_and_beyond_doubt(first: str, last: str, cause: Cause | None) -> None:
    assert _cause(DATED_OPT_OUT, "Y", first, last) == cause


def test_dates_of_a_row_that_says_nothing_are_not_looked_at() -> None:
    assert _cause(DATED_OPT_OUT, "N", "soon", "never") is None
    assert _cause(DATED, "N", "soon", "never") == Cause.NO_CONSENT


def test_dates_are_read_in_the_order_of_the_data_set() -> None:
    assert _cause(DATED, "Y", "09/01/2026", "", order=DateOrder.MDY) is None
    assert _cause(DATED, "Y", "09/01/2026", "", as_of=day(1, 10), order=DateOrder.DMY) is None
    assert _cause(DATED, "Y", "09/01/2026", "", as_of=day(1, 10), order=DateOrder.MDY) == Cause.OUT_OF_DATE


@pytest.mark.parametrize(
    ("as_of", "holds"), [(day(6, 30), False), (day(7), True), (day(9, 30), True), (day(10), False)]
)
def test_constant_dates_bound_the_statements_of_all_rows(as_of: date, holds: bool) -> None:
    bounds: dict[str, Any] = {"from_day": day(7), "until_day": day(9, 30)}

    assert _cause(ConsentRule(column="C", exclude_if=("Y",), **bounds), "Y", as_of=as_of) == (
        Cause.OPTED_OUT if holds else None
    )
    assert _cause(ConsentRule(column="C", include_if=("Y",), **bounds), "Y", as_of=as_of) == (
        None if holds else Cause.OUT_OF_DATE
    )


def test_rule_for_another_project_is_passed_over() -> None:
    rule = ConsentRule(column="C", exclude_if=("Y",), projects=(OTHER,))

    assert _cause(rule, "Y") is None


def test_list_comes_first_and_each_row_is_counted_once() -> None:
    listed = exclusions(
        [opt_out("a", reason=Reason.COURT_ORDER), opt_out("b"), opt_out("z")], project=PROJECT, as_of=TODAY
    )
    columns = {"DirectoryOptOut": ["Y", "", "Y", "", "x"], "Consent": ["Y", "Y", "N", "", "Y"]}

    kept = _keep(columns, OPT_OUT, CONSENT, exclusions=listed, ids=["a", "b", "c", "d", "e"])

    assert kept.mask.dtype == np.bool_
    assert kept.mask.tolist() == [False] * 5
    assert list(kept.counts.items()) == [
        (Ground(source=ON_THE_LIST, cause="court_order"), 1),
        (Ground(source=ON_THE_LIST, cause="parent_opt_out"), 1),
        (Ground(source="Consent", cause="no_consent"), 1),
        (Ground(source="DirectoryOptOut", cause="opted_out"), 1),
        (Ground(source="DirectoryOptOut", cause="unknown_value"), 1),
    ]


def test_without_rules_and_list_everybody_takes_part() -> None:
    kept = keep_rows(["a", "b"], {}, rules=(), exclusions=NOBODY, date_order=DateOrder.YMD)

    assert kept.mask.tolist() == [True, True]
    assert kept.counts == {}
    assert kept.banded() == {"left_out": "0"}


def test_column_that_a_rule_needs_must_be_there_and_whole() -> None:
    with pytest.raises(KeyError):
        _keep({"Other": ["Y"]}, OPT_OUT)
    with pytest.raises(ValueError, match="argument"):
        _keep({"DirectoryOptOut": ["Y"]}, OPT_OUT, ids=["a", "b"])
    for rows in (1, 3):
        columns = {name: [""] * rows for name in ("Out", "From", "Until")}
        with pytest.raises(ValueError, match="one value a row"):
            _keep(columns, DATED_OPT_OUT, ids=["a", "b"])


def test_grounds_are_told_in_words_with_the_column_and_no_value() -> None:
    kept = _keep({"DirectoryOptOut": ["Y", "secret", "secret"]}, OPT_OUT)

    assert kept.sentences() == [
        "1 row opted out by DirectoryOptOut",
        "2 rows with another value in DirectoryOptOut than its rule knows",
    ]
    assert Ground(source=ON_THE_LIST, cause="court_order").sentence(1200) == (
        "1,200 rows on the opt-out list: court order"
    )


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_words(cause: Cause) -> None:
    assert Ground(source="Column", cause=cause).sentence(2).startswith("2 rows ")
    assert "Column" in Ground(source="Column", cause=cause).sentence(2)


def test_banded_count_joins_all_grounds() -> None:
    kept = _keep({"DirectoryOptOut": ["Y"] * 6 + ["x"] * 6}, OPT_OUT)

    assert kept.banded() == {"left_out": "10-49"}


def test_pieces_join_to_the_whole() -> None:
    values = ["Y", "", "x", "N", "Y"]
    pieces = [_keep({"DirectoryOptOut": values[start : start + 2]}, OPT_OUT) for start in (0, 2, 4)]

    joined, whole = join_kept(pieces), _keep({"DirectoryOptOut": values}, OPT_OUT)

    assert joined.mask.tolist() == whole.mask.tolist()
    assert joined.counts == whole.counts
    assert len(join_kept([]).mask) == 0


def test_counts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="one ground"):
        Kept(mask=np.array([True, False]), counts={})
