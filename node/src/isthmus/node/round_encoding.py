"""What a node encodes under in one round, and the encoding of normalised values by whichever profile the round has.

Every profile comes out as one array: for each row the CLKs of its tables, the tags of its match keys and, where the
project grants keyed blocks, its bucket numbers; zero where the row does not enter the table or lacks a part of the key.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import PartyId
from isthmus.contract.keyed_blocks import NO_BLOCK, Blocks
from isthmus.contract.linkage_schema import LinkageSchema, parse_linkage_schema, with_kdf_info
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.profile import Profile
from isthmus.contract.profiles import AnyProfile
from isthmus.contract.secret import Secret
from isthmus.node.compare.kept import Kept
from isthmus.node.encode.buckets import BucketEncoder, to_wire
from isthmus.node.encode.hardened import RoundKeys, encode_slabs
from isthmus.node.encode.interop import encode_interop_slabs
from isthmus.node.encode.match_keys import MatchKeyEncoder
from isthmus.node.encode.reference import encode_reference
from isthmus.node.keys.linkage_key import kdf_info, round_key
from isthmus.node.planted.copies import planted_copies
from isthmus.node.planted.people import Person

Columns = Sequence[Sequence[str]]
Encoder = Callable[..., Iterator[NDArray[np.uint8]]]


def _by_clkhash(pieces: Iterable[Columns], *, schema: LinkageSchema, secret: bytes) -> Iterator[NDArray[np.uint8]]:
    return (encode_reference(columns, schema=schema, secret=secret) for columns in pieces)


ENCODERS: Mapping[str, Encoder] = {"isthmus": encode_interop_slabs, "clkhash": _by_clkhash}
"""What encodes `interop-1`; the hardened profiles have our own encoder only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundEncoding:
    """The terms, the profile and the key of one round; `encoder` is a key of `ENCODERS`."""

    manifest: RoundManifest
    profile: AnyProfile
    key: Secret
    encoder: str

    @property
    def blocks(self) -> Blocks | None:
        """The keyed blocks that the project grants, if it does."""
        return self.manifest.project.blocks

    @property
    def row_bits(self) -> int:
        """How many bits the encodings and bucket numbers of a row take together."""
        return self.profile.row_bits + (self.blocks.row_bits if self.blocks else 0)

    def round_key(self, label: str) -> Secret:
        """Give the round's key for one use (docs/protocol.md section 4)."""
        return round_key(self.key, project=self.manifest.project.id, round_id=self.manifest.round_id, label=label)

    def bucket_encoder(self, blocks: Blocks) -> BucketEncoder:
        """Give what puts rows into the buckets that the project grants."""
        return BucketEncoder(blocks, fields=self.profile.fields, key=self.round_key("block"))

    def kept(self, party: PartyId, *, salt: bytes = b"") -> Kept | None:
        """Give what that provider keeps to answer from, if the project grants field comparison.

        `salt` is drawn anew for every time that rows are prepared: where handles come back, nothing else tells two
        preparations of a round apart, and both would be encrypted with one key stream.
        """
        project = self.manifest.project
        if project.comparison is None:
            return None
        compare, pad, disk = map(self.round_key, ("compare", "pad", f"fields|{salt.hex()}" if salt else "fields"))
        return Kept(project=project, terms=project.comparison, party=party, compare=compare, pad=pad, disk=disk)

    def planted(self, party: PartyId) -> tuple[Person, ...]:
        """Give that provider's copies of the people whom the project plants, in docs/protocol.md section 14."""
        terms = self.manifest.project.comparison
        count = terms.planted if terms else 0
        return tuple(planted_copies(self.round_key("planted"), party=party, count=count)) if count else ()


def encode_pieces(pieces: Iterable[Columns], encoding: RoundEncoding) -> Iterator[NDArray[np.uint8]]:
    """Encode normalised columns, piece by piece, in bounded memory.

    Args:
        pieces: each holds `columns[j][i]`, field j of the profile in row i of the piece; "" is missing.
        encoding: profile and keys.

    Returns:
        For each piece, uint8 of shape (rows, row_bits / 8): what `profile_pieces` gives, then the bucket numbers in
        order of the block keys, all that they are and none withheld. A row that holds too little is in no bucket.

    Raises:
        ColumnsMismatch, InvalidValues: see `encode_hardened` and `encode_interop`.
    """
    if encoding.blocks is None:
        return profile_pieces(pieces, encoding)
    return _with_buckets(pieces, encoding, encoding.bucket_encoder(encoding.blocks))


def profile_pieces(pieces: Iterable[Columns], encoding: RoundEncoding) -> Iterator[NDArray[np.uint8]]:
    """Encode as `encode_pieces`, without bucket numbers.

    Returns:
        For each piece, uint8 of shape (rows, profile.row_bits / 8): the CLKs in order of the tables, then the tags in
        order of the match keys. Bit q of a CLK is bit 7 - q % 8 of byte q // 8. A row that holds too little to be
        linked is all zero, which links to nothing.
    """
    if isinstance(encoding.profile, HardenedProfile):
        return _hardened_pieces(pieces, encoding, encoding.profile)
    return _interop_pieces(pieces, encoding, encoding.profile)


def _with_buckets(
    pieces: Iterable[Columns], encoding: RoundEncoding, buckets: BucketEncoder
) -> Iterator[NDArray[np.uint8]]:
    taken: deque[Columns] = deque()
    for encoded in profile_pieces(_noting(pieces, taken), encoding):
        numbers = buckets.encode(taken.popleft())
        numbers[~encoded.any(axis=1)] = NO_BLOCK
        rows = np.hstack([encoded, to_wire(numbers)])
        del encoded  # as below
        yield rows
        del rows


def _noting(pieces: Iterable[Columns], taken: deque[Columns]) -> Iterator[Columns]:
    """Give the pieces on, and keep each until it is taken out again."""
    for columns in pieces:
        taken.append(columns)
        yield columns


def _interop_pieces(
    pieces: Iterable[Columns], encoding: RoundEncoding, profile: Profile
) -> Iterator[NDArray[np.uint8]]:
    info = kdf_info(encoding.manifest.project.id, encoding.manifest.round_id)
    schema = with_kdf_info(parse_linkage_schema(profile.linkage_schema), info)
    secret = encoding.round_key("encode").reveal()
    enough: deque[NDArray[np.bool_]] = deque()

    def noted() -> Iterator[Columns]:
        for columns in pieces:
            enough.append(_holds_enough(columns, profile))
            yield columns

    for clks in ENCODERS[encoding.encoder](noted(), schema=schema, secret=secret):
        clks[~enough.popleft()] = 0
        yield clks


def _hardened_pieces(
    pieces: Iterable[Columns], encoding: RoundEncoding, profile: HardenedProfile
) -> Iterator[NDArray[np.uint8]]:
    encode, diffusion, match = map(encoding.round_key, ("encode", "diffusion", "match"))
    keys = RoundKeys(encode=encode, diffusion=diffusion, match=match)
    taken: deque[Columns] = deque()
    tables, first_row = encode_slabs(_noting(pieces, taken), profile=profile, keys=keys), 0
    tags = MatchKeyEncoder(profile, keys)
    for first_table in tables:
        columns, size = taken.popleft(), profile.clk_bits // 8
        encoded = np.zeros((len(columns[0]), profile.row_bits // 8), np.uint8)
        for place, table in enumerate(chain([first_table], islice(tables, len(profile.tables) - 1))):
            encoded[table.rows - first_row, place * size : (place + 1) * size] = table.clks
        encoded[:, len(profile.tables) * size :] = tags.encode(columns).reshape(len(encoded), -1)
        first_row += len(encoded)
        yield encoded
        del encoded  # it is some 10 MB, and the next piece is encoded before the name is free


def _holds_enough(columns: Columns, profile: Profile) -> NDArray[np.bool_]:
    """Give, for each row, whether it holds enough fields, and enough bits' worth of them, to be linked."""
    present = np.array([np.fromiter(map(bool, column), np.bool_, len(column)) for column in columns])
    bits = np.array([profile.field_bits()[field] for field in profile.fields])
    enough: NDArray[np.bool_] = (present.sum(axis=0) >= profile.least_fields) & (bits @ present >= profile.least_bits)
    return enough
