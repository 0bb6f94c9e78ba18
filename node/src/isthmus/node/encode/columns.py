"""A column as numbers: which rows hold which distinct value, and which tokens each distinct value has.

Everything that can be wrong with a value is found here, before anything is hashed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import Feature, NgramComparison
from isthmus.node.encode.errors import BadEntry, UnfitValue
from isthmus.node.encode.formats import make_formatter
from isthmus.node.encode.ngrams import TokenTable, tabulate_ngrams
from isthmus.node.encode.tokens import make_tokenizer

Indices = NDArray[np.int64]
S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenColumn:
    """The distinct values of a feature's column and their tokens.

    `value_of_row`: int64, shape (rows,), the distinct value of each row. `counts`: int64, shape (values,), how many
    tokens each has. `token_ids`: int64, shape (counts.sum(),), the tokens of value 0 in order, then those of value 1,
    and so on, each an index into `tokens`, which are encoded as the feature says.
    """

    feature: Feature
    value_of_row: Indices
    counts: Indices
    token_ids: Indices
    tokens: Sequence[bytes]


class _Numbered(dict[T, int]):
    """Numbers things in the order in which they are first asked for."""

    def __missing__(self, thing: T) -> int:
        number = self[thing] = len(self)
        return number


def tokenize_column(column: Sequence[str], feature: Feature, *, first_row: int = 1) -> TokenColumn | list[BadEntry]:
    """Give the tokens of a column, or all entries that do not fit the feature; rows count from `first_row`."""
    values = _Numbered[str]()
    value_of_row = np.fromiter(map(values.__getitem__, column), dtype=np.int64, count=len(column))
    table, reasons = _tabulate(values, feature)
    if not reasons:
        try:
            tokens = [token.encode(feature.encoding) for token in table.tokens]
        except UnicodeEncodeError:
            # Regular values were tried when they were spelt, so this can only be what replaces a missing one.
            sentinel = "" if feature.missing_value is None else feature.missing_value.sentinel
            reasons = {values[sentinel]: f"its replacement is not representable in {feature.encoding}"}
        else:
            return TokenColumn(
                feature=feature,
                value_of_row=value_of_row,
                counts=table.counts,
                token_ids=table.token_ids,
                tokens=tokens,
            )
    rows = np.flatnonzero(np.isin(value_of_row, list(reasons)))
    return [
        BadEntry(feature=feature.identifier, row=first_row + int(row), reason=reasons[int(value_of_row[row])])
        for row in rows
    ]


def _tabulate(values: Iterable[str], feature: Feature) -> tuple[TokenTable, dict[int, str]]:
    spell = make_formatter(feature)
    if isinstance(feature.comparison, NgramComparison):
        spelt, reasons = _try_each(spell, values)
        return tabulate_ngrams(spelt, feature.comparison), reasons
    split = make_tokenizer(feature.comparison)
    tokens_of_values, reasons = _try_each(lambda value: split(spell(value)), values)
    numbered = _Numbered[str]()
    token_ids = [numbered[token] for tokens in tokens_of_values for token in tokens]
    table = TokenTable(
        counts=np.array([len(tokens) for tokens in tokens_of_values], dtype=np.int64),
        token_ids=np.array(token_ids, dtype=np.int64),
        tokens=list(numbered),
    )
    return table, reasons


def _try_each(function: Callable[[str], S], values: Iterable[str]) -> tuple[list[S], dict[int, str]]:
    """Give what comes of the values that fit, and why each other one, by its number, does not."""
    done, reasons = list[S](), dict[int, str]()
    for number, value in enumerate(values):
        try:
            done.append(function(value))
        except UnfitValue as error:
            reasons[number] = str(error)
    return done, reasons
