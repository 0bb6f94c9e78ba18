"""Rows that are struck out: of whose round, until when, and that they are in nothing that comes of it."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest
from harness import OPERATOR, Coordinator, Enrolled, Rows, random_rows, small_engine
from project_files import PROJECT

from isthmus.contract.canonical import Label, sign
from isthmus.contract.errors import (
    IsthmusError,
    MalformedMessage,
    NotAMember,
    NotReady,
    RoundStateMismatch,
    SignatureInvalid,
)
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.tombstones import tombstones_document
from isthmus.coordinator.actions import rounds
from isthmus.coordinator.actions.matching import claim_round, fail_round, match_round
from isthmus.coordinator.actions.tombstones import tombstone_rows
from isthmus.coordinator.domain.entities import unpack_entities
from isthmus.coordinator.domain.pseudonyms import PseudonymRow, unpack_pseudonyms

PEOPLE_OF_BOTH = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round of two providers: 12 rows and 10 rows, of which the first 7 are the same people."""

    id: RoundId
    left: Enrolled
    right: Enrolled
    rows: Rows
    other_rows: Rows

    def handle(self, row: int) -> bytes:
        """Give the handle of one of the left provider's rows."""
        handle: bytes = self.rows.handles[row].tobytes()
        return handle


def _collecting(hub: Coordinator, **changes: object) -> Round:
    """Give the round while it collects: the left provider's rows are in, the right one's are not."""
    left, right = hub.parties("riverside", "college")
    rows = random_rows(12, seed=1)
    other_rows = random_rows(10, seed=2).with_people_of(rows, PEOPLE_OF_BOTH)
    round_id = hub.collecting([left, right], **changes)
    hub.submit(left, round_id, rows)
    return Round(id=round_id, left=left, right=right, rows=rows, other_rows=other_rows)


def _sealed(hub: Coordinator, **changes: object) -> Round:
    one = _collecting(hub, **changes)
    hub.submit(one.right, one.id, one.other_rows)
    return one


def _strike(hub: Coordinator, one: Round, *handles: bytes, by: Enrolled | None = None) -> RoundState:
    party = by or one.left
    listed = sorted(handles)
    document = tombstones_document(listed, round_id=one.id, party=party.id)
    signature = sign(party.signing_key, Label.TOMBSTONES, document)
    return tombstone_rows(hub.context, party.actor, round_id=one.id, handles=listed, signature=signature).state


def _struck_out(hub: Coordinator, one: Round) -> frozenset[bytes]:
    with hub.context.store.read() as tx:
        return tx.tombstones.of(one.id, one.left.id)


def _outcomes(hub: Coordinator) -> list[str]:
    return [event["outcome"] for event in hub.events() if event["action"] == "submission.tombstone"]


def _map(hub: Coordinator, one: Round, provider: Enrolled) -> list[PseudonymRow]:
    with hub.context.store.read() as tx:
        result = tx.results.find(one.id, provider.id)
    assert result is not None
    return list(unpack_pseudonyms(hub.context.blobs.get(result.digest)))


def _counts(hub: Coordinator) -> dict[tuple[str, ...], int | None]:
    with hub.context.store.read() as tx:
        (release,) = tx.results.releases()
    return {tuple(row["key"]): row["count"] for row in msgspec.json.decode(release.document)["rows"]}


def test_rows_are_struck_out_and_the_log_has_a_band_and_no_handle(hub: Coordinator) -> None:
    one = _collecting(hub)

    state = _strike(hub, one, *map(one.handle, range(4)))

    assert state is RoundState.COLLECTING
    assert _struck_out(hub, one) == set(map(one.handle, range(4)))
    assert _outcomes(hub) == ["1-9 rows struck out"]
    assert not [event for event in hub.events() if one.handle(0).hex() in str(event)]


def test_striking_out_again_changes_nothing(hub: Coordinator) -> None:
    one = _collecting(hub)
    _strike(hub, one, one.handle(3), one.handle(5))

    _strike(hub, one, one.handle(3), one.handle(5))
    _strike(hub, one, one.handle(5))

    assert _struck_out(hub, one) == {one.handle(3), one.handle(5)}
    assert len(_outcomes(hub)) == 1


def test_row_that_is_struck_out_does_not_link_and_is_in_no_count(hub: Coordinator) -> None:
    one = _sealed(hub, min_cell_count=3)
    _strike(hub, one, one.handle(0), one.handle(1), one.handle(11))

    hub.match()

    assert hub.state(one.id) is RoundState.RELEASED
    linked = {one.handle(row) for row in range(2, PEOPLE_OF_BOTH)}
    assert {row.handle for row in _map(hub, one, one.left)} == linked
    assert {row.handle for row in _map(hub, one, one.right)} == {
        one.other_rows.handles[row].tobytes() for row in range(2, PEOPLE_OF_BOTH)
    }
    counts = _counts(hub)
    assert counts["all rows of", "riverside"] == 12 - 3
    assert counts["all rows of", "college"] == 10
    assert counts["in the data of exactly", "riverside + college"] == PEOPLE_OF_BOTH - 2


def test_struck_out_row_has_no_pseudonym_in_a_spine_and_is_no_entity(hub: Coordinator) -> None:
    one = _sealed(hub, reveal="spine")
    _strike(hub, one, one.handle(0), one.handle(11))

    hub.match()

    spine = _map(hub, one, one.left)
    assert {row.handle for row in spine} == {one.handle(row) for row in range(1, 11)}
    assert len(_map(hub, one, one.right)) == 10
    with hub.context.store.read() as tx:
        digest = tx.results.entities(one.id)
    assert digest is not None
    named = {row.handle for row in unpack_entities(hub.context.blobs.get(digest))}
    assert not named & {one.handle(0), one.handle(11)}


def test_partner_whose_person_opted_out_is_unlinked_like_anybody(make_hub: Callable[[str], Coordinator]) -> None:
    """What the other provider gets is what it would get if the row had never been sent."""
    struck, never = make_hub("struck"), make_hub("never")
    one = _sealed(struck)
    _strike(struck, one, one.handle(0))
    struck.match()
    other = Round(
        id=never.collecting(parties := never.parties("riverside", "college")),
        left=parties[0],
        right=parties[1],
        rows=Rows(handles=one.rows.handles[1:], clks=one.rows.clks[1:]),
        other_rows=one.other_rows,
    )
    never.submit(other.left, other.id, other.rows)
    never.submit(other.right, other.id, other.other_rows)
    never.match()

    assert _counts(struck) == _counts(never)
    assert [row.handle for row in _map(struck, one, one.right)] == [
        row.handle for row in _map(never, other, other.right)
    ]


def test_all_rows_of_a_provider_can_be_struck_out(hub: Coordinator) -> None:
    one = _sealed(hub)
    _strike(hub, one, *map(one.handle, range(12)))

    hub.match()

    assert hub.state(one.id) is RoundState.RELEASED
    assert (_map(hub, one, one.left), _map(hub, one, one.right)) == ([], [])
    assert _outcomes(hub) == ["10-49 rows struck out"]


def test_row_can_be_struck_out_of_a_failed_round_before_it_is_tried_again(hub: Coordinator) -> None:
    one = _sealed(hub)
    claim_round(hub.context)
    fail_round(hub.context, one.id, error=RuntimeError())

    assert _strike(hub, one, one.handle(0)) is RoundState.FAILED

    rounds.retry_round(hub.context, OPERATOR, round_id=one.id)
    match_round(hub.context, one.id, engine=small_engine(), should_stop=lambda: False)
    assert one.handle(0) not in {row.handle for row in _map(hub, one, one.left)}


def test_released_round_stands_and_the_next_one_is_named(hub: Coordinator) -> None:
    one = _sealed(hub)
    hub.match()

    with pytest.raises(RoundStateMismatch, match="the next round leaves these rows out"):
        _strike(hub, one, one.handle(0))

    assert _struck_out(hub, one) == frozenset()


def test_cancelled_round_is_refused(hub: Coordinator) -> None:
    one = _sealed(hub)
    rounds.cancel_round(hub.context, OPERATOR, round_id=one.id)

    with pytest.raises(RoundStateMismatch):
        _strike(hub, one, one.handle(0))


def test_rows_of_a_submission_that_is_not_complete_wait(hub: Coordinator) -> None:
    one = _collecting(hub)

    with pytest.raises(NotReady):
        _strike(hub, one, one.other_rows.handles[0].tobytes(), by=one.right)


@pytest.mark.parametrize("foreign", ["nobody", "other provider"])
def test_unknown_handle_is_refused_with_the_whole_list_and_not_named(hub: Coordinator, foreign: str) -> None:
    one = _sealed(hub)
    unknown = bytes(16) if foreign == "nobody" else one.other_rows.handles[3].tobytes()

    with pytest.raises(MalformedMessage) as caught:
        _strike(hub, one, one.handle(0), unknown)

    assert unknown.hex() not in str(caught.value)
    assert one.handle(0).hex() not in str(caught.value)
    assert _struck_out(hub, one) == frozenset()
    assert _outcomes(hub) == []


def _foreign_signature(hub: Coordinator, one: Round) -> tuple[list[bytes], bytes, RoundId]:
    document = tombstones_document([one.handle(0)], round_id=one.id, party=one.left.id)
    return [one.handle(0)], sign(one.right.signing_key, Label.TOMBSTONES, document), one.id


def _signature_of_another_list(hub: Coordinator, one: Round) -> tuple[list[bytes], bytes, RoundId]:
    document = tombstones_document([one.handle(1)], round_id=one.id, party=one.left.id)
    return [one.handle(0)], sign(one.left.signing_key, Label.TOMBSTONES, document), one.id


def _other_label(hub: Coordinator, one: Round) -> tuple[list[bytes], bytes, RoundId]:
    document = tombstones_document([one.handle(0)], round_id=one.id, party=one.left.id)
    return [one.handle(0)], sign(one.left.signing_key, Label.SUBMISSION, document), one.id


@pytest.mark.parametrize("forge", [_foreign_signature, _signature_of_another_list, _other_label])
def test_list_that_the_party_did_not_sign_is_refused(
    hub: Coordinator, forge: Callable[[Coordinator, Round], tuple[list[bytes], bytes, RoundId]]
) -> None:
    one = _sealed(hub)
    handles, signature, round_id = forge(hub, one)

    with pytest.raises(SignatureInvalid):
        tombstone_rows(hub.context, one.left.actor, round_id=round_id, handles=handles, signature=signature)

    assert _struck_out(hub, one) == frozenset()


def test_list_cannot_be_replayed_into_another_round(hub: Coordinator) -> None:
    one = _sealed(hub)
    document = tombstones_document([one.handle(0)], round_id=one.id, party=one.left.id)
    signature = sign(one.left.signing_key, Label.TOMBSTONES, document)
    again = hub.propose([one.left, one.right])
    hub.sign(again, one.left, one.right)
    hub.agree(again, one.left, one.right)
    hub.confirm(again, one.left, one.right)
    hub.submit(one.left, again, one.rows)

    with pytest.raises(SignatureInvalid):
        tombstone_rows(hub.context, one.left.actor, round_id=again, handles=[one.handle(0)], signature=signature)


@pytest.mark.parametrize("round_id", ["not-there-1", PROJECT])
def test_round_of_others_looks_as_if_it_were_not_there(hub: Coordinator, round_id: str) -> None:
    one = _sealed(hub)
    stranger = hub.party("stranger")

    for asked in (one.id, RoundId(round_id)):
        with pytest.raises(IsthmusError) as caught:
            tombstone_rows(hub.context, stranger.actor, round_id=asked, handles=[one.handle(0)], signature=bytes(64))
        assert isinstance(caught.value, NotAMember)
