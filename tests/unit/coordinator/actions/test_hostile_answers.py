"""A provider that answers lawfully and untruly: the round comes to its end all the same, and promises nothing."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from field_nodes import FieldNode, field_round, near_misses, strike
from harness import Coordinator

from isthmus.contract.comparison import PRESENCE_BYTES
from isthmus.contract.field_answers import LEAST_NEAR_MISS, NearMisses
from isthmus.contract.levels import LEVELS
from isthmus.contract.quality import NotEnoughData, PairQuality
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.results import fetch_quality
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE

SHARED = range(50, 150)
LEFT, RIGHT = range(150), range(50, 200)


def _asked(hub: Coordinator, *groups: Sequence[int], planted: int = 0) -> list[FieldNode]:
    nodes = field_round(hub, *(groups or (LEFT, RIGHT)), comparison={"slots": 16, "planted": planted})
    hub.match()
    return nodes


def _send(node: FieldNode, other: FieldNode, chunks: Sequence[bytes], **declared: object) -> None:
    node.open(msgspec.structs.replace(node.declaration(other.id, chunks), **declared))
    for index, payload in enumerate(chunks):
        node.store(other.id, index, payload)
    node.complete(other.id)


def _noise(node: FieldNode, other: FieldNode) -> list[bytes]:
    """Give random bytes in place of answers, in which every row has every field."""
    comparison = node.hub.manifest(node.round_id).project.comparison_of(node.id, other.id)
    rng, everything = np.random.default_rng(5), np.array([(1 << len(comparison.parts)) - 1], "<u4").view(np.uint8)
    chunks = []
    for chunk in node.chunks(other.id):
        answers = rng.integers(0, 256, (len(chunk) // comparison.answer_bytes, comparison.answer_bytes), np.uint8)
        answers[:, :PRESENCE_BYTES] = everything
        chunks.append(answers.tobytes())
    return chunks


def _result(hub: Coordinator, node: FieldNode) -> PairQuality:
    hub.match()
    assert hub.state(node.round_id) is RoundState.RELEASED
    (pair,) = fetch_quality(hub.context, node.party.actor, round_id=node.round_id).report.pairs
    return pair


def test_random_bytes_link_nobody_and_the_report_and_the_log_say_so(hub: Coordinator) -> None:
    left, right = _asked(hub)
    _send(left, right, _noise(left, right))
    right.answer(left.id)

    pair = _result(hub, left)

    assert (left.linked(), right.linked(), pair.accepted, pair.patterns) == ({}, {}, None, ())
    assert all(isinstance(one, NotEnoughData) for one in (pair.precision, pair.recall, pair.f1))
    (said,) = [event["outcome"] for event in hub.events(COORDINATOR_SCOPE) if event["action"] == "comparison.scarce"]
    assert said == "riverside and college: not enough matches"


@pytest.mark.parametrize("likely", [0, -1])
def test_absurd_near_misses_of_one_provider_can_take_links_away_and_add_none(hub: Coordinator, likely: int) -> None:
    """Four kinds that explain nearly every pair, each by one level of each field."""
    left, right = _asked(hub, [*LEFT, -150], RIGHT)
    kind = near_misses(hub.manifest(left.round_id).project.comparable_fields(left.id), share=0.999)[0]
    _send(left, right, left.chunks(right.id), near_misses=(_extreme(kind, likely),) * 4)
    right.answer(left.id)

    _result(hub, left)

    assert set(left.linked()) <= set(SHARED)


def _extreme(kind: NearMisses, likely: int) -> NearMisses:
    levels = {}
    for name in kind.levels:
        shares = [LEAST_NEAR_MISS] * len(LEVELS[name].names)
        shares[likely] = 1.0
        levels[name] = tuple(shares)
    return msgspec.structs.replace(kind, levels=levels)


def test_provider_of_planted_people_alone_who_strikes_them_out_ends_the_round_without_links(hub: Coordinator) -> None:
    left, right = _asked(hub, range(6), range(40), planted=6)
    _send(left, right, _noise(left, right), planted=tuple(range(6)))
    _send(right, left, right.chunks(left.id), planted=tuple(reversed(range(6))))
    strike(left, *range(6))

    pair = _result(hub, left)

    assert (pair.planted.planted, pair.planted.found, pair.accepted) == (6, 0, None)
    assert right.linked() == {}
