"""A list of opt-outs as CSV: read whole or refused whole, each problem under its row and nothing of its content."""

import pytest
from unit.node.consent.consent_parts import NOW, PROJECT, TODAY, day, opt_out

from isthmus.contract.errors import MalformedDocument
from isthmus.node.consent.opt_out_csv import read_opt_outs
from isthmus.node.consent.opt_outs import Entry, Reason
from isthmus.node.normalise.dates import DateOrder

HEADER = "record_id,from,until,project,reason\n"


def _read(text: str | bytes, order: DateOrder = DateOrder.YMD) -> list[Entry]:
    data = text.encode() if isinstance(text, str) else text
    return read_opt_outs(data, today=TODAY, entered_at=NOW, date_order=order)


def _problem(text: str | bytes) -> str:
    with pytest.raises(MalformedDocument) as caught:
        _read(text)
    return caught.value.problem


def test_whole_row_is_read() -> None:
    entries = _read(HEADER + "0042,2026-09-01,2026-12-01,k12-to-work,legal_hold\n")

    assert entries == [opt_out("0042", until_day=day(12), project=PROJECT, reason=Reason.LEGAL_HOLD)]


def test_blanks_have_their_defaults_and_blank_rows_are_passed_over() -> None:
    entries = _read(HEADER + "\n7,,,,\n , , , ,\n8,,,,parent_opt_out\n")

    assert entries == [opt_out("7", reason=Reason.OTHER), opt_out("8")]


def test_record_id_alone_in_a_file_with_a_byte_order_mark_is_enough() -> None:
    assert _read(b"\xef\xbb\xbfRecord_ID\r\n7\r\n") == [opt_out("7", reason=Reason.OTHER)]


def test_columns_may_come_in_any_order() -> None:
    assert _read("reason,record_id\nparent_opt_out,7\n") == [opt_out("7")]


def test_dates_are_read_in_the_declared_order() -> None:
    text = "record_id,from\n7,09/01/2026\n"

    assert _read(text, DateOrder.MDY)[0].from_day == day(9)
    assert _read(text, DateOrder.DMY)[0].from_day == day(1, 9)


@pytest.mark.parametrize(
    ("until", "order"),
    [
        ("9999-12-31", DateOrder.YMD),
        ("99991231", DateOrder.YMD),
        ("9999-12-31 00:00:00", DateOrder.YMD),
        ("12/31/9999", DateOrder.YMD),
        ("31.12.9999", DateOrder.DMY),
        ("12/31/2999", DateOrder.MDY),
        ("2500-01-01", DateOrder.YMD),
        ("Never", DateOrder.YMD),
        ("-", DateOrder.YMD),
    ],
)
def test_end_that_is_open_is_read_as_people_write_it(until: str, order: DateOrder) -> None:
    assert _read(HEADER + f"7,,{until},,parent_opt_out\n", order) == [opt_out("7")]


def test_end_in_a_year_that_is_believed_is_an_end() -> None:
    (entry,) = _read(HEADER + "7,,2199-12-31,,\n")

    assert entry.until_day is not None and entry.until_day.year == 2199


@pytest.mark.parametrize("until", ["soon", "9999-13-31", "1799-01-01", "31/12/2026"])
def test_end_that_is_none_is_refused(until: str) -> None:
    assert _problem(HEADER + f"7,,{until},,\n") == "row 2: until is not a date in the order YMD"


def test_all_problems_are_told_by_row_and_none_by_content() -> None:
    problem = _problem(
        HEADER
        + "Quirin,2026-09-01,,,\n"
        + ",soon,,,\n"
        + "Quirin,,2026-08-01,Quirin,Quirin\n"
        + "Quirin,2026-09-01\n"
        + "Quirin,2026-09-01,31/12/2026,,\n"
    )

    assert problem.split("; ") == [
        "row 3: from is not a date in the order YMD",
        "row 3: the record id is blank",
        "row 4: project is not a project id",
        "row 4: reason is none of court_order, legal_hold, parent_opt_out, person_opt_out, other",
        "row 4: until is before from",
        "row 5: it has 2 values under a header of 5",
        "row 6: until is not a date in the order YMD",
    ]


def test_row_numbers_count_blank_rows_too() -> None:
    assert _problem("record_id,from\n\n\n7,never\n").startswith("row 4:")


def test_only_the_first_problems_are_put_in_words() -> None:
    problem = _problem("record_id,from\n" + "7,never\n" * 1_025)

    assert "row 21:" in problem
    assert "row 22:" not in problem
    assert problem.endswith("; and 1,005 more")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the header has no column record_id"),
        ("id;from\n7;\n", "the header has no column record_id"),
        ("record_id,record_id\n7,7\n", "the header has the column record_id more than once"),
        ("record_id,Quirin\n7,\n", "none of record_id, from, until, project, reason"),
        (b"record_id\n\xe9\n", "it is not UTF-8"),
        ('record_id\n7\n"8\n', "row 3: a quote is not closed"),
    ],
)
def test_file_that_is_not_such_a_list_is_refused(text: str | bytes, problem: str) -> None:
    found = _problem(text)

    assert problem in found
    assert "Quirin" not in found
