"""Keyed diffusion: every bit of a diffused CLK is the XOR of a few secret positions of a Bloom filter and a box bit.

The positions (**taps**) and the **boxes** are drawn from keyed streams and are the same for all rows of a table, so
that equal filters stay equal and nearly equal ones stay similar, while a bit no longer stands for an n-gram. A box
reads eight secret positions and looks up eight bits in a table of its own. Taps alone would be linear over XOR, and
are undone without the key; boxes alone show in statistics what they read, which the taps mask. It is no encryption:
who holds the key can search for the input. docs/decisions/0014-boxes.md.

Source: linear diffusion layers for Bloom filters, Armknecht, Heng and Schnell (2023), "Strengthening
privacy-preserving record linkage using diffusion". The boxes are ours, after random local functions, Goldreich (2000),
"Candidate one-way functions based on expander graphs".
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count, islice
from struct import Struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import BOX_BITS

Packed = NDArray[np.uint8]
Taps = NDArray[np.uint16]
Planes = NDArray[np.uint64]
"""`planes[p]` holds bit p of 64 rows a word."""

STREAM_LABEL: Final = "isthmus/diffusion/2"
MAX_INPUT_BITS: Final = 2**16

_NUMBERS: Final = Struct("<16H")
"""A block of the stream: 16-bit little-endian numbers."""

_WORD: Final = np.dtype("<u8")
_WORD_BITS: Final = 64
_BLOCK_ROWS: Final = 2**12
"""So many rows at a time: their planes take 1.5 MiB, which a core's cache holds."""

_OUTPUTS_AT_ONCE: Final = 128
_LOOKED_UP_AT_ONCE: Final = 2**8
"""Rows whose entries are numbered at a time: half a megabyte."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boxes:
    """The boxes of a map. `positions`: uint16, shape (output_bits,), eight a box, the first for the highest bit.

    `tables`: uint8, shape (output_bits / 8, 256): what box k gives for each byte. `order`: uint16, shape
    (output_bits,): output bit q takes bit `order[q]` of all boxes' bytes, bit p being bit 7 - p % 8 of byte p // 8.
    """

    positions: Taps
    tables: Packed
    order: Taps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiffusionMap:
    """A keyed map from filters to diffused CLKs. `taps`: uint16, shape (output_bits, taps), in the order drawn."""

    taps: Taps
    boxes: Boxes


def draw_map(key: bytes, *, input_bits: int, output_bits: int, taps: int) -> DiffusionMap:
    """Give the map that a key stands for (docs/protocol.md section 5).

    Each part has its own stream: HMAC-SHA256 under the key over `isthmus/diffusion/2|PART` and a 4-byte big-endian
    counter from 0, block after block; numbers are 16 bits little-endian, skipped or taken modulo the range so that
    none is likelier than another. `taps`: output 0 takes positions until it has `taps` different ones; then output 1;
    and so on. `boxes`: all positions in the order in which each first comes, again and again, until there are
    `output_bits`. `tables`: the bytes of the stream, 256 a box. `order`: all box bits in the order in which each first
    comes.

    Args:
        key: secret, any length; 32 bytes in use.
        input_bits: length of the filter, 1 to 65,536.
        output_bits: length of the diffused CLK, a multiple of 8, at most 65,536.
        taps: how many positions an output bit has, 1 to `input_bits`.

    Raises:
        ValueError: there are not `taps` different positions of 16 bits, or outputs that fill no whole boxes.
    """
    if not 1 <= taps <= input_bits <= MAX_INPUT_BITS or output_bits % BOX_BITS or output_bits > MAX_INPUT_BITS:
        msg = (
            f"cannot draw {taps} different positions out of {input_bits} for {output_bits} bits;"
            f" at most {MAX_INPUT_BITS} can be addressed, in whole boxes of {BOX_BITS}"
        )
        raise ValueError(msg)
    positions = _positions(key, "taps", input_bits)
    drawn = [_distinct(positions, taps) for _ in range(output_bits)]
    return DiffusionMap(
        taps=np.array(drawn, dtype=np.uint16).reshape(output_bits, taps),
        boxes=_draw_boxes(key, input_bits=input_bits, output_bits=output_bits),
    )


def diffuse(filters: Packed, chosen: DiffusionMap) -> Packed:
    """Give the diffused CLK of each filter: output bit q of a row is its box bit XOR its input bits `taps[q]`.

    Args:
        filters: uint8, shape (rows, input_bits / 8); bit p is bit 7 - p % 8 of byte p // 8.
        chosen: as `draw_map` gives it.

    Returns:
        uint8, shape (rows, output_bits / 8), bits in the same order.

    Raises:
        ValueError: input or output are no whole number of 64-bit words, or a position lies outside the filter.
    """
    taps, boxes, input_bits = chosen.taps, chosen.boxes, 8 * filters.shape[1]
    outputs, furthest = len(taps), max(taps.max(initial=0), boxes.positions.max(initial=0))
    if outputs % _WORD_BITS or input_bits % _WORD_BITS or furthest >= input_bits:
        msg = f"cannot diffuse {input_bits} bits to {outputs}: whole 64-bit words and taps inside them are needed"
        raise ValueError(msg)
    diffused = np.empty((len(filters), outputs // 8), dtype=np.uint8)
    for start in range(0, len(filters), _BLOCK_ROWS):
        inside = slice(start, start + _BLOCK_ROWS)
        planes = _to_planes(filters[inside])
        mixed = _mix(planes, taps)
        mixed ^= _box_planes(planes, boxes)
        diffused[inside] = _to_rows(mixed)[: len(diffused[inside])]
    return diffused


def _draw_boxes(key: bytes, *, input_bits: int, output_bits: int) -> Boxes:
    positions = _positions(key, "boxes", input_bits)
    rounds = -(-output_bits // input_bits)
    read = [place for _ in range(rounds) for place in _distinct(positions, input_bits)]
    entries = islice(chain.from_iterable(_blocks(key, "tables")), output_bits // BOX_BITS * 256)
    return Boxes(
        positions=np.array(read[:output_bits], dtype=np.uint16),
        tables=np.frombuffer(bytes(entries), dtype=np.uint8).reshape(-1, 256),
        order=np.array(_distinct(_positions(key, "order", output_bits), output_bits), dtype=np.uint16),
    )


def _blocks(key: bytes, part: str) -> Iterator[bytes]:
    label = f"{STREAM_LABEL}|{part}".encode("ascii")
    return (hmac.digest(key, label + counter.to_bytes(4, "big"), "sha256") for counter in count())


def _positions(key: bytes, part: str, below: int) -> Iterator[int]:
    """Give positions without end, each equally likely."""
    usable = MAX_INPUT_BITS - MAX_INPUT_BITS % below
    for block in _blocks(key, part):
        yield from [number % below for number in _NUMBERS.unpack(block) if number < usable]


def _distinct(positions: Iterator[int], wanted: int) -> list[int]:
    # A dict keeps the order in which they were drawn.
    found = dict.fromkeys(islice(positions, wanted))
    while len(found) < wanted:
        found[next(positions)] = None
    return list(found)


def _mix(planes: Planes, taps: Taps) -> Planes:
    """XOR the planes that each output taps. Some outputs at a time: what is gathered stays in cache."""
    mixed = np.empty((len(taps), planes.shape[1]), dtype=_WORD)
    gathered = np.empty_like(mixed[:_OUTPUTS_AT_ONCE])
    for start in range(0, len(taps), _OUTPUTS_AT_ONCE):
        some, into = taps[start : start + _OUTPUTS_AT_ONCE], mixed[start : start + _OUTPUTS_AT_ONCE]
        another = gathered[: len(into)]
        # The mode spares a copy; `diffuse` has seen to it that all taps are inside.
        np.take(planes, some[:, 0], axis=0, out=into, mode="clip")
        for tap in range(1, taps.shape[1]):
            np.take(planes, some[:, tap], axis=0, out=another, mode="clip")
            into ^= another
    return mixed


def _box_planes(planes: Planes, boxes: Boxes) -> Planes:
    """Look up what the boxes give, in the order of the outputs."""
    read = _to_rows(np.take(planes, boxes.positions, axis=0, mode="clip"))
    given, flat = np.empty_like(read), boxes.tables.ravel()
    first_entry = np.arange(0, flat.size, 256, dtype=np.intp)
    for start in range(0, len(read), _LOOKED_UP_AT_ONCE):
        inside = slice(start, start + _LOOKED_UP_AT_ONCE)
        np.take(flat, read[inside] + first_entry, out=given[inside], mode="clip")
    return np.take(_to_planes(given), boxes.order, axis=0, mode="clip")


def _to_planes(filters: Packed) -> Planes:
    """Transpose rows of bits to planes; zero rows fill the last word. Which row is which bit, `_to_rows` knows."""
    groups = -(-len(filters) // _WORD_BITS)
    filled = np.zeros((groups * _WORD_BITS, filters.shape[1]), dtype=np.uint8)
    filled[: len(filters)] = filters
    words = filled.view(_WORD).reshape(_WORD_BITS, groups, -1)
    _transpose_in_place(words)
    planes = np.ascontiguousarray(words.transpose(2, 0, 1)).reshape(-1, groups)
    return _in_bit_order(planes)


def _to_rows(planes: Planes) -> Packed:
    """Undo `_to_planes`, filling rows included."""
    groups = planes.shape[1]
    words = np.ascontiguousarray(_in_bit_order(planes).reshape(-1, _WORD_BITS, groups).transpose(1, 2, 0))
    _transpose_in_place(words)
    return words.view(np.uint8).reshape(groups * _WORD_BITS, -1)


def _in_bit_order(planes: Planes) -> Planes:
    """Reverse every eight planes: a CLK counts the bits of a byte from the highest, a word from the lowest."""
    reversed_bytes: Planes = planes.reshape(-1, 8, planes.shape[1])[:, ::-1].reshape(planes.shape)
    return reversed_bytes


def _transpose_in_place(words: Planes) -> None:
    """Transpose 64 by 64 bits: bit j of word i and bit i of word j change places, for all words along axes 1 and 2.

    Source: Warren, "Hacker's Delight" (2nd edition, 2012), section 7-3: halves are swapped, then halves of halves.
    """
    half = _WORD_BITS // 2
    while half:
        mask = _WORD.type(sum(1 << bit for bit in range(_WORD_BITS) if not bit & half))
        pairs = words.reshape(-1, 2, half, *words.shape[1:])
        lower, upper = pairs[:, 0], pairs[:, 1]
        # One temporary array and no more: large ones cost as much as the arithmetic.
        moved = lower >> _WORD.type(half)
        moved ^= upper
        moved &= mask
        upper ^= moved
        moved <<= _WORD.type(half)
        lower ^= moved
        half //= 2
