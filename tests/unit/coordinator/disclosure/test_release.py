"""Released tables: the one way to make them, and what they hold."""

import copy
import json
import pickle
from dataclasses import fields, is_dataclass, replace

import pytest
import rfc8785

from isthmus.contract.errors import MalformedDocument, UnsupportedVersion
from isthmus.contract.ids import PartyId
from isthmus.coordinator.disclosure.release import DisclosureRules, ReleasedTable, release, reopen
from isthmus.coordinator.disclosure.table import Table, overlap_table

# Numbers that cannot come about by chance, so that a search for them means something.
SMALL, REST, OTHER_REST = 7, 48611, 73523


def _table() -> Table:
    patterns = {frozenset({0, 1}): SMALL, frozenset({0}): REST, frozenset({1}): OTHER_REST}
    return overlap_table([PartyId("city"), PartyId("college")], patterns, [REST + SMALL, OTHER_REST + SMALL])


def _released() -> ReleasedTable:
    return release(_table(), rules=DisclosureRules())


def _values(thing: object) -> list[object]:
    if is_dataclass(thing):
        return [value for field in fields(thing) for value in _values(getattr(thing, field.name))]
    if isinstance(thing, tuple):
        return [value for item in thing for value in _values(item)]
    return [thing]


def _changed(**changes: object) -> bytes:
    return rfc8785.dumps(json.loads(_released().to_bytes()) | changes)


def test_released_table_holds_no_hidden_count_anywhere() -> None:
    released = _released()
    assert [value for value in _values(released) if isinstance(value, int)] == [48618, 73530, 10]
    for number in (REST, OTHER_REST):
        for text in (released.to_bytes(), pickle.dumps(released), repr(released).encode()):
            assert str(number).encode() not in text
            assert number.to_bytes(4, "little") not in text


def test_rows_keep_their_order_and_say_only_that_they_are_suppressed() -> None:
    rows = [(row.key[0], row.count, row.reason) for row in _released().rows]
    assert rows == [
        ("all rows of", 48618, None),
        ("all rows of", 73530, None),
        *[("in the data of exactly", None, "suppressed")] * 3,
    ]


def test_rules_are_told_to_people() -> None:
    assert any("0 to 9" in rule for rule in _released().rules)
    assert any("0 to 14" in rule for rule in DisclosureRules(min_cell_count=15).for_people())


def test_a_rule_that_protects_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="2 or more"):
        DisclosureRules(min_cell_count=1)


def test_nobody_else_makes_a_released_table() -> None:
    for seal in (None, object()):
        with pytest.raises(TypeError, match="only release"):
            ReleasedTable(title="t", dimensions=(), rows=(), rules=(), min_cell_count=10, seal=seal)
    with pytest.raises(TypeError, match="only release"):
        replace(_released(), rows=())


def test_bytes_are_the_same_each_time_and_reopen_to_an_equal_table() -> None:
    assert _released().to_bytes() == _released().to_bytes()
    assert reopen(_released().to_bytes()) == _released()


def test_bytes_are_written_down() -> None:
    data = _released().to_bytes()
    assert data.startswith(
        b'{"dimensions":["measure","providers"],"format":"isthmus/released-table/1","min_cell_count":10,'
    )
    assert b'{"count":48618,"key":["all rows of","city"],"reason":null}' in data
    assert b'{"count":null,"key":["in the data of exactly","city + college"],"reason":"suppressed"}' in data


def test_copies_and_pickles_are_equal_tables() -> None:
    released = _released()
    assert copy.copy(released) == copy.deepcopy(released) == pickle.loads(pickle.dumps(released)) == released  # noqa: S301 - own bytes


def test_a_structural_zero_reopens() -> None:
    rows = [{"count": 0, "key": ["a", "b"], "reason": None}]
    assert reopen(_changed(rows=rows)).rows[0].count == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"format": 1}',
        b"[" * 5000,
        _changed(format="isthmus/project/1"),
        _changed(extra=1),
        _changed(title=3),
        _released().to_bytes().replace(b'"min_cell_count":10', b'"min_cell_count":1152921504606846976'),
        _changed(min_cell_count=1),
        b" " + _released().to_bytes(),
        _changed(rows=[{"count": 9, "key": ["a", "b"], "reason": None}]),
        _changed(rows=[{"count": -1, "key": ["a", "b"], "reason": None}]),
        _changed(rows=[{"count": 90, "key": ["a", "b"], "reason": "suppressed"}]),
        _changed(rows=[{"count": None, "key": ["a", "b"], "reason": None}]),
        _changed(rows=[{"count": None, "key": ["a", "b"], "reason": "primary"}]),
        _changed(rows=[{"count": 90, "key": ["a"], "reason": None}]),
    ],
    ids=lambda data: data[:60].decode("latin-1"),
)
def test_other_bytes_do_not_reopen(data: bytes) -> None:
    with pytest.raises(MalformedDocument) as caught:
        reopen(data)
    assert caught.value.document == "released table"


def test_another_version_is_named() -> None:
    with pytest.raises(UnsupportedVersion) as caught:
        reopen(_changed(format="isthmus/released-table/2"))
    assert caught.value.version == "2"
