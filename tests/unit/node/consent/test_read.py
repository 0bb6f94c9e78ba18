"""Reading a data set with consent: who takes part, which columns are read, and who is left out by now."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unit.node.consent.consent_parts import NOW, PROJECT, TODAY, day, opt_out

from isthmus.node.config import DatasetConfig
from isthmus.node.consent.opt_outs import Entry, exclusions
from isthmus.node.consent.read import left_out_records, open_consenting, read_exclusions
from isthmus.node.consent.store import open_opt_outs
from isthmus.node.consent_settings import ConsentRule
from isthmus.node.errors import NobodyTakesPart
from isthmus.node.records import read_all
from isthmus.node.sources.errors import ColumnMissing

PEOPLE = DatasetConfig(
    file="people.csv",
    id_column="Nr",
    columns={"first_name": "First", "last_name": "Last"},
    consent=(ConsentRule(column="First", exclude_if=("Zoe",), include_if=("Ann", "Bob", "Cem")),),
)
BEFORE = datetime(2026, 8, 30, 12, tzinfo=UTC)
LISTED = exclusions([opt_out("2"), opt_out("9")], project=PROJECT, as_of=TODAY)
NOBODY = exclusions([], project=PROJECT, as_of=TODAY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text("Nr,First,Last,Unread\n1,Ann,A,\n02,Bob,B,\n3,Zoe,C,\n4,Cem,D,\n")
    return tmp_path


def test_rows_that_take_part_come_in_order_with_the_fields_alone(folder: Path) -> None:
    found = open_consenting(folder, PEOPLE, ("last_name",), exclusions=LISTED)

    records = read_all(found.stream)
    assert records.record_ids == ["1", "4"]
    assert records.columns == {"last_name": ["A", "D"]}
    assert found.notes() == {
        "left_out": ["1 row on the opt-out list: parent opt out", "1 row opted out by First"],
        "not_found": 1,
    }


def test_columns_that_neither_round_nor_rule_asks_for_are_not_read(tmp_path: Path) -> None:
    """Two columns of one name cannot be read, so whoever reads no more than it has to does not notice them."""
    (tmp_path / "people.csv").write_text("Nr,First,Last,Odd,Odd\n1,Ann,A,,\n")

    found = open_consenting(tmp_path, PEOPLE, ("last_name",), exclusions=NOBODY)

    assert read_all(found.stream).columns == {"last_name": ["A"]}


def test_without_rules_the_list_alone_decides(folder: Path) -> None:
    plain = DatasetConfig(file="people.csv", id_column="Nr", columns=PEOPLE.columns)

    found = open_consenting(folder, plain, ("first_name",), exclusions=LISTED)

    assert read_all(found.stream).record_ids == ["1", "3", "4"]
    assert left_out_records(folder / "not there", plain, exclusions=LISTED) == frozenset()


def test_records_left_out_now_are_given_by_id(folder: Path) -> None:
    assert left_out_records(folder, PEOPLE, exclusions=NOBODY) == {"3"}
    assert left_out_records(folder, PEOPLE, exclusions=LISTED) == {"02", "3"}


def test_column_of_a_rule_that_is_not_there_stops_the_reading(folder: Path) -> None:
    dataset = DatasetConfig(
        file="people.csv", id_column="Nr", columns={}, consent=(ConsentRule(column="Gone", exclude_if=("Y",)),)
    )

    with pytest.raises(ColumnMissing, match="Gone"):
        read_all(open_consenting(folder, dataset, (), exclusions=NOBODY).stream)


def test_list_in_the_folder_is_read_as_of_today(folder: Path) -> None:
    _list(folder, opt_out("1"))

    assert read_exclusions(folder, project=PROJECT, now=BEFORE).reason("1") is None
    assert read_exclusions(folder, project=PROJECT, now=NOW).reason("1") is not None


def test_opt_out_that_was_in_effect_stays_so_when_the_clock_goes_back(folder: Path) -> None:
    _list(folder, opt_out("1"), opt_out("4", from_day=day(8), until_day=day(8, 30)))
    read_exclusions(folder, project=PROJECT, now=NOW)

    found = read_exclusions(folder, project=PROJECT, now=BEFORE)
    consenting = open_consenting(folder, PEOPLE, ("last_name",), exclusions=found)

    assert found.days == (BEFORE.date(), TODAY)
    assert found.reason("1") is not None
    assert found.reason("4") is not None
    assert read_all(consenting.stream).record_ids == ["02"]
    assert "trust-clock" in consenting.notes()["left_out"][-1]


def test_dated_rule_that_was_in_effect_stays_so_when_the_clock_goes_back(folder: Path) -> None:
    rule = ConsentRule(column="Last", exclude_if=("A",), include_if=("B", "C", "D"), from_day=TODAY)
    dated = DatasetConfig(file="people.csv", id_column="Nr", columns={}, consent=(rule,))

    before = left_out_records(folder, dated, exclusions=read_exclusions(folder, project=PROJECT, now=BEFORE))
    left_out_records(folder, dated, exclusions=read_exclusions(folder, project=PROJECT, now=NOW))
    again = left_out_records(folder, dated, exclusions=read_exclusions(folder, project=PROJECT, now=BEFORE))

    assert before == frozenset()
    assert again == {"1"}


def _list(folder: Path, *entries: Entry) -> None:
    with closing(open_opt_outs(folder)) as opt_outs:
        opt_outs.opt_out(entries)


def test_data_set_of_which_nobody_takes_part_is_refused_at_its_end(folder: Path) -> None:
    everybody = exclusions([opt_out(str(number)) for number in range(1, 5)], project=PROJECT, as_of=TODAY)

    with pytest.raises(NobodyTakesPart, match="to encode: 4 rows on the opt-out list: parent opt out;"):
        read_all(open_consenting(folder, PEOPLE, ("last_name",), exclusions=everybody).stream)
