"""What two answers tell of a pair of rows: in how many bits vectors differ, which tags are equal, how common names are.

Nothing else can be read from them (docs/protocol.md section 13): orders and pads are new for every pair.
"""

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import PRESENCE_BYTES, BandPart, Comparison, Part, TagPart
from isthmus.contract.differences import MISSING, Differences

Bytes = NDArray[np.uint8]


def read_differences(left: Bytes, right: Bytes, comparison: Comparison) -> Differences:
    """Hold the answers of both sides against each other.

    Args:
        left, right: uint8, shape (pairs, answer_bytes), of the same pairs.
        comparison: what they are answers to.

    Raises:
        ValueError: the shapes differ from each other or from the comparison's.
    """
    if left.shape != right.shape or left.shape[1:] != (comparison.answer_bytes,):
        raise ValueError("both sides must answer for the same pairs in the comparison's bytes")
    both = _presence(left) & _presence(right)
    found = {}
    for place, (part, start) in enumerate(comparison.offsets()):
        inside = slice(start, start + part.answer_bytes)
        told = _told(part, left[:, inside], right[:, inside])
        found[part.name] = np.where(both >> np.uint32(place) & np.uint32(1), told, np.int16(MISSING))
    return Differences(by_part=found)


def _presence(answers: Bytes) -> NDArray[np.uint32]:
    return np.ascontiguousarray(answers[:, :PRESENCE_BYTES]).view(np.dtype("<u4"))[:, 0].astype(np.uint32)


def _told(part: Part, left: Bytes, right: Bytes) -> NDArray[np.int16]:
    told: NDArray[np.int16]
    if isinstance(part, TagPart):
        told = (left == right).all(axis=1).astype(np.int16)
    elif isinstance(part, BandPart):
        told = (left[:, 0] - right[:, 0]).astype(np.int16)
    else:
        # Bits that fill the last byte are pads too: both sides have the same there.
        told = np.bitwise_count(left ^ right).sum(axis=1, dtype=np.int16)
    return told
