"""Tags that several rows of a file have: they never leave, random bytes take their place.

So all tags of a file are distinct and look random: without the key they tell of a file which rows lack which parts,
and nothing more, whoever has a list of its people. Equal tags of two files remain, which is what they are for. What a
shared part would have found is left to finer keys and to the tables (docs/decisions/0015-match-keys.md).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import tag_words
from isthmus.contract.ids import RandomBytes
from isthmus.node.encode.match_keys import TAG_BYTES

Tags = NDArray[np.uint8]
"""uint8, shape (rows, match keys, 16); zero where a row lacks a part."""

Repeated = Sequence[NDArray[np.uint64]]
"""For each match key the first halves of the tags that occur more than once, rising."""


def repeated_words(words: Iterable[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Give the numbers of one match key that occur more than once, zero apart.

    Args:
        words: uint64, shape (n,), those of some rows each (`isthmus.contract.encodings.tag_words`).
    """
    every = np.sort(np.concatenate([np.empty(0, np.uint64), *words]))
    again: NDArray[np.uint64] = np.unique(every[1:][(every[1:] == every[:-1]) & (every[1:] != 0)])
    return again


def hide_repeated(tags: Tags, repeated: Repeated, *, random_bytes: RandomBytes) -> list[int]:
    """Put random bytes in place of repeated tags; give for each match key in how many rows."""
    hidden = []
    for key, (words, again) in enumerate(zip(tag_words(tags), repeated, strict=True)):
        rows = np.flatnonzero(np.isin(words, again))
        tags[rows, key] = np.frombuffer(random_bytes(TAG_BYTES * len(rows)), np.uint8).reshape(-1, TAG_BYTES)
        hidden.append(len(rows))
    return hidden
