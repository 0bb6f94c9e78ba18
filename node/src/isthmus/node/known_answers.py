"""Known answers: made-up values that every node normalises and encodes under the round's key before any real record.

What leaves is, for each field, table, match key and block key, 16 bytes of HMAC-SHA256 under a key that only the
providers have; so two nodes that would not make the same bytes of the same person are found, by party and field, while
nothing of a person has left (docs/protocol.md section 5). The coordinator cannot compute or invert an answer, and the
encodings of the made-up records stay here: a known plaintext would help it against the real ones.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Final

import numpy as np

from isthmus.contract.canonical import canonical_bytes
from isthmus.contract.known_answers import (
    ANSWER_BYTES,
    KNOWN_VALUES,
    KnownAnswer,
    block_part,
    encoded_parts,
    field_part,
)
from isthmus.contract.secret import Secret
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.norm1 import normalise_column
from isthmus.node.round_encoding import RoundEncoding, profile_pieces

_LABEL: Final = "known-answers"


def known_answers(encoding: RoundEncoding) -> tuple[KnownAnswer, ...]:
    """Give this node's answers: one for each field, table and match key of the round's profile, and each block key."""
    key = encoding.round_key(_LABEL)
    fields = encoding.profile.fields
    columns = [normalise_column(field, list(KNOWN_VALUES[field]), date_order=DateOrder.YMD).values for field in fields]
    answers = [
        KnownAnswer(part=field_part(field), mac=_mac(key, field_part(field), canonical_bytes({"values": values})))
        for field, values in zip(fields, columns, strict=True)
    ]
    return (*answers, *_encoded_answers(columns, encoding, key), *_block_answers(columns, encoding, key))


def _encoded_answers(columns: list[list[str]], encoding: RoundEncoding, key: Secret) -> Iterator[KnownAnswer]:
    (encoded,) = profile_pieces([columns], encoding)
    ends = np.cumsum([bits // 8 for bits in encoding.profile.part_bits])
    for part, found in zip(encoded_parts(encoding.profile), np.split(encoded, ends[:-1], axis=1), strict=True):
        yield KnownAnswer(part=part, mac=_mac(key, part, found.tobytes()))


def _block_answers(columns: list[list[str]], encoding: RoundEncoding, key: Secret) -> Iterator[KnownAnswer]:
    """Answer with whole tags: a bucket number has too few bits to tell two nodes apart for sure."""
    if encoding.blocks is not None:
        tags = encoding.bucket_encoder(encoding.blocks).tags(columns)
        for place, name in enumerate(encoding.blocks.keys):
            yield KnownAnswer(part=block_part(name), mac=_mac(key, block_part(name), tags[:, place].tobytes()))


def _mac(key: Secret, part: str, content: bytes) -> bytes:
    return hmac.new(key.reveal(), part.encode("ascii") + b"\0" + content, hashlib.sha256).digest()[:ANSWER_BYTES]
