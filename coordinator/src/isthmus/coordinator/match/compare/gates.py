"""What answers must look like, whatever they say."""

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import PRESENCE_BYTES, Comparison


def names_unknown_parts(answers: NDArray[np.uint8], comparison: Comparison) -> bool:
    """Say whether some answer's presence has a bit beyond the comparison's parts; uint8, shape (pairs, bytes)."""
    presence = np.ascontiguousarray(answers[:, :PRESENCE_BYTES]).view(np.dtype("<u4"))
    return bool((presence.astype(np.uint64) >> np.uint64(len(comparison.parts))).any())
