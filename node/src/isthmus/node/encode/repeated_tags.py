"""Tags that several rows of a file have: they never leave, random bytes take their place.

So all tags of a file are distinct and look random: without the key they tell of a file which rows lack which parts, and
nothing more, whoever has a list of its people. Equal tags of two files remain, which is what they are for. What a shared
part would have found is left to finer keys and to the tables (docs/decisions/0015-match-keys.md).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.ids import RandomBytes

Tags = NDArray[np.uint8]
"""uint8, shape (rows, match keys, 16); zero where a row lacks a part."""

Repeated = Sequence[NDArray[np.uint64]]
"""For each match key the first halves of the tags that occur more than once, rising."""


def first_words(tags: Tags) -> NDArray[np.uint64]:
    """Give the first half of every tag as a number, shape (match keys, rows)."""
    return np.ascontiguousarray(tags[:, :, :8].transpose(1, 0, 2)).view(np.uint64)[:, :, 0]


def repeated_words(words: Iterable[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Give the numbers of one match key that occur more than once, zero apart.

    Args:
        words: uint64, shape (n,), those of some rows each.
    """
    every = np.sort(np.concatenate([np.empty(0, np.uint64), *words]))
    again = np.unique(every[1:][every[1:] == every[:-1]])
    return again[again != 0]


def repeated_tags(pieces: Sequence[Tags]) -> Repeated:
    """Give the repeated tags of a file that is in memory."""
    words = [first_words(tags) for tags in pieces]
    return [repeated_words(each[key] for each in words) for key in range(words[0].shape[0])] if words else []


def hide_repeated(tags: Tags, repeated: Repeated, *, random_bytes: RandomBytes) -> Tags:
    """Give the tags with random bytes in place of repeated ones."""
    words, shown = first_words(tags), tags.copy()
    for key, again in enumerate(repeated):
        rows = np.flatnonzero(np.isin(words[key], again))
        shown[rows, key] = np.frombuffer(random_bytes(16 * len(rows)), np.uint8).reshape(-1, 16)
    return shown
