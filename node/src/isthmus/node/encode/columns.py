"""A column as numbers: which rows hold which value, and which tokens each value has.

Everything that can be wrong with a value is found here, before anything is hashed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice, pairwise
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import Feature, NgramComparison
from isthmus.node.encode.errors import BadEntry, UnfitValue
from isthmus.node.encode.formats import all_fit, make_formatter
from isthmus.node.encode.ngrams import TokenTable, tabulate_ngrams
from isthmus.node.encode.tokens import make_tokenizer

Indices = NDArray[np.int64]
Reasons = dict[int, str]
"""Why values, by their numbers, do not fit."""

S = TypeVar("S")

_VOCABULARY_LIMIT: Final = 2**14

_BLOCK_VALUES: Final = 2**13
"""So many values are taken apart at a time: more would not stay in a core's cache, fewer repeat their tokens more."""

_ENOUGH_ROWS: Final = 2**14
"""After so many rows it shows whether values come again."""

_ROWS_OF_A_VALUE: Final = 1.25
"""With fewer rows than this to a distinct value, to find equal values costs more than to encode them twice."""


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


class ValueNumbers:
    """Values of one column and their numbers, which stay the same from slab to slab.

    When over `limit` values are numbered, all are dropped: bounded memory where new values never end. Once hardly any
    value has come twice, each row's passes for a new one.
    """

    def __init__(self, *, limit: int) -> None:
        """Start empty."""
        self._limit, self._rows, self._compare = limit, 0, True
        self._numbers = defaultdict[str, int](count().__next__)

    def number(self, column: Sequence[str]) -> tuple[Indices, int, Sequence[str]]:
        """Give the number of each row's value, how many were known before, and the values numbered from there on."""
        if _ENOUGH_ROWS <= self._rows < _ROWS_OF_A_VALUE * len(self._numbers):
            self._compare = False
        if len(self._numbers) > self._limit or not self._compare:
            self.forget()
        if not self._compare:
            return np.arange(len(column)), 0, column
        known = len(self._numbers)
        # An unknown value gets the next number as it is looked up.
        value_of_row = np.fromiter(map(self._numbers.__getitem__, column), dtype=np.int64, count=len(column))
        self._rows += len(column)
        return value_of_row, known, list(islice(reversed(self._numbers), len(self._numbers) - known))[::-1]

    def forget(self) -> None:
        """Drop all values."""
        self._numbers, self._rows = defaultdict(count().__next__), 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenGroup:
    """Values that have equally many tokens, maybe none.

    `values`: int64, shape (values,), their numbers. `tokens`: int64, shape (tokens of a value, values): column v holds
    the tokens of `values[v]`, in order, as numbers of a vocabulary.
    """

    values: Indices
    tokens: Indices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenColumn:
    """A slab of a feature's column: the value of each row, and the tokens of the values that are new in it.

    `value_of_row`: int64, shape (rows,). `known`: values below were given with slabs before; 0 says that all numbers
    begin anew. `groups`: each new value is in one. `has_token`: bool, shape (values,), for known and new ones.
    """

    feature: Feature
    value_of_row: Indices
    known: int
    groups: tuple[TokenGroup, ...]
    vocabulary: Vocabulary
    has_token: NDArray[np.bool_]

    @property
    def value_count(self) -> int:
        """How many values there are, known and new."""
        return len(self.has_token)

    def is_held(self) -> NDArray[np.bool_]:
        """Say of each row whether its value has a token; an empty value has none."""
        return self.has_token[self.value_of_row]


class ColumnTokenizer:
    """Takes one feature's column apart, slab after slab, with one vocabulary until that has grown too long."""

    def __init__(self, feature: Feature, *, kept_values: int = 0) -> None:
        """Keep the feature; look at no value yet. Up to `kept_values` stay known from slab to slab."""
        self.feature = feature
        self._spell, self._split = make_formatter(feature), make_tokenizer(feature.comparison)
        self._vocabulary = Vocabulary(feature.encoding)
        self._numbers = ValueNumbers(limit=kept_values)
        self._has_token = np.empty(0, dtype=np.bool_)

    def tokenize(self, column: Sequence[str], *, first_row: int = 1) -> TokenColumn | list[BadEntry]:
        """Give the tokens of a slab of the column, or all entries that do not fit; rows count from `first_row`."""
        if len(self._vocabulary.tokens) > _VOCABULARY_LIMIT:
            self._vocabulary = Vocabulary(self.feature.encoding)
        value_of_row, known, new = self._numbers.number(column)
        groups, reasons = list[TokenGroup](), Reasons()
        for start in range(0, len(new), _BLOCK_VALUES):
            found, unfit = self._take_apart(new[start : start + _BLOCK_VALUES], first_value=known + start)
            groups += found
            reasons |= unfit
        if reasons:
            # A value that does not fit is to be named again wherever it comes again.
            self._numbers.forget()
            return self._bad_entries(value_of_row, reasons, first_row=first_row)
        self._has_token = np.concatenate([self._has_token[:known], np.empty(len(new), dtype=np.bool_)])
        for group in groups:
            self._has_token[group.values] = len(group.tokens) > 0
        return TokenColumn(
            feature=self.feature,
            value_of_row=value_of_row,
            known=known,
            groups=tuple(groups),
            vocabulary=self._vocabulary,
            has_token=self._has_token,
        )

    def _bad_entries(self, value_of_row: Indices, reasons: Reasons, *, first_row: int) -> list[BadEntry]:
        rows = np.flatnonzero(np.isin(value_of_row, list(reasons)))
        return [
            BadEntry(feature=self.feature.identifier, row=first_row + row, reason=reasons[int(value_of_row[row])])
            for row in rows.tolist()
        ]

    def _take_apart(self, values: Sequence[str], *, first_value: int) -> tuple[Iterable[TokenGroup], Reasons]:
        """Give values that are numbered from `first_value` on in groups, or why some do not fit."""
        table, unfit = self._tabulate(values)
        if not unfit:
            try:
                token_ids = self._vocabulary.number(table.tokens)[table.token_ids]
                return _groups(table.counts, token_ids, first_value=first_value), {}
            except UnicodeEncodeError:
                # Regular values were tried when they were spelt, so this can only be what replaces a missing one.
                missing, encoding = self.feature.missing_value, self.feature.encoding
                sentinel = "" if missing is None else missing.sentinel
                reason = f"its replacement is not representable in {encoding}"
                unfit = {number: reason for number, value in enumerate(values) if value == sentinel}
        return [], {first_value + number: reason for number, reason in unfit.items()}

    def _tabulate(self, values: Sequence[str]) -> tuple[TokenTable, Reasons]:
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


def _groups(counts: Indices, token_ids: Indices, *, first_value: int) -> Iterator[TokenGroup]:
    order = np.argsort(counts, kind="stable")
    starts = (np.cumsum(counts) - counts)[order]
    ends = np.flatnonzero(np.diff(counts[order], append=-1)) + 1
    for first, end in pairwise([0, *ends.tolist()]):
        places = np.arange(counts[order[first]])
        yield TokenGroup(values=order[first:end] + first_value, tokens=token_ids[starts[first:end] + places[:, None]])


def _try_each(function: Callable[[str], S], values: Iterable[str]) -> tuple[list[S], Reasons]:
    """Give what comes of the values that fit, and why each other one, by its number, does not."""
    done, reasons = list[S](), Reasons()
    for number, value in enumerate(values):
        try:
            done.append(function(value))
        except UnfitValue as error:
            reasons[number] = str(error)
    return done, reasons
