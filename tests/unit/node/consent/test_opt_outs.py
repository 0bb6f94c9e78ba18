"""The list as a history: the last word of each reason decides, by day and project, and nothing new is said twice."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from unit.node.consent.consent_parts import NOW, OTHER, PROJECT, TODAY, day, opt_out, revocation

from isthmus.node.consent.days import local_day
from isthmus.node.consent.opt_outs import Entry, Reason, exclusions, new_entries, record_key, revocable


def _reason(*entries: Entry, project: str = PROJECT, as_of: date = TODAY, record_id: str = "rec-1") -> Reason | None:
    return exclusions(entries, project=PROJECT if project == PROJECT else OTHER, as_of=as_of).reason(record_id)


@pytest.mark.parametrize(
    ("as_of", "out"), [(day(8, 31), False), (day(9, 1), True), (day(9, 30), True), (day(10, 1), False)]
)
def test_opt_out_holds_from_its_first_to_its_last_day_inclusive(as_of: date, out: bool) -> None:
    entry = opt_out(until_day=day(9, 30))

    assert (_reason(entry, as_of=as_of) is not None) == out


def test_opt_out_without_an_end_holds_for_ever() -> None:
    assert _reason(opt_out(), as_of=date(2199, 12, 31)) is Reason.PARENT_OPT_OUT


def test_opt_out_of_one_project_leaves_the_others_alone() -> None:
    entry = opt_out(project=PROJECT)

    assert _reason(entry) is not None
    assert _reason(entry, project=OTHER) is None


def test_opt_out_leaves_other_records_alone() -> None:
    assert _reason(opt_out("rec-1"), record_id="rec-2") is None


def test_revocation_holds_from_its_day_on_and_the_days_before_stay_out() -> None:
    history = [opt_out(), revocation(from_day=day(11))]

    assert _reason(*history, as_of=day(10, 31)) is Reason.PARENT_OPT_OUT
    assert _reason(*history, as_of=day(11)) is None


def test_revocation_for_one_project_leaves_the_opt_out_of_the_others_in_force() -> None:
    history = [opt_out(), revocation(project=PROJECT)]

    assert _reason(*history) is None
    assert _reason(*history, project=OTHER) is Reason.PARENT_OPT_OUT


def test_opting_out_again_after_a_revocation_holds() -> None:
    assert _reason(opt_out(), revocation(), opt_out()) is Reason.PARENT_OPT_OUT


def test_revoking_one_reason_does_not_lift_another() -> None:
    history = [opt_out(reason=Reason.COURT_ORDER), opt_out(), revocation()]

    assert _reason(*history) is Reason.COURT_ORDER


def test_first_reason_in_order_is_told_where_several_hold() -> None:
    history = [opt_out(reason=reason) for reason in (Reason.OTHER, Reason.LEGAL_HOLD, Reason.PERSON_OPT_OUT)]

    assert _reason(*history) is Reason.LEGAL_HOLD


@pytest.mark.parametrize(("listed", "in_data"), [("123", "00123"), ("00123", "123"), ("123.0", "00123"), ("0", "000")])
def test_number_that_a_spreadsheet_changed_is_still_found(listed: str, in_data: str) -> None:
    assert _reason(opt_out(listed), record_id=in_data) is Reason.PARENT_OPT_OUT


@pytest.mark.parametrize(("one", "other"), [("a1", "A1"), ("123", "1230"), ("0a", "a"), ("123-4", "1234")])
def test_ids_that_differ_in_more_than_leading_zeros_are_different_records(one: str, other: str) -> None:
    assert record_key(one) != record_key(other)


def test_records_on_the_list_that_the_data_does_not_have_are_counted() -> None:
    found = exclusions([opt_out("1"), opt_out("2"), opt_out("007")], project=PROJECT, as_of=TODAY)

    assert found.not_among(["0001", "7", "9"]) == 1


@pytest.mark.parametrize("record_id", ["", "  ", "two\nlines", "\x1b[2J", "x" * 201])
def test_record_id_that_is_not_one_printable_line_is_refused(record_id: str) -> None:
    with pytest.raises(ValueError, match="record id"):
        opt_out(record_id)


def test_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(ValueError, match="until is before from"):
        opt_out(until_day=TODAY - timedelta(days=1))


@pytest.mark.parametrize(
    "again",
    [opt_out(), opt_out(from_day=day(12)), opt_out(until_day=day(12)), opt_out(project=PROJECT), opt_out("rec-1 ")],
)
def test_opt_out_that_an_earlier_one_covers_is_not_new(again: Entry) -> None:
    assert new_entries([opt_out()], [again]) == []


@pytest.mark.parametrize(
    "other",
    [opt_out(from_day=day(8, 31)), opt_out(reason=Reason.COURT_ORDER), opt_out("rec-2")],
)
def test_opt_out_that_says_more_is_new(other: Entry) -> None:
    assert new_entries([opt_out()], [other]) == [other]


def test_opt_out_of_more_projects_or_days_is_new() -> None:
    longer = opt_out(project=PROJECT, until_day=day(11))
    history = [opt_out(project=PROJECT, until_day=day(10))]

    assert new_entries(history, [longer, opt_out()]) == [longer, opt_out()]


@pytest.mark.parametrize("revoked", [revocation(), revocation(project=PROJECT), revocation(from_day=day(12))])
def test_opt_out_after_a_revocation_is_new(revoked: Entry) -> None:
    assert new_entries([opt_out(), revoked], [opt_out()]) == [opt_out()]


def test_two_opt_outs_that_cover_all_days_together_leave_nothing_new() -> None:
    history = [opt_out(until_day=day(10)), opt_out(from_day=day(10, 2), until_day=day(12))]

    assert new_entries(history, [opt_out(until_day=day(12))]) == []
    assert len(new_entries(history, [opt_out(until_day=day(12, 2))])) == 1


def test_same_opt_out_twice_in_a_list_is_added_once() -> None:
    assert new_entries([], [opt_out(), opt_out()]) == [opt_out()]


def test_reasons_to_revoke_are_those_that_hold_on_the_day_or_later() -> None:
    history = [
        opt_out(reason=Reason.LEGAL_HOLD, until_day=day(9, 30)),
        opt_out(reason=Reason.COURT_ORDER, from_day=day(12)),
        opt_out(reason=Reason.OTHER),
        revocation(reason=Reason.OTHER),
        opt_out(reason=Reason.PERSON_OPT_OUT, project=OTHER),
    ]

    assert revocable(history, record_id="rec-1", project=PROJECT, from_day=day(10)) == {Reason.COURT_ORDER}
    assert revocable(history, record_id="rec-1", project=None, from_day=TODAY) == {
        Reason.LEGAL_HOLD,
        Reason.COURT_ORDER,
        Reason.PERSON_OPT_OUT,
    }
    assert revocable(history, record_id="rec-2", project=None, from_day=TODAY) == set()


def test_day_is_the_one_on_the_wall_of_its_people() -> None:
    assert local_day(datetime(2026, 9, 1, 3, tzinfo=UTC), timezone(timedelta(hours=-5))) == date(2026, 8, 31)
    assert local_day(NOW, UTC) == TODAY
