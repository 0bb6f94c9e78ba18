"""Made-up people, and what a node sends of them under a hardened profile, for tests of linking."""

import os
from collections.abc import Sequence
from functools import cache

import numpy as np

from isthmus.contract.encodings import tag_words
from isthmus.contract.hardened import (
    HARDENED_1,
    HARDENED_2,
    HARDENED_SINGLE_1,
    HardenedProfile,
    hardened_1,
    hardened_2,
    hardened_single_1,
)
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.encodings import TabledRows
from isthmus.node.encode.hardened import RoundKeys, encode_hardened
from isthmus.node.encode.match_keys import MatchKeyEncoder
from isthmus.node.encode.repeated_tags import hide_repeated, repeated_words

FIELDS = ("first_name", "last_name", "dob", "street_number", "street_name", "zip")
KEYS = RoundKeys(encode=Secret(b"e" * 32), diffusion=Secret(b"d" * 32), match=Secret(b"m" * 32))
ENGINE = AnonlinkEngine(workers=1, max_pairs=100_000)

Person = tuple[str, ...]
Columns = Sequence[Sequence[str]]

ANA = ("ana", "whitfield", "19910228", "12", "cedar hollow lane", "97201")
ANA_MISTYPED = ("ana", "whitfeld", "19910228", "12", "cedar hollow lane", "97201")
ANA_RENAMED = ("ana", "delacroix", "19910228", "12", "cedar hollow lane", "97201")
ANA_ELSEWHERE = ("ana", "brown", "19910228", "7", "hill street", "10001")
ANA_HOMELESS = ("ana", "whitfield", "19910228", "", "", "")
ABE = ("abraham", "whitfield", "19630714", "12", "cedar hollow lane", "97201")
BEN = ("ben", "whitfield", "19630714", "12", "cedar hollow lane", "97201")
EVE = ("evelyn", "okonkwo", "20041109", "4407", "marsh road", "98115")
EVE_MOVED = ("evelyn", "okonkwo", "20041109", "9", "summit court", "98661")
EVE_MISDATED = ("evelyn", "okonkwo", "20040611", "9", "summit court", "98661")
RAJ = ("rajesh", "lindqvist", "19870505", "88", "ferry street", "97035")
RAJ_MISTYPED = ("rajesh", "lindqvisst", "19870505", "88", "ferry street", "97035")
RAJ_AS_RUNE = ("rune", "lindqvist", "19870505", "1102", "old mill avenue", "98104")
IDA = ("ida", "", "19990101", "", "", "")
LODGER = ("mo", "", "", "12", "cedar hollow lane", "97201")
NOBODY = ("", "whitfield", "", "", "", "")
ANAS = (ANA, ANA_MISTYPED, ANA_RENAMED, ANA_ELSEWHERE, ANA_HOMELESS)
OTHERS = (ABE, BEN, EVE, EVE_MOVED, EVE_MISDATED, RAJ, RAJ_MISTYPED, RAJ_AS_RUNE, IDA, LODGER, NOBODY)
PEOPLE = (*ANAS, *OTHERS)


def encode_rows(columns: Columns, profile: HardenedProfile) -> TabledRows:
    """Real CLKs and tags of normalised columns, as they are before repeated tags are hidden."""
    clks = np.zeros((len(columns[0]), len(profile.tables), profile.clk_bits // 8), np.uint8)
    for part in encode_hardened(columns, profile=profile, keys=KEYS):
        clks[part.rows, profile.table_names.index(part.table)] = part.clks
    return TabledRows(clks=clks, tags=MatchKeyEncoder(profile, KEYS).encode(columns))


def with_hidden(rows: TabledRows) -> TabledRows:
    """The rows as they leave a node: a tag that several of them have is random bytes, which no other file has."""
    tags = rows.tags.copy()
    hide_repeated(tags, [repeated_words([words]) for words in tag_words(tags)], random_bytes=os.urandom)
    return TabledRows(clks=rows.clks, tags=tags)


@cache
def _everybody(profile_name: str, fields: tuple[str, ...]) -> TabledRows:
    """All people under one of the profiles; made once, because the keys of a table take longer than its rows."""
    profile = {HARDENED_1: hardened_1, HARDENED_2: hardened_2, HARDENED_SINGLE_1: hardened_single_1}[profile_name](
        fields
    )
    return encode_rows([[person[FIELDS.index(field)] for person in PEOPLE] for field in fields], profile)


def send(rows: Sequence[Person], profile: HardenedProfile) -> TabledRows:
    """What a node sends of some of the people, under a profile without the table of names."""
    chosen, everybody = [PEOPLE.index(row) for row in rows], _everybody(profile.name, profile.fields)
    return with_hidden(TabledRows(clks=everybody.clks[chosen], tags=everybody.tags[chosen]))
