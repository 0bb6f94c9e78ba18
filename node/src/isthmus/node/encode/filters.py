"""Packed Bloom filters: how long they are, and how many bits of them each token sets."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import BitsPerFeature, Strategy

Filters = NDArray[np.uint64]
"""Shape (filters, words): bit p is bit 7 - p % 8 of byte p // 8 in memory, as in `bitarray.tobytes()`; what lies beyond
the length is zero."""

WORD_BITS: Final = 64


def words_of(bits: int) -> int:
    """Give how many 64-bit words hold so many bits."""
    return -(-bits // WORD_BITS)


def bits_of_tokens(counts: NDArray[np.int64], strategy: Strategy) -> NDArray[np.int64]:
    """Give how many positions each token occurrence sets; int64, shape (counts.sum(),).

    Where the tokens of a value share the bits of a feature and these do not divide evenly, the first get one more.

    Args:
        counts: int64, shape (values,), how many tokens each value has.
        strategy: whether values or tokens set the same number of bits, and how many.
    """
    total = int(counts.sum())
    if not isinstance(strategy, BitsPerFeature):
        return np.full(total, strategy.bits, dtype=np.int64)
    share, residue = np.divmod(strategy.bits, np.repeat(counts, counts))
    place = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    return share + (place < residue)
