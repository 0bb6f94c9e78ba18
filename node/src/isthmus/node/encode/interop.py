"""`interop-1`: CLKs that are byte-identical to those of clkhash 0.18.3 (docs/protocol.md).

A CLK is pseudonymous personal data: whoever holds the secret, or enough plaintext beside it, can read it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import Feature, LinkageSchema
from isthmus.node.encode.columns import ColumnTokenizer, TokenColumn
from isthmus.node.encode.errors import BadEntry, ColumnsMismatch, invalid_values
from isthmus.node.encode.filters import Filters, words_of
from isthmus.node.encode.hashing import make_hasher
from isthmus.node.encode.keys import KeyPair, derive_feature_keys
from isthmus.node.encode.token_filters import TokenFilters, ValueFilters, blocks, row_filters

_PART_ROWS: Final = 2**15
"""So many rows are encoded at a time, fewer if filters are long: bounded memory."""

_PART_BITS: Final = 2**28

_KEPT_BYTES: Final = 100 * 2**20
"""The most that the filters of values which are kept from part to part may take: of 12 features of 1024 bits, 68,000
values each. Their spelling takes as much again."""

_BLOCK_BYTES: Final = 2**23
"""How much of the filters is folded at a time, so that what it takes stays small."""

Columns = Sequence[Sequence[str]]
Progress = Callable[[int], None]
Packed = NDArray[np.uint8]
Tokenized = dict[int, TokenColumn]
Tokenizers = dict[int, ColumnTokenizer]
"""By place in the schema; ignored features have none."""


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
    (clks,) = encode_interop_slabs([columns], schema=schema, secret=secret, progress=progress)
    return clks


def encode_interop_slabs(
    slabs: Iterable[Columns],
    *,
    schema: LinkageSchema,
    secret: bytes,
    progress: Progress | None = None,
) -> Iterator[Packed]:
    """Give what `encode_interop` gives for columns that come in pieces: one array for each slab, in order.

    Slabs are taken one at a time and may be of any length; beside the CLKs of one slab, memory does not grow with their
    number or length. Rows count through all slabs, for `progress` as in errors.

    Raises:
        ColumnsMismatch: a slab's columns are not as many as the features, or not of one length.
        InvalidValues: entries do not fit. Slabs before the first such entry may have been given already; the rest is
            looked at before this is raised, so that it names all.
    """
    encoder = _Encoder(schema, secret=secret, progress=progress or _silent)
    for slab in slabs:
        clks = encoder.encode(slab)
        if not encoder.bad:
            yield clks
    if encoder.bad:
        raise invalid_values(encoder.bad)


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
    _, bad = _tokenize(columns, _tokenizers(schema), first_row=0)
    if bad:
        raise invalid_values(bad)


def _tokenizers(schema: LinkageSchema) -> Tokenizers:
    features = {place: each for place, each in enumerate(schema.features) if isinstance(each, Feature)}
    kept_values = _KEPT_BYTES // (8 * words_of(schema.filter_bits) * max(1, len(features)))
    return {place: ColumnTokenizer(feature, kept_values=kept_values) for place, feature in features.items()}


def _tokenize(columns: Columns, tokenizers: Tokenizers, *, first_row: int) -> tuple[Tokenized, list[BadEntry]]:
    tokenized, bad = Tokenized(), list[BadEntry]()
    for index, tokenizer in tokenizers.items():
        found = tokenizer.tokenize(columns[index], first_row=first_row + 1)
        if isinstance(found, TokenColumn):
            tokenized[index] = found
        else:
            bad += found
    return tokenized, bad


def _value_filters(feature: Feature, *, keys: KeyPair, filter_bits: int) -> ValueFilters:
    hasher = make_hasher(feature.token_hash, keys=keys, filter_bits=filter_bits)
    return ValueFilters(TokenFilters(hasher, filter_bits=filter_bits), strategy=feature.strategy)


class _Encoder:
    """A schema under a secret: the values of its features and their filters, and what was wrong so far."""

    def __init__(self, schema: LinkageSchema, *, secret: bytes, progress: Progress) -> None:
        self._schema, self._report = schema, progress
        self._tokenizers = _tokenizers(schema)
        self._values = {
            index: _value_filters(tokenizer.feature, keys=keys, filter_bits=schema.filter_bits)
            for index, keys in enumerate(derive_feature_keys(schema, secret))
            if (tokenizer := self._tokenizers.get(index)) is not None
        }
        self._rows = 0
        self.bad: list[BadEntry] = []

    def encode(self, columns: Columns) -> Packed:
        """Give the CLKs of a slab; where entries are bad, now or before, they mean nothing."""
        rows = count_rows(columns, self._schema)
        clks = np.empty((rows, self._schema.clk_bytes), dtype=np.uint8)
        for part in blocks(0, rows, min(_PART_ROWS, _PART_BITS // self._schema.filter_bits)):
            tokenized, faults = _tokenize([column[part] for column in columns], self._tokenizers, first_row=self._rows)
            self.bad += faults
            if not self.bad:
                filters = self._filters(tokenized, rows=part.stop - part.start)
                clks[part] = _fold(filters.view(np.uint8), self._schema)
            self._rows += part.stop - part.start
        self._report(self._rows)
        return clks

    def _filters(self, tokenized: Tokenized, *, rows: int) -> Filters:
        filters = np.zeros((rows, words_of(self._schema.filter_bits)), dtype=np.uint64)
        for done, (index, column) in enumerate(tokenized.items()):
            self._report(self._rows + rows * done // len(tokenized))
            row_filters(self._values[index].take_in(column), column.value_of_row, into=filters)
        return filters


def _fold(filters: Packed, schema: LinkageSchema) -> Packed:
    """XOR the 2**folds equal parts of each filter; this is what folding in halves, folds times, comes to."""
    if schema.xor_folds == 0:
        return filters[:, : schema.clk_bytes]
    folded = np.empty((len(filters), schema.clk_bytes), dtype=np.uint8)
    for block in blocks(0, len(filters), _BLOCK_BYTES // filters.shape[1]):
        bits = np.unpackbits(filters[block], axis=1, count=schema.filter_bits)
        parts = bits.reshape(len(bits), -1, schema.clk_bits)
        folded[block] = np.packbits(np.bitwise_xor.reduce(parts, axis=1), axis=1)
    return folded


def _silent(_rows: int) -> None:
    """Report nothing."""
