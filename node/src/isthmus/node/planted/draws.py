"""Numbers drawn from a key stream, the same wherever the key is the same. docs/protocol.md section 14.

Whole numbers only: nothing here depends on how a machine rounds.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import numpy as np

from isthmus.contract.secret import Secret
from isthmus.node.compare.pads import stream

T = TypeVar("T")

WHOLE: Final = 1000
"""Chances are counted in parts of a thousand."""

_WORD_BITS: Final = 32


class Draws:
    """The numbers of one person's piece of a stream, one after the other; raises `StopIteration` past its end."""

    def __init__(self, words: Sequence[int]) -> None:
        """Draw from these numbers, each below 2^32."""
        self._words = iter(words)

    def below(self, count: int) -> int:
        """Give a number from 0 to `count` - 1, all alike but for parts in 2^32."""
        return next(self._words) * count >> _WORD_BITS

    def happens(self, parts: int) -> bool:
        """Say whether something happens that happens so often in a thousand."""
        return self.below(WHOLE) < parts

    def common(self, items: Sequence[T]) -> T:
        """Give one of some, the first most often: of n the first with a chance of (1 + 1/2 + ... + 1/n) / n."""
        return items[self.below(1 + self.below(len(items)))]


def draws_of_each(key: Secret, *, count: int, size: int) -> Iterator[Draws]:
    """Give the draws of persons 0 to `count` - 1, each from its own `size` bytes of the key's stream."""
    for words in stream(key, first=0, count=count, size=size).view(np.dtype("<u4")):
        yield Draws(words.tolist())
