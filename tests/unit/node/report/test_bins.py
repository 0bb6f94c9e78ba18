"""Bars of a histogram: nothing is lost, and what lies far off does not stretch it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.node.report.bins import bins_of
from isthmus.node.report.words import percent

COUNTS = st.dictionaries(st.integers(1800, 2199), st.integers(1, 50), min_size=1)


def _ends(counts: dict[int, int], sensible: range | None = None) -> list[tuple[int | None, int | None, int | None]]:
    return [(one.low, one.high, one.count) for one in bins_of(counts, sensible=sensible) if one.count]


def test_numbers_that_are_near_have_a_bar_each() -> None:
    assert _ends({2004: 9, 2006: 8}) == [(2004, 2004, 9), (2006, 2006, 8)]
    assert len(bins_of({2004: 9, 2006: 8})) == 3


def test_few_values_beyond_a_gap_share_an_open_bar() -> None:
    counts = {1820: 1, 1903: 1, 2004: 300, 2005: 300, 2095: 1}

    assert _ends(counts) == [(None, 2003, 2), (2004, 2004, 300), (2005, 2005, 300), (2006, None, 1)]


def test_many_values_beyond_a_gap_keep_their_bars() -> None:
    assert len(bins_of({1980: 50, 2005: 100})) == 26


def test_gap_of_five_is_not_far() -> None:
    assert bins_of({2000: 1, 2005: 500})[0].low == 2000
    assert bins_of({1999: 1, 2005: 500})[0].low is None


def test_values_outside_the_sensible_range_are_far_off_however_many() -> None:
    assert _ends({1900: 90, 2005: 10}, range(1911, 2027)) == [(None, 2004, 90), (2005, 2005, 10)]


def test_values_that_are_all_outside_the_sensible_range_keep_their_bars() -> None:
    assert _ends({1900: 90, 1901: 10}, range(1911, 2027)) == [(1900, 1900, 90), (1901, 1901, 10)]


def test_nothing_has_no_bars() -> None:
    assert bins_of({}) == ()


@given(COUNTS, st.one_of(st.none(), st.just(range(1911, 2027))))
def test_bars_hold_every_value_once_and_meet_without_a_gap(counts: dict[int, int], sensible: range | None) -> None:
    bars = bins_of(counts, sensible=sensible)

    assert sum(one.count or 0 for one in bars) == sum(counts.values())
    assert sum(one.share for one in bars) == pytest.approx(1.0)
    for left, right in pairwise(bars):
        assert left.high is not None and right.low == left.high + 1
    for one in bars:
        held = sum(n for number, n in counts.items() if (one.low or 0) <= number <= (one.high or 9999))
        assert one.count == held


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.0004, "under 0.1 %"), (0.125, "12.5 %"), (0.12, "12 %"), (0.0025, "0.3 %"),
     (0.9994, "99.9 %"), (0.9996, "over 99.9 %"), (0.5, "50 %"), (2 / 3, "66.7 %")],
)  # fmt: skip
def test_share_is_shown_to_a_tenth_of_a_percent(share: float, shown: str) -> None:
    assert percent(share) == shown


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=4))
def test_parts_add_up_but_for_their_last_digit(parts: list[int]) -> None:
    total = sum(parts)
    shown = [percent(part / total) for part in parts]

    if not any("under" in one or "over" in one for one in shown):
        assert abs(sum(float(one.removesuffix(" %")) for one in shown) - 100) <= 0.05 * len(parts) + 1e-9
