"""A coordinator that asks for answers it may not have: nothing is answered, and it is remembered and logged."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from unit.node.answering_parts import SLOTS, Call, Hub, Parties, Question, comparing_manifest, even_rows, two_parties
from unit.node.parts import COLLEGE, KEYS, RIVERSIDE, ROUND

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.encodings import Submission, submission_from_bytes
from isthmus.contract.field_answers import pack_row_numbers
from isthmus.contract.ids import PartyId
from isthmus.node.errors import ComparisonRefused, RefusedByPolicy
from isthmus.node.take_part import take_step
from isthmus.party.log import configure_logging
from isthmus.v1 import provider_pb2 as pb

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"somebody else"))


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    """Both nodes with their rows sent; a test that has something refused asks about a state of its own."""
    with two_parties(tmp_path_factory.mktemp("sent")) as both:
        yield both


@pytest.fixture
def parties(sent: Parties) -> Iterator[Parties]:
    """The same, with nothing asked yet."""
    yield sent
    vault = sent.nodes[RIVERSIDE].vault
    with vault._transaction() as tx:
        tx.execute("DELETE FROM answers")
        tx.execute("DELETE FROM refusals")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the node logs."""
    stream = io.StringIO()
    configure_logging(stream)
    yield stream
    structlog.reset_defaults()


def _with_request(question: Question, **changes: object) -> Question:
    return replace(question, request=msgspec.structs.replace(question.request, **changes))


def _with_other(question: Question, submission: Submission, *, key: Ed25519PrivateKey = KEYS[COLLEGE]) -> Question:
    """Give the question with another declaration of the other's rows, which the request names."""
    document = submission.to_bytes()
    changed = replace(question, other_submission=document, other_signature=sign(key, Label.SUBMISSION, document))
    return _with_request(changed, other_submission=sha256(document).hex())


def _more_rows(question: Question, rows: int) -> Submission:
    """Give the other's declaration with so many rows."""
    whole = submission_from_bytes(question.other_submission)
    return msgspec.structs.replace(whole, rows=rows, chunk_count=-(-rows // (2**20 // 144)))


def _one_row_against_all(question: Question) -> Question:
    return question.with_rows(np.zeros(SLOTS * 60, np.uint32))


def _one_row_twice_as_often(question: Question) -> Question:
    rows = question.rows.copy()
    rows[np.flatnonzero(rows == 1)[0]] = 0
    return question.with_rows(rows)


def _over_budget(question: Question) -> Question:
    return question.with_rows(even_rows(60, pairs=SLOTS * 60 + 1, seed=1))


def _row_out_of_range(question: Question) -> Question:
    rows = question.rows.copy()
    rows[rows == 59] = 60
    return question.with_rows(rows)


def _truncated(question: Question) -> Question:
    return replace(question, pieces=[pack_row_numbers(question.rows)[:-4]])


def _cut_inside_a_row(question: Question) -> Question:
    return replace(question, pieces=[pack_row_numbers(question.rows)[:-1]])


def _too_long(question: Question) -> Question:
    data = pack_row_numbers(question.rows)
    return replace(question, pieces=[data, data[:4]])


def _other_list(question: Question) -> Question:
    return replace(question, rows=question.rows[::-1].copy())


HOSTILE: dict[str, tuple[Callable[[Question], Question], str]] = {
    "one row against all": (_one_row_against_all, "some rows more often than"),
    "one row twice as often": (_one_row_twice_as_often, "some rows more often than"),
    "over budget": (_over_budget, "more pairs than the project grants"),
    "row out of range": (_row_out_of_range, "a row that this node did not send"),
    "truncated": (_truncated, "not those that it is signed for"),
    "cut inside a row": (_cut_inside_a_row, "not those that it is signed for"),
    "too long": (_too_long, "not those that it is signed for"),
    "another list": (_other_list, "not those that it is signed for"),
    "no pairs": (lambda one: _with_request(one, pairs=0), "no pairs"),
    "foreign round": (lambda one: _with_request(one, round_id="k12-to-work-2"), "of another round"),
    "other terms": (lambda one: _with_request(one, manifest_hash="0" * 64), "other terms"),
    "for another party": (lambda one: _with_request(one, party=PartyId("somebody")), "about other providers"),
    "about another party": (lambda one: _with_request(one, other=PartyId("somebody")), "about other providers"),
    "about itself": (lambda one: _with_request(one, other=RIVERSIDE), "no pairs of two providers"),
    "other rows of its own": (lambda one: _with_request(one, submission="0" * 64), "other rows than this node sent"),
    "signed by another key": (lambda one: replace(one, key=OTHER_KEY), "signature"),
    "other's rows not those named": (
        lambda one: replace(one, other_submission=_more_rows(one, 100).to_bytes()), "not the one that it names"
    ),
    "other's rows forged": (lambda one: _with_other(one, _more_rows(one, 1_000), key=OTHER_KEY), "signature"),
    "other's rows not signed": (
        lambda one: replace(one, other_signature=bytes(64)), "signature"
    ),
    "other's rows over its max_rows": (lambda one: _with_other(one, _more_rows(one, 1_001)), "over its max_rows"),
    "other's rows of another round": (
        lambda one: _with_other(
            one, msgspec.structs.replace(_more_rows(one, 40), round_id="k12-to-work-2")
        ),
        "of another round",
    ),
    "no document": (lambda one: replace(one, other_submission=b""), "not the one that it names"),
}  # fmt: skip


@pytest.mark.parametrize(("bend", "says"), HOSTILE.values(), ids=HOSTILE)
def test_request_that_is_not_lawful_is_refused_for_ever(
    parties: Parties, log: io.StringIO, bend: Callable[[Question], Question], says: str
) -> None:
    lawful, node = parties.hub(RIVERSIDE), parties.nodes[RIVERSIDE]
    hub = Hub(bend(parties.asked(RIVERSIDE)))

    with pytest.raises(ComparisonRefused, match=says) as refused:
        parties.step(RIVERSIDE, hub)
    with pytest.raises(ComparisonRefused, match=says):
        parties.step(RIVERSIDE, lawful)

    assert (hub.declared, hub.chunks, lawful.fetched) == ([], {}, 0)
    assert not list(node.outbox.glob("*answers*"))
    assert refused.value.other == COLLEGE
    assert "this round to be cancelled and another one to be proposed" in refused.value.spec.remedy
    (line,) = log.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["round_id"], told["party"]) == ("comparison refused", ROUND, COLLEGE)
    assert told["code"] == "comparison-refused"


def _stop(_stage: str, _done: int, _total: int) -> None:
    """Stand for a node that is stopped before the first answer is made."""
    raise KeyboardInterrupt


def test_second_list_of_the_same_round_is_refused_though_it_is_lawful(parties: Parties) -> None:
    node = parties.nodes[RIVERSIDE]
    first, second = parties.hub(RIVERSIDE), parties.hub(RIVERSIDE, even_rows(60, pairs=SLOTS * 60, seed=99))
    with pytest.raises(KeyboardInterrupt):
        take_step(node, first.client(), ROUND, report=_stop)

    for hub in (second, first):
        with pytest.raises(ComparisonRefused, match="other pairs than before"):
            parties.step(RIVERSIDE, hub)

    assert (first.declared, second.declared) == ([], [])


def test_same_list_may_be_asked_again(parties: Parties) -> None:
    hub = parties.hub(RIVERSIDE)
    with pytest.raises(KeyboardInterrupt):
        take_step(parties.nodes[RIVERSIDE], hub.client(), ROUND, report=_stop)

    parties.step(RIVERSIDE, hub)

    assert (hub.complete, hub.fetched) == (True, 2)


@dataclass
class _Unread(Hub):
    """A coordinator that notices how many messages of its list are read."""

    read: int = 0

    def FetchComparison(self, _request: object, **_options: object) -> Any:  # noqa: N802 - as generated
        return Call(self._counted())

    def _counted(self) -> Iterator[pb.FetchComparisonResponse]:
        for message in self.asked.messages():
            self.read += 1
            yield message


@pytest.mark.parametrize(("pairs", "messages"), [(2**40, 1), (SLOTS * 60, 3)])
def test_list_is_read_only_where_the_request_asks_for_no_more_than_is_granted(
    parties: Parties, pairs: int, messages: int
) -> None:
    hub = _Unread(_with_request(parties.asked(RIVERSIDE), pairs=pairs, rows="0" * 64))

    with pytest.raises(ComparisonRefused):
        parties.step(RIVERSIDE, hub)

    assert hub.read == messages


def test_project_without_comparison_is_not_compared(tmp_path: Path) -> None:
    with two_parties(tmp_path, terms=comparing_manifest(comparison=None)) as both:
        hub = both.hub(RIVERSIDE, even_rows(60, pairs=60, seed=1))

        with pytest.raises(RefusedByPolicy, match="does not grant"):
            both.step(RIVERSIDE, hub)

        assert not list(both.nodes[RIVERSIDE].outbox.iterdir())
    assert hub.fetched == 0


def test_terms_that_this_node_did_not_sign_are_not_answered(parties: Parties) -> None:
    hub = parties.hub(RIVERSIDE)
    hub.terms = comparing_manifest(comparison=ComparisonTerms(slots=64))

    with pytest.raises(RefusedByPolicy, match="not the one that this node signed"):
        parties.step(RIVERSIDE, hub)

    assert hub.fetched == 0
