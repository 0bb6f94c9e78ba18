"""Vectors of field comparison for made-up people, made with our own code."""

from typing import Any, Final

import numpy as np

from isthmus.contract.canonical import sha256
from isthmus.contract.comparison import Comparison, comparison_1
from isthmus.contract.field_answers import REQUEST_FORMAT, ComparisonRequest, lists_digest
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.known_answers import KNOWN_VALUES
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.nicknames import NICKNAME_SETS
from isthmus.node.compare.pads import PadKeys, consecutive, pads_of_lists
from isthmus.node.compare.row_fields import RowFields, read_row_fields
from isthmus.node.keys.linkage_key import round_key
from isthmus.node.known_comparisons import PAIRS, known_rows

Json = dict[str, Any]
Pairs = list[tuple[int, int, int]]

MASTER: Final = Secret(bytes(range(32)))
PROJECT, ROUND = ProjectId("demo"), RoundId("demo-0000000001")
PARTIES: Final = (PartyId("riverside"), PartyId("college"))
NOISE: Final = 0xA5


def comparison_vectors() -> Json:
    """Give parts, rows, answers and differences of a few made-up records."""
    return {
        "about": [
            "Answers of field comparison for made-up people. Made by scripts/make_vectors, confirmed by",
            "scripts/verify_vectors. Keys and bytes are hexadecimal. Rows count from 0; those that a pair is of come",
            "with what a node keeps of them: vectors, numbers and bands that they have. A pair is its number, the left",
            "row and the right row. Random bytes of missing parts are all `noise` here. A difference of a part that",
            "a row lacks is null. `nicknames` is the list of sets of fields-1. Pads follow from `lists`: by side",
            "SHA-256 of the submission manifest and of the row numbers; no other case has the same.",
        ],
        "version": 1,
        "nicknames": [list(names) for names in NICKNAME_SETS],
        "noise": NOISE,
        "cases": [_case(**case) for case in (_ALL, _FEW, _known())],
    }


def _case(*, name: str, shows: str, fields: list[str], left: list[Json], right: list[Json], pairs: Pairs) -> Json:
    comparison = comparison_1(fields)
    compare, pad = (round_key(MASTER, project=PROJECT, round_id=ROUND, label=label) for label in ("compare", "pad"))
    sides = [
        read_row_fields(
            {field: [row.get(field, "") for row in rows] for field in comparison.fields},
            comparison,
            compare=compare,
            pad=pad,
        )
        for rows in (left, right)
    ]
    lists = _lists(name)
    pads = pads_of_lists(pad, lists_digest(_request(lists), left=True))
    return {
        "name": name,
        "shows": shows,
        "master": MASTER.reveal().hex(),
        "project": PROJECT,
        "round_id": ROUND,
        "compare_key": compare.reveal().hex(),
        "pad_key": pad.reveal().hex(),
        "providers": list(PARTIES),
        "fields": list(comparison.fields),
        "parts": [
            {"name": part.name, "from": start, "bytes": part.answer_bytes} for part, start in comparison.offsets()
        ],
        "left": _rows(left, sides[0], shown={pair[1] for pair in pairs}),
        "right": _rows(right, sides[1], shown={pair[2] for pair in pairs}),
        "lists": lists,
        "pads_key": pads.reveal().hex(),
        "pairs": _answered(comparison, sides, pads, pairs),
    }


def _lists(name: str) -> Json:
    """Give made-up digests of a case."""
    return {
        side.value: {what: sha256(f"{name} {side.value} {what}".encode()).hex() for what in ("submission", "rows")}
        for side in Side
    }


def _request(lists: Json) -> ComparisonRequest:
    left, right = (lists[side.value] for side in Side)
    return ComparisonRequest(
        format=REQUEST_FORMAT,
        round_id=ROUND,
        manifest_hash="0" * 64,
        party=PARTIES[0],
        other=PARTIES[1],
        pairs=1,
        rows=left["rows"],
        other_rows=right["rows"],
        submission=left["submission"],
        other_submission=right["submission"],
    )


def _known() -> Json:
    left, right = (
        [dict(zip(side, row, strict=True)) for row in zip(*side.values(), strict=True)] for side in known_rows()
    )
    return {
        "name": "known-answers",
        "shows": "the rows by which a node checks itself before it takes part, and others that give names their bands",
        "fields": list(KNOWN_VALUES),
        "left": [{field: value for field, value in row.items() if value} for row in left],
        "right": [{field: value for field, value in row.items() if value} for row in right],
        "pairs": [(number, number, number) for number in range(PAIRS)],
    }


def _rows(values: list[Json], rows: RowFields, *, shown: set[int]) -> list[Json]:
    return [{"values": each} | (_kept(place, rows) if place in shown else {}) for place, each in enumerate(values)]


def _kept(place: int, rows: RowFields) -> Json:
    return {
        "vectors": {
            name: vectors[place].tobytes().hex() for name, vectors in rows.vectors.items() if rows.present[name][place]
        },
        "numbers": {
            f"{kind}:{value}": int(numbers[place])
            for (kind, value), numbers in rows.numbers.items()
            if rows.present[value][place]
        },
        "bands": {value: int(bands[place]) for value, bands in rows.bands.items() if rows.present[value][place]},
    }


def _answered(comparison: Comparison, sides: list[RowFields], pads: Secret, pairs: Pairs) -> list[Json]:
    keys = PadKeys(pad=pads, left=PARTIES[0], right=PARTIES[1])
    nodes = [
        Answers(
            comparison=comparison,
            rows=rows,
            keys=keys,
            side=side,
            random_bytes=lambda count: bytes([NOISE]) * count,
        )
        for rows, side in zip(sides, Side, strict=True)
    ]
    written = []
    for number, *rows in pairs:
        answers = [
            node.of(np.array([row], np.uint32), numbers=consecutive(number, 1))
            for node, row in zip(nodes, rows, strict=True)
        ]
        told = read_differences(answers[0], answers[1], comparison)
        differences = {part.name: int(told.of(part.name)[0]) for part in comparison.parts}
        written.append(
            {
                "pair": [number, *rows],
                "left": answers[0].tobytes().hex(),
                "right": answers[1].tobytes().hex(),
                "differences": {name: None if one < 0 else one for name, one in differences.items()},
            }
        )
    return written


_ALL: Final[Json] = {
    "name": "every-field",
    "shows": "every part, swapped names and dates, shared words, nicknames, other scripts, damaged and missing values",
    "fields": [
        *("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "city"),
        *("state", "zip", "phone", "ssn"),
    ],
    "left": [
        {
            "first_name": "maria",
            "middle_name": "ana",
            "last_name": "oneill",
            "dob": "19910228",
            "sex": "f",
            "street_number": "12",
            "street_name": "oak street",
            "city": "portland",
            "state": "or",
            "zip": "97201",
            "phone": "5035550100",
            "ssn": "900123456",
        },
        {"first_name": "william", "last_name": "smith jones", "dob": "19870203", "sex": "m", "zip": "9720"},
        {"first_name": "lee", "middle_name": "maria", "last_name": "grant", "dob": "1991", "state": "or"},
        {"first_name": "μαρια", "last_name": "ивановна", "dob": "20041201", "street_number": "12b", "city": "x"},
        {},
    ],
    "right": [
        {
            "first_name": "maria",
            "middle_name": "a",
            "last_name": "oneil",
            "dob": "19910822",
            "sex": "f",
            "street_number": "120",
            "street_name": "oak st",
            "city": "portland",
            "state": "wa",
            "zip": "97210",
            "phone": "5035550101",
            "ssn": "900123456",
        },
        {"first_name": "bill", "middle_name": "t", "last_name": "jones", "dob": "19870302", "sex": "m", "zip": "97201"},
        {"first_name": "grant", "middle_name": "lee", "last_name": "lee", "dob": "19910101", "state": "or"},
        {"first_name": "μαρια", "last_name": "ивановна", "dob": "20041201", "street_number": "12b", "city": "x"},
        {"last_name": "de la cruz", "dob": "19913102"},
    ],
    # In pair 21060 two sort numbers of the last name are equal, the earlier of a 1 and the later of a 0.
    "pairs": [
        *((0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 0, 4), (5, 4, 0)),
        *((6, 0, 0), (7, 1, 4), (21_060, 0, 0), (1_000_000, 3, 2), (2**40, 3, 3)),
    ],
}

_FEW: Final[Json] = {
    "name": "few-fields",
    "shows": "a year of birth in place of a date, and bands of names that are common in one file and rare in the other",
    "fields": ["last_name", "birth_year"],
    "left": [{"last_name": "smith", "birth_year": "1991"}] * 2
    + [{"last_name": f"a{number}"} for number in range(199)]
    + [{"last_name": "oneill", "birth_year": "1987"}],
    "right": [{"last_name": "smith", "birth_year": "1990"}, {"last_name": "oneill", "birth_year": "1987"}],
    "pairs": [(0, 0, 0), (1, 201, 1), (2, 0, 1), (3, 5, 0)],
}
