"""A column as numbers: which rows hold which distinct value, and which tokens each distinct value has.

Everything that can be wrong with a value is found here, before anything is hashed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import Feature, NgramComparison
from isthmus.node.encode.errors import BadEntry, UnfitValue
from isthmus.node.encode.formats import all_fit, make_formatter
from isthmus.node.encode.ngrams import TokenTable, tabulate_ngrams
from isthmus.node.encode.tokens import make_tokenizer

Indices = NDArray[np.int64]
S = TypeVar("S")

_VOCABULARY_LIMIT: Final = 2**14


class Vocabulary:
    """Tokens of one feature and their numbers, which stay the same from slab to slab."""

    def __init__(self, encoding: str) -> None:
        """Start empty; tokens will be encoded so."""
        self.tokens: list[bytes] = []
        self._encoding = encoding
        self._numbers: dict[str, int] = {}

    def number(self, tokens: Sequence[str]) -> Indices:
        """Give the number of each token; new ones get the next numbers.

        Raises:
            UnicodeEncodeError: a token cannot be encoded; then none of them is taken in.
        """
        new = [token for token in dict.fromkeys(tokens) if token not in self._numbers]
        encoded = [token.encode(self._encoding) for token in new]
        self._numbers.update(zip(new, range(len(self.tokens), len(self.tokens) + len(new)), strict=True))
        self.tokens += encoded
        return np.fromiter(map(self._numbers.__getitem__, tokens), dtype=np.int64, count=len(tokens))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenColumn:
    """The distinct values of a feature's column and their tokens.

    Values are numbered by rising number of tokens. `value_of_row`: int64, shape (rows,), the distinct value of each
    row. `groups`: for each number of tokens that occurs, int64, shape (tokens of a value, values): column v of a
    group holds the tokens of its value v, in order, as numbers of the `vocabulary`. The first group may be of no
    tokens.
    """

    feature: Feature
    value_of_row: Indices
    groups: tuple[Indices, ...]
    vocabulary: Vocabulary

    @property
    def value_count(self) -> int:
        """How many distinct values there are."""
        return sum(group.shape[1] for group in self.groups)

    def is_held(self) -> NDArray[np.bool_]:
        """Say of each row whether its value has a token; an empty value has none."""
        empty = sum(group.shape[1] for group in self.groups if not len(group))
        held: NDArray[np.bool_] = self.value_of_row >= empty
        return held


class ColumnTokenizer:
    """Takes one feature's column apart, slab after slab, with one vocabulary until that has grown too long."""

    def __init__(self, feature: Feature) -> None:
        """Keep the feature; look at no value yet."""
        self.feature = feature
        self._spell, self._split = make_formatter(feature), make_tokenizer(feature.comparison)
        self._vocabulary = Vocabulary(feature.encoding)

    def tokenize(self, column: Sequence[str], *, first_row: int = 1) -> TokenColumn | list[BadEntry]:
        """Give the tokens of a slab of the column, or all entries that do not fit; rows count from `first_row`."""
        distinct = dict.fromkeys(column)
        numbers = dict(zip(distinct, range(len(distinct)), strict=True))
        value_of_row = np.fromiter(map(numbers.__getitem__, column), dtype=np.int64, count=len(column))
        table, reasons = self._tabulate(list(distinct))
        if not reasons:
            try:
                return self._in_groups(table, value_of_row)
            except UnicodeEncodeError:
                # Regular values were tried when they were spelt, so this can only be what replaces a missing one.
                missing, encoding = self.feature.missing_value, self.feature.encoding
                sentinel = "" if missing is None else missing.sentinel
                reasons = {numbers[sentinel]: f"its replacement is not representable in {encoding}"}
        rows = np.flatnonzero(np.isin(value_of_row, list(reasons)))
        return [
            BadEntry(feature=self.feature.identifier, row=first_row + row, reason=reasons[int(value_of_row[row])])
            for row in rows.tolist()
        ]

    def _tabulate(self, values: Sequence[str]) -> tuple[TokenTable, dict[int, str]]:
        comparison = self.feature.comparison
        if isinstance(comparison, NgramComparison):
            spelt, reasons = (values, {}) if all_fit(values, self.feature) else _try_each(self._spell, values)
            return tabulate_ngrams(spelt, comparison), reasons
        tokens_of_values, reasons = _try_each(lambda value: self._split(self._spell(value)), values)
        flat = [token for tokens in tokens_of_values for token in tokens]
        table = TokenTable(
            counts=np.array([len(tokens) for tokens in tokens_of_values], dtype=np.int64),
            token_ids=np.arange(len(flat)),
            tokens=flat,
        )
        return table, reasons

    def _in_groups(self, table: TokenTable, value_of_row: Indices) -> TokenColumn:
        if len(self._vocabulary.tokens) > _VOCABULARY_LIMIT:
            self._vocabulary = Vocabulary(self.feature.encoding)
        token_ids = self._vocabulary.number(table.tokens)[table.token_ids]
        order = np.argsort(table.counts, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return TokenColumn(
            feature=self.feature,
            value_of_row=rank[value_of_row],
            groups=tuple(_groups(table.counts, order, token_ids)),
            vocabulary=self._vocabulary,
        )


def _groups(counts: Indices, order: Indices, token_ids: Indices) -> Iterator[Indices]:
    starts = (np.cumsum(counts) - counts)[order]
    ends = np.flatnonzero(np.diff(counts[order], append=-1)) + 1
    first = 0
    for end in ends.tolist():
        places = np.arange(counts[order[first]])
        yield token_ids[starts[first:end] + places[:, None]]
        first = end


def _try_each(function: Callable[[str], S], values: Iterable[str]) -> tuple[list[S], dict[int, str]]:
    """Give what comes of the values that fit, and why each other one, by its number, does not."""
    done, reasons = list[S](), dict[int, str]()
    for number, value in enumerate(values):
        try:
            done.append(function(value))
        except UnfitValue as error:
            reasons[number] = str(error)
    return done, reasons
