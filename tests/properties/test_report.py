"""Suppression: no small count is shown, and the parts of a field give none away."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus.node.report.model import MIN_CELL_COUNT, Bin, Hidden
from isthmus.node.report.outgoing import coarse, coarse_bins, coarse_parts

SIZES = st.one_of(st.integers(0, 12), st.integers(0, 400))
PARTS = st.tuples(SIZES, SIZES, SIZES)


@given(count=st.integers(0, 500), over=st.integers(0, 500))
def test_coarse_count_is_hidden_or_a_multiple_of_ten(count: int, over: int) -> None:
    shown = coarse(count, count + over)

    if isinstance(shown, int):
        assert shown % MIN_CELL_COUNT == 0
        assert abs(shown - count) <= MIN_CELL_COUNT // 2
        assert count == 0 or count >= MIN_CELL_COUNT
        assert over == 0 or over >= MIN_CELL_COUNT
    else:
        assert 0 < count < MIN_CELL_COUNT or 0 < over < MIN_CELL_COUNT


@given(parts=PARTS, sound=SIZES, place=st.integers(0, 2), other=st.integers(1, 9))
def test_hidden_part_could_be_any_small_number(parts: tuple[int, int, int], sound: int, place: int, other: int) -> None:
    total = max(100, sum(parts) + sound)
    shown = coarse_parts(parts, total)
    changed = tuple(other if at == place else part for at, part in enumerate(parts))
    if shown[0][place] is Hidden.FEW and sum(changed) <= total:
        assert coarse_parts(changed, total) == shown


@given(parts=PARTS, sound=SIZES)
def test_shown_parts_never_leave_few_rows_over(parts: tuple[int, int, int], sound: int) -> None:
    total = max(100, sum(parts) + sound)
    shown, rest = coarse_parts(parts, total)

    exact = sum(part for part, mark in zip(parts, shown, strict=True) if not isinstance(mark, Hidden))
    if any(isinstance(mark, int) and mark for mark in shown):
        assert total - exact == 0 or total - exact >= 2 * MIN_CELL_COUNT
    if any(isinstance(mark, Hidden) for mark in shown):
        assert rest is Hidden.WITHHELD


@given(counts=st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_shared_bars_hold_ten_rows_each_and_have_open_ends(counts: list[int]) -> None:
    total = sum(counts) or 1
    bars = tuple(Bin(low=at, high=at, share=one / total, count=one) for at, one in enumerate(counts))
    shown = coarse_bins(bars)

    for bar in shown:
        low = 0 if bar.low is None else bar.low
        high = len(counts) - 1 if bar.high is None else bar.high
        assert sum(counts[low : high + 1]) >= MIN_CELL_COUNT
        assert bar.count is None
    if shown:
        assert (shown[0].low, shown[-1].high) == (None, None)
        assert [bar.low for bar in shown[1:]] == [(bar.high or 0) + 1 for bar in shown[:-1]]
