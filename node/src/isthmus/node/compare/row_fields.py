"""The rows of a data set as field comparison sees them: bits of each vector, numbers of each value, bands of names.

Made once a round from normalised columns. All of it is as personal as the values themselves: whoever has the round's
keys can read it. docs/protocol.md section 13.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import (
    BANDS,
    DIGIT_VALUES,
    TAG_PRIME,
    BandPart,
    Comparison,
    Form,
    TagPart,
    VectorPart,
)
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.secret import Secret
from isthmus.node.compare.nicknames import nickname_set
from isthmus.node.compare.pads import derived
from isthmus.node.encode.interop import encode_interop

Column = Sequence[str]
DATE_DIGITS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowFields:
    """What one provider answers from.

    Attributes:
        vectors: by name of a vector part, uint8, shape (rows, bytes), packed.
        numbers: by (kind, value) of tag and band parts, uint64, shape (rows,), below 2^31 - 1.
        bands: by value, uint8, shape (rows,), 0 to 3.
        present: by vector part or value, bool, shape (rows,): which rows have it.
    """

    vectors: Mapping[str, NDArray[np.uint8]]
    numbers: Mapping[tuple[str, str], NDArray[np.uint64]]
    bands: Mapping[str, NDArray[np.uint8]]
    present: Mapping[str, NDArray[np.bool_]]


def read_row_fields(
    columns: Mapping[str, Column], comparison: Comparison, *, compare: Secret, pad: Secret
) -> RowFields:
    """Make them from the normalised columns of the comparison's fields, of all rows of a data set at once.

    Args:
        columns: by field, values in the normal form of `norm-1`; "" is missing.
        comparison: which parts.
        compare, pad: the round keys of these labels.
    """
    rows = read_values(columns, comparison, compare=compare, pad=pad)
    named = [part for part in comparison.parts if isinstance(part, BandPart)]
    bands = {
        part.value: bands_of(
            rows.numbers[part.kind, part.value].astype(np.uint32),
            rows.present[part.value],
            rows=len(columns[part.value]),
        )
        for part in named
    }
    return replace(rows, bands=bands)


def read_values(columns: Mapping[str, Column], comparison: Comparison, *, compare: Secret, pad: Secret) -> RowFields:
    """Make them as `read_row_fields`, but for bands: for some rows of a data set, whose others are not known yet."""
    vectors, numbers, present = {}, {}, {}
    for part in comparison.parts:
        if isinstance(part, VectorPart):
            column = columns[part.field]
            vectors[part.name] = _vectors(column, part, compare)
            present[part.name] = np.array([_fits(value, part) for value in column], np.bool_)
            continue
        for value in (part.left, part.right) if isinstance(part, TagPart) else (part.value,):
            column = value_column(columns, value)
            numbers[part.kind, value] = _numbers(column, derived(pad, f"pad-value|{part.kind}"))
            present[value] = np.array([one != "" for one in column], np.bool_)
    return RowFields(vectors=vectors, numbers=numbers, bands={}, present=present)


def bands_of(numbers: NDArray[np.uint32], present: NDArray[np.bool_], *, rows: int) -> NDArray[np.uint8]:
    """Give the band of every row's value: equal values have equal numbers.

    Args:
        numbers: uint32, shape (n,), of the value in each row.
        present: bool, shape (n,): which rows have it; the band of others means nothing.
        rows: of how many rows a value is common or rare.

    Returns:
        uint8, shape (n,), 0 to 3.
    """
    bands = np.zeros(len(numbers), np.uint8)
    _, place, counts = np.unique(numbers[present], return_inverse=True, return_counts=True)
    of_value = np.stack([counts * bound < rows for bound in BANDS]).sum(axis=0).astype(np.uint8)
    bands[present] = of_value[place]
    return bands


def value_column(columns: Mapping[str, Column], value: str) -> Column:
    """Give a derived value of every row, "" where it has none: a field, or a field and what is taken of it."""
    field, _, taken = value.partition(".")
    return [_TAKEN[taken](one) for one in columns[field]] if taken else columns[field]


def _word(place: int) -> Callable[[str], str]:
    return lambda value: "".join(value.split(" ")[place : place + 1])


def _swapped(date: str) -> str:
    return date[:4] + date[6:] + date[4:6] if len(date) == DATE_DIGITS else ""


_TAKEN: Final[Mapping[str, Callable[[str], str]]] = {
    "initial": lambda value: value[:1],
    "nickname": nickname_set,
    "word0": _word(0),
    "word1": _word(1),
    "swapped": _swapped,
}


def _fits(value: str, part: VectorPart) -> bool:
    return len(value) == part.length and value.isascii() and value.isdigit() if part.length else value != ""


def _vectors(column: Column, part: VectorPart, compare: Secret) -> NDArray[np.uint8]:
    if part.form is Form.DIGITS:
        return _one_hot(column, part)
    feature = {
        "identifier": part.field,
        "format": {"type": "string", "encoding": "utf-8"},
        "hashing": {
            "hash": {"type": "blakeHash"},
            "strategy": {"bitsPerFeature": part.inserted},
            "comparison": {"type": "ngram", "n": 2, "positional": part.form is Form.POSITIONAL},
        },
    }
    kdf = {"type": "HKDF", "hash": "SHA256", "keySize": 64}
    schema = {"version": 3, "clkConfig": {"l": part.bits, "kdf": kdf}, "features": [feature]}
    secret = derived(compare, f"compare|{part.name}")
    # Names, streets and towns come many times, and each is encoded once.
    place_of = {value: place for place, value in enumerate(dict.fromkeys(column))}
    encoded = encode_interop([list(place_of)], schema=parse_linkage_schema(schema), secret=secret.reveal())
    vectors: NDArray[np.uint8] = encoded[[place_of[value] for value in column]]
    return vectors


def _one_hot(column: Column, part: VectorPart) -> NDArray[np.uint8]:
    start, end = part.digits
    fitting = [value if _fits(value, part) else "" for value in column]
    digits = np.frombuffer("".join(fitting).encode("ascii"), np.uint8).reshape(-1, part.length)[:, start:end] - ord("0")
    bits = np.zeros((len(column), end - start, DIGIT_VALUES), np.bool_)
    bits[np.array([value != "" for value in fitting], np.bool_)] = digits[:, :, None] == np.arange(DIGIT_VALUES)
    return np.packbits(bits.reshape(len(column), part.bits), axis=1)


def _numbers(column: Column, key: Secret) -> NDArray[np.uint64]:
    known = {value: _number(value, key.reveal()) for value in set(column)}
    return np.array([known[value] for value in column], np.uint64)


def _number(value: str, key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(value.encode(), digest_size=8, key=key).digest(), "little") % TAG_PRIME
