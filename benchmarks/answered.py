"""The second half of a round with field comparison at the coordinator, on made-up answers: for `coordinator_memory`.

Requests are chosen, kept and read back as the coordinator does. Answers are random bytes, chunk by chunk; candidates
whose rows have one number are one person, most parts of whose answers agree. So what they say is a round's in size, and
made-up in all else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import PRESENCE_BYTES, Comparison
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.field_answers import (
    answers_per_chunk,
    pack_row_numbers,
    row_numbers,
    same_pad,
    unpack_row_numbers,
)
from isthmus.contract.ids import PartyId
from isthmus.contract.secret import Secret
from isthmus.coordinator.actions.quality import pair_figures
from isthmus.coordinator.match.compare.evidence import evidence_of, overlap_steps
from isthmus.coordinator.match.compare.link import Compared, Weighed, merge_links, weigh
from isthmus.coordinator.match.compare.people import find_people, group_linked
from isthmus.coordinator.match.compare.reading import Piece, read_answers
from isthmus.coordinator.match.compare.requests import build_requests
from isthmus.coordinator.match.compare.sensitivity import both_counts
from isthmus.coordinator.match.engine import CandidatePairs, merge_found
from isthmus.coordinator.match.group import Groups, pairs_inside
from isthmus.coordinator.store.blobs import BlobFolder

TERMS: Final = ComparisonTerms()
ACCEPT: Final = TERMS.accept.probability
DAMAGED: Final = 0.15
"""Share of the parts of one person's answers that do not agree."""

LACKED: Final = 0.03
"""Share of the parts that a row lacks."""

Answers = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Places = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What two providers are asked: digests of their row numbers, and of which places are candidates."""

    places: int
    rows: tuple[bytes, bytes]
    candidates: bytes


def ask(blobs: BlobFolder, pairs: CandidatePairs, sizes: tuple[int, int]) -> Asked:
    """Choose what two providers are asked, and keep it."""
    seed = Secret(bytes(32))
    chosen = build_requests(pairs.left_row, pairs.right_row, rows=sizes, slots=TERMS.slots, seed=seed)
    left, right = (blobs.put(pack_row_numbers(side)) for side in (chosen.left_place, chosen.right_place))
    flags = blobs.put(np.packbits(chosen.candidate).tobytes())
    return Asked(places=len(chosen), rows=(left, right), candidates=flags)


def answer(blobs: BlobFolder, asked: Asked, comparison: Comparison) -> list[tuple[bytes, bytes]]:
    """Keep the chunks of made-up answers of both sides; give their digests."""
    rng, size = np.random.default_rng(1), answers_per_chunk(comparison.answer_bytes)
    one, other, candidate = _read_back(blobs, asked)
    same = candidate & (row_numbers(one) == row_numbers(other))
    made = (_made_up(rng, same[start : start + size], comparison) for start in range(0, asked.places, size))
    return [(blobs.put(left.tobytes()), blobs.put(right.tobytes())) for left, right in made]


def link_answers(
    blobs: BlobFolder, asked: Asked, chunks: Sequence[tuple[bytes, bytes]], comparison: Comparison, sizes: Sequence[int]
) -> tuple[CandidatePairs, Groups]:
    """Read the answers, find the model, link, and make the figures of the quality report."""
    inside = merge_found([])
    people = find_people(inside, sizes=sizes)
    weighed = weigh(_compared(blobs, asked, chunks, comparison), people=people)
    pairs = merge_links([weighed], accept=ACCEPT, inside=inside)
    groups = group_linked(pairs, sizes=sizes)
    _figures(weighed, pairs, groups, sizes)
    return pairs, groups


def _read_back(blobs: BlobFolder, asked: Asked) -> tuple[Places, Places, Flags]:
    one, other = (unpack_row_numbers(blobs.get(digest)) for digest in asked.rows)
    bits = np.frombuffer(blobs.get(asked.candidates), np.uint8)
    return one, other, np.unpackbits(bits, count=asked.places).view(np.bool_)


def _made_up(rng: np.random.Generator, same: Flags, comparison: Comparison) -> tuple[Answers, Answers]:
    left, right = (rng.integers(0, 256, (same.size, comparison.answer_bytes), np.uint8) for _ in range(2))
    for part, start in comparison.offsets():
        alike = np.flatnonzero(same & (rng.random(same.size) >= DAMAGED))
        right[alike, start : start + part.answer_bytes] = left[alike, start : start + part.answer_bytes]
    weights = np.uint32(1) << np.arange(len(comparison.parts), dtype=np.uint32)
    for side in (left, right):
        there = rng.random((same.size, weights.size)) >= LACKED
        presence = (there * weights).sum(axis=1, dtype=np.uint32)
        side[:, :PRESENCE_BYTES] = presence.astype("<u4").view(np.uint8).reshape(-1, PRESENCE_BYTES)
    return left, right


def _compared(
    blobs: BlobFolder, asked: Asked, chunks: Sequence[tuple[bytes, bytes]], comparison: Comparison
) -> Compared:
    one, other, candidate = _read_back(blobs, asked)
    left_row, right_row = row_numbers(one)[candidate], row_numbers(other)[candidate]
    compared = same_pad(one, other)
    read = read_answers(_pieces(blobs, chunks, candidate, compared, comparison), comparison)
    return Compared(left=0, right=1, left_row=left_row, right_row=right_row, read=read, near=())


def _pieces(
    blobs: BlobFolder,
    chunks: Sequence[tuple[bytes, bytes]],
    candidate: Flags,
    compared: Flags,
    comparison: Comparison,
) -> Iterator[Piece]:
    """Give the answers that are compared, chunk by chunk."""
    first = 0
    for both in chunks:
        left, right = (np.frombuffer(blobs.get(one), np.uint8).reshape(-1, comparison.answer_bytes) for one in both)
        inside, first = slice(first, first + len(left)), first + len(left)
        read = compared[inside]
        yield left[read], right[read], candidate[inside][read]


def _figures(weighed: Weighed, pairs: CandidatePairs, groups: Groups, sizes: Sequence[int]) -> None:
    inside = pairs_inside(pairs)
    people = find_people(inside, sizes=sizes)
    steps = overlap_steps([weighed], inside=inside, sizes=sizes, acceptances=[ACCEPT])
    pair_figures(
        evidence_of(weighed, people=people, groups=groups, acceptance=ACCEPT),
        parties=(PartyId("one"), PartyId("other")),
        steps=[(ACCEPT, both_counts(steps, datasets=2)[0, 1][0])],
        overlap_shown=True,
        rows_shown=(True, True),
        alone=True,
        seed=1,
    )
