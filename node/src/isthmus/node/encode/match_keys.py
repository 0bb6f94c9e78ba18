"""Tags of rows: 16 bytes a match key and row, equal exactly where the parts of the key are.

One way of making them, for the match keys of a profile and for the block keys of a project
(`isthmus.node.encode.buckets`), which differ in the keys that they are made under.

A tag is BLAKE2b (RFC 7693) in keyed mode, 128 bits by its own parameter for the length, over the parts with U+001F
between them, which no normal form holds (docs/protocol.md section 5). Whoever has the key can try names; a tag is
pseudonymous personal data.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.match_keys import MATCH_KEY_BITS, MatchKey, Part
from isthmus.contract.secret import Secret
from isthmus.node.encode.hardened import RoundKeys

TAG_BYTES: Final = MATCH_KEY_BITS // 8

_BETWEEN: Final = b"\x1f"
_NO_TAG: Final = bytes(TAG_BYTES)

Columns = Sequence[Sequence[str]]
PartColumns = dict[Part, list[bytes]]
KeyedMatchKeys = Sequence[tuple[MatchKey, Secret]]
"""Match keys, each with the key of 32 bytes that its tags are made under."""

Tags = NDArray[np.uint8]
"""uint8, shape (rows, match keys, 16); zero where a row lacks a part of the key."""


def tag_key(key: Secret, *, profile: str, match_key: str) -> Secret:
    """Give the 32 bytes of one match key: HKDF-SHA256 of the round key, info `isthmus/1|match-key|PROFILE|NAME`."""
    info = f"isthmus/1|match-key|{profile}|{match_key}".encode("ascii")
    return Secret(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.reveal()))


class MatchKeyEncoder:
    """Makes the tags of one profile under the keys of one round; nothing is kept from piece to piece."""

    def __init__(self, profile: HardenedProfile, keys: RoundKeys) -> None:
        self._fields = profile.fields
        self._keyed = [
            (match_key, tag_key(keys.match, profile=profile.name, match_key=match_key.name))
            for match_key in profile.match_keys
        ]

    def encode(self, columns: Columns) -> Tags:
        """Give the tags of some rows; `columns` as of `make_tags`, in the order of the profile's fields."""
        return make_tags(columns, fields=self._fields, keyed=self._keyed)


def make_tags(columns: Columns, *, fields: Sequence[str], keyed: KeyedMatchKeys) -> Tags:
    """Give the tags of some rows.

    Args:
        columns: `columns[j][i]` is the normalised value of `fields[j]` in row i; "" is missing. Values can be written
            as UTF-8.
        fields: names of the columns; those of the match keys are among them.
        keyed: the order of the tags in a row.
    """
    rows = len(columns[0])
    parts = _part_columns(columns, fields, keyed)
    tags = np.empty((rows, len(keyed), TAG_BYTES), np.uint8)
    for place, (match_key, key) in enumerate(keyed):
        joined = b"".join(_tags(match_key, parts, key.reveal()))
        tags[:, place] = np.frombuffer(joined, np.uint8).reshape(rows, TAG_BYTES)
    return tags


def _part_columns(columns: Columns, fields: Sequence[str], keyed: KeyedMatchKeys) -> PartColumns:
    """Cut each field into the parts that the keys ask for, each distinct value once."""
    asked = dict.fromkeys(part for match_key, _ in keyed for part in match_key.parts)
    by_field = dict(zip(fields, columns, strict=True))
    return {part: _cut(by_field[part.field], part) for part in asked}


def _cut(column: Sequence[str], part: Part) -> list[bytes]:
    cut = {value: part.of(value).encode() for value in set(column)}
    return [cut[value] for value in column]


def _tags(match_key: MatchKey, parts: PartColumns, key: bytes) -> Iterator[bytes]:
    base = hashlib.blake2b(key=key, digest_size=TAG_BYTES)
    for values in zip(*(parts[part] for part in match_key.parts), strict=True):
        if all(values):
            tag = base.copy()
            tag.update(_BETWEEN.join(values))
            yield tag.digest()
        else:
            yield _NO_TAG
