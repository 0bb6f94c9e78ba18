"""Diffusion maps for tests: the one of a key without its boxes, and the slow way through a whole one."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isthmus.node.encode.diffusion import DiffusionMap, draw_map


def linear_map(key: bytes, *, input_bits: int, output_bits: int, taps: int) -> DiffusionMap:
    """Give the map of a key with boxes that give nothing, so that the taps alone are left."""
    return without_boxes(draw_map(key, input_bits=input_bits, output_bits=output_bits, taps=taps))


def without_boxes(chosen: DiffusionMap) -> DiffusionMap:
    """Give a map with boxes that give nothing."""
    return replace(chosen, boxes=replace(chosen.boxes, tables=np.zeros_like(chosen.boxes.tables)))


def diffused_plainly(filters: NDArray[np.uint8], chosen: DiffusionMap) -> NDArray[np.uint8]:
    """Look up and XOR, bit by bit."""
    rows = []
    for row in np.unpackbits(filters, axis=1).tolist():
        box_bits: list[int] = []
        for box, table in enumerate(chosen.boxes.tables.tolist()):
            read = chosen.boxes.positions[8 * box : 8 * box + 8].tolist()
            value = sum(row[place] << (7 - at) for at, place in enumerate(read))
            box_bits += [table[value] >> (7 - at) & 1 for at in range(8)]
        rows.append([
            (box_bits[place] + sum(row[tap] for tap in taps)) % 2
            for place, taps in zip(chosen.boxes.order.tolist(), chosen.taps.tolist(), strict=True)
        ])  # fmt: skip
    return np.packbits(np.array(rows, dtype=np.uint8).reshape(len(filters), len(chosen.taps)), axis=1)
