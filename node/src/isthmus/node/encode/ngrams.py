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
    """Tokens of a list of values; `counts` and `token_ids` as in `TokenColumn`."""

    counts: NDArray[np.int64]
    token_ids: NDArray[np.int64]
    tokens: Sequence[str]


def tabulate_ngrams(values: Sequence[str], comparison: NgramComparison) -> TokenTable:
    """Give the n-grams of formatted values, positional ones with their place in front; an empty value has none."""
    n, padding = comparison.n, " " * (comparison.n - 1)
    lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
    counts = np.where(lengths > 0, lengths + n - 1, 0)
    text = f"{padding}{padding.join(filter(None, values))}{padding}"
    token_ids = _number_windows(text, n, int(counts.sum()))
    places = np.empty(0, dtype=np.int64)
    if comparison.positional:
        places = np.arange(len(token_ids)) - np.repeat(np.cumsum(counts) - counts, counts)
        token_ids = _dense(token_ids * (places.max(initial=0) + 1) + places)
    examples = np.empty(token_ids.max(initial=-1) + 1, dtype=np.int64)
    examples[token_ids] = np.arange(len(token_ids))
    grams = [text[start : start + n] for start in examples.tolist()]
    if comparison.positional:
        grams = [f"{place + 1} {gram}" for place, gram in zip(places[examples].tolist(), grams, strict=True)]
    return TokenTable(counts=counts, token_ids=token_ids, tokens=grams)


def _number_windows(text: str, n: int, windows: int) -> NDArray[np.int64]:
    """Give each window of n characters a number below the count of windows: equal windows, equal numbers."""
    # A lone surrogate is no fault here; the token that holds it fails to encode later.
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
    ranks = _dense(points)
    alphabet = ranks.max(initial=0) + 1
    numbers = ranks[:windows]
    for offset in range(1, n):
        numbers = _dense(numbers * alphabet + ranks[offset : offset + windows])
    return numbers


def _dense(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give numbers of the same order without gaps, from 0 up."""
    bound = int(numbers.max(initial=-1)) + 1
    if bound > _TABLE_LIMIT:
        return np.unique(numbers, return_inverse=True)[1].astype(np.int64, copy=False)
    present = np.zeros(bound, dtype=np.bool_)
    present[numbers] = True
    return (np.cumsum(present) - 1)[numbers]
