"""The documents of field comparison on the wire: what a coordinator asks of two nodes, and what they declare.

A *request* names the pairs of rows, for one provider by its own row numbers; the place of a pair is its pair number. It
is signed, and there is one for each two providers and round: a pair number that is used twice shows the difference of
two rows of one file. *Answers* are the bytes of `isthmus.contract.comparison`, pair after pair, in chunks.
docs/protocol.md section 13.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from isthmus.contract.canonical import canonical_bytes, read_canonical, sha256
from isthmus.contract.comparison_terms import MOST_PLANTED
from isthmus.contract.encodings import CHUNK_BYTES, MAX_ROWS, Sha256Hex
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.kinds import Kind
from isthmus.contract.levels import LEVELS

REQUEST_FORMAT: Final = "isthmus/comparison-request/1"
ANSWERS_FORMAT: Final = "isthmus/comparison-answers/1"
MAX_DOCUMENT_BYTES: Final = 2**16
MOST_NEAR_MISSES: Final = 4
ROW_NUMBER_BYTES: Final = 4
"""A row number on the wire: little-endian, from 0, in the order in which the rows were submitted."""

PAD_BIT: Final = 31
SECOND_PAD: Final = 1 << PAD_BIT
"""Beside a row number: that the second of the two pads of this place is to be used."""

LEAST_NEAR_MISS: Final = 1e-12
"""No share of near misses is smaller: a node looks at fewer pairs than this is one of. Smaller ones would vanish."""

_CLOSE: Final = 1e-6

T = TypeVar("T", bound=msgspec.Struct)


class ComparisonRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the coordinator asks of `party` about its pairs with `other`, and signs.

    `pairs` is how many, `rows` and `other_rows` the SHA-256 of the row numbers that both are asked about, `submission`
    and `other_submission` those of the submission manifests of both, so that the node can hold the number of pairs
    against the sizes of both data sets. Pads follow from all four.
    """

    format: str
    round_id: RoundId
    manifest_hash: Sha256Hex
    party: PartyId
    other: PartyId
    pairs: int
    rows: Sha256Hex
    other_rows: Sha256Hex
    submission: Sha256Hex
    other_submission: Sha256Hex

    def to_bytes(self) -> bytes:
        """Give the canonical bytes."""
        return canonical_bytes(msgspec.to_builtins(self))


class NearMisses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of near misses that a node saw in its own rows: its share of all pairs, and by field those of levels."""

    share: float
    levels: dict[str, tuple[float, ...]]


class ComparisonAnswers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `party` declares, and signs, before the first chunk of its answers.

    `request` is the SHA-256 of the request's document; `digest` that of the chunks' digests in order. `near_misses` are
    the same in all declarations of a party in a round. So are `planted`, the row numbers of persons 0, 1 and so on of
    those who are planted: they come when the pairs were chosen, so nobody could favour them.
    """

    format: str
    round_id: RoundId
    party: PartyId
    other: PartyId
    request: Sha256Hex
    pairs: int
    answer_bytes: int
    chunk_count: int
    digest: Sha256Hex
    near_misses: tuple[NearMisses, ...]
    planted: tuple[int, ...] = ()

    def to_bytes(self) -> bytes:
        """Give the canonical bytes."""
        return canonical_bytes(msgspec.to_builtins(self))


def request_from_bytes(data: bytes) -> ComparisonRequest:
    """Read a request; raise `MalformedDocument` or `UnsupportedVersion` where it is none."""
    request = _read(data, ComparisonRequest, document="comparison request", version=REQUEST_FORMAT)
    if request.pairs < 1 or request.party == request.other:
        raise MalformedDocument(document="comparison request", problem="it asks for no pairs of two providers")
    return request


def lists_digest(request: ComparisonRequest, *, left: bool) -> bytes:
    """Give what tells these pairs of lists and data sets from all others, 32 bytes: the same of both requests.

    Args:
        request: to either of two providers.
        left: whether the one that is asked comes first in the project.
    """
    own, other = (request.submission, request.rows), (request.other_submission, request.other_rows)
    (left_submission, left_rows), (right_submission, right_rows) = (own, other) if left else (other, own)
    return sha256(bytes.fromhex(left_submission + right_submission + left_rows + right_rows))


def answers_from_bytes(data: bytes) -> ComparisonAnswers:
    """Read a declaration of answers; raise `MalformedDocument` or `UnsupportedVersion` where it is none."""
    answers = _read(data, ComparisonAnswers, document="declaration of answers", version=ANSWERS_FORMAT)
    problem = _problem(answers)
    if problem is not None:
        raise MalformedDocument(document="declaration of answers", problem=problem)
    return answers


def _read(data: bytes, kind: type[T], *, document: str, version: str) -> T:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise MalformedDocument(document=document, problem=f"it is over {MAX_DOCUMENT_BYTES} bytes long")
    return read_canonical(data, kind, document=document, version=version)


def _problem(answers: ComparisonAnswers) -> str | None:
    if answers.pairs < 1 or not 1 <= answers.answer_bytes <= CHUNK_BYTES:
        return "its numbers are out of bounds"
    if answers.chunk_count != answer_chunks(pairs=answers.pairs, answer_bytes=answers.answer_bytes):
        return "its number of chunks does not fit its number of pairs"
    if len(answers.near_misses) > MOST_NEAR_MISSES or not all(map(_lawful, answers.near_misses)):
        return "its near misses are no shares of levels"
    if len(answers.planted) > MOST_PLANTED or len(set(answers.planted)) < len(answers.planted):
        return "it names more planted people than may be, or one row for two of them"
    return None


def _lawful(kind: NearMisses) -> bool:
    if not LEAST_NEAR_MISS <= kind.share < 1 or not kind.levels.keys() <= LEVELS.keys():
        return False
    return all(
        len(shares) == len(LEVELS[field].names) and min(shares) >= LEAST_NEAR_MISS and abs(sum(shares) - 1) < _CLOSE
        for field, shares in kind.levels.items()
    )


def near_misses_to_wire(kinds: Sequence[Kind], fields: Sequence[str]) -> tuple[NearMisses, ...]:
    """Give the kinds as they leave a node; `fields` are those of their shares, in order."""
    return tuple(
        NearMisses(
            share=kind.share,
            levels={field: tuple(map(float, shares)) for field, shares in zip(fields, kind.shares, strict=True)},
        )
        for kind in kinds
    )


def near_misses_from_wire(near: Sequence[NearMisses], fields: Sequence[str]) -> tuple[Kind, ...]:
    """Give the kinds for these fields; raise `MalformedDocument` where one of them says nothing of a field."""
    if any(field not in kind.levels for kind in near for field in fields):
        raise MalformedDocument(document="declaration of answers", problem="its near misses lack a field")
    return tuple(
        Kind(share=kind.share, shares=tuple(np.array(kind.levels[field]) for field in fields)) for kind in near
    )


def answers_per_chunk(answer_bytes: int) -> int:
    """Give how many answers a full chunk holds."""
    return CHUNK_BYTES // answer_bytes


def answer_chunks(*, pairs: int, answer_bytes: int) -> int:
    """Give how many chunks the answers for that many pairs take."""
    return -(-pairs // answers_per_chunk(answer_bytes))


def most_pairs(*, slots: int, rows: tuple[int, int]) -> int:
    """Give for how many pairs of two data sets of so many rows a coordinator may ask."""
    return slots * max(rows)


def planted_problem(planted: Sequence[int], *, people: int, rows: int) -> str | None:
    """Say why these cannot be the rows of the planted people, or None.

    Args:
        planted: the row number of each, as declared.
        people: how many the project plants.
        rows: how many rows the party submitted.
    """
    if len(planted) != people:
        return "it does not name as many planted people as the project says"
    if len(set(planted)) < people:
        return "it names one row for two planted people"
    if not all(0 <= row < rows for row in planted):
        return "it names a planted row that this party did not send"
    return None


def row_numbers(places: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Give the rows that the places of a request name, without what they say of pads."""
    return places & np.uint32(SECOND_PAD - 1)


def with_pads(rows: NDArray[np.uint32], second: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Give the places of a request: row numbers, and whether each takes the second pad of its place."""
    return rows | second.astype(np.uint32) << np.uint32(PAD_BIT)


def same_pad(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Say at which places of two requests both take the same pad."""
    same: NDArray[np.bool_] = (left ^ right) < np.uint32(SECOND_PAD)
    return same


def pad_numbers(places: NDArray[np.uint32], *, first: int) -> NDArray[np.uint64]:
    """Give the pad number of each place of a request, from place `first` on, uint64, rising.

    Two places of two requests are compared where both name the same one of the two pads of this place.
    """
    numbers = np.arange(2 * first, 2 * (first + places.size), 2, dtype=np.uint64)
    return numbers + (places >> np.uint32(PAD_BIT))


def pack_row_numbers(rows: NDArray[np.uint32]) -> bytes:
    """Give row numbers as bytes."""
    return rows.astype("<u4").tobytes()


def unpack_row_numbers(data: bytes) -> NDArray[np.uint32]:
    """Give the row numbers; raise `MalformedDocument` where the bytes hold no whole number of them."""
    if len(data) % ROW_NUMBER_BYTES:
        raise MalformedDocument(document="comparison request", problem="a row number in it is cut off")
    return np.frombuffer(data, "<u4").astype(np.uint32)


def rows_digest(pieces: Iterable[bytes]) -> bytes:
    """Give the SHA-256 of row numbers that come in pieces, 32 bytes."""
    total = hashlib.sha256()
    for piece in pieces:
        total.update(piece)
    return total.digest()


def budget_problem(rows: NDArray[np.uint32], *, own_rows: int, other_rows: int, slots: int) -> str | None:
    """Say why a node may not answer for these pairs, or None.

    Every row must stand in as many pairs as every other, or one more: who is compared more often than others would be
    told apart, and the node would see which of its rows have candidates.

    Args:
        rows: the node's own row number in each pair, and which pad it takes.
        own_rows, other_rows: how many rows both providers submitted.
        slots: what the project grants.
    """
    rows = row_numbers(rows)
    if rows.size > most_pairs(slots=slots, rows=(own_rows, other_rows)) or rows.size > slots * MAX_ROWS:
        return "it asks for more pairs than the project grants"
    if rows.size and int(rows.max()) >= own_rows:
        return "it names a row that this node did not send"
    times = np.bincount(rows, minlength=own_rows)
    if int(times.max()) - int(times.min()) > 1:
        return "it asks for some rows more often than for others"
    return None
