"""Formats: what fits, how it is spelt, and that a refusal never quotes the value."""

import pytest

from isthmus.contract.linkage_schema import (
    BitsPerToken,
    BlakeHash,
    DateFormat,
    EnumFormat,
    ExactComparison,
    Feature,
    Format,
    IntegerFormat,
    MissingValue,
    PatternFormat,
    TextFormat,
)
from isthmus.node.encode.errors import UnfitValue
from isthmus.node.encode.formats import all_fit, make_formatter

ANY_TEXT = TextFormat(encoding="utf-8", case="mixed", min_length=None, max_length=None)


def _feature(form: Format, missing: MissingValue | None = None) -> Feature:
    return Feature(
        identifier="column",
        format=form,
        comparison=ExactComparison(),
        strategy=BitsPerToken(bits=1),
        token_hash=BlakeHash(),
        missing_value=missing,
    )


def _spell(form: Format, value: str, missing: MissingValue | None = None) -> str:
    return make_formatter(_feature(form, missing))(value)


def _text(**changes: object) -> TextFormat:
    settings = {"encoding": "utf-8", "case": "mixed", "min_length": None, "max_length": None} | changes
    return TextFormat(**settings)  # type: ignore[arg-type]  # one of the settings, of its type


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (ANY_TEXT, ""),
        (_text(case="upper"), "ÉLAN 7"),
        (_text(case="lower"), "élan 7"),
        (_text(min_length=2, max_length=3), "ab"),
        (_text(min_length=2, max_length=3), "abc"),
        (PatternFormat(encoding="utf-8", pattern="[a-z]+|"), ""),
        (EnumFormat(values=frozenset({"F", "M"})), "F"),
    ],
)
def test_fitting_text_is_spelt_as_it_is(form: Format, value: str) -> None:
    assert _spell(form, value) == value


@pytest.mark.parametrize("value", ["13", "+13", " 13 ", "0013", "1_3", "१३"])
def test_integer_has_one_spelling(value: str) -> None:
    assert _spell(IntegerFormat(minimum=13, maximum=13), value) == "13"


@pytest.mark.parametrize(
    ("directives", "value"),
    [
        ("%Y-%m-%d", "1991-02-07"),
        ("%Y-%m-%d", "1991-2-7"),
        ("%Y%m%d", "19910207"),
        ("%d/%m/%Y", "07/02/1991"),
        ("%m.%d.%Y", "02.07.1991"),
        ("%d %B %Y", "7 february 1991"),
        ("%y%m%d", "910207"),
    ],
)
def test_date_is_spelt_in_digits_whatever_its_format(directives: str, value: str) -> None:
    assert _spell(DateFormat(directives=directives), value) == "19910207"


def test_last_days_of_months_are_dates_where_the_month_has_them() -> None:
    form = DateFormat(directives="%Y-%m-%d")
    assert _spell(form, "2000-02-29") == "20000229"
    with pytest.raises(UnfitValue):
        _spell(form, "2001-02-29")


def test_date_format_with_a_part_twice_is_left_to_strptime() -> None:
    with pytest.raises(UnfitValue, match="not a date"):
        _spell(DateFormat(directives="%Q"), "x")
    assert _spell(DateFormat(directives="%m-%d-%y"), "02-07-91") == "19910207"


@pytest.mark.parametrize(
    ("form", "value", "reason"),
    [
        (_text(encoding="ascii"), "é", "not representable in ascii"),
        (ANY_TEXT, "\ud800", "not representable in utf-8"),
        (_text(case="upper"), "Ada", "not in upper case"),
        (_text(case="lower"), "Ada", "not in lower case"),
        (_text(min_length=4), "Ada", "shorter than 4 characters"),
        (_text(max_length=2), "Ada", "longer than 2 characters"),
        (PatternFormat(encoding="utf-8", pattern="[A-Z]"), "Ada", "not of the schema's pattern"),
        (IntegerFormat(minimum=None, maximum=None), "1.5", "not a whole number"),
        (IntegerFormat(minimum=0, maximum=None), "-1", "below 0"),
        (IntegerFormat(minimum=None, maximum=9), "10", "above 9"),
        (DateFormat(directives="%Y-%m-%d"), "1991-13-07", "not a date of the schema's format"),
        (EnumFormat(values=frozenset()), "Ada", "not one of the schema's values"),
    ],
)
def test_unfit_value_is_refused_without_being_quoted(form: Format, value: str, reason: str) -> None:
    with pytest.raises(UnfitValue) as caught:
        _spell(form, value)
    assert str(caught.value) == reason
    # The errors of Python quote the value, so none may hang on to ours.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_missing_value_is_replaced_and_not_checked() -> None:
    missing = MissingValue(sentinel="N/A", replace_with="none")
    form = IntegerFormat(minimum=0, maximum=1)
    assert _spell(form, "N/A", missing) == "none"
    assert _spell(form, "1", missing) == "1"


@pytest.mark.parametrize(
    ("form", "values", "fit"),
    [
        (ANY_TEXT, ["", "Ada\n", "é"], True),
        (ANY_TEXT, [], True),
        (ANY_TEXT, ["Ada", "\ud800"], False),
        # Two halves of a pair in neighbouring values are no character.
        (ANY_TEXT, ["\ud800", "\udc00"], False),
        (_text(encoding="ascii"), ["Ada", "é"], False),
        (_text(case="upper"), ["ADA", "É"], True),
        (_text(case="upper"), ["ADA", "ß"], False),
        # The last sigma of a word has a form of its own in lower case; the next value is another word.
        (_text(case="lower"), ["ΐς", "λω"], True),
        (_text(case="lower"), ["ada", "Ada"], False),
        (_text(min_length=2), ["ab", "abc"], True),
        (_text(min_length=2), ["ab", "a"], False),
        (_text(min_length=2), [], True),
        (_text(max_length=2), ["ab", "abc"], False),
        (PatternFormat(encoding="utf-8", pattern=".*"), ["a"], False),
    ],
)
def test_texts_are_tried_together_as_one_by_one(form: Format, values: list[str], fit: bool) -> None:
    feature = _feature(form)
    assert all_fit(values, feature) is fit
    if fit:
        assert [make_formatter(feature)(value) for value in values] == values


def test_replaced_values_are_not_tried_together() -> None:
    assert not all_fit(["a"], _feature(ANY_TEXT, MissingValue(sentinel="a", replace_with="b")))
