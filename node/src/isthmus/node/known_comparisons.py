"""Known answers of field comparison: what this node makes of made-up rows, held against what everybody should make.

Rows are the twelve made-up records of the preflight (`isthmus.contract.known_answers`) in normal form, on the left as
they are, on the right from the second on with the first at the end; pair k is of row k of both, under pad number k.
Behind them are rows of first and last names alone, so that names have bands. Keys are written down, no round's.
`tests/vectors/comparison.json` has the same pairs (case `known-answers`), confirmed by a program that shares no code.
docs/protocol.md section 13.
"""

import hashlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from isthmus.contract.comparison import Comparison, Part, comparison_1
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.known_answers import KNOWN_VALUES
from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.compare.answers import Answers, Bytes, Side
from isthmus.node.compare.pads import PadKeys, consecutive, pads_of_lists
from isthmus.node.compare.row_fields import Column, read_row_fields
from isthmus.node.keys.linkage_key import round_key
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.norm1 import normalise_column

NOISE: Final = 0xA5
"""All random bytes of parts that a row lacks."""

PAIRS: Final = 12
OTHER_ROWS: Final = 108
DIGEST_BYTES: Final = 8

_FIELDS: Final = tuple(STANDARD_FIELDS)
_NAMES: Final = ("first_name", "last_name")

_PROJECT, _ROUND = ProjectId("demo"), RoundId("demo-0000000001")
_LEFT, _RIGHT = PartyId("riverside"), PartyId("college")
_LISTS: Final = bytes.fromhex("2fec65f6a6b101e65bdb0a4ced7347feaa4760502efbf87ed209d93a5e58b224")
"""Digest of the lists that pads depend on: that of the vectors' case."""

KNOWN_DIGESTS: Final[Mapping[str, str]] = MappingProxyType({
    "first_name": "d348777df027f7cb",
    "middle_name": "3f4a311bf14b79a6",
    "last_name": "e3e4c7f92f4dc1c8",
    "dob.year": "f62ab808d03320e0",
    "dob.month": "68da146b08259dec",
    "dob.day": "0ba6ba0b9e49a644",
    "birth_year": "119f76077dfbae5b",
    "street_number": "f717ab6aa15227f6",
    "street_name": "74bc8826d60e19cf",
    "city": "244e6ec9e4f2a6d7",
    "zip": "354e70b5891b9d96",
    "phone": "01af03fc0a5fbeca",
    "ssn": "fe7f67c0d6e28f8f",
    "sex": "5788eed29da7f432",
    "state": "57693cd97cdbced7",
    "first_name.initial": "27c9d23e77bd2485",
    "middle_name.initial": "4092065439e72d7f",
    "first_name.nickname": "08ac98a44aa6225c",
    "first_name=last_name": "28c5f5c2e4542663",
    "last_name=first_name": "2f117bfca83033af",
    "first_name=middle_name": "69f044fd1596567f",
    "middle_name=first_name": "72b331b79f27aa24",
    "last_name.word0=0": "64dc672628f03f69",
    "last_name.word0=1": "14d729737df4622a",
    "last_name.word1=0": "1c0f9990e295b176",
    "last_name.word1=1": "24d9169f8dbfc108",
    "dob.swapped": "f109e070fb49b2ea",
    "first_name.band": "9abf57f1d70de852",
    "last_name.band": "49916f5c1d45d504",
})  # fmt: skip
"""By part: the first 8 bytes of SHA-256 over presence and part of all answers, pair by pair, left before right."""


def known_rows() -> tuple[Mapping[str, Column], Mapping[str, Column]]:
    """Give the normalised columns of the left rows and of the right ones, by field: known rows, then all others."""
    left, right = {}, {}
    for field in _FIELDS:
        values = normalise_column(field, list(KNOWN_VALUES[field]), date_order=DateOrder.YMD).values
        others = [f"{field}{number}" if field in _NAMES else "" for number in range(OTHER_ROWS)]
        left[field], right[field] = [*values, *others], [*values[1:], values[0], *others]
    return left, right


def differing_answers() -> tuple[str, ...]:
    """Give the parts that this node answers otherwise than it should, in the order of answers; none where all is well.

    A digest covers which rows have a part, so a presence bit that is wrong is named by its part too.
    """
    comparison = comparison_1(_FIELDS)
    answers = _answers(comparison)
    return tuple(
        part.name
        for place, (part, start) in enumerate(comparison.offsets())
        if _digest(answers, place, part, start) != KNOWN_DIGESTS[part.name]
    )


def _answers(comparison: Comparison) -> Bytes:
    """Give uint8, shape (pairs, 2, answer_bytes): left, then right."""
    master = Secret(bytes(range(32)))
    compare, pad = (round_key(master, project=_PROJECT, round_id=_ROUND, label=label) for label in ("compare", "pad"))
    made = []
    for side, columns in zip(Side, known_rows(), strict=True):
        rows = read_row_fields(columns, comparison, compare=compare, pad=pad)
        node = Answers(
            comparison=comparison,
            rows=rows,
            keys=PadKeys(pad=pads_of_lists(pad, _LISTS), left=_LEFT, right=_RIGHT),
            side=side,
            random_bytes=lambda count: bytes([NOISE]) * count,
        )
        made.append(node.of(np.arange(PAIRS, dtype=np.uint32), numbers=consecutive(0, PAIRS)))
    return np.stack(made, axis=1)


def _digest(answers: Bytes, place: int, part: Part, start: int) -> str:
    return hashlib.sha256(b"".join(_covered(answers, place, part, start))).hexdigest()[: 2 * DIGEST_BYTES]


def _covered(answers: Bytes, place: int, part: Part, start: int) -> Iterator[bytes]:
    for answer in answers.reshape(-1, answers.shape[-1]):
        yield bytes([answer[place // 8] >> (place % 8) & 1])
        yield answer[start : start + part.answer_bytes].tobytes()
