"""Answers of one node for pairs of rows, block after block. docs/protocol.md section 13."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import (
    PRESENCE_BYTES,
    TAG_BYTES,
    BandPart,
    Comparison,
    Part,
    TagPart,
    VectorPart,
)
from isthmus.contract.ids import RandomBytes
from isthmus.node.compare.pads import Numbers, PadKeys, line_values, padded_vectors
from isthmus.node.compare.row_fields import RowFields

Bytes = NDArray[np.uint8]


class Side(Enum):
    """Which provider of a pair answers: the one that comes first in the project is left."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What a node needs to answer for the pairs of its rows with those of one other provider."""

    comparison: Comparison
    rows: RowFields
    keys: PadKeys
    side: Side
    random_bytes: RandomBytes

    def of(self, rows: NDArray[np.uint32], *, numbers: Numbers) -> Bytes:
        """Answer for pairs.

        A part that a row lacks is random, so nothing follows from it.

        Args:
            rows: uint32, shape (pairs,): which row of this provider each pair is of.
            numbers: the pad number of each pair, uint64, shape (pairs,), rising; none may ever come twice.

        Returns:
            uint8, shape (pairs, answer_bytes).
        """
        answers = np.empty((len(rows), self.comparison.answer_bytes), np.uint8)
        presence = np.zeros(len(rows), np.uint32)
        for place, (part, start) in enumerate(self.comparison.offsets()):
            present = self.rows.present[self._value(part)][rows]
            content = self._content(part, rows, numbers)
            missing = np.flatnonzero(~present)
            noise = np.frombuffer(self.random_bytes(len(missing) * part.answer_bytes), np.uint8)
            content[missing] = noise.reshape(-1, part.answer_bytes)
            answers[:, start : start + part.answer_bytes] = content
            presence |= present.astype(np.uint32) << np.uint32(place)
        answers[:, :PRESENCE_BYTES] = presence.astype("<u4").view(np.uint8).reshape(-1, PRESENCE_BYTES)
        return answers

    def _value(self, part: Part) -> str:
        if isinstance(part, VectorPart):
            return part.name
        if isinstance(part, BandPart):
            return part.value
        return part.left if self.side is Side.LEFT else part.right

    def _content(self, part: Part, rows: NDArray[np.uint32], numbers: Numbers) -> Bytes:
        key = self.keys.stream(part.name)
        if isinstance(part, VectorPart):
            return padded_vectors(self.rows.vectors[part.name][rows], part, key, numbers=numbers)
        values = line_values(self.rows.numbers[part.kind, self._value(part)][rows], key, numbers=numbers)
        if isinstance(part, TagPart):
            return values.astype("<u4").view(np.uint8).reshape(-1, TAG_BYTES)
        band = self.rows.bands[part.value][rows]
        masked = values.astype(np.uint8) + (band if self.side is Side.LEFT else -band)
        return masked.reshape(-1, 1)
