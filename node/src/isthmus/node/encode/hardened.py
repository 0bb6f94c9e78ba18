"""`hardened-1` and `hardened-single-1`: a diffused CLK for each row and table that the row may enter.

Rows are taken in slabs, so that memory does not grow with their number; of each slab the values are cut into tokens
once, for all tables. Keys: docs/decisions/0009-diffusion.md. A CLK is pseudonymous personal data: whoever holds the
secret can try names.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from isthmus.contract.hardened import Group, HardenedProfile, Table
from isthmus.contract.linkage_schema import Feature, parse_linkage_schema
from isthmus.contract.secret import Secret
from isthmus.node.encode.columns import ColumnTokenizer, TokenColumn
from isthmus.node.encode.diffusion import Packed, diffuse, draw_map
from isthmus.node.encode.errors import BadEntry, ColumnsMismatch, invalid_values
from isthmus.node.encode.filters import words_of
from isthmus.node.encode.hashing import make_hasher
from isthmus.node.encode.keys import derive_feature_keys
from isthmus.node.encode.token_filters import TokenFilters, make_filters, row_filters

SLAB_ROWS: Final = 2**15
"""Rows of a slab when columns are given whole: tokens of some 10 fields and CLKs of one table take some 60 MB."""

_KEPT_BYTES: Final = 2**25
"""The filters of tokens that all tables together keep from slab to slab."""

Columns = Sequence[Sequence[str]]
Progress = Callable[[int], None]
Rows = NDArray[np.int64]
Tokenized = dict[str, TokenColumn]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundKeys:
    """The round keys that encoding needs: `encode`, `diffusion` and `match` (docs/protocol.md section 4)."""

    encode: Secret
    diffusion: Secret
    match: Secret


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableRows:
    """What some rows send to one table.

    `rows`: int64, shape (n,), rising, the rows' numbers, from 0 over all rows given; rows that lack a group are not
    there. `clks`: uint8, shape (n, clk_bits / 8); bit q is bit 7 - q % 8 of byte q // 8.
    """

    table: str
    rows: Rows
    clks: Packed


def table_key(key: Secret, *, profile: str, table: str) -> Secret:
    """Give the 32-byte key of one table: HKDF-SHA256 of a round key, info `isthmus/1|table|PROFILE|TABLE`, no salt."""
    info = f"isthmus/1|table|{profile}|{table}".encode("ascii")
    return Secret(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.reveal()))


def encode_hardened(
    columns: Columns, *, profile: HardenedProfile, keys: RoundKeys, progress: Progress | None = None
) -> Iterator[TableRows]:
    """Give the diffused CLKs of all rows, slab after slab and table after table within a slab.

    Args:
        columns: `columns[j][i]` is the normalised value of field j of the profile in row i; "" is missing.
        profile: tables and numbers.
        keys: equal keys and profiles give comparable CLKs.
        progress: called after each table of a slab with the rows that the work done so far stands for.

    Raises:
        ColumnsMismatch: the columns are not as many as the fields, or not of one length.
        InvalidValues: entries cannot be encoded. Slabs before the first such entry may have been given already; the
            rest is looked at before this is raised, so that it names all.
    """
    rows = _count_rows(columns, profile)
    slabs = ([column[start : start + SLAB_ROWS] for column in columns] for start in range(0, rows, SLAB_ROWS))
    return encode_slabs(slabs, profile=profile, keys=keys, progress=progress)


def encode_slabs(
    slabs: Iterable[Columns], *, profile: HardenedProfile, keys: RoundKeys, progress: Progress | None = None
) -> Iterator[TableRows]:
    """Give what `encode_hardened` gives for columns that come in pieces and need not fit into memory together."""
    encoders = [_TableEncoder(table, profile=profile, keys=keys) for table in profile.tables]
    features = {feature.identifier: feature for feature in encoders[0].features}
    tokenizers = [ColumnTokenizer(features[field]) for field in profile.fields]
    start, bad = 0, list[BadEntry]()
    for slab in slabs:
        rows = _count_rows(slab, profile)
        tokenized, faults = _tokenize(slab, tokenizers, first_row=start + 1)
        bad += faults
        if not bad:
            held = {group.name: _holds(group, tokenized) for group in profile.groups}
            for done, encoder in enumerate(encoders, start=1):
                yield encoder.encode(tokenized, held, first_row=start)
                if progress is not None:
                    progress(start + rows * done // len(encoders))
        start += rows
    if bad:
        raise invalid_values(bad)


class _TableEncoder:
    """One table under its keys: the hashes of its tokens, the taps of its diffusion."""

    def __init__(self, table: Table, *, profile: HardenedProfile, keys: RoundKeys) -> None:
        encode, diffusion = (
            table_key(key, profile=profile.name, table=table.name).reveal() for key in (keys.encode, keys.diffusion)
        )
        schema, hardening = parse_linkage_schema(table.linkage_schema), profile.hardening
        self._table, self._filter_bits = table, hardening.filter_bits
        self.features = tuple(feature for feature in schema.features if isinstance(feature, Feature))
        self._tokens = tuple(
            TokenFilters(
                make_hasher(feature.token_hash, keys=pair, filter_bits=hardening.filter_bits),
                filter_bits=hardening.filter_bits,
                kept_bytes=_KEPT_BYTES // sum(len(each.fields) for each in profile.tables),
            )
            for feature, pair in zip(self.features, derive_feature_keys(schema, encode), strict=True)
        )
        self._map = draw_map(
            diffusion, input_bits=hardening.filter_bits, output_bits=hardening.clk_bits, taps=hardening.taps
        )

    def encode(self, tokenized: Tokenized, held: dict[str, NDArray[np.bool_]], *, first_row: int) -> TableRows:
        """Give the CLKs of the slab's rows that hold both groups of one of the table's pairs."""
        rows = np.flatnonzero(np.logical_or.reduce([held[left] & held[right] for left, right in self._table.pairs]))
        filters = np.zeros((len(rows), words_of(self._filter_bits)), dtype=np.uint64)
        for feature, tokens in zip(self.features, self._tokens, strict=True):
            column = tokenized[feature.identifier]
            values = np.empty((column.value_count, tokens.words), dtype=np.uint64)
            make_filters(column, strategy=feature.strategy, tokens=tokens, into=values)
            row_filters(values, column.value_of_row[rows], into=filters)
        clks = diffuse(filters.view(np.uint8), self._map)
        return TableRows(table=self._table.name, rows=rows + first_row, clks=clks)


def _holds(group: Group, tokenized: Tokenized) -> NDArray[np.bool_]:
    """Say of each row whether it has a value in one of the group's anchors; an empty value is none."""
    held: NDArray[np.bool_] = np.logical_or.reduce([tokenized[anchor].is_held() for anchor in group.anchors])
    return held


def _tokenize(
    slab: Columns, tokenizers: Sequence[ColumnTokenizer], *, first_row: int
) -> tuple[Tokenized, list[BadEntry]]:
    tokenized, bad = Tokenized(), list[BadEntry]()
    for column, tokenizer in zip(slab, tokenizers, strict=True):
        found = tokenizer.tokenize(column, first_row=first_row)
        if isinstance(found, TokenColumn):
            tokenized[tokenizer.feature.identifier] = found
        else:
            bad += found
    return tokenized, bad


def _count_rows(columns: Columns, profile: HardenedProfile) -> int:
    if len(columns) != len(profile.fields):
        raise ColumnsMismatch(problem=f"{len(columns)} columns for {len(profile.fields)} fields")
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        raise ColumnsMismatch(problem=f"columns of {lengths[0]} and of {lengths[-1]} rows")
    return lengths[0]
