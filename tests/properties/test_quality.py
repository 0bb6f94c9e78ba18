"""What a reader of a quality report can work out of counts that it does not list: never a small one, by sums.

And intervals of planted people and of what is made of them, which hold their value whatever was found.

The reader shares no code with disclosure control. He knows the people in both, from the overlap table; of the totals
and patterns he knows what is shown, and that the rest adds up.
"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.quality import Interval, NotEnoughData, PairQuality, Planted, TooLittle
from isthmus.coordinator.disclosure.quality import PairFigures, PatternFigures, release_quality
from isthmus.coordinator.disclosure.release import DisclosureRules
from isthmus.coordinator.match.compare.estimates import FEWEST_PLANTED, combined_f1, combined_recall, planted_recall

COUNTS = st.one_of(st.integers(1, 12), st.integers(1, 60), st.sampled_from([9, 10, 11, 19, 20, 21, 300, 10**6]))
NAMES = ("equal, most common", "equal, common", "equal, rare", "nickname", "alike", "initial", "swapped", "unlike")
SURE = Interval(value=0.9, low=0.8, high=1.0)
NONE = NotEnoughData(reason=TooLittle.FEW_PLANTED)


@st.composite
def figures(draw: st.DrawFn, counts: st.SearchStrategy[int] = COUNTS) -> PairFigures:
    """Any patterns, and any number of people who are linked through others."""
    drawn = {accepted: draw(st.lists(counts, max_size=8)) for accepted in (True, False)}
    patterns = tuple(
        PatternFigures(levels=(NAMES[place],), accepted=accepted, pairs=pairs, odds=1.0)
        for accepted, counts in drawn.items()
        for place, pairs in enumerate(counts)
    )
    links, alone = sum(drawn[True]), draw(st.booleans())
    both = links if alone else links + draw(st.integers(0, 30))
    changes = draw(st.lists(st.integers(-links, 500), max_size=6))
    return PairFigures(
        left=PartyId("k12"),
        right=PartyId("college"),
        overlap_shown=True,
        rows_shown=(True, True),
        alone=alone,
        rows=(10**7, 10**7),
        fields=("last_name",),
        candidate_pairs=links + sum(drawn[False]),
        links=links,
        precision=SURE,
        recall_of_candidates=SURE,
        recall=NONE,
        f1=NONE,
        planted=Planted(planted=0, found=0, recall=NONE),
        prior=-10.0,
        random_pairs=10_000,
        levels=(),
        patterns=patterns,
        steps=((0.1, both), *((0.2 + place / 10, both + change) for place, change in enumerate(changes))),
        band=(0.1, 0.9, draw(st.integers(0, 100))),
    )


def _released(one: PairFigures, least: int) -> PairQuality:
    rules = DisclosureRules(min_cell_count=least)
    (pair,) = release_quality([one], round_id=RoundId("r-1"), acceptance=0.1, rules=rules).report.pairs
    return pair


@given(figures(), st.integers(2, 15))
def test_no_small_number_of_unlisted_pairs_follows_from_sums(one: PairFigures, least: int) -> None:
    pair = _released(one, least)
    listed = {
        accepted: sum(pattern.pairs for pattern in pair.patterns if pattern.accepted is accepted)
        for accepted in (True, False)
    }

    if pair.patterns or pair.accepted is not None:
        # Each unlisted pattern of links, and all who are linked through others, may be anything from 0 to this.
        assert dict(one.steps)[0.1] - listed[True] >= least
    if pair.candidate_pairs is not None:
        assert pair.accepted is not None
        assert pair.candidate_pairs - pair.accepted - listed[False] >= least


def _with_rare_patterns_only(one: PairFigures, pair: PairQuality, least: int) -> PairFigures:
    """Give other people with the same report: whatever is not listed are patterns of fewer pairs than may be shown."""
    patterns = [
        PatternFigures(levels=of.levels, accepted=of.accepted, pairs=of.pairs, odds=1.0) for of in pair.patterns
    ]
    for accepted, total in ((True, one.links), (False, one.candidate_pairs - one.links)):
        rest = total - sum(of.pairs for of in patterns if of.accepted is accepted)
        patterns += [
            PatternFigures(levels=("",), accepted=accepted, pairs=min(least - 1, rest - start), odds=1.0)
            for start in range(0, rest, least - 1)
        ]
    return replace(one, patterns=tuple(patterns))


@given(figures(st.integers(1, 60)), st.integers(2, 15))
def test_who_knows_the_program_cannot_tell_whether_a_pattern_is_rare_or_hidden_to_protect_one(
    one: PairFigures, least: int
) -> None:
    pair = _released(one, least)

    if pair.candidate_pairs is not None:
        # So each rare pattern may have no pair at all, or all that are not listed.
        assert _released(_with_rare_patterns_only(one, pair, least), least) == pair


@given(figures(), st.integers(2, 15))
def test_every_count_that_is_shown_is_true_and_large(one: PairFigures, least: int) -> None:
    pair = _released(one, least)

    true = {(pattern.levels, pattern.accepted): pattern.pairs for pattern in one.patterns}
    for pattern in pair.patterns:
        assert pattern.pairs == true[pattern.levels, pattern.accepted] >= least
    assert pair.accepted in {None, one.links}
    # What the overlap table shows is not hidden here, or it would be no secret and look like one.
    assert pair.accepted == one.links or not one.alone or one.links < least
    assert pair.candidate_pairs in {None, one.candidate_pairs}
    assert all(count is None or count >= least for count in (pair.accepted, pair.candidate_pairs, pair.band.pairs))


@given(figures(), st.integers(2, 15))
def test_steps_of_the_ladder_leave_at_least_as_many_changes_possible_as_the_least_count(
    one: PairFigures, least: int
) -> None:
    for rung, (_, both) in zip(_released(one, least).ladder, one.steps, strict=False):
        base = dict(one.steps)[0.1]
        if rung.both is not None:
            up = 1 if both >= base else -1
            # All these numbers would have been shown alike, and the true one is among them.
            alike = range(rung.both, rung.both + up * 2 * least, up)
            assert both in alike
            assert len(alike) > least


@given(figures())
def test_hidden_overlap_hides_every_count(one: PairFigures) -> None:
    pair = _released(replace(one, overlap_shown=False), 10)

    assert (pair.accepted, pair.candidate_pairs, pair.patterns, pair.ladder, pair.band.pairs) == (
        None,
        None,
        (),
        (),
        None,
    )


def _interval(draw_ends: tuple[float, float, float]) -> Interval:
    low, value, high = sorted(draw_ends)
    return Interval(value=value, low=low, high=high)


SHARES = st.floats(0, 1)
INTERVALS = st.tuples(SHARES, SHARES, SHARES).map(_interval)


@given(st.integers(FEWEST_PLANTED, 5_000), st.data())
def test_interval_of_planted_people_holds_the_share_and_tightens_with_their_number(
    planted: int, data: st.DataObject
) -> None:
    found = data.draw(st.integers(0, planted))

    few, many = planted_recall(found=found, planted=planted), planted_recall(found=4 * found, planted=4 * planted)

    assert isinstance(few, Interval)
    assert isinstance(many, Interval)
    assert 0 <= few.low <= few.value <= few.high <= 1
    assert few.value == found / planted == many.value
    assert many.high - many.low < few.high - few.low


@given(INTERVALS, INTERVALS)
def test_recall_and_f1_of_any_intervals_hold_their_values(one: Interval, other: Interval) -> None:
    recall = combined_recall(one, other)
    f1 = combined_f1(one, other)

    assert isinstance(recall, Interval)
    assert isinstance(f1, Interval)
    assert recall.low <= recall.value <= recall.high
    # What planted people say is never widened.
    assert (recall.low, recall.value) == (other.low, other.value)
    assert recall.high <= other.high
    assert f1.low <= f1.value <= f1.high
    assert min(one.value, other.value) - 1e-9 <= f1.value <= max(one.value, other.value) + 1e-9
