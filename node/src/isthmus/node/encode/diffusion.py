"""Keyed linear diffusion: every bit of a diffused CLK is the XOR of a few secret positions of a Bloom filter.

The positions (**taps**) are drawn from a keyed stream and are the same for all rows of a table, so that equal filters
stay equal and nearly equal ones stay similar, while a bit no longer stands for an n-gram. The map is linear over XOR
and no encryption: who holds the key can search for the input. docs/decisions/0009-diffusion.md.

Source: linear diffusion layers for Bloom filters, Armknecht, Heng and Schnell (2023), "Strengthening
privacy-preserving record linkage using diffusion".
"""

import hmac
from collections.abc import Iterator
from itertools import islice
from struct import Struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

Packed = NDArray[np.uint8]
Taps = NDArray[np.uint16]
Planes = NDArray[np.uint64]
"""`planes[p]` holds bit p of 64 rows a word."""

STREAM_LABEL: Final = b"isthmus/diffusion/1"
MAX_INPUT_BITS: Final = 2**16

_NUMBERS: Final = Struct("<16H")
"""A block of the stream: 16-bit little-endian numbers."""

_WORD: Final = np.dtype("<u8")
_WORD_BITS: Final = 64
_BLOCK_ROWS: Final = 2**12
"""So many rows at a time: their planes take 1.5 MiB, which a core's cache holds."""

_OUTPUTS_AT_ONCE: Final = 128


def diffusion_taps(key: bytes, *, input_bits: int, output_bits: int, taps: int) -> Taps:
    """Give the input positions of each output bit, drawn from the keyed stream (docs/decisions/0009-diffusion.md).

    The stream is HMAC-SHA256 under the key over `isthmus/diffusion/1` and a 4-byte big-endian counter from 0, block
    after block, read as 16-bit little-endian numbers. Numbers of at least 65536 - 65536 mod `input_bits` are skipped,
    so that none is likelier than another; the rest is taken modulo `input_bits`. Output 0 takes positions until it has
    `taps` different ones, skipping those that it has; then output 1; and so on.

    Args:
        key: secret, any length; 32 bytes in use.
        input_bits: length of the filter, 1 to 65,536.
        output_bits: length of the diffused CLK.
        taps: how many positions an output bit has, 1 to `input_bits`.

    Returns:
        uint16, shape (output_bits, taps), each in [0, input_bits), in the order drawn; no row repeats a position.

    Raises:
        ValueError: there are not `taps` different positions of 16 bits.
    """
    if not 1 <= taps <= input_bits <= MAX_INPUT_BITS:
        msg = f"cannot draw {taps} different positions out of {input_bits}; at most {MAX_INPUT_BITS} can be addressed"
        raise ValueError(msg)
    positions = _positions(key, input_bits)
    drawn = [_distinct(positions, taps) for _ in range(output_bits)]
    return np.array(drawn, dtype=np.uint16).reshape(output_bits, taps)


def diffuse(filters: Packed, taps: Taps) -> Packed:
    """Give the diffused CLK of each filter: output bit q of a row is the XOR of its input bits `taps[q]`.

    Args:
        filters: uint8, shape (rows, input_bits / 8); bit p is bit 7 - p % 8 of byte p // 8.
        taps: as `diffusion_taps` gives them.

    Returns:
        uint8, shape (rows, output_bits / 8), bits in the same order.

    Raises:
        ValueError: input or output are no whole number of 64-bit words, or a tap lies outside the filter.
    """
    outputs, input_bits = len(taps), 8 * filters.shape[1]
    if outputs % _WORD_BITS or input_bits % _WORD_BITS or taps.max(initial=0) >= input_bits:
        msg = f"cannot diffuse {input_bits} bits to {outputs}: whole 64-bit words and taps inside them are needed"
        raise ValueError(msg)
    diffused = np.empty((len(filters), outputs // 8), dtype=np.uint8)
    for start in range(0, len(filters), _BLOCK_ROWS):
        inside = slice(start, start + _BLOCK_ROWS)
        rows = len(diffused[inside])
        diffused[inside] = _to_rows(_mix(_to_planes(filters[inside]), taps))[:rows]
    return diffused


def _positions(key: bytes, input_bits: int) -> Iterator[int]:
    """Give positions without end, each equally likely."""
    usable = MAX_INPUT_BITS - MAX_INPUT_BITS % input_bits
    counter = 0
    while True:
        block = hmac.digest(key, STREAM_LABEL + counter.to_bytes(4, "big"), "sha256")
        yield from [number % input_bits for number in _NUMBERS.unpack(block) if number < usable]
        counter += 1


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
