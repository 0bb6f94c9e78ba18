"""From answers to linked pairs: what two nodes say of each pair, and what the model makes of it.

Answers are read one chunk at a time; what was found of them is not kept, since the same answers give the same pairs.
docs/protocol.md section 13.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import Comparison
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.differences import Grades
from isthmus.contract.field_answers import (
    answers_from_bytes,
    near_misses_from_wire,
    row_numbers,
    same_pad,
    unpack_row_numbers,
)
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.kinds import Kind
from isthmus.contract.manifest import manifest_from_bytes
from isthmus.contract.project import Project
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_rows import load_handles, struck_out
from isthmus.coordinator.actions.settling import Matched
from isthmus.coordinator.domain.records import ComparisonRow
from isthmus.coordinator.match.compare.link import Compared, Weighed, merge_links, weigh
from isthmus.coordinator.match.compare.model import Candidates
from isthmus.coordinator.match.compare.people import People, find_people
from isthmus.coordinator.match.compare.planted import Planted, PlantedFound, find_planted
from isthmus.coordinator.match.compare.reading import Piece, read_answers
from isthmus.coordinator.match.engine import CandidatePairs, Progress
from isthmus.coordinator.match.group import pairs_of_kept_rows
from isthmus.coordinator.match.records import unpack_pairs
from isthmus.coordinator.match.runs import RECORD
from isthmus.coordinator.store.protocol import Transaction

NO_ROWS: Final = np.empty(0, np.uint32)

Told = Callable[[int], None]
"""Told how many more pairs are read."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """A provider's rows in the order in which they were sent: whether each is not struck out, and who are planted.

    `there` is bool; `planted` the row numbers of persons 0, 1 and so on, uint32.
    """

    there: NDArray[np.bool_]
    planted: NDArray[np.uint32]

    def real(self) -> NDArray[np.bool_]:
        """Say which rows take part: those that are there, without the planted ones."""
        real = self.there.copy()
        real[self.planted] = False
        return real


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pairs:
    """The pairs of two providers by their numbers: their rows as they were sent, uint32, and flags.

    Candidates are `candidate`. Of a pair that is `kept` both rows take part, and answers were asked for under one pad;
    one that is `read` is such a pair, or a candidate of which a row is planted and none struck out.
    """

    left_row: NDArray[np.uint32]
    right_row: NDArray[np.uint32]
    candidate: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    read: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Answered:
    """What two providers answered: about people, and about candidates of which a row is planted, as they were sent."""

    compared: Compared
    planted: Planted
    made_up: Candidates


def match_answers(context: Context, round_id: RoundId, *, progress: Progress) -> Matched:
    """Give the pairs that link by the answers of their nodes; `rows` are those that take part.

    Pairs of rows that are struck out are read over: they are in no count of the model. Nor are those of planted people,
    whom the model then looks at once it is found.
    """
    with context.store.read() as tx:
        manifest = manifest_from_bytes(tx.rounds.get(round_id).manifest)
        project, asked = manifest.project, tx.comparisons.of_round(round_id)
        struck, planted = struck_out(tx, manifest), _planted(tx, round_id)
        sent = [load_handles(context.blobs, tx, round_id, party) for party in project.provider_ids()]
        own = tx.comparisons.own_pairs(round_id)
    known = [_Rows(there=one.kept(struck[one.party]), planted=planted.get(one.party, NO_ROWS)) for one in sent]
    real = [one.real() for one in known]
    rows = [replace(one, handles=one.handles[keep]) for one, keep in zip(sent, real, strict=True)]
    inside = pairs_of_kept_rows(_own_pairs(context, project, own), real)
    people, terms = find_people(inside, sizes=[len(one) for one in rows]), project.comparison or ComparisonTerms()
    told = _counting(progress, total=sum(one.pairs for one in asked))
    weighed, found = [], {}
    for one in asked:  # the answers of two providers are in memory at a time
        answered = _answered(context, project, one, known=known, told=told)
        weighed.append(weigh(answered.compared, people=people, starting=terms.starting_shares()))
        if terms.planted:
            found[one.left, one.right] = _found(answered, weighed[-1], people, terms)
    pairs = merge_links(weighed, accept=terms.accept.probability, inside=inside)
    scarce = [_scarce(one, both) for one, both in zip(weighed, asked, strict=True) if one.scarce]
    return Matched(
        manifest=manifest, struck=struck, rows=rows, pairs=pairs, weighed=weighed, scarce=scarce, planted=found
    )


def _planted(tx: Transaction, round_id: RoundId) -> dict[PartyId, NDArray[np.uint32]]:
    """Give the rows of planted people by provider, the same in all its declarations."""
    declared = (answers_from_bytes(one.document) for one in tx.answers.of_round(round_id))
    return {one.party: np.array(one.planted, np.uint32) for one in declared}


def _found(answered: _Answered, weighed: Weighed, people: Sequence[People], terms: ComparisonTerms) -> PlantedFound:
    compared = answered.compared
    candidates = replace(answered.made_up, rows=(people[compared.left].count, people[compared.right].count))
    return find_planted(answered.planted, candidates, weighed.model, accept=terms.accept.probability)


def _counting(progress: Progress, *, total: int) -> Told:
    done = 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    told(0)
    return told


def _answered(
    context: Context, project: Project, asked: ComparisonRow, *, known: Sequence[_Rows], told: Told
) -> _Answered:
    """Read what two providers answered."""
    terms, places = project.comparison or ComparisonTerms(), project.provider_ids()
    left, right = places.index(asked.left), places.index(asked.right)
    comparison = project.comparison_of(asked.left, asked.right)
    pairs = _pairs(context, asked, known[left], known[right])
    pieces = _pieces(context, asked, comparison, pairs, told=told)
    read = read_answers(pieces, comparison, grades=_grades(terms))
    inside, asked_for = pairs.candidate & pairs.kept, pairs.candidate & pairs.read
    real = pairs.kept[asked_for]
    return _Answered(
        compared=Compared(
            left=left,
            right=right,
            left_row=_among_kept(known[left])[pairs.left_row[inside]],
            right_row=_among_kept(known[right])[pairs.right_row[inside]],
            read=replace(read, levels=read.levels[:, real]),
            near=_near_misses(context, asked, comparison),
        ),
        planted=Planted(left_row=known[left].planted, right_row=known[right].planted),
        made_up=Candidates(
            fields=comparison.fields,
            levels=read.levels[:, ~real],
            left_row=pairs.left_row[asked_for][~real],
            right_row=pairs.right_row[asked_for][~real],
            rows=(0, 0),
        ),
    )


def _scarce(weighed: Weighed, asked: ComparisonRow) -> str:
    """Say what there was too little of between two providers: then the model begins where it ends, or is unsure."""
    return f"{asked.left} and {asked.right}: not enough {', '.join(sorted(weighed.scarce)).replace('_', ' ')}"


def _grades(terms: ComparisonTerms) -> Grades:
    alike, half_alike, somewhat_alike = terms.similarity_grades
    return Grades(alike=alike, half_alike=half_alike, somewhat_alike=somewhat_alike)


def _among_kept(rows: _Rows) -> NDArray[np.uint32]:
    """Give for each row that takes part its number among these; what stands for another one means nothing."""
    return (np.cumsum(rows.real()) - 1).astype(np.uint32)


def _pairs(context: Context, asked: ComparisonRow, left: _Rows, right: _Rows) -> _Pairs:
    places = [unpack_row_numbers(context.blobs.get(digest)) for digest in (asked.left_rows, asked.right_rows)]
    one, other = map(row_numbers, places)
    bits = np.frombuffer(context.blobs.get(asked.candidates), np.uint8)
    candidate = np.unpackbits(bits, count=asked.pairs).view(np.bool_)
    kept = left.real()[one] & right.real()[other] & same_pad(*places)
    read = kept | (candidate & left.there[one] & right.there[other])
    return _Pairs(left_row=one, right_row=other, candidate=candidate, kept=kept, read=read)


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
        read = pairs.read[inside]
        yield left[read], right[read], pairs.candidate[inside][read]
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
