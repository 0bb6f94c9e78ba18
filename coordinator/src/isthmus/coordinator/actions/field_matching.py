"""From answers to linked pairs: what two nodes say of each pair, and what the model makes of it.

Answers are read one chunk at a time; what was found of them is not kept, since the same answers give the same pairs.
docs/protocol.md section 13.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import Comparison
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.differences import Grades
from isthmus.contract.field_answers import answers_from_bytes, near_misses_from_wire, unpack_row_numbers
from isthmus.contract.ids import RoundId
from isthmus.contract.kinds import Kind
from isthmus.contract.project import Project, manifest_from_bytes
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_rows import load_handles, struck_out
from isthmus.coordinator.actions.settling import Matched
from isthmus.coordinator.domain.records import ComparisonRow
from isthmus.coordinator.match.compare.link import Compared, Weighed, merge_links, weigh
from isthmus.coordinator.match.compare.people import find_people
from isthmus.coordinator.match.compare.reading import Piece, read_answers
from isthmus.coordinator.match.engine import CandidatePairs, Progress
from isthmus.coordinator.match.group import pairs_of_kept_rows
from isthmus.coordinator.match.records import unpack_pairs
from isthmus.coordinator.match.runs import RECORD

_Kept = Sequence[NDArray[np.bool_]]
"""Of each provider's rows, in the order in which they were sent, whether they are not struck out."""

Told = Callable[[int], None]
"""Told how many more pairs are read."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pairs:
    """The pairs of two providers by their numbers: whether each is a candidate, and whether no row is struck out.

    Rows are uint32 and count those that are kept; what stands for a row that is struck out means nothing.
    """

    left_row: NDArray[np.uint32]
    right_row: NDArray[np.uint32]
    candidate: NDArray[np.bool_]
    kept: NDArray[np.bool_]


def match_answers(context: Context, round_id: RoundId, *, progress: Progress) -> Matched:
    """Give the pairs that link by the answers of their nodes; `rows` are those that are not struck out.

    Pairs of rows that are struck out are read over: they are in no count of the model.
    """
    with context.store.read() as tx:
        manifest = manifest_from_bytes(tx.rounds.get(round_id).manifest)
        project, asked = manifest.project, tx.comparisons.of_round(round_id)
        struck = struck_out(tx, manifest)
        rows = [load_handles(context.blobs, tx, round_id, party) for party in project.provider_ids()]
        own = tx.comparisons.own_pairs(round_id)
    kept = [one.kept(struck[one.party]) for one in rows]
    rows = [replace(one, handles=one.handles[keep]) for one, keep in zip(rows, kept, strict=True)]
    inside = pairs_of_kept_rows(_own_pairs(context, project, own), kept)
    people, terms = find_people(inside, sizes=[len(one) for one in rows]), project.comparison or ComparisonTerms()
    told = _counting(progress, total=sum(one.pairs for one in asked))
    weighed = [
        weigh(_compared(context, project, one, kept=kept, told=told), people=people, starting=terms.starting_shares())
        for one in asked
    ]
    pairs = merge_links(weighed, accept=terms.accept.probability, inside=inside)
    scarce = [_scarce(one, both) for one, both in zip(weighed, asked, strict=True) if one.scarce]
    return Matched(manifest=manifest, struck=struck, rows=rows, pairs=pairs, weighed=weighed, scarce=scarce)


def _counting(progress: Progress, *, total: int) -> Told:
    done = 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    told(0)
    return told


def _compared(context: Context, project: Project, asked: ComparisonRow, *, kept: _Kept, told: Told) -> Compared:
    """Read what two providers answered."""
    terms, places = project.comparison or ComparisonTerms(), project.provider_ids()
    left, right = places.index(asked.left), places.index(asked.right)
    comparison, pairs = project.comparison_of(asked.left, asked.right), _pairs(context, asked, kept[left], kept[right])
    pieces = _pieces(context, asked, comparison, pairs, told=told)
    read = read_answers(pieces, comparison, grades=_grades(terms))
    inside = pairs.candidate & pairs.kept
    return Compared(
        left=left,
        right=right,
        left_row=pairs.left_row[inside],
        right_row=pairs.right_row[inside],
        read=read,
        near=_near_misses(context, asked, comparison),
    )


def _scarce(weighed: Weighed, asked: ComparisonRow) -> str:
    """Say what there was too little of between two providers: then the model begins where it ends, or is unsure."""
    return f"{asked.left} and {asked.right}: not enough {', '.join(sorted(weighed.scarce)).replace('_', ' ')}"


def _grades(terms: ComparisonTerms) -> Grades:
    alike, half_alike, somewhat_alike = terms.similarity_grades
    return Grades(alike=alike, half_alike=half_alike, somewhat_alike=somewhat_alike)


def _pairs(context: Context, asked: ComparisonRow, *kept: NDArray[np.bool_]) -> _Pairs:
    sent = [unpack_row_numbers(context.blobs.get(digest)) for digest in (asked.left_rows, asked.right_rows)]
    left, right = ((np.cumsum(keep) - 1).astype(np.uint32)[row] for keep, row in zip(kept, sent, strict=True))
    bits = np.frombuffer(context.blobs.get(asked.candidates), np.uint8)
    return _Pairs(
        left_row=left,
        right_row=right,
        candidate=np.unpackbits(bits, count=asked.pairs).view(np.bool_),
        kept=kept[0][sent[0]] & kept[1][sent[1]],
    )


def _pieces(
    context: Context, asked: ComparisonRow, comparison: Comparison, pairs: _Pairs, *, told: Told
) -> Iterator[Piece]:
    """Give the answers of both sides, chunk by chunk: both cut theirs at the same pairs."""
    with context.store.read() as tx:
        chunks = [tx.answers.chunks(asked.round_id, *sides) for sides in asked.sides()]
    first = 0
    for both in zip(*chunks, strict=True):
        left, right = (
            np.frombuffer(context.blobs.get(chunk.digest), np.uint8).reshape(-1, comparison.answer_bytes)
            for chunk in both
        )
        inside, first = slice(first, first + len(left)), first + len(left)
        kept = pairs.kept[inside]
        yield left[kept], right[kept], pairs.candidate[inside][kept]
        told(len(left))


def _near_misses(context: Context, asked: ComparisonRow, comparison: Comparison) -> tuple[Kind, ...]:
    """Give the kinds of near misses that both nodes saw; each tells of half of what two people may have in common."""
    with context.store.read() as tx:
        found = [tx.answers.find(asked.round_id, *side) for side in asked.sides()]
    declared = [answers_from_bytes(one.document) for one in found if one is not None]
    kinds = [near_misses_from_wire(one.near_misses, comparison.fields) for one in declared]
    return tuple(Kind(share=kind.share / 2, shares=kind.shares) for one in kinds for kind in one)


def _own_pairs(context: Context, project: Project, digest: bytes | None) -> CandidatePairs:
    """Give the pairs inside data sets that repeat people."""
    repeating = frozenset(place for place, terms in enumerate(project.providers) if terms.repeats)
    records = np.empty(0, RECORD) if digest is None else np.frombuffer(context.blobs.get(digest), RECORD)
    return unpack_pairs([records], repeating=repeating)
