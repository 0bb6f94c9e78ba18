"""Encodings as vectors whose inner product is a similarity, under keys that the caller makes up.

Vectors stay packed and are unpacked some rows at a time. A plain CLK is centred, bit by bit, so that bits that most
rows share do not count as likeness; a diffused CLK is taken as signs, whose inner product is a correlation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import BOX_BITS, HardenedProfile, Table
from isthmus.contract.ids import RandomBytes
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.profile import Profile
from isthmus.contract.secret import Secret
from isthmus.node.encode.hardened import RoundKeys, encode_hardened
from isthmus.node.encode.interop import encode_interop

Columns = Mapping[str, Sequence[str]]
"""Standard field -> normalised values, one a row."""

AnyProfile = Profile | HardenedProfile
Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Packed = NDArray[np.uint8]

KEY_BYTES: Final = 32
PLAIN_TABLE: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vectors:
    """The encodings of all rows in one table.

    `packed`: uint8, shape (rows, bits / 8), zero where a row is not in the table. `present`: bool, shape (rows,).
    `offset`: float32, shape (bits,), taken off each bit; `scale` then multiplies it, so that a vector's inner product
    with itself is 1, in the mean.
    """

    packed: Packed
    present: NDArray[np.bool_]
    offset: Floats
    scale: float

    def unpack(self, rows: Rows) -> Floats:
        """The vectors of some rows, float32, shape (len(rows), bits); zero where a row is not in the table."""
        bits = np.unpackbits(self.packed[rows], axis=1).astype(np.float32)
        bits -= self.offset
        bits *= self.scale * self.present[rows, None]
        return bits

    def similarity(self, left: Rows, right: Rows) -> Floats:
        """Inner products, float32, shape (len(left), len(right)); 0 where either row is not in the table."""
        product: Floats = self.unpack(left) @ self.unpack(right).T
        return product

    def take(self, rows: Rows) -> "Vectors":
        """The same vectors in another order, or some of them."""
        return Vectors(packed=self.packed[rows], present=self.present[rows], offset=self.offset, scale=self.scale)


EncodedTables = Mapping[str, Vectors]
"""Table -> encodings; every table has all rows, in one order."""


def row_count(tables: EncodedTables) -> int:
    """How many rows the tables have."""
    return len(next(iter(tables.values())).packed)


def encode_tables(columns: Columns, *, profile: AnyProfile, random_bytes: RandomBytes) -> EncodedTables:
    """The CLKs of all rows under a fresh key; tags of match keys, of which no two in a file are equal, are left out.

    Raises:
        InvalidValues, ColumnsMismatch: as the encoders do.
    """
    values = [columns[field] for field in profile.fields]
    if isinstance(profile, Profile):
        schema = parse_linkage_schema(profile.linkage_schema)
        return {PLAIN_TABLE: centred(encode_interop(values, schema=schema, secret=random_bytes(KEY_BYTES)))}
    encode, diffusion, match = (Secret(random_bytes(KEY_BYTES)) for _ in range(3))
    keys = RoundKeys(encode=encode, diffusion=diffusion, match=match)
    shape = (len(values[0]), profile.hardening.clk_bits // 8)
    packed = {table.name: np.zeros(shape, dtype=np.uint8) for table in profile.tables}
    present = {table.name: np.zeros(shape[0], dtype=np.bool_) for table in profile.tables}
    for found in encode_hardened(values, profile=profile, keys=keys):
        packed[found.table][found.rows] = found.clks
        present[found.table][found.rows] = True
    return {name: signed(packed[name], present[name]) for name in packed}


def undiffused_tables(columns: Columns, *, profile: AnyProfile, random_bytes: RandomBytes) -> EncodedTables:
    """The Bloom filters of all rows before diffusion, under a fresh key; of a plain profile the CLKs themselves."""
    if isinstance(profile, Profile):
        return encode_tables(columns, profile=profile, random_bytes=random_bytes)
    return {table.name: _filters(columns, table, random_bytes(KEY_BYTES)) for table in profile.tables}


def _filters(columns: Columns, table: Table, secret: bytes) -> Vectors:
    values = [columns[field] for field in table.fields]
    filters = encode_interop(values, schema=parse_linkage_schema(table.linkage_schema), secret=secret)
    return signed(filters, np.ones(len(filters), dtype=np.bool_))


def signed(packed: Packed, present: NDArray[np.bool_]) -> Vectors:
    """Vectors of signs: a set bit is 1, another -1, divided by the square root of their number."""
    bits = 8 * packed.shape[1]
    return Vectors(packed=packed, present=present, offset=np.full(bits, 0.5, np.float32), scale=2 / bits**0.5)


def centred(packed: Packed, present: NDArray[np.bool_] | None = None) -> Vectors:
    """Vectors less the mean vector, scaled to length 1 in the mean; all rows are present where nothing is said."""
    there = np.ones(len(packed), dtype=np.bool_) if present is None else present
    density: NDArray[np.float64] = np.unpackbits(packed[there], axis=1).mean(axis=0, dtype=np.float64)
    spread = float(np.sum(density * (1 - density)))
    return Vectors(packed=packed, present=there, offset=density.astype(np.float32), scale=1 / max(spread, 1.0) ** 0.5)


def boxed_of(profile: AnyProfile) -> int:
    """How many input bits a box bit is made of: none where nothing is diffused."""
    return BOX_BITS if isinstance(profile, HardenedProfile) else 0


def taps_of(profile: AnyProfile) -> int:
    """How many input bits are XORed to an output bit: 1 where nothing is diffused."""
    return profile.hardening.taps if isinstance(profile, HardenedProfile) else 1
