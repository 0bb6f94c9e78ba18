"""What `norm-1` does with any string: never raises, settles at once, does what its page says by a second program."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isthmus_vectors.verify_norm1 import PAGE, Norm1

from isthmus.contract.standard_fields import STANDARD_FIELDS, FieldKind
from isthmus.node.normalise import ColumnNormaliser, DateOrder, NormalisedColumn, normalise_column
from isthmus.node.normalise.placeholders import ANYWHERE, PRINTED_NOTHING, WORDS
from isthmus.node.normalise.tables import NAME_SUFFIXES, SEXES, STATES, STREET_WORDS, SURNAME_PARTICLES
from isthmus.node.normalise.text import fold_words, plain

ON_PAGE = Norm1(PAGE.read_text(encoding="utf-8"))

FIELDS = st.sampled_from(sorted(STANDARD_FIELDS))
ORDERS = st.sampled_from(DateOrder)
ANY_TEXT = st.text(st.characters()) | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Lu", "Mn", "Zs"]))
NEAR_TEXT = st.text("oO dDmcjriIvx'\u2019.-/ 0129aé\u0301ßÃ©\t:T,", max_size=24)
"""Text of what the rules are about, so that particles, suffixes, dates and doubled encodings come up."""

LISTED = sorted({*SURNAME_PARTICLES, *NAME_SUFFIXES, *STREET_WORDS, *SEXES, *STATES, *ANYWHERE, *PRINTED_NOTHING})
BETWEEN = st.sampled_from(["", " ", "-", "'", ".", ", ", "/", "\u2010", "\u2212", "\u00a0", "\u200e", "\u00b4", "1"])
WORD_TEXT = st.lists(st.sampled_from(LISTED + sorted(set().union(*WORDS.values()))) | BETWEEN, max_size=6).map("".join)
"""Words that some list holds, with what stands between words."""

NUMBER_PARTS = [
    "0",
    "1",
    "00",
    "555",
    "1234",
    "-",
    " ",
    "x",
    "xxxxx",
    "ext",
    "cell",
    "+1",
    "001",
    ".0",
    "1212",
    "\u0663",
    "\uff19",
]
NUMBER_TEXT = st.lists(st.sampled_from(NUMBER_PARTS), max_size=8).map("".join)
"""Telephone and social security numbers and ZIP codes, whole and cut short."""

MONTHS = ["jan", "FEB", "March", "sept", "decem", "st"]
SEPARATORS = st.sampled_from(["-", "/", ".", " ", "", " - ", ". ", ", ", "--", "\u2010", "\u2212", "\u200e-"])
TIMES = st.sampled_from(
    ["", "", "", "T00:00", " 12:30:00", ", 1:02 p.m.", "000000", "T0000", "t00:00:00.5Z", ":00:00", " 0:00+05", ".0"]
)


@st.composite
def written_dates(draw: st.DrawFn) -> str:
    """A date in some order, with some separators, a month that may have a name, now and then impossible."""
    year = draw(st.integers(1795, 2203) | st.integers(0, 99))
    day = draw(st.sampled_from(["{}", "{:02d}"])).format(draw(st.integers(0, 32)))
    month = draw(st.integers(0, 13).map(str) | st.integers(0, 13).map("{:02d}".format) | st.sampled_from(MONTHS))
    day += draw(st.sampled_from(["", "", "", "st", "th"]))
    first, second, third = draw(
        st.sampled_from([(f"{year}", month, day), (month, day, f"{year}"), (day, month, f"{year}")])
    )
    between = draw(SEPARATORS)
    return first + between + second + draw(st.just(between) | SEPARATORS) + third + draw(TIMES)


EVERY_TEXT = ANY_TEXT | NEAR_TEXT | WORD_TEXT | NUMBER_TEXT | written_dates()
WORDED = {"first_name", "middle_name", "last_name", "street_name", "city", "state"}


def outcome(column: NormalisedColumn) -> str:
    """The outcome of a column of one value, in the words of the page."""
    if column.missing:
        return "placeholder" if column.placeholders else "blank"
    return "damaged" if column.damaged else "sound"


@pytest.mark.parametrize("field", STANDARD_FIELDS)
@given(order=ORDERS, raw=EVERY_TEXT)
def test_field_is_normalised_as_the_page_says(field: str, order: DateOrder, raw: str) -> None:
    column = normalise_column(field, [raw], date_order=order)

    assert (column.values[0], outcome(column)) == ON_PAGE.normalise(field, order.value, raw)


@given(order=ORDERS, raw=written_dates())
def test_date_is_read_as_the_page_says(order: DateOrder, raw: str) -> None:
    column = normalise_column("dob", [raw], date_order=order)

    assert (column.values[0], outcome(column)) == ON_PAGE.normalise("dob", order.value, raw)


@given(raw=EVERY_TEXT)
def test_text_is_folded_and_made_plain_as_the_page_says(raw: str) -> None:
    assert (fold_words(raw), plain(raw)) == (ON_PAGE.fold(raw), ON_PAGE.plain(raw))


@given(field=FIELDS, order=ORDERS, raw=EVERY_TEXT)
def test_any_string_has_a_normal_form_of_letters_marks_and_numbers(field: str, order: DateOrder, raw: str) -> None:
    (normal,) = normalise_column(field, [raw], date_order=order).values

    assert {unicodedata.category(character)[0] for character in normal.replace(" ", "")} <= set("LMN")
    assert normal == " ".join(normal.split())
    assert field in WORDED or " " not in normal


@given(field=FIELDS, order=ORDERS, raw=EVERY_TEXT)
def test_normal_form_of_sound_or_worded_value_is_its_own(field: str, order: DateOrder, raw: str) -> None:
    once = normalise_column(field, [raw], date_order=order)
    again = normalise_column(field, once.values, date_order=order)

    assert (once.damaged and field not in WORDED) or again.values == once.values


@given(field=FIELDS, order=ORDERS, raw=EVERY_TEXT)
def test_composed_and_decomposed_value_have_one_form_and_one_outcome(field: str, order: DateOrder, raw: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, raw) for form in ("NFC", "NFD"))

    assert normalise_column(field, [raw], date_order=order) == normalise_column(field, [composed], date_order=order)
    assert normalise_column(field, [raw], date_order=order) == normalise_column(field, [decomposed], date_order=order)


@given(raw=ANY_TEXT | NEAR_TEXT)
def test_folding_is_blind_to_case_and_folds_no_further(raw: str) -> None:
    assert fold_words(fold_words(raw)) == fold_words(raw)
    assert raw.isascii() is False or fold_words(raw.upper()) == fold_words(raw.lower())


@given(day=st.dates(date(1800, 1, 1), date(2199, 12, 31)), order=ORDERS, form=st.sampled_from(["%Y-%m-%d", "%d %b %Y"]))
def test_full_width_digits_and_unseen_marks_change_no_date(day: date, order: DateOrder, form: str) -> None:
    wide = day.strftime(form).translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})

    assert normalise_column("dob", [f"\ufeff{wide}\u200f"], date_order=order) == normalise_column(
        "dob", [f"{day:%Y%m%d}"], date_order=order
    )


@given(field=FIELDS, order=ORDERS, values=st.lists(NEAR_TEXT))
def test_column_is_its_values_one_by_one(field: str, order: DateOrder, values: list[str]) -> None:
    column = normalise_column(field, values, date_order=order)
    single = [normalise_column(field, [value], date_order=order) for value in values]

    assert column.values == [one.values[0] for one in single]
    assert column.missing == column.values.count("") == sum(one.missing for one in single)
    assert column.placeholders == sum(one.placeholders for one in single)
    assert column.damaged == sum(one.damaged for one in single)


@pytest.mark.parametrize(
    ("kind", "alphabet", "lengths"),
    [
        (FieldKind.DATE, set("0123456789"), {8}),
        (FieldKind.YEAR, set("0123456789"), {4}),
        (FieldKind.SEX, set("mfx"), {1}),
        (FieldKind.DIGITS, set("0123456789"), {5, 7, 9, 10}),
    ],
)
@given(order=ORDERS, raw=st.text("0123456789mMfFx-/. ", max_size=12) | NUMBER_TEXT)
def test_sound_value_has_the_shape_of_its_kind(
    kind: FieldKind, alphabet: set[str], lengths: set[int], order: DateOrder, raw: str
) -> None:
    for field in (name for name, of in STANDARD_FIELDS.items() if of is kind):
        column = normalise_column(field, [raw], date_order=order)
        assert column.missing or column.damaged or set(column.values[0]) <= alphabet
        assert column.missing or column.damaged or len(column.values[0]) in lengths


@given(
    field=FIELDS,
    order=ORDERS,
    pieces=st.lists(st.lists(st.sampled_from(["", " ", "TEST", "n/a", "-1", "2001-02-03"]) | NEAR_TEXT), max_size=6),
    kept_values=st.integers(0, 4) | st.just(1000),
)
def test_piece_is_normalised_as_if_it_were_the_first(
    field: str, order: DateOrder, pieces: list[list[str]], kept_values: int
) -> None:
    normaliser = ColumnNormaliser(field, date_order=order, kept_values=kept_values)

    for piece in [*pieces, *pieces]:
        assert normaliser.normalise(piece) == normalise_column(field, piece, date_order=order)
