"""Refusals: the first of a kind is new, those after it are counted, and the count is given once its time is over."""

from datetime import UTC, datetime, timedelta

from isthmus.coordinator.domain.denials import DENIALS_EVERY, Denial, Denials

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
LATER = NOON + DENIALS_EVERY
LISTED = Denial(actor="riverside", call="ListParties", code="permission-denied")
FETCHED = Denial(actor="riverside", call="FetchTable", code="permission-denied")


def test_first_refusal_of_a_kind_is_new_and_those_after_it_are_not() -> None:
    denials = Denials()

    assert [denials.is_new(one, now=NOON) for one in (LISTED, LISTED, FETCHED, LISTED)] == [True, False, True, False]


def test_count_is_given_once_when_its_time_is_over_and_not_before() -> None:
    denials = Denials()
    for _ in range(4):
        denials.is_new(LISTED, now=NOON)

    assert denials.take_ended(now=LATER - timedelta(seconds=1)) == []
    assert denials.take_ended(now=LATER) == [(LISTED, NOON, 3)]
    assert denials.take_ended(now=LATER) == []


def test_refusal_that_did_not_come_again_has_no_count() -> None:
    denials = Denials()
    denials.is_new(LISTED, now=NOON)

    assert denials.take_ended(now=LATER) == []


def test_refusal_is_new_again_when_its_time_is_over() -> None:
    denials = Denials()
    denials.is_new(LISTED, now=NOON)
    denials.take_ended(now=LATER)

    assert denials.is_new(LISTED, now=LATER)
