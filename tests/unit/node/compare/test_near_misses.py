"""Near misses: which own rows are put side by side, what is fitted to them, and how little of it leaves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pytest

from isthmus.contract.comparison import comparison_1
from isthmus.contract.differences import GRADES, field_levels
from isthmus.contract.ids import PartyId
from isthmus.contract.kinds import random_shares
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.near_misses import (
    FEWEST_PAIRS,
    MOST_ROWS,
    SHARED_VALUES,
    Codes,
    field_codes,
    fit_near_misses,
    near_pairs,
    own_differences,
    own_near_misses,
    pairs_sharing,
    rows_to_look_at,
)
from isthmus.node.compare.pads import PadKeys, consecutive
from isthmus.node.compare.row_fields import read_row_fields

FIELDS = ("first_name", "last_name", "dob", "sex", "street_number", "street_name", "zip")
COMPARISON = comparison_1(FIELDS)
COMPARE, PAD = Secret(b"c" * 32), Secret(b"p" * 32)

FIRST = ["ana", "ben", "cleo", "dan", "eva", "finn", "gus", "hal", "ida", "jon", "kim", "lea"]


def _people(households: int, *, size: int = 2) -> dict[str, list[str]]:
    """Give households of people who share name and address, and nothing else."""
    rng = np.random.default_rng(4)
    columns: dict[str, list[str]] = {field: [] for field in FIELDS}
    for home in range(households):
        for person in range(size):
            born = f"{1950 + int(rng.integers(60))}{1 + int(rng.integers(12)):02d}{1 + int(rng.integers(28)):02d}"
            values = (
                FIRST[(home + 5 * person) % len(FIRST)], f"name{home:04d}", born, "fm"[int(rng.integers(2))],
                str(home % 90), f"street{home % 200:03d}", f"{10000 + home % 70}",
            )  # fmt: skip
            for field, value in zip(FIELDS, values, strict=True):
                columns[field].append(value)
    return columns


def _coded(columns: Mapping[str, Sequence[str]]) -> dict[str, Codes]:
    return {
        field: np.where(np.array(values) == "", 0, np.unique(values, return_inverse=True)[1] + 1)
        for field, values in columns.items()
    }


def test_rows_that_share_values_are_put_side_by_side_once() -> None:
    columns = {
        "first_name": ["ana", "ben", "ana", "ben", ""],
        "last_name": ["ruiz", "ruiz", "kim", "kim", "ruiz"],
        "zip": ["1", "1", "2", "3", ""],
    }

    assert near_pairs(_coded(columns)).T.tolist() == [[0, 1], [0, 4], [1, 4], [2, 3]]


def test_rows_whose_values_nearly_everybody_shares_are_left_out() -> None:
    assert near_pairs(_coded({"last_name": ["lee"] * (MOST_ROWS + 1)})).shape == (2, 0)
    assert near_pairs(_coded({"last_name": ["lee"] * MOST_ROWS})).shape == (2, MOST_ROWS * (MOST_ROWS - 1) // 2)


def test_missing_values_are_shared_with_nobody() -> None:
    assert near_pairs(_coded({"dob": ["", "", "20000101"], "zip": ["1", "1", "1"]})).shape == (2, 0)


def _pairs_in_the_clear(columns: Mapping[str, Sequence[str]]) -> set[tuple[int, ...]]:
    """Give the pairs that share values, by a plain program."""
    found: set[tuple[int, ...]] = set()
    for fields in SHARED_VALUES:
        rows_of = defaultdict(list)
        for row in range(len(columns["dob"])):
            values = tuple(columns[field][row] if field in columns else "" for field in fields)
            if all(values):
                rows_of[values].append(row)
        found.update(pair for rows in rows_of.values() if len(rows) <= MOST_ROWS for pair in combinations(rows, 2))
    return found


def test_vectors_put_the_same_rows_side_by_side_as_values_do() -> None:
    columns = _people(60)
    columns["dob"][3], columns["zip"][5], columns["first_name"][1] = "", "", ""
    rows = read_row_fields(columns, COMPARISON, compare=COMPARE, pad=PAD)

    found = near_pairs(field_codes(rows, COMPARISON))

    assert {tuple(pair) for pair in found.T.tolist()} == _pairs_in_the_clear(columns)
    assert found.T.tolist() == sorted(found.T.tolist())


def test_fewer_rows_are_looked_at_where_too_many_pairs_share_values() -> None:
    columns = _people(400)
    codes = field_codes(read_row_fields(columns, COMPARISON, compare=COMPARE, pad=PAD), COMPARISON)

    chosen = rows_to_look_at(codes, rng=np.random.default_rng(1), most_pairs=1_000)

    assert pairs_sharing(codes) > 1_000
    assert 0 < pairs_sharing({field: of[chosen] for field, of in codes.items()}) <= 1_000
    assert len(set(chosen.tolist())) == len(chosen) == 400
    assert np.array_equal(rows_to_look_at(codes, rng=np.random.default_rng(1)), np.arange(800))


@pytest.mark.parametrize("fields", [("sex", "state"), FIELDS])
def test_data_set_in_which_nothing_can_be_shared_tells_nothing(fields: tuple[str, ...]) -> None:
    comparison = comparison_1(fields)
    rows = read_row_fields({field: ["x"] for field in fields}, comparison, compare=COMPARE, pad=PAD)

    assert own_near_misses(rows, comparison, grades=GRADES, rng=np.random.default_rng(1)) == ()


def test_own_differences_are_those_that_answers_would_show() -> None:
    columns = _people(40)
    columns["dob"][3], columns["zip"][5], columns["first_name"][1] = "", "abc", ""
    rows = read_row_fields(columns, COMPARISON, compare=COMPARE, pad=PAD)
    pairs = near_pairs(_coded(columns))
    keys = PadKeys(pad=PAD, left=PartyId("left"), right=PartyId("right"))

    def answers(
        side: Side, own: np.ndarray[tuple[int], np.dtype[np.uint32]]
    ) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        return Answers(comparison=COMPARISON, rows=rows, keys=keys, side=side, random_bytes=bytes).of(
            own, numbers=consecutive(0, len(own))
        )

    shown = read_differences(answers(Side.LEFT, pairs[0]), answers(Side.RIGHT, pairs[1]), COMPARISON)
    own = own_differences(rows, pairs, COMPARISON)

    # A band means something only where the values are equal.
    for field in ("first_name", "last_name"):
        same = shown.of(field) == 0
        assert np.array_equal(own.of(f"{field}.band")[same], shown.of(f"{field}.band")[same])
    plain = [part.name for part in COMPARISON.parts if not part.name.endswith(".band")]
    assert all(np.array_equal(own.of(part), shown.of(part)) for part in plain)
    assert np.array_equal(field_levels(own, FIELDS), field_levels(shown, FIELDS))


def _fitted(households: int) -> tuple[int, list[tuple[float, list[list[float]]]]]:
    columns = _people(households)
    rows = read_row_fields(columns, COMPARISON, compare=COMPARE, pad=PAD)
    count = len(columns["zip"])
    drawn = np.random.default_rng(1).integers(0, count, (2, 20_000), np.uint32)
    drawn = drawn[:, drawn[0] != drawn[1]]
    random = random_shares(field_levels(own_differences(rows, drawn, COMPARISON), FIELDS), FIELDS)
    levels = field_levels(own_differences(rows, near_pairs(field_codes(rows, COMPARISON)), COMPARISON), FIELDS)
    all_pairs = count * (count - 1) // 2
    kinds = fit_near_misses(levels, random=random, all_pairs=all_pairs)
    return all_pairs, [(kind.share, [one.tolist() for one in kind.shares]) for kind in kinds]


def test_households_are_found_as_a_kind_of_near_misses() -> None:
    all_pairs, kinds = _fitted(400)

    share, shares = max(kinds, key=lambda kind: kind[1][FIELDS.index("last_name")][3])
    assert share * all_pairs == pytest.approx(400, rel=0.15)
    assert sum(shares[FIELDS.index("last_name")][:4]) > 0.9
    assert shares[FIELDS.index("street_name")][0] > 0.9
    assert shares[FIELDS.index("dob")][0] < 0.05


def test_shares_that_leave_are_rounded_to_ten_pairs_or_more_and_no_level_is_impossible() -> None:
    all_pairs, kinds = _fitted(400)

    assert kinds
    for share, shares in kinds:
        assert share * all_pairs >= FEWEST_PAIRS * 0.9
        assert share == float(f"{share:.1e}")
        assert all(min(one) > 0 and sum(one) == pytest.approx(1) for one in shares)
        assert len({value for one in shares for value in one}) < 40


def test_too_few_rows_that_share_anything_say_nothing() -> None:
    assert _fitted(FEWEST_PAIRS // 4)[1] == []
