"""Dates: every real day in every form, and the guess of a file's order."""

from datetime import date, timedelta

import pytest

from isthmus.node.normalise import DateOrder, infer_date_order
from isthmus.node.normalise.dates import damaged_date, parse_date, without_time

DAYS = [date(1799, 12, 25) + timedelta(days=97 * step) for step in range(1520)]
"""A day of every quarter year from just before the first year that is believed to just after the last."""


@pytest.mark.parametrize("separator", ["-", "/", ".", " ", " - ", ""])
@pytest.mark.parametrize("order", DateOrder)
def test_written_day_is_read_as_that_day_or_not_at_all(separator: str, order: DateOrder) -> None:
    parts = {DateOrder.YMD: "%Y{0}%m{0}%d", DateOrder.MDY: "%m{0}%d{0}%Y", DateOrder.DMY: "%d{0}%m{0}%Y"}
    for day in DAYS:
        read = parse_date(day.strftime(parts[order].format(separator)), order)
        assert read == (day if 1800 <= day.year <= 2199 else None)


@pytest.mark.parametrize("order", DateOrder)
def test_eight_digits_with_the_year_first_are_read_alike_under_every_order(order: DateOrder) -> None:
    believed = [day for day in DAYS if 1800 <= day.year <= 2199]

    assert [parse_date(f"{day:%Y%m%d}", order) for day in believed] == believed


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("2005-03-01T10:00", "2005-03-01"),
        ("2005-03-01T10:00:00+05:00", "2005-03-01"),
        ("3/1/2005  1:02 p.m.", "3/1/2005"),
        ("20050301 00:00:00.000000000", "20050301"),
        ("01-OCT-1985 00:00:00 UTC", "01-oct-1985"),
        ("19850211T000000", "19850211"),
        ("19850211000000.000-0500", "19850211"),
        ("3/1/2005, 1:02 PM", "3/1/2005"),
        ("2005-03-01 morning", "2005-03-01 morning"),
        ("10:00", "10:00"),
    ],
)
def test_time_of_day_is_cut_where_there_is_one(raw: str, kept: str) -> None:
    assert without_time(raw) == kept


@pytest.mark.parametrize(
    "raw", ["", "1985-02", "1985-02-111", "1985-2-3-4", "0222-12-12", "2/29/2001", "29feb2001", "feb 1985"]
)
def test_text_that_is_no_day_is_not_read(raw: str) -> None:
    assert [parse_date(raw, order) for order in DateOrder] == [None, None, None]


def test_damaged_date_keeps_its_letters_and_digits() -> None:
    assert damaged_date(" 1985-O2-11 00:00:00 ") == "1985o211"


def test_order_with_most_real_dates_is_guessed_and_counted() -> None:
    guess = infer_date_order(["03/25/2001", "03/25/2001", "04/05/2001", "25/03/2001", "n/a", " "])

    assert guess.order is DateOrder.MDY
    assert guess.valid == {DateOrder.YMD: 0, DateOrder.MDY: 3, DateOrder.DMY: 2}
    assert guess.values == 5


def test_order_of_day_first_file_is_guessed() -> None:
    assert infer_date_order(["25.03.2001", "04.05.2001"]).order is DateOrder.DMY


@pytest.mark.parametrize(
    ("values", "order"),
    [([], DateOrder.YMD), (["2001-03-25"], DateOrder.YMD), (["04/05/2001"], DateOrder.MDY)],
)
def test_tie_goes_to_year_first_and_then_to_month_first(values: list[str], order: DateOrder) -> None:
    assert infer_date_order(values).order is order
