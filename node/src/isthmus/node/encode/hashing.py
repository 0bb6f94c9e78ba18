"""Bit positions of tokens under a feature's keys, byte-identical to clkhash 0.18.3.

A token is hashed once to a **seed** (bytes that hold all of its positions), and the seeds of many tokens are turned
into a matrix of positions at once. The first k positions of a token do not depend on how many more are taken.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import BlakeHash, TokenHash
from isthmus.node.encode.keys import KeyPair

Positions = NDArray[np.int64]

_SHORTS: Final = 32
"""A BLAKE2b digest of 64 bytes gives this many 16-bit positions."""


class TokenHasher(Protocol):
    """Turns tokens into bit positions in a filter of a fixed length."""

    def seed(self, token: bytes, count: int) -> bytes:
        """Give the bytes that hold the first `count` or more positions of a token; at least one."""
        ...

    def positions(self, seeds: Sequence[bytes], count: int) -> Positions:
        """Give int64, shape (len(seeds), count), in [0, filter_bits).

        Where a seed was made for fewer positions, only those are meaningful in its row.
        """
        ...


def make_hasher(token_hash: TokenHash, *, keys: KeyPair, filter_bits: int) -> TokenHasher:
    """Give the hasher of one feature; `filter_bits` is the length before XOR folding."""
    if isinstance(token_hash, BlakeHash):
        return BlakeHasher(key=keys[0], filter_bits=filter_bits)
    return DoubleHasher(
        sha1_key=keys[0],
        md5_key=keys[1],
        filter_bits=filter_bits,
        prevent_singularity=token_hash.prevent_singularity,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BlakeHasher:
    """Positions are consecutive 16-bit little-endian slices of BLAKE2b, whose salt counts the digests in decimal.

    A filter longer than 65,536 bits is therefore set in its first 65,536 bits only.
    """

    key: bytes
    filter_bits: int

    def seed(self, token: bytes, count: int) -> bytes:
        """Give as many digests as hold `count` positions."""
        digests = -(-count // _SHORTS)
        return b"".join(blake2b(token, key=self.key, salt=b"%d" % salt).digest() for salt in range(digests))

    def positions(self, seeds: Sequence[bytes], count: int) -> Positions:
        """Give the positions; see `TokenHasher`."""
        width = 2 * count
        packed = b"".join(seed[:width].ljust(width, b"\0") for seed in seeds)
        shorts = np.frombuffer(packed, dtype="<u2").reshape(len(seeds), count)
        return shorts.astype(np.int64) % self.filter_bits


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleHasher:
    """Positions are h1 + i * h2 for i = 0, 1, ..., of HMAC-SHA-1 and HMAC-MD5.

    With `prevent_singularity` h2 is drawn anew while it is zero, else such a token sets one bit only.
    Source: Schnell, Bachteler and Reiher (2009).
    """

    sha1_key: bytes
    md5_key: bytes
    filter_bits: int
    prevent_singularity: bool

    def seed(self, token: bytes, count: int) -> bytes:  # noqa: ARG002 - two numbers hold any count of positions.
        """Give both numbers as 64-bit little-endian integers."""
        start = self._residue(self.sha1_key, token, "sha1")
        stride = self._residue(self.md5_key, token, "md5")
        attempt = 0
        while stride == 0 and self.prevent_singularity:
            stride = self._residue(self.md5_key, token + chr(attempt).encode(), "md5")
            attempt += 1
        return start.to_bytes(8, "little") + stride.to_bytes(8, "little")

    def positions(self, seeds: Sequence[bytes], count: int) -> Positions:
        """Give the positions; see `TokenHasher`."""
        numbers = np.frombuffer(b"".join(seeds), dtype="<i8").reshape(len(seeds), 2)
        steps = np.arange(count, dtype=np.int64)
        reached: Positions = numbers[:, :1] + steps * numbers[:, 1:]
        return reached % self.filter_bits

    def _residue(self, key: bytes, token: bytes, digest: str) -> int:
        return int.from_bytes(hmac.digest(key, token, digest), "big") % self.filter_bits
