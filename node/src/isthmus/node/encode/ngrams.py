"""The n-grams of many values at once: the same tokens as `isthmus.node.encode.tokens`, by array operations.

n - 1 spaces between two neighbours in one long text are the end of one and the start of the other, so that every window
of n characters of that text is an n-gram of exactly one value, in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import NgramComparison

_TABLE_LIMIT: Final = 2**23
"""Up to this bound numbers are looked up in a table; above, sorting them costs less."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenTable:
    """Tokens of a list of values.

    `counts`: int64, shape (values,), how many tokens each value has. `token_ids`: int64, shape (counts.sum(),), the
    tokens of all values, in order, as places in `tokens`.
    """

    counts: NDArray[np.int64]
    token_ids: NDArray[np.int64]
    tokens: Sequence[str]


def tabulate_ngrams(values: Sequence[str], comparison: NgramComparison) -> TokenTable:
    """Give the n-grams of formatted values, positional ones with their place in front; an empty value has none."""
    n, padding = comparison.n, " " * (comparison.n - 1)
    lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
    counts = np.where(lengths > 0, lengths + n - 1, 0)
    text = f"{padding}{padding.join(filter(None, values))}{padding}"
    places = np.zeros(int(counts.sum()), dtype=np.int64)
    if comparison.positional:
        places = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    token_ids = _number_windows(text, n, places)
    examples = np.empty(token_ids.max(initial=-1) + 1, dtype=np.int64)
    examples[token_ids] = np.arange(len(token_ids))
    grams = [text[start : start + n] for start in examples.tolist()]
    if comparison.positional:
        grams = [f"{place + 1} {gram}" for place, gram in zip(places[examples].tolist(), grams, strict=True)]
    return TokenTable(counts=counts, token_ids=token_ids, tokens=grams)


def _number_windows(text: str, n: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give each window of n characters a number: equal windows of equal places, equal numbers, without gaps."""
    # A lone surrogate is no fault here; the token that holds it fails to encode later.
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
    ranks = _dense(points)
    alphabet = int(ranks.max(initial=0)) + 1
    numbers, bound = places, int(places.max(initial=0)) + 1
    for offset in range(n):
        if bound * alphabet > _TABLE_LIMIT:
            # To close gaps costs most, so it is put off while a table can still hold the numbers with them.
            numbers = _dense(numbers)
            bound = int(numbers.max(initial=0)) + 1
        numbers = numbers * alphabet + ranks[offset : offset + len(places)]
        bound *= alphabet
    return _dense(numbers)


def _dense(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give numbers of the same order without gaps, from 0 up."""
    bound = int(numbers.max(initial=-1)) + 1
    if bound > _TABLE_LIMIT:
        return np.unique(numbers, return_inverse=True)[1].astype(np.int64, copy=False)
    present = np.zeros(bound, dtype=np.bool_)
    present[numbers] = True
    return (np.cumsum(present) - 1)[numbers]
