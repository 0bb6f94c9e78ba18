"""Pads of field comparison: numbers that both nodes of a pair derive and the coordinator cannot.

Each part of an answer has a key stream of its own for each two providers: AES-256 in counter mode (NIST SP 800-38A)
under a key by HKDF-SHA256 (RFC 5869). Pad number p reads bytes p * size to (p + 1) * size of it, so that a node can
answer from any pair on. docs/protocol.md section 13.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from isthmus.contract.comparison import TAG_PRIME, VectorPart
from isthmus.contract.ids import PartyId
from isthmus.contract.secret import Secret

AES_BLOCK: Final = 16
LINE_BYTES: Final = 16
"""Bytes of the stream that a tag or band reads for a pair: two numbers of 64 bits."""

_VECTORS_AT_ONCE: Final = 2**9
"""Half a megabyte of the stream: it stays in the processor's cache, which makes it three times as fast."""

Bits = NDArray[np.uint8]
Numbers = NDArray[np.uint64]


def pads_of_lists(pad: Secret, lists: bytes) -> Secret:
    """Give the key, 32 bytes, that the pads of two lists of requests are drawn under, from the round key `pad`.

    A node that forgets what it answered, because its folder was put back from a copy, would take the pads of one list
    for another one: so these depend on the lists. `lists` is `isthmus.contract.field_answers.lists_digest`.
    """
    return derived(pad, f"pad-lists|{lists.hex()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PadKeys:
    """Makes the keys of parts for two providers from `pads_of_lists`; `left` comes first in the project."""

    pad: Secret
    left: PartyId
    right: PartyId

    def stream(self, part: str) -> Secret:
        """Give the key of a part's stream, 32 bytes."""
        return derived(self.pad, f"pad|{self.left}|{self.right}|{part}")


def derived(key: Secret, use: str) -> Secret:
    """Give 32 bytes for one use of a round key."""
    info = f"isthmus/1|{use}".encode("ascii")
    return Secret(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.reveal()))


def stream(key: Secret, *, first: int, count: int, size: int) -> NDArray[np.uint8]:
    """Give the bytes of the stream for pairs `first` to `first + count`, uint8, shape (count, size).

    Raises:
        ValueError: the size is not a multiple of 16.
    """
    if size % AES_BLOCK:
        raise ValueError("a pair must read whole blocks")
    counter = (first * size // AES_BLOCK).to_bytes(AES_BLOCK, "big")
    encryptor = Cipher(AES256(key.reveal()), CTR(counter)).encryptor()
    return np.frombuffer(encryptor.update(bytes(count * size)), np.uint8).reshape(count, size)


def consecutive(first: int, count: int) -> Numbers:
    """Give so many pad numbers from `first` on, uint64."""
    return np.arange(first, first + count, dtype=np.uint64)


def lines_of(key: Secret, numbers: Numbers, *, size: int) -> NDArray[np.uint8]:
    """Give the bytes of the stream for these pad numbers, in any order, shape (pairs, size).

    Of two pads a place one is asked for, and making both would cost more than making these counters.

    Raises:
        ValueError: the size is not a multiple of 16.
    """
    if size % AES_BLOCK:
        raise ValueError("a pair must read whole blocks")
    blocks = size // AES_BLOCK
    counters = np.zeros((numbers.size, blocks, 2), np.uint64)
    np.add((numbers * np.uint64(blocks))[:, None], np.arange(blocks, dtype=np.uint64), out=counters[:, :, 1])
    # Each block is a counter of its own and none comes twice: ECB is what counter mode is made of.
    encryptor = Cipher(AES256(key.reveal()), ECB()).encryptor()  # noqa: S305 - as said above
    lines = encryptor.update(counters.astype(">u8").tobytes())
    return np.frombuffer(lines, np.uint8).reshape(numbers.size, size)


def padded_vectors(vectors: Bits, part: VectorPart, key: Secret, *, numbers: Numbers) -> Bits:
    """Give vectors with their bits in a secret order and under a one-time pad, packed.

    The order of a pair's bits is that of 31-bit numbers of the stream, the same on both sides, so that two padded
    vectors differ in as many bits as the vectors. Where two numbers are equal, which happens to one vector of 256 bits
    in 60,000, a 0 goes before a 1, and the difference may be out by two.

    Args:
        vectors: uint8, shape (pairs, bytes), packed, the first bit highest.
        part: which they are of.
        key: of the part's stream.
        numbers: the pads' numbers, uint64, shape (pairs,), rising.

    Returns:
        uint8, shape (pairs, bytes).
    """
    padded = np.empty_like(vectors)
    for start in range(0, len(vectors), _VECTORS_AT_ONCE):
        some = slice(start, start + _VECTORS_AT_ONCE)
        padded[some] = _padded(vectors[some], part, key, numbers[some])
    return padded


def _padded(vectors: Bits, part: VectorPart, key: Secret, numbers: Numbers) -> Bits:
    size = -(-(4 * part.bits + part.answer_bytes) // AES_BLOCK) * AES_BLOCK
    lines = lines_of(key, numbers, size=size)
    # The bit rides in the lowest place of its number: sorting moves it, and costs less than a gather.
    order = lines.view("<u4")[:, : part.bits] & np.uint32(0xFFFFFFFE)
    order |= np.unpackbits(vectors, axis=1, count=part.bits)
    order.sort(axis=1)
    order &= np.uint32(1)
    padded: Bits = np.packbits(order.astype(np.uint8), axis=1) ^ lines[:, 4 * part.bits :][:, : part.answer_bytes]
    return padded


def line_values(values: Numbers, key: Secret, *, numbers: Numbers) -> Numbers:
    """Give a * value + b modulo 2^31 - 1 for each pair, a and b being its own: uint64, shape (pairs,).

    Equal values stay equal, and two unequal ones become any two unequal values with the same chance.

    Args:
        values: uint64, shape (pairs,), below 2^31 - 1.
        key: of the stream that a (not 0) and b are read from.
        numbers: the pads' numbers, uint64, shape (pairs,), rising.
    """
    lines: Numbers = np.ascontiguousarray(lines_of(key, numbers, size=LINE_BYTES)).view(np.dtype("<u8"))
    prime = np.uint64(TAG_PRIME)
    slope = lines[:, 0] % (prime - np.uint64(1)) + np.uint64(1)
    on_line: Numbers = (slope * values + lines[:, 1] % prime) % prime
    return on_line
