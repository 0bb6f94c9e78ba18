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
from isthmus.node.compare.pads import PadKeys, consecutive
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

KNOWN_DIGESTS: Final[Mapping[str, str]] = MappingProxyType({
    "first_name": "c8fcafe9d696808b",
    "middle_name": "bccbd5df423a0761",
    "last_name": "a37a05e3f0e1a120",
    "dob.year": "45492009a8b50116",
    "dob.month": "430247156195f9ac",
    "dob.day": "194ddf2c521aff44",
    "birth_year": "7d5801c1feb91b40",
    "street_number": "d6822767f80d829a",
    "street_name": "420c11290c01fb5d",
    "city": "6f85022edfeda775",
    "zip": "b9345632d8bfdf36",
    "phone": "eae418a51c3ec046",
    "ssn": "74dd48670efdbf64",
    "sex": "ecd156911908a4bb",
    "state": "2c4693defb1bd636",
    "first_name.initial": "6efdfaa515eef2b8",
    "middle_name.initial": "4f39d9980eafc0df",
    "first_name.nickname": "a60dc864e4301b92",
    "first_name=last_name": "ba6bdb6eb6da743e",
    "last_name=first_name": "5c3991e7c3853d19",
    "first_name=middle_name": "e0c1d72c6f636eaf",
    "middle_name=first_name": "ec116aa75fd80022",
    "last_name.word0=0": "2237848c7923d12f",
    "last_name.word0=1": "72551dedf96a8f62",
    "last_name.word1=0": "ebf0612a197628ad",
    "last_name.word1=1": "f11ccd2444bf4a9f",
    "dob.swapped": "8f31cff523f5b23c",
    "first_name.band": "f459b0a20157fc76",
    "last_name.band": "57795391ad4581f1",
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
            keys=PadKeys(pad=pad, left=_LEFT, right=_RIGHT),
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
