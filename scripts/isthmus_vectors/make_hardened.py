"""Vectors of the hardened profiles for made-up people, made with our own code."""

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile, Table, hardened_1, hardened_2, hardened_single_1
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.match_keys import MatchKey
from isthmus.contract.secret import Secret
from isthmus.node.encode.diffusion import draw_map
from isthmus.node.encode.hardened import RoundKeys, TableRows, encode_hardened, table_key
from isthmus.node.encode.match_keys import MatchKeyEncoder, tag_key
from isthmus.node.keys.linkage_key import round_key

Json = dict[str, Any]
Records = list[list[str]]

_LABELS: Final = ("encode", "diffusion", "match")


def hardened_vectors() -> Json:
    """Give profiles, keys, taps, diffused CLKs and tags of a few made-up records."""
    return {
        "about": [
            "Diffused CLKs and tags of the hardened profiles for made-up people, with the steps between.",
            "Made by scripts/make_vectors, confirmed by scripts/verify_vectors. Keys are hexadecimal. Of each table",
            "the first numbers of each part of the diffusion map are listed, and SHA-256 over all of them: taps,",
            "positions and order as 16-bit little-endian numbers, the boxes' tables as bytes. Of each match key the",
            "parts that a row joins are listed, and its tag, before tags that several rows have are replaced.",
            "Rows count from 0; one that is not listed sends nothing to the table, or has no tag of the match key.",
        ],
        "version": 3,
        "cases": [_case(**case) for case in (_TABLES, _NAME_TABLE, _SINGLE, _MATCH_KEYS, _BIRTH_YEAR, _WIDE)],
    }


def _case(*, name: str, shows: str, profile: HardenedProfile, records: Records) -> Json:
    linkage_key, project, round_id = Secret(bytes(range(32))), ProjectId("demo"), RoundId("demo-0000000001")
    drawn = {label: round_key(linkage_key, project=project, round_id=round_id, label=label) for label in _LABELS}
    keys = RoundKeys(**drawn)
    columns = [list(column) for column in zip(*records, strict=True)]
    encoded = {found.table: found for found in encode_hardened(columns, profile=profile, keys=keys)}
    return {
        "name": name,
        "shows": shows,
        "linkage_key": linkage_key.reveal().hex(),
        "project": project,
        "round_id": round_id,
        **{f"{label}_key": key.reveal().hex() for label, key in drawn.items()},
        "profile": profile.document(),
        "profile_digest": profile.digest(),
        "records": records,
        "tables": {table.name: _table_steps(table, profile, keys, encoded[table.name]) for table in profile.tables},
        "match_keys": _tag_steps(columns, profile, keys),
    }


def _table_steps(table: Table, profile: HardenedProfile, keys: RoundKeys, found: TableRows) -> Json:
    encode, diffusion = (
        table_key(key, profile=profile.name, table=table.name).reveal() for key in (keys.encode, keys.diffusion)
    )
    numbers = profile.hardening
    chosen = draw_map(diffusion, input_bits=numbers.filter_bits, output_bits=numbers.clk_bits, taps=numbers.taps)
    return {
        "encode_key": encode.hex(),
        "diffusion_key": diffusion.hex(),
        "map": {
            "taps": _part(chosen.taps.astype("<u2")),
            "positions": _part(chosen.boxes.positions.astype("<u2")),
            "tables": _part(chosen.boxes.tables),
            "order": _part(chosen.boxes.order.astype("<u2")),
        },
        "rows": [
            {"row": row, "clk": clk.tobytes().hex()} for row, clk in zip(found.rows.tolist(), found.clks, strict=True)
        ],
    }


def _part(numbers: NDArray[Any]) -> Json:
    return {"first": numbers.ravel()[:12].tolist(), "digest": hashlib.sha256(numbers.tobytes()).hexdigest()}


def _tag_steps(columns: Records, profile: HardenedProfile, keys: RoundKeys) -> Json:
    tags, by_field = MatchKeyEncoder(profile, keys).encode(columns), dict(zip(profile.fields, columns, strict=True))
    return {
        match_key.name: {
            "key": tag_key(keys.match, profile=profile.name, match_key=match_key.name).reveal().hex(),
            "rows": [
                {"row": row, "parts": _joined(match_key, by_field, row), "tag": tags[row, place].tobytes().hex()}
                for row in np.flatnonzero(tags[:, place].any(axis=1)).tolist()
            ],
        }
        for place, match_key in enumerate(profile.match_keys)
    }


def _joined(match_key: MatchKey, by_field: dict[str, list[str]], row: int) -> list[str]:
    return list(match_key.joined([part.of(by_field[part.field][row]) for part in match_key.parts]))


_TABLES: Final[Json] = {
    "name": "tables",
    "shows": "two tables; rows that lack a group: no birth date, no first name, names alone, nothing but a sex",
    "profile": hardened_1(("first_name", "last_name", "dob", "sex", "zip")),
    "records": [
        ["maria", "oneill", "19910228", "f", "97201"],
        ["maria", "oneill", "", "f", "97201"],
        ["", "vandenberg", "19871031", "x", ""],
        ["jo", "li", "", "", ""],
        ["", "", "", "m", ""],
    ],
}

_NAME_TABLE: Final[Json] = {
    "name": "name-table",
    "shows": "a project that grants the table of first and last name",
    "profile": hardened_1(("first_name", "last_name", "dob", "phone"), name_table=True),
    "records": [["maria", "oneill", "", "5035550123"], ["jo", "li", "", ""], ["", "", "19910228", "2025550101"]],
}

_SINGLE: Final[Json] = {
    "name": "single",
    "shows": "hardened-single-1: one table under keys of its own, no match keys, for the records of the first case",
    "profile": hardened_single_1(("first_name", "last_name", "dob", "sex", "zip")),
    "records": _TABLES["records"],
}

_MATCH_KEYS: Final[Json] = {
    "name": "match-keys",
    "shows": "all match keys of a date: a part equal in two rows, names of other scripts, beyond the first plane and"
    " shorter than a stem, damaged dates (too short, a letter, digits that are not ASCII), missing parts",
    "profile": hardened_1(("first_name", "last_name", "dob", "street_number", "zip", "phone", "ssn")),
    "records": [
        ["maria", "oneill", "19910228", "12", "97201", "5035550123", "219099999"],
        ["mario", "oneill", "19910228", "12", "97201", "5035550123", ""],
        ["μαρια", "ивановна", "20041201", "7b", "00501", "", "457555462"],
        ["𠮷田太郎", "𝄞", "20040229", "", "97201", "2025550101", ""],
        ["jo", "li", "1991", "3", "60601", "", ""],
        ["ana", "delacruz", "1991022x", "", "", "", "123121234"],
        ["zoe", "muller", "١٩٩١٠٢٢٨", "", "04401", "", ""],
        ["", "vandenberg", "19871031", "", "", "6175550142", "300112222"],
        ["li", "", "", "5", "73301", "2025550199", ""],
        ["", "", "", "", "10001", "", ""],
    ],
}

_BIRTH_YEAR: Final[Json] = {
    "name": "birth-year",
    "shows": "a year of birth where no date is shared; a row without it",
    "profile": hardened_1(("first_name", "last_name", "birth_year", "zip")),
    "records": [["maria", "oneill", "1991", "97201"], ["maria", "oneill", "", "97201"], ["jo", "li", "2004", ""]],
}

_WIDE: Final[Json] = {
    "name": "wide-keys",
    "shows": "hardened-2: names that sound alike, in each other's column, of several words, of other scripts, beyond"
    " the first plane, shorter than a stem, with a mark; month and day in each other's place; last four digits of an"
    " SSN; damaged dates and missing parts",
    "profile": hardened_2(
        ("first_name", "middle_name", "last_name", "dob", "street_number", "street_name", "zip", "phone", "ssn")
    ),
    "records": [
        ["robert", "hugh", "tymczak", "19910203", "12", "north main street", "97201", "5035550123", "219099999"],
        ["tymzac", "h", "rupert", "19910302", "12", "north main street", "97201", "", "9999"],
        ["mary ann", "", "ashcraft", "19911213", "7b", "elm avenue", "00501", "", "457555462"],
        ["whitney", "lee", "de la cruz", "20041201", "", "", "04401", "2025550101", ""],
        ["μαρια", "ω", "ивановна", "20041201", "3", "", "", "", "45"],
        ["𠮷田太郎", "", "𝄞", "20040229", "", "", "97201", "", ""],
        ["z\u0307oe", "a", "muller 2", "1991022x", "5", "elm avenue", "", "6175550142", ""],
        ["jo", "", "li", "1991", "", "", "60601", "", "123121234"],
        ["", "maria", "vandenberg", "19871031", "", "", "10001", "", ""],
        ["ñandu", "x", "", "", "9", "", "", "", ""],
    ],
}
