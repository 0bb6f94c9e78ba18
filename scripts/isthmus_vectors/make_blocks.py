"""Vectors of keyed blocks for made-up people, made with our own code."""

from typing import Any, Final

import numpy as np

from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.match_keys import MatchKey
from isthmus.contract.secret import Secret
from isthmus.node.encode.buckets import BucketEncoder, block_key, bucket_numbers
from isthmus.node.encode.match_keys import Tags
from isthmus.node.keys.linkage_key import round_key

Json = dict[str, Any]
Records = list[list[str]]


def blocks_vectors() -> Json:
    """Give keys, tags and bucket numbers of a few made-up records."""
    return {
        "about": [
            "Buckets of keyed blocks for made-up people, before small ones are withheld. Made by scripts/make_vectors,",
            "confirmed by scripts/verify_vectors. Keys are hexadecimal. Of each block key the parts that a row joins",
            "are listed, its tag and its bucket. Rows count from 0; one that is not listed is in no bucket of the key.",
        ],
        "version": 1,
        "cases": [_case(**case) for case in (_DATES, _YEARS)],
    }


def _case(*, name: str, shows: str, fields: list[str], blocks: Blocks, records: Records) -> Json:
    linkage_key, project, round_id = Secret(bytes(range(32))), ProjectId("demo"), RoundId("demo-0000000001")
    key = round_key(linkage_key, project=project, round_id=round_id, label="block")
    tags = BucketEncoder(blocks, fields=fields, key=key).tags([list(column) for column in zip(*records, strict=True)])
    return {
        "name": name,
        "shows": shows,
        "linkage_key": linkage_key.reveal().hex(),
        "project": project,
        "round_id": round_id,
        "block_key": key.reveal().hex(),
        "fields": fields,
        "buckets": blocks.buckets,
        "records": records,
        "block_keys": {
            match_key.name: {
                "key": block_key(key, name=match_key.name).reveal().hex(),
                "rows": _rows(
                    match_key, [dict(zip(fields, one, strict=True)) for one in records], tags[:, [place]], blocks
                ),
            }
            for place, match_key in enumerate(blocks.match_keys(fields))
        },
    }


def _rows(match_key: MatchKey, people: list[dict[str, str]], tags: Tags, blocks: Blocks) -> list[Json]:
    numbers = bucket_numbers(tags, buckets=blocks.buckets)[:, 0]
    return [
        {
            "row": row,
            "parts": [part.of(people[row][part.field]) for part in match_key.parts],
            "tag": tags[row, 0].tobytes().hex(),
            "bucket": int(numbers[row]),
        }
        for row in np.flatnonzero(numbers).tolist()
    ]


_DATES: Final[Json] = {
    "name": "dates",
    "shows": "parts that two rows share, names of other scripts, a damaged date, rows that lack parts",
    "fields": ["first_name", "last_name", "dob", "zip"],
    "blocks": Blocks(keys=("stems-month_day", "first-birth", "names-year", "birth-zip"), buckets=4099),
    "records": [
        ["maria", "oneill", "19910228", "97201"],
        ["mario", "oneil", "19870228", "97201"],
        ["μαρια", "ивановна", "20041201", "00501"],
        ["𠮷田太郎", "𝄞", "20040229", ""],
        ["jo", "li", "1991", "60601"],
        ["", "vandenberg", "19871031", ""],
        ["li", "", "", "73301"],
    ],
}

_YEARS: Final[Json] = {
    "name": "years",
    "shows": "the fewest buckets, and a year of birth where no date is shared",
    "fields": ["first_name", "last_name", "birth_year"],
    "blocks": Blocks(keys=("names-birth_year",), buckets=16),
    "records": [["maria", "oneill", "1991"], ["maria", "oneill", ""], ["jo", "li", "2004"]],
}
