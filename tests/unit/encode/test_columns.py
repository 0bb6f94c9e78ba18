"""Columns as numbers of values: what stays known from slab to slab, and what is given up."""

import numpy as np
import pytest

from isthmus.contract.linkage_schema import Feature, parse_linkage_schema
from isthmus.node.encode import columns
from isthmus.node.encode.columns import ColumnTokenizer, TokenColumn, ValueNumbers
from isthmus.node.encode.hashing import make_hasher
from isthmus.node.encode.token_filters import TokenFilters, ValueFilters

SCHEMA = parse_linkage_schema(
    {
        "version": 3,
        "clkConfig": {"l": 256, "kdf": {"type": "HKDF"}},
        "features": [
            {
                "identifier": "name",
                "format": {"type": "string"},
                "hashing": {"comparison": {"type": "ngram", "n": 2}, "strategy": {"bitsPerFeature": 30}},
            }
        ],
    }
)


def _feature() -> Feature:
    (feature,) = SCHEMA.features
    assert isinstance(feature, Feature)
    return feature


def _tokenize(tokenizer: ColumnTokenizer, values: list[str]) -> TokenColumn:
    column = tokenizer.tokenize(values)
    assert isinstance(column, TokenColumn)
    return column


def _spelt(column: TokenColumn) -> dict[int, list[bytes]]:
    """Give the tokens of each new value by its number."""
    return {
        int(value): [column.vocabulary.tokens[token] for token in tokens]
        for group in column.groups
        for value, tokens in zip(group.values, group.tokens.T, strict=True)
    }


def test_only_new_values_are_taken_apart() -> None:
    tokenizer = ColumnTokenizer(_feature(), kept_values=9)
    first = _tokenize(tokenizer, ["ada", "", "ada"])
    second = _tokenize(tokenizer, ["jo", "ada"])
    assert (first.value_of_row.tolist(), first.known, first.value_count) == ([0, 1, 0], 0, 2)
    assert (second.value_of_row.tolist(), second.known, second.value_count) == ([2, 0], 2, 3)
    assert _spelt(first) == {0: [b" a", b"ad", b"da", b"a "], 1: []}
    assert _spelt(second) == {2: [b" j", b"jo", b"o "]}


def test_rows_of_known_values_are_still_held() -> None:
    tokenizer = ColumnTokenizer(_feature(), kept_values=9)
    assert _tokenize(tokenizer, ["", "ada"]).is_held().tolist() == [False, True]
    assert _tokenize(tokenizer, ["jo", "ada", ""]).is_held().tolist() == [True, True, False]


def test_values_are_forgotten_over_the_limit() -> None:
    numbers = ValueNumbers(limit=2)
    assert numbers.number(["a", "b"])[1:] == (0, ["a", "b"])
    assert numbers.number(["b", "c"])[1:] == (2, ["c"])
    assert numbers.number(["c", "b"])[1:] == (0, ["c", "b"])


@pytest.mark.parametrize(("repeated", "expected"), [(1, [0, 1, 2]), (2, [0, 0, 0])])
def test_equal_values_are_looked_for_unless_hardly_any_came_twice(
    repeated: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_ENOUGH_ROWS", 8)
    numbers = ValueNumbers(limit=5)
    numbers.number(list("abcdefgh") * repeated)
    assert numbers.number(["a", "a", "a"])[0].tolist() == expected


def test_few_rows_do_not_show_whether_values_come_twice() -> None:
    numbers = ValueNumbers(limit=0)
    numbers.number(list("abc"))
    assert numbers.number(["a", "a"])[0].tolist() == [0, 0]


def test_filters_of_known_values_stay_while_new_ones_come() -> None:
    feature = _feature()
    hasher = make_hasher(feature.token_hash, keys=(b"1", b"2"), filter_bits=256)
    tokenizer = ColumnTokenizer(feature, kept_values=9)
    kept = ValueFilters(TokenFilters(hasher, filter_bits=256), strategy=feature.strategy)
    first = kept.take_in(_tokenize(tokenizer, ["ada", "jo"]))[:2].copy()
    both = kept.take_in(_tokenize(tokenizer, ["king", "ada", "x", "yz"]))
    anew = ValueFilters(TokenFilters(hasher, filter_bits=256), strategy=feature.strategy)
    expected = anew.take_in(_tokenize(ColumnTokenizer(feature), ["ada", "jo", "king", "x", "yz"]))
    assert np.array_equal(both[:2], first)
    assert np.array_equal(both[:5], expected[:5])
    assert first.any(axis=1).all()
