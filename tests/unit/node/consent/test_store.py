"""The list on disk: it remembers in order, wholly or not at all, changes nothing back, and is for its owner alone."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import pytest
from unit.node.consent.consent_parts import PROJECT, day, opt_out, revocation

from isthmus.node.consent.opt_outs import Entry, Reason
from isthmus.node.consent.store import OptOutList, open_opt_outs

WHOLE = opt_out(until_day=day(12), project=PROJECT, reason=Reason.LEGAL_HOLD)


@pytest.fixture
def opt_outs(tmp_path: Path) -> Iterator[OptOutList]:
    found = open_opt_outs(tmp_path)
    yield found
    found.close()


def test_entries_are_there_after_opening_again_in_their_order(opt_outs: OptOutList, tmp_path: Path) -> None:
    opt_outs.opt_out([opt_out("b"), WHOLE])
    opt_outs.revoke([revocation("b")])
    opt_outs.opt_out([opt_out("a"), opt_out("b")])
    opt_outs.close()

    again = open_opt_outs(tmp_path)

    assert again.entries() == [opt_out("b"), WHOLE, revocation("b"), opt_out("a"), opt_out("b")]
    again.close()


def test_files_are_for_their_owner_alone(opt_outs: OptOutList, tmp_path: Path) -> None:
    opt_outs.opt_out([WHOLE])

    assert len(list(tmp_path.iterdir())) > 1
    assert {S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_adding_counts_what_is_new_and_stores_no_more(opt_outs: OptOutList) -> None:
    assert opt_outs.opt_out([opt_out("a"), opt_out("b"), opt_out("a")]) == 2
    assert opt_outs.opt_out([opt_out("a"), opt_out("c")]) == 1
    assert opt_outs.entries() == [opt_out("a"), opt_out("b"), opt_out("c")]


def test_count_grows_with_every_change_and_with_nothing_else(opt_outs: OptOutList) -> None:
    counts = [opt_outs.count()]
    for _ in range(2):
        opt_outs.opt_out([WHOLE])
        counts.append(opt_outs.count())
    opt_outs.revoke([revocation()])

    assert [*counts, opt_outs.count()] == [0, 1, 1, 2]


def test_latest_day_never_goes_back_unless_it_is_forgotten(opt_outs: OptOutList, tmp_path: Path) -> None:
    assert opt_outs.latest_day() is None
    assert [opt_outs.asked_on(day(month)) for month in (9, 3, 10)] == [day(9), day(9), day(10)]
    opt_outs.close()

    again = open_opt_outs(tmp_path)

    assert again.latest_day() == day(10)
    again.forget_latest_day()
    assert again.latest_day() is None
    again.close()


def test_adding_that_fails_half_way_changes_nothing(opt_outs: OptOutList) -> None:
    def broken() -> Iterator[Entry]:
        yield opt_out("a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        opt_outs.opt_out(broken())
    with pytest.raises(ZeroDivisionError):
        opt_outs.revoke(broken())

    assert opt_outs.entries() == []
    assert opt_outs.opt_out([opt_out("a")]) == 1


@pytest.mark.parametrize("statement", ["DELETE FROM entries", "UPDATE entries SET record_id = 'x'"])
def test_entries_can_be_neither_changed_nor_deleted(opt_outs: OptOutList, tmp_path: Path, statement: str) -> None:
    opt_outs.opt_out([WHOLE])
    connection = sqlite3.connect(tmp_path / "consent.sqlite")

    with pytest.raises(sqlite3.IntegrityError, match="never"):
        connection.execute(statement)

    connection.close()
    assert opt_outs.entries() == [WHOLE]
