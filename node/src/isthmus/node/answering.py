"""Answering for the fields of pairs of rows, one other provider after the other. docs/protocol.md section 13.

One request is answered for each other provider and round, and never another one: which it is lies in the vault before
the first answer is made. Answers lie in the outbox, and their declaration in the vault, before the coordinator hears of
them; what a row lacks is random, so they are made once, and a node that is killed goes on with the same bytes.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import structlog

from isthmus.contract.canonical import Label, sign
from isthmus.contract.comparison import Comparison
from isthmus.contract.encodings import submission_from_bytes
from isthmus.contract.errors import AnswersMalformed
from isthmus.contract.field_answers import (
    ANSWERS_FORMAT,
    ComparisonAnswers,
    NearMisses,
    answer_chunks,
    answers_from_bytes,
    near_misses_to_wire,
)
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.views import RoundView
from isthmus.node.client import Client
from isthmus.node.compare.answers import Side
from isthmus.node.compare.field_file import FieldFile, open_field_file
from isthmus.node.compare.kept import Kept
from isthmus.node.compare.near_misses import own_near_misses
from isthmus.node.compare.pads import PadKeys, pads_of_lists
from isthmus.node.compare.write import AnswerWriter
from isthmus.node.comparison_request import OTHER_PAIRS, Pairs, Terms, checked_pairs
from isthmus.node.errors import ComparisonRefused, ConsentChanging, OutboxDamaged, RefusedByPolicy, SettingsChanged
from isthmus.node.left_out import handles_left_out
from isthmus.node.node import Node, with_present_settings
from isthmus.node.outbox import (
    Content,
    content_path,
    fields_path,
    named_content,
    new_content,
    remove_contents,
    write_chunks,
)
from isthmus.node.vault import Mark

Report = Callable[[str, int, int], None]

MADE_ANEW: Final = 3
"""How often answers are made where people are left out meanwhile, before the node gives up for now."""

SAMPLE_ROWS: Final = 100_000
"""Near misses are looked for among so many rows at most."""

MOST_THREADS: Final = 4

_REFUSED: Final = (
    "the coordinator refused the answers of this node, and would refuse the same ones again; others must not be made:"
    " ask the lead to cancel the round, and take part in the next"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answering:
    """What all answers of a round are made under; `submission` is the declaration of this node's rows."""

    node: Node
    client: Client
    manifest: RoundManifest
    kept: Kept
    submission: bytes
    report: Report

    @property
    def round_id(self) -> RoundId:
        """The round."""
        return self.manifest.round_id


def answer_comparisons(node: Node, client: Client, manifest: RoundManifest, kept: Kept, *, report: Report) -> RoundView:
    """Answer what the coordinator asks about the pairs with each other provider, or send what it lacks of it.

    Raises:
        RefusedByPolicy: this node sent no rows, or the coordinator refused its answers before.
        ComparisonRefused: the coordinator asks for what it may not; nothing is answered about that provider, ever.
        SettingsChanged, ConsentChanging: what says who is left out changed meanwhile; nothing new was sent.
        OutboxDamaged: what answers are made of, or answers, are missing from the outbox or not as they were written.
    """
    prepared = node.vault.prepared(manifest.round_id)
    if node.vault.marked(manifest.round_id, Mark.ANSWERS_REFUSED):
        raise RefusedByPolicy(round_id=manifest.round_id, problem=_REFUSED)
    if prepared is None or prepared.receipt is None:
        raise RefusedByPolicy(round_id=manifest.round_id, problem="it compares fields, but this node sent it no rows")
    answering = _Answering(
        node=node,
        client=client,
        manifest=manifest,
        kept=kept,
        submission=prepared.document,
        report=report,
    )
    for other in manifest.project.provider_ids():
        if other != node.identity.party:
            _answer_about(answering, other)
    remove_contents(node.outbox, manifest.round_id, Content.ANSWERS, Content.FIELDS)
    return client.get_round(manifest.round_id)[0]


def _answer_about(answering: _Answering, other: PartyId) -> None:
    vault = answering.node.vault
    refused = vault.refusal(answering.round_id, other)
    if refused is not None:
        raise ComparisonRefused(round_id=answering.round_id, other=other, problem=refused)
    declared = vault.declared(answering.round_id, other)
    if declared is None:
        _send(answering, _make(answering, other))
    elif not declared.complete:
        _send(answering, declared.document)


def _make(answering: _Answering, other: PartyId) -> bytes:
    """Fetch what is asked, and make and declare the answers; give the declaration."""
    try:
        pairs = _fetch_pairs(answering, other)
    except ComparisonRefused as refused:
        if answering.node.vault.save_refusal(answering.round_id, other, refused.problem):
            structlog.get_logger().warning(
                "comparison refused", round_id=answering.round_id, party=other, code=refused.code
            )
        raise
    # Those of a node that was killed before it declared them: nobody has seen a byte of them.
    remove_contents(answering.node.outbox, answering.round_id, Content.ANSWERS)
    for _ in range(MADE_ANEW):
        left_out = _left_out(answering)
        file = _open_fields(answering, left_out)
        near_misses = _near_misses(answering, file)
        document = _write(answering, other, pairs, file, near_misses, left_out)
        if document is not None:
            return document
    raise ConsentChanging(round_id=answering.round_id, times=MADE_ANEW)


def _fetch_pairs(answering: _Answering, other: PartyId) -> Pairs:
    terms = Terms(
        manifest=answering.manifest,
        party=answering.node.identity.party,
        other=other,
        submission=answering.submission,
    )
    with answering.client.fetch_comparison(answering.round_id, other) as asked:
        pairs = checked_pairs(asked, terms)
    if not answering.node.vault.bind_request(answering.round_id, other, pairs.request):
        raise terms.refused(OTHER_PAIRS)
    return pairs


def _left_out(answering: _Answering) -> frozenset[bytes]:
    """Give the handles of rows that are struck out or whose people are left out now."""
    node = answering.node
    if with_present_settings(node) is not node:
        raise SettingsChanged(problem=f"the answers of round {answering.round_id} are made anew")
    return frozenset(handles_left_out(node, answering.round_id)) | node.vault.tombstones(answering.round_id).keys()


def _open_fields(answering: _Answering, left_out: frozenset[bytes]) -> FieldFile:
    submission = submission_from_bytes(answering.submission)
    path, kept = fields_path(answering.node.outbox, submission), answering.kept
    return open_field_file(path, kept.layout, submission=submission, key=kept.disk, left_out=left_out)


def _near_misses(answering: _Answering, file: FieldFile) -> tuple[NearMisses, ...]:
    """Give what this node says of near misses in this round: nothing where a person may have several rows."""
    kept = answering.node.vault.near_misses(answering.round_id)
    if kept is not None:
        return msgspec.json.decode(kept, type=tuple[NearMisses, ...])
    if answering.manifest.repeats(answering.node.identity.party):
        return ()
    answering.report("near misses", 0, 1)
    rng = np.random.default_rng(int.from_bytes(answering.node.random_bytes(16), "big"))
    kept_rows = np.flatnonzero(file.kept)
    planted = list(answering.node.vault.planted_rows(answering.round_id).values())
    rows = np.setdiff1d(kept_rows, np.array(planted, kept_rows.dtype)).astype(np.uint32)
    sample = rows if len(rows) <= SAMPLE_ROWS else np.sort(rng.choice(rows, SAMPLE_ROWS, replace=False))
    comparison = answering.kept.layout.comparison
    kinds = own_near_misses(file.take(sample), comparison, grades=answering.kept.grades, rng=rng)
    answering.report("near misses", 1, 1)
    return near_misses_to_wire(kinds, comparison.fields)


def _write(
    answering: _Answering,
    other: PartyId,
    pairs: Pairs,
    file: FieldFile,
    near_misses: tuple[NearMisses, ...],
    left_out: frozenset[bytes],
) -> bytes | None:
    """Write the answers and save their declaration; None, and nothing is kept, where others are left out by now."""
    node, round_id = answering.node, answering.round_id
    comparison = answering.manifest.project.comparison_of(node.identity.party, other)
    total = len(pairs.rows)
    with new_content(node.outbox, round_id, Content.ANSWERS) as content:
        writer = _writer(answering, other, comparison, file, pairs.lists)
        stage = f"comparing with {other}"
        answering.report(stage, 0, total)
        chunks = writer.chunks(pairs.rows, done=lambda done: answering.report(stage, done, total))
        digest = write_chunks(content, chunks).hex()
        if _left_out(answering) != left_out:
            return None
        declared = ComparisonAnswers(
            format=ANSWERS_FORMAT,
            round_id=round_id,
            party=node.identity.party,
            other=other,
            request=pairs.request.hex(),
            pairs=total,
            answer_bytes=comparison.answer_bytes,
            chunk_count=answer_chunks(pairs=total, answer_bytes=comparison.answer_bytes),
            digest=digest,
            near_misses=near_misses,
            planted=tuple(node.vault.planted_rows(round_id).values()),
        )
        with named_content(node.outbox, round_id, digest, Content.ANSWERS):
            node.vault.save_near_misses(round_id, msgspec.json.encode(near_misses))
            node.vault.save_declared(round_id, other, declared.to_bytes())
    return declared.to_bytes()


def _writer(
    answering: _Answering, other: PartyId, comparison: Comparison, file: FieldFile, lists: bytes
) -> AnswerWriter:
    party, order = answering.node.identity.party, answering.manifest.project.provider_ids()
    left, right = sorted((party, other), key=order.index)
    return AnswerWriter(
        comparison=comparison,
        file=file,
        keys=PadKeys(pad=pads_of_lists(answering.kept.pad, lists), left=left, right=right),
        side=Side.LEFT if party == left else Side.RIGHT,
        random_bytes=answering.node.random_bytes,
        threads=min(MOST_THREADS, os.cpu_count() or 1),
    )


def _send(answering: _Answering, document: bytes) -> None:
    """Declare answers to the coordinator, send the chunks that it lacks, and close them."""
    node, answers = answering.node, answers_from_bytes(document)
    signature = sign(node.identity.signing_key, Label.COMPARISON_ANSWERS, document)
    resume = answering.client.open_answers(answering.round_id, document=document, signature=signature)
    path = content_path(node.outbox, answering.round_id, answers.digest, Content.ANSWERS)
    if not resume.complete:
        if not path.is_file():
            raise OutboxDamaged(round_id=answering.round_id)
        stage, total = f"sending answers about {answers.other}", answers.chunk_count
        answering.report(stage, resume.next_chunk, total)
        answering.client.upload_answers(
            answers, path, first=resume.next_chunk, acknowledged=lambda index: answering.report(stage, index + 1, total)
        )
    _complete(answering, answers.other)
    node.vault.close_answers(answering.round_id, answers.other)
    path.unlink(missing_ok=True)


def _complete(answering: _Answering, other: PartyId) -> None:
    try:
        answering.client.complete_answers(answering.round_id, other)
    except AnswersMalformed:
        answering.node.vault.mark(answering.round_id, Mark.ANSWERS_REFUSED)
        raise
