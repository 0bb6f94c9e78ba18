"""Tokens, value by value and in bulk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.linkage_schema import ExactComparison, NgramComparison, NumericComparison
from isthmus.node.encode import ngrams
from isthmus.node.encode.errors import UnfitValue
from isthmus.node.encode.tokens import make_tokenizer


def _grams(value: str, n: int, *, positional: bool = False) -> list[str]:
    return list(make_tokenizer(NgramComparison(n=n, positional=positional))(value))


def _numbers(value: str, *, interval: int, resolution: int, precision: float = 0) -> list[str]:
    comparison = NumericComparison(interval=interval, resolution=resolution, fractional_precision=precision)
    return list(make_tokenizer(comparison)(value))


def test_bigrams_have_blanks_at_both_ends() -> None:
    assert _grams("anna", 2) == [" a", "an", "nn", "na", "a "]


def test_single_letters_have_none() -> None:
    assert _grams("anna", 1) == ["a", "n", "n", "a"]


def test_trigrams_of_one_letter_are_three() -> None:
    assert _grams("x", 3) == ["  x", " x ", "x  "]


def test_positional_grams_start_with_their_place() -> None:
    assert _grams("ab", 2, positional=True) == ["1  a", "2 ab", "3 b "]


@pytest.mark.parametrize(
    "comparison",
    [
        NgramComparison(n=1, positional=False),
        NgramComparison(n=2, positional=True),
        ExactComparison(),
        NumericComparison(interval=1, resolution=1, fractional_precision=0),
    ],
)
def test_empty_value_has_no_tokens(comparison: NgramComparison | ExactComparison | NumericComparison) -> None:
    assert list(make_tokenizer(comparison)("")) == []


def test_exact_value_is_one_token() -> None:
    assert list(make_tokenizer(ExactComparison())("K-12")) == ["K-12"]


def test_numbers_nearer_than_the_distance_share_tokens_and_others_none() -> None:
    middle, near, far = (_numbers(value, interval=8, resolution=2) for value in ("21", "25", "31"))
    assert middle == ["72", "80", "88", "96", "104"]
    assert near == ["88", "96", "104", "112", "120"]
    assert far == ["112", "120", "128", "136", "144"]


@pytest.mark.parametrize(("value", "centre"), [("25", "104"), ("24", "96"), ("-3", "-8"), (" 7 ", "32"), ("1.9", "8")])
def test_number_is_moved_to_the_nearest_grid_point_and_ties_go_up(value: str, centre: str) -> None:
    assert _numbers(value, interval=8, resolution=2)[2] == centre


def test_decimals_count_up_to_the_precision() -> None:
    assert _numbers("3.149", interval=10, resolution=1, precision=1) == _numbers(
        "3.1", interval=10, resolution=1, precision=1
    )
    assert _numbers("3", interval=10, resolution=1, precision=1) == ["50", "60", "70"]


def test_precision_written_as_float_gives_float_tokens_like_clkhash() -> None:
    assert _numbers("3", interval=10, resolution=1, precision=1.0) == ["50.0", "60.0", "70.0"]


def test_large_integers_keep_every_digit() -> None:
    assert _numbers("9007199254740993", interval=2, resolution=1)[1] == str(2 * 9007199254740993)


@pytest.mark.parametrize("value", ["twelve", "nan", "inf", "1e400", "1,5"])
def test_what_is_no_number_is_refused_without_being_quoted(value: str) -> None:
    with pytest.raises(UnfitValue, match=r"^not a number$") as caught:
        _numbers(value, interval=1, resolution=1)
    assert caught.value.__suppress_context__


@settings(deadline=None, max_examples=60)
@given(values=st.lists(st.text(max_size=8), max_size=6), n=st.integers(1, 5), positional=st.booleans())
def test_tokens_in_bulk_are_those_of_each_value(values: list[str], n: int, *, positional: bool) -> None:
    comparison = NgramComparison(n=n, positional=positional)
    table = ngrams.tabulate_ngrams(values, comparison)
    tokens = [table.tokens[number] for number in table.token_ids]
    assert table.counts.tolist() == [len(make_tokenizer(comparison)(value)) for value in values]
    assert tokens == [token for value in values for token in make_tokenizer(comparison)(value)]
    assert len(set(table.tokens)) == len(table.tokens)


@pytest.mark.parametrize("positional", [False, True])
def test_tokens_in_bulk_are_the_same_where_no_table_holds_their_numbers(
    monkeypatch: pytest.MonkeyPatch, *, positional: bool
) -> None:
    values, comparison = ["ada", "", "lovelace", "adalove", "ada"], NgramComparison(n=3, positional=positional)
    expected = ngrams.tabulate_ngrams(values, comparison)
    monkeypatch.setattr(ngrams, "_TABLE_LIMIT", 1)
    found = ngrams.tabulate_ngrams(values, comparison)
    assert found.tokens == expected.tokens
    assert found.token_ids.tolist() == expected.token_ids.tolist()


def test_bulk_numbering_is_the_same_by_table_and_by_sorting() -> None:
    small = np.array([7, 3, 7, 0])
    assert ngrams._dense(small).tolist() == [2, 1, 2, 0]
    assert ngrams._dense(small * 2**40).tolist() == [2, 1, 2, 0]
