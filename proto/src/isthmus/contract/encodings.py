"""The bytes of a submission: rows, chunks, digests and the signed submission manifest. docs/protocol.md section 6.

A row on the wire is its 16-byte handle, then one CLK (`clk_bits` / 8 bytes) for each table of the profile, in order,
then one tag of 16 bytes for each of its match keys, then one bucket number of 4 bytes for each block key of the
project, in order; where the row does not enter a table, or has no tag or bucket, the bytes are zero. `row_bits` below
are those of CLKs, tags and bucket numbers together. A chunk is as many whole rows as fit into 1 MiB, so that a message
stays well below gRPC's 4 MiB. Encodings are pseudonymous personal data.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from isthmus.contract.canonical import canonical_bytes, read_canonical
from isthmus.contract.errors import MalformedDocument, SubmissionMalformed
from isthmus.contract.ids import HANDLE_BYTES, PartyId, RoundId
from isthmus.contract.keyed_blocks import BLOCK_BITS, MOST_BLOCK_KEYS
from isthmus.contract.match_keys import MATCH_KEY_BITS

CHUNK_BYTES: Final = 1 << 20
KEY_CHECK_BYTES: Final = 16
MAX_ROWS: Final = 20_000_000
MAX_TABLES: Final = 64
MAX_MATCH_KEYS: Final = 64
MAX_DOCUMENT_BYTES: Final = 8192
SUBMISSION_FORMAT: Final = "isthmus/submission/4"
RECEIPT_FORMAT: Final = "isthmus/receipt/1"


Sha256Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}\\Z")]
KeyCheckHex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}\\Z")]


class Submission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a provider declares, and signs, before its first chunk.

    `rows` counts encoded records; `tables` counts the CLKs of a row, `match_keys` its tags, `blocks` its bucket
    numbers; `clk_bits` is the length of a CLK in bits, a multiple of 8; `digest`, `profile_digest` and `manifest_hash`
    are SHA-256 in hex; `key_check` is the 16-byte key-check value in hex.
    """

    format: str
    round_id: RoundId
    party: PartyId
    rows: int
    clk_bits: int
    tables: int
    match_keys: int
    blocks: int
    chunk_count: int
    digest: Sha256Hex
    key_check: KeyCheckHex
    profile_digest: Sha256Hex
    manifest_hash: Sha256Hex

    @property
    def row_bits(self) -> int:
        """How many bits the CLKs, the tags and the bucket numbers of one row take together."""
        return self.tables * self.clk_bits + self.match_keys * MATCH_KEY_BITS + self.blocks * BLOCK_BITS

    def to_bytes(self) -> bytes:
        """Give the canonical bytes."""
        return canonical_bytes(msgspec.to_builtins(self))


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the coordinator signs when a submission is complete; `submission` is the SHA-256 of its manifest in hex."""

    format: str
    round_id: RoundId
    party: PartyId
    rows: int
    submission: Sha256Hex
    received_at: str

    def to_bytes(self) -> bytes:
        """Give the canonical bytes."""
        return canonical_bytes(msgspec.to_builtins(self))


def submission_from_bytes(data: bytes) -> Submission:
    """Read a submission manifest.

    Raises:
        MalformedDocument: it is not one in canonical form.
        UnsupportedVersion: its format is one that this version does not know.
        SubmissionMalformed: its numbers are out of bounds or contradict each other.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise MalformedDocument(document="submission manifest", problem=f"it is over {MAX_DOCUMENT_BYTES} bytes long")
    submission = read_canonical(data, Submission, document="submission manifest", version=SUBMISSION_FORMAT)
    if not 1 <= submission.rows <= MAX_ROWS:
        raise SubmissionMalformed(problem=f"it must hold between 1 and {MAX_ROWS} rows")
    if submission.clk_bits % 8 or not 8 <= submission.clk_bits <= 1 << 16:
        raise SubmissionMalformed(problem="its encodings have an impossible length")
    if not 1 <= submission.tables <= MAX_TABLES:
        raise SubmissionMalformed(problem=f"its rows must hold between 1 and {MAX_TABLES} CLKs")
    if not 0 <= submission.match_keys <= MAX_MATCH_KEYS:
        raise SubmissionMalformed(problem=f"its rows must hold between 0 and {MAX_MATCH_KEYS} tags of match keys")
    if not 0 <= submission.blocks <= MOST_BLOCK_KEYS:
        raise SubmissionMalformed(problem=f"its rows must hold between 0 and {MOST_BLOCK_KEYS} bucket numbers")
    if submission.chunk_count != chunk_count(rows=submission.rows, row_bits=submission.row_bits):
        raise SubmissionMalformed(problem="its number of chunks does not fit its number of rows")
    return submission


def row_bytes(row_bits: int) -> int:
    """Give the size of one row on the wire, in bytes."""
    return HANDLE_BYTES + row_bits // 8


def rows_per_chunk(row_bits: int) -> int:
    """Give how many rows a full chunk holds."""
    return CHUNK_BYTES // row_bytes(row_bits)


def chunk_count(*, rows: int, row_bits: int) -> int:
    """Give how many chunks that many rows take."""
    return -(-rows // rows_per_chunk(row_bits))


def chunk_rows(*, rows: int, row_bits: int, index: int) -> int:
    """Give how many rows chunk `index` (from 0) of a submission of `rows` rows holds."""
    full = rows_per_chunk(row_bits)
    return min(full, rows - index * full)


def pack_rows(handles: NDArray[np.uint8], clks: NDArray[np.uint8]) -> bytes:
    """Lay rows out for the wire.

    Args:
        handles: uint8, shape (n, 16).
        clks: uint8, shape (n, row_bits / 8), packed with the first bit highest.
    """
    return np.hstack([handles, clks]).tobytes()


def unpack_rows(payload: bytes, *, row_bits: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Give handles (n, 16) and encodings (n, row_bits / 8) as read-only uint8 views.

    Raises:
        SubmissionMalformed: the payload is not a whole number of rows.
    """
    size = row_bytes(row_bits)
    if len(payload) % size:
        raise SubmissionMalformed(problem="a chunk does not hold whole rows")
    rows = np.frombuffer(payload, dtype=np.uint8).reshape(-1, size)
    return rows[:, :HANDLE_BYTES], rows[:, HANDLE_BYTES:]


def tag_words(tags: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Give the first half of every tag as a number in the machine's own order of bytes, to tell tags apart by.

    Args:
        tags: uint8, shape (rows, match keys, 16).

    Returns:
        uint64, shape (match keys, rows), contiguous; 0 where a row has no tag.
    """
    words = np.ascontiguousarray(tags[:, :, :8].transpose(1, 0, 2)).view(np.uint64)
    return words.reshape(words.shape[:2])


def submission_digest(chunk_digests: Iterable[bytes]) -> bytes:
    """Give the digest of a submission: SHA-256 over its chunks' SHA-256 digests in order, 32 bytes."""
    total = hashlib.sha256()
    for digest in chunk_digests:
        total.update(digest)
    return total.digest()
