"""`interop-1`: CLKs that are byte-identical to those of clkhash 0.18.3 (docs/protocol.md).

A CLK is pseudonymous personal data: whoever holds the secret, or enough plaintext beside it, can read it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import Feature, LinkageSchema
from isthmus.node.encode.columns import TokenColumn, tokenize_column
from isthmus.node.encode.errors import BadEntry, ColumnsMismatch, invalid_values
from isthmus.node.encode.filters import compute_filters, words_of
from isthmus.node.encode.hashing import make_hasher
from isthmus.node.encode.keys import KeyPair, derive_feature_keys

_SLAB_ROWS: Final = 2**18
"""Values are made distinct within so many rows, fewer if filters are long: bounded memory for little repeated work."""

_BLOCK_BYTES: Final = 2**23
"""How much of the filters is filled or folded at a time, so that what it takes stays small."""

_SLAB_BITS: Final = 2**31

Columns = Sequence[Sequence[str]]
Progress = Callable[[int], None]
Packed = NDArray[np.uint8]
Tokenized = dict[int, TokenColumn]
"""The columns that are encoded, by their place in the schema."""


def encode_interop(
    columns: Columns,
    *,
    schema: LinkageSchema,
    secret: bytes,
    progress: Progress | None = None,
) -> Packed:
    """Give the packed CLK of each row.

    Args:
        columns: `columns[j][i]` is the value of feature j in row i; ignored features have a column too.
        schema: how values become bits.
        secret: the linkage secret; equal secrets and schemas give comparable CLKs.
        progress: called now and then with the rows that the work done so far stands for, rising to the number of rows.

    Returns:
        uint8, shape (rows, ceil(clk_bits / 8)). Bit p of a CLK is bit 7 - p % 8 of byte p // 8; a last byte that is not
        full ends in zero bits, as `bitarray.tobytes()` has it.

    Raises:
        ColumnsMismatch: the columns are not as many as the features, or not of one length.
        InvalidValues: entries do not fit their feature's format; all are looked at before this is raised.
    """
    rows = count_rows(columns, schema)
    keys = derive_feature_keys(schema, secret)
    clks = np.empty((rows, schema.clk_bytes), dtype=np.uint8)
    bad: list[BadEntry] = []
    for slab in _slabs(rows, schema.filter_bits):
        inside = slice(slab.start, slab.stop)
        tokenized, faults = _tokenize([column[inside] for column in columns], schema, first_row=slab.start + 1)
        bad += faults
        if not bad:
            clks[inside] = _encode(tokenized, slab, schema=schema, keys=keys, report=progress or _silent)
    if bad:
        raise invalid_values(bad)
    return clks


def count_rows(columns: Columns, schema: LinkageSchema) -> int:
    """Give how many rows the columns have; raise `ColumnsMismatch` where they are not the schema's."""
    if len(columns) != len(schema.features):
        raise ColumnsMismatch(problem=f"{len(columns)} columns for {len(schema.features)} features")
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        raise ColumnsMismatch(problem=f"columns of {lengths[0]} and of {lengths[-1]} rows")
    return lengths[0]


def require_valid(columns: Columns, schema: LinkageSchema) -> None:
    """Raise what `encode_interop` would raise for these columns, and encode nothing."""
    count_rows(columns, schema)
    _, bad = _tokenize(columns, schema, first_row=1)
    if bad:
        raise invalid_values(bad)


def _tokenize(columns: Columns, schema: LinkageSchema, *, first_row: int) -> tuple[Tokenized, list[BadEntry]]:
    tokenized, bad = dict[int, TokenColumn](), list[BadEntry]()
    for index, (column, feature) in enumerate(zip(columns, schema.features, strict=True)):
        if isinstance(feature, Feature):
            found = tokenize_column(column, feature, first_row=first_row)
            if isinstance(found, TokenColumn):
                tokenized[index] = found
            else:
                bad += found
    return tokenized, bad


def _encode(
    tokenized: Tokenized, slab: range, *, schema: LinkageSchema, keys: Sequence[KeyPair], report: Progress
) -> Packed:
    filters = np.zeros((len(slab), words_of(schema.filter_bits)), dtype=np.uint64)
    for done, (index, column) in enumerate(tokenized.items()):
        report(slab.start + len(slab) * done // len(tokenized))
        hasher = make_hasher(column.feature.token_hash, keys=keys[index], filter_bits=schema.filter_bits)
        distinct = compute_filters(column, hasher=hasher, filter_bits=schema.filter_bits)
        for block in _row_blocks(filters):
            filters[block] |= distinct[column.value_of_row[block]]
    report(slab.stop)
    return _fold(filters.view(np.uint8), schema)


def _fold(filters: Packed, schema: LinkageSchema) -> Packed:
    """XOR the 2**folds equal parts of each filter; this is what folding in halves, folds times, comes to."""
    if schema.xor_folds == 0:
        return filters[:, : schema.clk_bytes]
    folded = np.empty((len(filters), schema.clk_bytes), dtype=np.uint8)
    for block in _row_blocks(filters):
        bits = np.unpackbits(filters[block], axis=1, count=schema.filter_bits)
        parts = bits.reshape(len(bits), -1, schema.clk_bits)
        folded[block] = np.packbits(np.bitwise_xor.reduce(parts, axis=1), axis=1)
    return folded


def _row_blocks(filters: Packed | NDArray[np.uint64]) -> Iterator[slice]:
    step = max(1, _BLOCK_BYTES // filters[:1].nbytes)
    for start in range(0, len(filters), step):
        yield slice(start, start + step)


def _slabs(rows: int, filter_bits: int) -> Iterator[range]:
    step = max(1, min(_SLAB_ROWS, _SLAB_BITS // filter_bits))
    for start in range(0, rows, step):
        yield range(start, min(start + step, rows))


def _silent(_rows: int) -> None:
    """Report nothing."""
