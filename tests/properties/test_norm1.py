"""What `norm-1` does with any string: never raises, settles at once, and gives nothing but letters, marks, numbers."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.standard_fields import STANDARD_FIELDS, FieldKind
from isthmus.node.normalise import DateOrder, normalise_column
from isthmus.node.normalise.text import fold_words

FIELDS = st.sampled_from(sorted(STANDARD_FIELDS))
ORDERS = st.sampled_from(DateOrder)
ANY_TEXT = st.text(st.characters()) | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Lu", "Mn", "Zs"]))
NEAR_TEXT = st.text("oO dDmcjriIvx'\u2019.-/ 0129aé\u0301ßÃ©\t:T,", max_size=24)
"""Text of what the rules are about, so that particles, suffixes, dates and doubled encodings come up."""

WORDED = {"first_name", "middle_name", "last_name", "street_name", "city", "state"}


@given(field=FIELDS, order=ORDERS, raw=ANY_TEXT | NEAR_TEXT)
def test_any_string_has_a_normal_form_of_letters_marks_and_numbers(field: str, order: DateOrder, raw: str) -> None:
    (normal,) = normalise_column(field, [raw], date_order=order).values

    assert {unicodedata.category(character)[0] for character in normal.replace(" ", "")} <= set("LMN")
    assert normal == " ".join(normal.split())
    assert field in WORDED or " " not in normal


@given(field=FIELDS, order=ORDERS, raw=ANY_TEXT | NEAR_TEXT)
def test_normal_form_of_sound_or_worded_value_is_its_own(field: str, order: DateOrder, raw: str) -> None:
    once = normalise_column(field, [raw], date_order=order)
    again = normalise_column(field, once.values, date_order=order)

    assert (once.damaged and field not in WORDED) or again.values == once.values


@given(raw=ANY_TEXT | NEAR_TEXT)
def test_folding_is_blind_to_case_accents_and_unicode_form(raw: str) -> None:
    assert fold_words(fold_words(raw)) == fold_words(raw)
    assert fold_words(unicodedata.normalize("NFD", raw)) == fold_words(unicodedata.normalize("NFC", raw))
    assert raw.isascii() is False or fold_words(raw.upper()) == fold_words(raw.lower())


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
@given(order=ORDERS, raw=st.text("0123456789mMfFx-/. ", max_size=12))
def test_sound_value_has_the_shape_of_its_kind(
    kind: FieldKind, alphabet: set[str], lengths: set[int], order: DateOrder, raw: str
) -> None:
    for field in (name for name, of in STANDARD_FIELDS.items() if of is kind):
        column = normalise_column(field, [raw], date_order=order)
        assert column.missing or column.damaged or set(column.values[0]) <= alphabet
        assert column.missing or column.damaged or len(column.values[0]) in lengths
