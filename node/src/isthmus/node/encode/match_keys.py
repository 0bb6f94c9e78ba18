"""Tags of rows: 16 bytes a match key and row, equal exactly where the parts of the key are.

One way of making them, for the match keys of a profile and for the block keys of a project
(`isthmus.node.encode.buckets`), which differ in the keys that they are made under.

A tag is BLAKE2b (RFC 7693) in keyed mode, 128 bits by its own parameter for the length, over the parts with U+001F
between them, which no normal form holds (docs/protocol.md section 5). Whoever has the key can try names; a tag is
pseudonymous personal data.
"""

import hashlib
from collections.abc import Sequence
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

Columns = Sequence[Sequence[str]]
KeyedMatchKeys = Sequence[tuple[MatchKey, Secret]]
"""Match keys, each with the key of 32 bytes that its tags are made under."""

Tags = NDArray[np.uint8]
"""uint8, shape (rows, match keys, 16); zero where a row lacks a part of the key."""


def tag_key(key: Secret, *, profile: str, match_key: str) -> Secret:
    """Give the 32 bytes of one match key: HKDF-SHA256 of the round key, info `isthmus/1|match-key|PROFILE|NAME`."""
    info = f"isthmus/1|match-key|{profile}|{match_key}".encode("ascii")
    return Secret(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.reveal()))


class MatchKeyEncoder:
    """Makes the tags of one profile under the keys of one round."""

    def __init__(self, profile: HardenedProfile, keys: RoundKeys) -> None:
        """Take the profile's match keys."""
        self._maker = TagMaker(
            profile.fields,
            [
                (match_key, tag_key(keys.match, profile=profile.name, match_key=match_key.name))
                for match_key in profile.match_keys
            ],
        )

    def encode(self, columns: Columns) -> Tags:
        """Give the tags of some rows; `columns` as of `TagMaker.make`, in the order of the profile's fields."""
        return self._maker.make(columns)


class TagMaker:
    """Makes tags; what it keeps from piece to piece are the parts of values that it has met, as far as `limit` allows.

    `fields` are the names of the columns, those of the match keys among them; `keyed` is the order of the tags in a
    row; `limit` is of the values of one part.
    """

    def __init__(self, fields: Sequence[str], keyed: KeyedMatchKeys, *, limit: int = 2**16) -> None:
        """Keep the keys; make nothing yet."""
        self._fields, self._keyed = fields, keyed
        self._parts = {part: _Cut(part, limit) for match_key, _ in keyed for part in match_key.parts}

    def make(self, columns: Columns) -> Tags:
        """Give the tags of some rows.

        Args:
            columns: `columns[j][i]` is the normalised value of field j in row i; "" is missing. Values can be written
                as UTF-8.
        """
        by_field = dict(zip(self._fields, columns, strict=True))
        parts = {part: cut.of(by_field[part.field]) for part, cut in self._parts.items()}
        missing = {part: np.array([not value for value in column], np.bool_) for part, column in parts.items()}
        tags = np.empty((len(columns[0]), len(self._keyed), TAG_BYTES), np.uint8)
        for place, (match_key, key) in enumerate(self._keyed):
            made = _tags(_joined([parts[part] for part in match_key.parts], match_key), key.reveal())
            tags[:, place] = np.frombuffer(made, np.uint8).reshape(-1, TAG_BYTES)
            tags[np.logical_or.reduce([missing[part] for part in match_key.parts]), place] = 0
        return tags


class _Cut:
    """What a part takes of values, each distinct one of them cut once as long as not too many are kept."""

    def __init__(self, part: Part, limit: int) -> None:
        self._part, self._limit = part, limit
        self._known: dict[str, bytes] = {}

    def of(self, column: Sequence[str]) -> list[bytes]:
        """Give the part of each value as UTF-8; empty where a value has none."""
        if len(self._known) > self._limit:
            self._known = {}
        known = self._known
        known.update((value, self._part.of(value).encode()) for value in set(column).difference(known))
        return [known[value] for value in column]


def _joined(parts: Sequence[Sequence[bytes]], match_key: MatchKey) -> Sequence[Sequence[bytes]]:
    """Give the columns of parts as a key joins them; UTF-8 sorts as code points do."""
    if not match_key.unordered:
        return parts
    one, other, *rest = parts
    return [list(map(min, one, other)), list(map(max, one, other)), *rest]


def _tags(parts: Sequence[Sequence[bytes]], key: bytes) -> bytes:
    """Give the tags of rows, one after another, whatever their parts lack."""
    base, tags = hashlib.blake2b(key=key, digest_size=TAG_BYTES), []
    for joined in map(_BETWEEN.join, zip(*parts, strict=True)):
        tag = base.copy()
        tag.update(joined)
        tags.append(tag.digest())
    return b"".join(tags)
