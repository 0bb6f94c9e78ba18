"""Answers come in as submissions do: acknowledged once on disk, the same again is nothing, other content is refused."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pytest
from field_nodes import FieldNode, compared, field_round, near_misses
from harness import OPERATOR, Coordinator

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.encodings import submission_digest
from isthmus.contract.errors import (
    AnswersIncomplete,
    AnswersMalformed,
    ChunkDamaged,
    IsthmusError,
    MalformedDocument,
    MalformedMessage,
    NotAMember,
    NotFound,
    RoundStateMismatch,
    SignatureInvalid,
    SubmissionConflict,
)
from isthmus.contract.field_answers import ComparisonAnswers, answers_per_chunk
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import answers, rounds
from isthmus.coordinator.actions.chunks import Resume
from isthmus.coordinator.actions.housekeeping import sweep_blobs
from isthmus.coordinator.domain.roles import Actor

ROWS, SLOTS = 300, 64
"""So many rows with so many slots have answers of three chunks."""


@pytest.fixture
def nodes(hub: Coordinator) -> list[FieldNode]:
    """Two providers whose round waits for their answers."""
    made = field_round(hub, range(12), [*range(7), 20])
    hub.match()
    return made


def _state(node: FieldNode) -> tuple[Any, ...]:
    """Give all of a round that answering may change, but for the log."""
    with node.hub.context.store.read() as tx:
        found = tx.answers.of_round(node.round_id)
        chunks = [tx.answers.chunks(node.round_id, one.party, one.other) for one in found]
    return node.hub.state(node.round_id), found, chunks, sorted(node.hub.context.blobs.digests())


def _refused(node: FieldNode, act: Callable[[], object], error: type[IsthmusError], match: str | None = None) -> None:
    """See that an act is refused with that error and changes nothing, not even the log."""
    before, events = _state(node), len(node.hub.events())
    with pytest.raises(error, match=match):
        act()
    assert _state(node) == before
    assert len(node.hub.events()) == events


def test_answers_are_declared_stored_and_closed_and_the_last_ones_go_back_to_matching(nodes: list[FieldNode]) -> None:
    hub, (left, right) = nodes[0].hub, nodes

    left.answer(right.id)
    assert hub.state(left.round_id) is RoundState.COMPARING
    right.answer(left.id)

    assert hub.state(left.round_id) is RoundState.MATCHING
    kept = [one["action"] for one in hub.events() if one["action"] != "comparison.fetch"]
    assert kept[-5:] == ["answers.open", "answers.complete", "answers.open", "answers.complete", "round.advance"]


def test_round_tells_whose_answers_are_missing_and_how_many_are_in(hub: Coordinator) -> None:
    left, right = field_round(hub, range(ROWS), range(ROWS), comparison={"slots": SLOTS})
    hub.match()
    chunks = left.chunks(right.id)
    assert len(chunks) > 1

    def view() -> tuple[int, int, list[str]]:
        one = rounds.list_all_rounds(hub.context)[0]
        return one.pairs_done, one.pairs_total, [waiting.party for waiting in one.waiting_for]

    pairs = SLOTS * ROWS
    assert view() == (0, 2 * pairs, [left.id, right.id])
    declared = left.declaration(right.id, chunks)
    left.open(declared)
    left.store(right.id, 0, chunks[0])
    assert view() == (answers_per_chunk(declared.answer_bytes), 2 * pairs, [left.id, right.id])
    left.answer(right.id)
    assert view() == (pairs, 2 * pairs, [right.id])


def test_interrupted_answers_go_on_at_the_first_chunk_that_is_not_there(hub: Coordinator) -> None:
    left, right = field_round(hub, range(ROWS), range(ROWS), comparison={"slots": SLOTS})
    hub.match()
    chunks = left.chunks(right.id)
    declared = left.declaration(right.id, chunks)

    assert left.open(declared) == Resume(next_chunk=0, complete=False)
    left.store(right.id, 1, chunks[1])
    assert left.open(declared) == Resume(next_chunk=0, complete=False)
    left.store(right.id, 0, chunks[0])
    assert left.open(declared).next_chunk == 2
    _refused(left, lambda: left.complete(right.id), AnswersIncomplete, f"2 of {len(chunks)}")
    for index, chunk in enumerate(chunks):
        left.store(right.id, index, chunk)
    left.complete(right.id)

    assert left.open(declared) == Resume(next_chunk=len(chunks), complete=True)


def test_same_again_changes_nothing_at_any_time(nodes: list[FieldNode]) -> None:
    hub, (left, right) = nodes[0].hub, nodes
    chunks = left.chunks(right.id)
    declared = left.declaration(right.id, chunks)
    left.answer(right.id)
    before, events = _state(left), len(hub.events())

    left.open(declared)
    left.complete(right.id)
    assert (_state(left), len(hub.events())) == (before, events)
    right.answer(left.id)
    before, events = _state(left), len(hub.events())
    left.open(declared)
    left.complete(right.id)
    assert (_state(left), len(hub.events())) == (before, events)


def test_other_content_for_what_is_declared_or_stored_is_refused(nodes: list[FieldNode]) -> None:
    left, right = nodes
    (chunk,) = left.chunks(right.id)
    declared = left.declaration(right.id, [chunk])
    other = msgspec.structs.replace(declared, digest="0" * 64)
    left.open(declared)
    left.store(right.id, 0, chunk)
    left.store(right.id, 0, chunk)

    _refused(left, lambda: left.open(other), SubmissionConflict, "declaration of answers")
    altered = chunk[:-1] + bytes([chunk[-1] ^ 1])
    _refused(left, lambda: left.store(right.id, 0, altered), SubmissionConflict, "chunk 0 of answers")
    left.complete(right.id)
    _refused(left, lambda: left.store(right.id, 0, chunk), SubmissionConflict, "complete")
    _refused(left, lambda: left.open(other), SubmissionConflict)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"request": "0" * 64}, "another request"),
        ({"party": PartyId("college")}, "another round or party"),
        ({"round_id": RoundId("k12-to-work-0123456789")}, "another round or party"),
        ({"answer_bytes": 40}, "another length"),
        ({"near_misses": near_misses(["first_name"])}, "not of the fields"),
        ({"near_misses": near_misses(["first_name", "last_name", "dob", "zip"])}, "not of the fields"),
    ],
)
def test_declaration_of_something_else_is_refused(nodes: list[FieldNode], changes: dict[str, Any], match: str) -> None:
    left, right = nodes
    declared = left.declaration(right.id, left.chunks(right.id))

    _refused(left, lambda: left.open(msgspec.structs.replace(declared, **changes)), AnswersMalformed, match)


def test_declaration_of_more_or_fewer_pairs_than_asked_is_refused(nodes: list[FieldNode]) -> None:
    left, right = nodes
    declared = left.declaration(right.id, left.chunks(right.id))

    for pairs in (declared.pairs - 1, declared.pairs + 1):
        _refused(left, partial(left.open, msgspec.structs.replace(declared, pairs=pairs)), AnswersMalformed)
    for wrong in ({"pairs": 0}, {"pairs": 10**12}, {"chunk_count": 2}, {"chunk_count": -1}, {"answer_bytes": 0}):
        changed = msgspec.structs.replace(declared, **wrong)
        _refused(left, partial(left.open, changed), MalformedDocument)


@pytest.mark.parametrize("share", [0.0, 5e-324, 1.0, -0.1, 1e300])
def test_near_misses_that_are_no_shares_are_refused(nodes: list[FieldNode], share: float) -> None:
    left, right = nodes
    fields = ("first_name", "last_name", "dob")
    declared = left.declaration(right.id, left.chunks(right.id))
    lie = msgspec.structs.replace(declared, near_misses=near_misses(fields, share=share))

    _refused(left, lambda: left.open(lie), MalformedDocument, "no shares of levels")


def test_near_misses_are_the_same_about_every_other_provider(hub: Coordinator) -> None:
    nodes = field_round(hub, range(6), range(6), range(6))
    hub.match()
    one, two, three = nodes
    one.answer(two.id)
    declared = one.declaration(three.id, one.chunks(three.id))
    lie = msgspec.structs.replace(declared, near_misses=near_misses(("first_name", "last_name", "dob"), share=0.02))

    _refused(one, lambda: one.open(lie), AnswersMalformed, "not those that this party declared")
    one.answer(three.id)
    two.open(msgspec.structs.replace(two.declaration(one.id, two.chunks(one.id)), near_misses=()))


def test_declaration_that_the_party_did_not_sign_is_refused(nodes: list[FieldNode]) -> None:
    left, right = nodes
    document = left.declaration(right.id, left.chunks(right.id)).to_bytes()
    signatures = [
        sign(right.party.signing_key, Label.COMPARISON_ANSWERS, document),
        sign(left.party.signing_key, Label.SUBMISSION, document),
        b"",
    ]

    def open_with(actor: Actor, signature: bytes) -> Resume:
        return answers.open_answers(
            left.hub.context, actor, round_id=left.round_id, document=document, signature=signature
        )

    for signature in signatures:
        _refused(left, partial(open_with, left.party.actor, signature), SignatureInvalid)
    good = sign(left.party.signing_key, Label.COMPARISON_ANSWERS, document)
    _refused(left, lambda: open_with(right.party.actor, good), NotFound)
    _refused(left, lambda: open_with(OPERATOR, good), NotAMember)


def test_answers_about_strangers_are_refused(nodes: list[FieldNode]) -> None:
    left, right = nodes
    declared = left.declaration(right.id, left.chunks(right.id))

    for other in ("county", left.id, "x" * 60_000):
        lie = msgspec.structs.replace(declared, other=PartyId(other))
        _refused(left, partial(left.open, lie), NotFound)
    for act in (lambda: left.store(right.id, 0, b""), lambda: left.complete(right.id)):
        _refused(left, act, NotFound)


@pytest.mark.parametrize("index", [-1, 1, 4_000_000_000])
def test_chunk_that_was_not_declared_is_refused(nodes: list[FieldNode], index: int) -> None:
    left, right = nodes
    (chunk,) = left.chunks(right.id)
    left.open(left.declaration(right.id, [chunk]))

    _refused(left, lambda: left.store(right.id, index, chunk), ChunkDamaged, "no such chunk")


def test_chunk_that_is_cut_longer_or_altered_is_refused(nodes: list[FieldNode]) -> None:
    left, right = nodes
    (chunk,) = left.chunks(right.id)
    left.open(left.declaration(right.id, [chunk]))

    for wrong in (b"", chunk[:-1], chunk + b"\x00", chunk * 30):
        _refused(left, partial(left.store, right.id, 0, wrong), ChunkDamaged, "length")
    send = partial(
        answers.store_answers,
        left.hub.context,
        left.party.actor,
        round_id=left.round_id,
        other=right.id,
        index=0,
        payload=chunk,
    )
    _refused(left, partial(send, digest=bytes(32)), ChunkDamaged, "digest")
    _refused(left, partial(send, digest=bytes(31)), MalformedMessage)


def test_answer_that_claims_a_part_which_is_not_compared_is_refused(nodes: list[FieldNode]) -> None:
    left, right = nodes
    (chunk,) = left.chunks(right.id)
    declared = left.declaration(right.id, [chunk])
    lie = np.frombuffer(chunk, np.uint8).reshape(declared.pairs, -1).copy()
    lie[17, 3] |= 0x80
    left.open(declared)

    _refused(left, lambda: left.store(right.id, 0, lie.tobytes()), ChunkDamaged, "not compared")


def test_answers_that_are_not_what_was_declared_are_discarded_whole_and_can_be_sent_again(
    nodes: list[FieldNode],
) -> None:
    left, right = nodes
    (chunk,) = left.chunks(right.id)
    before = _state(left)
    lie = left.declaration(right.id, [chunk])
    left.open(msgspec.structs.replace(lie, digest=submission_digest([sha256(b"else")]).hex()))
    left.store(right.id, 0, chunk)

    with pytest.raises(AnswersMalformed, match="not what was declared"):
        left.complete(right.id)

    assert _state(left) == before
    assert [one["action"] for one in left.hub.events()][-1] == "answers.discard"
    left.answer(right.id)


def test_nothing_is_taken_before_providers_are_asked_nor_after_they_have_answered(hub: Coordinator) -> None:
    left, right = field_round(hub, range(12), range(7))
    with pytest.raises(NotFound):
        left.complete(right.id)
    hub.match()
    (chunk,) = left.chunks(right.id)
    declared = left.declaration(right.id, [chunk])
    compared([left, right])
    assert hub.state(left.round_id) is RoundState.MATCHING

    _refused(left, lambda: left.store(right.id, 0, chunk), RoundStateMismatch)
    _refused(left, lambda: left.fetch(right.id), RoundStateMismatch)
    _refused(left, lambda: left.open(msgspec.structs.replace(declared, digest="0" * 64)), SubmissionConflict)
    hub.match()
    assert hub.state(left.round_id) is RoundState.RELEASED
    _refused(left, lambda: left.store(right.id, 0, chunk), RoundStateMismatch)


def test_declaration_is_not_taken_while_the_round_is_being_matched(hub: Coordinator) -> None:
    left, right = field_round(hub, range(12), range(7))
    hub.match()
    declared = left.declaration(right.id, left.chunks(right.id))
    rounds.cancel_round(hub.context, OPERATOR, round_id=left.round_id)

    _refused(left, lambda: left.open(declared), RoundStateMismatch)


def test_blobs_of_a_round_that_waits_for_answers_survive_a_new_start(nodes: list[FieldNode]) -> None:
    left, right = nodes
    left.answer(right.id)
    before = _state(left)

    assert sweep_blobs(left.hub.context) == 0

    assert _state(left) == before
    right.answer(left.id)
    left.hub.match()
    assert left.hub.state(left.round_id) is RoundState.RELEASED


def test_declarations_of_wrong_formats_are_refused(nodes: list[FieldNode]) -> None:
    left, right = nodes
    good: ComparisonAnswers = left.declaration(right.id, left.chunks(right.id))

    def open_bytes(document: bytes) -> Resume:
        signature = sign(left.party.signing_key, Label.COMPARISON_ANSWERS, document)
        return answers.open_answers(
            left.hub.context, left.party.actor, round_id=left.round_id, document=document, signature=signature
        )

    for document in (b"", b"{}", b" " + good.to_bytes(), b"{" + b" " * 70_000):
        _refused(left, partial(open_bytes, document), MalformedDocument)
