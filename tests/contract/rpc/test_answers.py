"""What is asked about pairs, and answers to it, over real gRPC and mutual TLS."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from field_nodes import FieldNode, field_round
from harness import Coordinator, Enrolled
from live import live_coordinator

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.clock import FixedClock, SystemClock
from isthmus.contract.convert import round_from_wire
from isthmus.contract.errors import (
    AnswersIncomplete,
    AnswersMalformed,
    ChunkDamaged,
    IsthmusError,
    MalformedMessage,
    NotAMember,
    NotFound,
    RoundStateMismatch,
    SubmissionConflict,
)
from isthmus.contract.field_answers import request_from_bytes
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import Role
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.domain.roles import Actor
from isthmus.party.dial import errors_from, open_channel
from isthmus.party.identity import Identity
from isthmus.v1 import provider_pb2 as pb
from isthmus.v1.provider_pb2_grpc import ProviderServiceStub

ROWS, SLOTS = 300, 64
"""Answers of three chunks."""


class WireNode:
    """A node's calls, with nothing between them and the wire."""

    def __init__(self, identity: Identity, node: FieldNode) -> None:
        """Call as that party."""
        self.identity, self.node, self.round_id = identity, node, str(node.round_id)

    def call(self, act: Callable[[ProviderServiceStub], object]) -> object:
        """Make a call and raise its typed error."""
        with open_channel(self.identity) as channel, errors_from("here"):
            return act(ProviderServiceStub(channel))

    def fetch(self, other: str) -> list[pb.FetchComparisonResponse]:
        """Ask what is asked."""
        request = pb.FetchComparisonRequest(round_id=self.round_id, other_party_id=other)
        found = self.call(lambda stub: list(stub.FetchComparison(request, timeout=20)))
        assert isinstance(found, list)
        return found

    def open(self, other: PartyId, chunks: Sequence[bytes], **changes: object) -> pb.OpenAnswersResponse:
        """Declare these chunks."""
        declared = msgspec.structs.replace(self.node.declaration(other, chunks), **changes)
        document = declared.to_bytes()
        signature = sign(self.node.party.signing_key, Label.COMPARISON_ANSWERS, document)
        request = pb.OpenAnswersRequest(round_id=self.round_id, answers=document, signature=signature)
        found = self.call(lambda stub: stub.OpenAnswers(request, timeout=20))
        assert isinstance(found, pb.OpenAnswersResponse)
        return found

    def upload(self, other: str, chunks: Sequence[tuple[int, bytes]]) -> list[int]:
        """Send chunks in one stream, and give which are acknowledged."""
        messages = [
            pb.UploadAnswersRequest(
                round_id=self.round_id, other_party_id=other, index=index, digest=sha256(chunk), payload=chunk
            )
            for index, chunk in chunks
        ]
        found = self.call(lambda stub: [one.index for one in stub.UploadAnswers(iter(messages), timeout=20)])
        assert isinstance(found, list)
        return found

    def complete(self, other: str) -> RoundState:
        """Close them, and give the round's state."""
        request = pb.CompleteAnswersRequest(round_id=self.round_id, other_party_id=other)
        found = self.call(lambda stub: stub.CompleteAnswers(request, timeout=20))
        assert isinstance(found, pb.CompleteAnswersResponse)
        return round_from_wire(found.round).state


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Coordinator, list[WireNode]]]:
    """A running coordinator that waits for the answers of two enrolled nodes."""
    with live_coordinator(tmp_path) as live:
        identities = [live.enrolled(name) for name in ("riverside", "college")]
        parties = [
            Enrolled(actor=Actor(party=one.party, role=Role.PROVIDER), signing_key=one.signing_key)
            for one in identities
        ]
        keys = live.installation.keys
        hub = Coordinator(
            context=live.installation.context,
            clock=FixedClock(SystemClock().now()),
            authority=keys.authority,
            signing_key=keys.signing_key,
            close=lambda: None,
        )
        made = field_round(hub, range(ROWS), range(ROWS), parties=parties, comparison={"slots": SLOTS})
        hub.match()
        yield hub, [WireNode(identity, node) for identity, node in zip(identities, made, strict=True)]


def _refused(error: type[IsthmusError], act: Callable[[], object]) -> None:
    with pytest.raises(error):
        act()


def test_two_nodes_answer_and_a_round_goes_back_to_matching(nodes: tuple[Coordinator, list[WireNode]]) -> None:
    hub, (left, right) = nodes

    first, *others = left.fetch(right.node.id)
    request = request_from_bytes(first.request)
    rows = b"".join(one.rows for one in (first, *others))
    assert request.rows == sha256(rows).hex()
    assert len(rows) == 4 * request.pairs == 4 * ROWS * SLOTS
    assert not any(one.request or one.signature or one.other_submission for one in others)
    assert max(len(one.rows) for one in others) <= 2**20

    for node, other, state in ((left, right, RoundState.COMPARING), (right, left, RoundState.MATCHING)):
        chunks = node.node.chunks(other.node.id)
        assert len(chunks) == 3
        assert node.open(other.node.id, chunks).next_chunk == 0
        assert node.upload(other.node.id, [(0, chunks[0])]) == [0]
        assert node.open(other.node.id, chunks).next_chunk == 1, "a node that was stopped goes on there"
        assert node.upload(other.node.id, list(enumerate(chunks))) == [0, 1, 2]
        assert node.complete(other.node.id) is state
    hub.match()

    assert hub.state(left.node.round_id) is RoundState.RELEASED
    assert len(left.node.linked()) == ROWS


def test_what_a_node_may_not_send_is_refused_with_a_type_and_the_round_goes_on(
    nodes: tuple[Coordinator, list[WireNode]],
) -> None:
    hub, (left, right) = nodes
    one, other = left.node.id, right.node.id
    chunks = left.node.chunks(other)

    _refused(MalformedMessage, lambda: left.fetch("Not A Party"))
    _refused(NotFound, lambda: left.fetch(one))
    _refused(NotFound, lambda: left.upload(other, [(0, chunks[0])]))
    _refused(NotFound, lambda: left.complete(other))
    _refused(AnswersMalformed, lambda: left.open(other, chunks, request="0" * 64))
    left.open(other, chunks)
    _refused(SubmissionConflict, lambda: left.open(other, chunks, digest="0" * 64))
    _refused(ChunkDamaged, lambda: left.upload(other, [(3, chunks[0])]))
    _refused(ChunkDamaged, lambda: left.upload(other, [(2, chunks[0])]))
    left.upload(other, [(0, chunks[0])])
    _refused(SubmissionConflict, lambda: left.upload(other, [(0, chunks[1])]))
    _refused(AnswersIncomplete, lambda: left.complete(other))
    foreign = hub.party("county")
    outside = WireNode(left.identity, left.node)
    outside.round_id = "k12-to-work-0123456789"
    _refused(NotAMember, lambda: outside.fetch(foreign.id))
    left.upload(other, list(enumerate(chunks)))
    assert left.complete(other) is RoundState.COMPARING
    right.node.answer(one)
    _refused(RoundStateMismatch, lambda: left.fetch(other))
    assert left.complete(other) is RoundState.MATCHING, "closing again is harmless"
