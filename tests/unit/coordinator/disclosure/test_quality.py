"""Released quality reports: the one way to make them, what they hold, and what does not leave."""

import copy
import pickle
from dataclasses import replace
from math import log2

import pytest

from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.levels import LEVELS
from isthmus.contract.quality import (
    MAX_QUALITY_BYTES,
    MOST_BITS,
    Interval,
    NotEnoughData,
    PairQuality,
    Planted,
    TooLittle,
)
from isthmus.coordinator.disclosure.quality import (
    MOST_PATTERNS,
    LevelFigures,
    PairFigures,
    PatternFigures,
    ReleasedQuality,
    release_quality,
    reopen_quality,
)
from isthmus.coordinator.disclosure.release import DisclosureRules

NOT_PLANTED = Planted(planted=0, found=0, recall=NotEnoughData(reason=TooLittle.FEW_PLANTED))
NAMES = ("equal, common", "equal, rare", "alike", "unlike", "")


def _pattern(place: int, pairs: int, *, accepted: bool = True, odds: float = 3.14159) -> PatternFigures:
    levels = (NAMES[place % 5], ("equal", "unlike", "")[place // 5])
    return PatternFigures(levels=levels, accepted=accepted, pairs=pairs, odds=odds)


def _figures(*patterns: PatternFigures, steps: tuple[tuple[float, int], ...] | None = None) -> PairFigures:
    links = sum(one.pairs for one in patterns if one.accepted)
    return PairFigures(
        left=PartyId("k12"),
        right=PartyId("college"),
        overlap_shown=True,
        rows_shown=(True, True),
        alone=True,
        rows=(5_000, 6_000),
        fields=("last_name", "sex"),
        candidate_pairs=sum(one.pairs for one in patterns),
        links=links,
        precision=Interval(value=0.98765, low=0.97654, high=0.99991),
        recall_of_candidates=Interval(value=0.9, low=0.8, high=1.0),
        recall=NotEnoughData(reason=TooLittle.FEW_PLANTED),
        f1=NotEnoughData(reason=TooLittle.FEW_PLANTED),
        planted=NOT_PLANTED,
        prior=-13.123,
        random_pairs=60_000,
        levels=(LevelFigures(field="sex", level="equal", match=0.97, random=0.5),),
        patterns=patterns,
        steps=steps or ((0.1, links),),
        band=(0.1, 0.9, 47),
    )


def _released(figures: PairFigures, *, least: int = 10) -> PairQuality:
    rules = DisclosureRules(min_cell_count=least)
    (pair,) = release_quality([figures], round_id=RoundId("r-1"), acceptance=0.1, rules=rules).report.pairs
    return pair


def _counts(pair: PairQuality) -> list[int]:
    return [pattern.pairs for pattern in pair.patterns]


def test_only_release_makes_a_released_report() -> None:
    report = release_quality(
        [_figures(_pattern(0, 500))], round_id=RoundId("r-1"), acceptance=0.1, rules=DisclosureRules()
    )

    with pytest.raises(TypeError, match="only release_quality"):
        ReleasedQuality(report=report.report)
    assert pickle.loads(pickle.dumps(report)) == report == copy.deepcopy(report)  # noqa: S301 - of our own making
    assert reopen_quality(report.to_bytes()) == report


def test_bytes_that_no_release_makes_are_not_reopened() -> None:
    with pytest.raises(MalformedDocument):
        reopen_quality(b"{}")


def test_common_patterns_and_totals_are_shown() -> None:
    pair = _released(_figures(_pattern(0, 500), _pattern(1, 300), _pattern(2, 40, accepted=False), _pattern(3, 15)))

    assert (pair.accepted, pair.rows) == (815, (5_000, 6_000))
    assert {500, 300} <= set(_counts(pair))


def test_rare_pattern_is_not_listed_nor_does_it_follow_from_the_total() -> None:
    pair = _released(_figures(_pattern(0, 500), _pattern(1, 300), _pattern(2, 60), _pattern(3, 7)))

    assert pair.accepted == 867
    assert 7 not in _counts(pair)
    # 867 - 500 - 300 - 60 would be 7: another pattern is hidden with it.
    assert 867 - sum(_counts(pair)) >= 10
    assert _counts(pair) == [500, 300]


def test_candidates_just_more_than_the_links_are_not_counted() -> None:
    pair = _released(_figures(_pattern(0, 500), _pattern(1, 300), _pattern(2, 20), _pattern(3, 3, accepted=False)))

    assert pair.accepted == 820
    assert pair.candidate_pairs is None


def test_all_about_links_is_hidden_where_the_overlap_is() -> None:
    figures = _figures(_pattern(0, 500), _pattern(1, 300))

    for pair in (_released(replace(figures, overlap_shown=False)), _released(_figures(_pattern(0, 9)))):
        assert (pair.candidate_pairs, pair.accepted, pair.prior, pair.band.pairs) == (None, None, None, None)
        assert (pair.patterns, pair.ladder, pair.weights) == ((), (), ())
        hidden = NotEnoughData(reason=TooLittle.HIDDEN)
        assert pair.precision == pair.recall_of_candidates == pair.recall == pair.f1 == hidden
        assert pair.rows == (5_000, 6_000)


def test_rows_are_hidden_where_the_overlap_table_hides_them() -> None:
    figures = replace(_figures(_pattern(0, 500), _pattern(1, 300)), rows_shown=(False, True))

    for pair in (_released(figures), _released(replace(figures, overlap_shown=False))):
        assert pair.rows == (None, 6_000)


def test_totals_are_hidden_where_a_third_provider_may_link_more() -> None:
    figures = _figures(_pattern(0, 500), _pattern(1, 300), _pattern(2, 60), steps=((0.1, 865),))

    for third in (replace(figures, alone=False), figures):
        pair = _released(third)
        assert (pair.candidate_pairs, pair.accepted) == (None, None)
        # Of the 865 in both, the last 65 may be links of any pattern, or be linked through the third.
        assert _counts(pair) == [500, 300]


def test_overlap_at_other_acceptances_changes_in_steps_of_twice_the_least_count() -> None:
    steps = ((0.02, 850), (0.05, 819), (0.1, 800), (0.5, 781), (0.7, 780), (0.9, 755), (0.98, 3))
    pair = _released(_figures(_pattern(0, 500), _pattern(1, 300), steps=steps))

    assert [rung.both for rung in pair.ladder] == [840, 800, 800, 800, 780, 760, 20]


def test_overlap_that_becomes_small_is_hidden() -> None:
    pair = _released(_figures(_pattern(0, 20), _pattern(1, 5), steps=((0.1, 25), (0.9, 1))))

    assert [rung.both for rung in pair.ladder] == [25, None]


def test_ladder_without_the_rounds_own_acceptance_is_refused() -> None:
    with pytest.raises(ValueError, match="acceptance"):
        _released(_figures(_pattern(0, 500), steps=((0.5, 400),)))


def test_clerical_band_is_rounded_down_and_hidden_where_small() -> None:
    figures = _figures(_pattern(0, 500), _pattern(1, 300))

    assert _released(figures).band.pairs == 40
    assert _released(replace(figures, band=(0.1, 0.9, 19))).band.pairs is None


def test_estimates_are_rounded_and_their_ends_outwards() -> None:
    assert _released(_figures(_pattern(0, 500))).precision == Interval(value=0.988, low=0.976, high=1.0)


def test_odds_are_rounded_and_cut() -> None:
    pair = _released(_figures(_pattern(0, 500), _pattern(1, 300, odds=31.4), _pattern(2, 200, odds=-31.4)))

    assert {pattern.odds for pattern in pair.patterns} <= {3.1, MOST_BITS, -MOST_BITS}
    assert pair.prior == -13.1


def test_rare_levels_are_weighed_as_if_the_least_count_had_them_or_not_at_all() -> None:
    levels = (
        LevelFigures(field="sex", level="equal", match=0.97, random=0.5),
        LevelFigures(field="last_name", level="equal, rare", match=0.3, random=1e-9),
        LevelFigures(field="last_name", level="unlike", match=1e-9, random=0.9),
        LevelFigures(field="last_name", level="swapped", match=1e-9, random=1e-9),
    )
    figures = replace(_figures(_pattern(0, 500), _pattern(1, 300)), levels=levels)

    weights = _released(figures).weights

    assert [(one.level, one.bounded) for one in weights] == [("equal", False), ("equal, rare", True), ("unlike", True)]
    assert [one.weight for one in weights] == [
        round(log2(0.97 / 0.5), 1),
        round(log2(0.3 / (10 / 60_000)), 1),
        round(log2(10 / 800 / 0.9), 1),
    ]


@pytest.mark.parametrize("few", [{"random_pairs": 299}, {"links": 299}])
def test_few_links_or_random_pairs_have_no_weights(few: dict[str, int]) -> None:
    figures = _figures(_pattern(0, few.get("links", 800) - 100), _pattern(1, 60), _pattern(2, 40))

    pair = _released(replace(figures, random_pairs=few.get("random_pairs", 60_000)))

    assert (pair.weights, pair.prior) == ((), None)
    assert pair.patterns
    assert {pattern.odds for pattern in pair.patterns} == {None}
    assert _released(_figures(_pattern(0, 300))).weights != ()


def test_no_more_than_the_commonest_patterns_are_listed() -> None:
    patterns = [_pattern(place, 100 + place) for place in range(15)]

    pair = _released(_figures(*patterns))

    assert len(pair.patterns) <= MOST_PATTERNS
    assert max(_counts(pair)) == 114


@pytest.mark.parametrize("changes", [{"candidate_pairs": 501}, {"links": 499}])
def test_patterns_that_do_not_add_up_are_refused_without_a_count(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="do not add up") as refusal:
        replace(_figures(_pattern(0, 500)), **changes)  # type: ignore[arg-type]  # both are counts

    assert not any(digit in str(refusal.value) for digit in "0123456789")


def test_figures_do_not_show_counts() -> None:
    shown = repr(_figures(_pattern(0, 48_611)))

    assert "48611" not in shown
    assert "0.98765" not in shown


LONG = "p" * 40
NOBODY_SHORT = Interval(value=0.123, low=0.001, high=0.999)


def _largest() -> PairFigures:
    """What takes most bytes: all fields, the longest ids, every level and pattern, a ladder of all its rungs."""
    fields = tuple(LEVELS)
    longest = tuple(max(LEVELS[field].names, key=len) for field in fields)
    patterns = tuple(
        PatternFigures(levels=longest, accepted=accepted, pairs=10**6, odds=-9.9)
        for accepted in (True, False)
        for _ in range(MOST_PATTERNS)
    )
    many = sum(one.pairs for one in patterns) // 2
    levels = tuple(
        LevelFigures(field=field, level=name, match=0.001, random=0.9)
        for field in fields
        for name in LEVELS[field].names
    )
    return replace(
        _figures(steps=tuple((place / 1000, many) for place in range(100, 112))),
        left=PartyId("l" + LONG[1:]),
        right=PartyId("r" + LONG[1:]),
        alone=False,
        rows=(10**7, 10**7),
        fields=fields,
        candidate_pairs=2 * many,
        links=many,
        precision=NOBODY_SHORT,
        recall_of_candidates=NOBODY_SHORT,
        recall=NOBODY_SHORT,
        f1=NOBODY_SHORT,
        planted=Planted(planted=1000, found=1000, recall=NOBODY_SHORT),
        random_pairs=10**6,
        levels=levels,
        patterns=patterns,
        band=(0.1, 0.9, 10**7),
    )


@pytest.mark.parametrize(
    ("providers", "detailed"),
    [
        pytest.param(20, True, marks=pytest.mark.slow),
        (21, False),
        pytest.param(60, False, marks=pytest.mark.slow),
    ],
)
def test_largest_report_fits_into_a_message_and_leaves_out_detail_only_of_many_providers(
    providers: int, detailed: bool
) -> None:
    largest, pairs = _largest(), providers * (providers - 1) // 2

    released = release_quality([largest] * pairs, round_id=RoundId("r-1"), acceptance=0.1, rules=DisclosureRules())

    assert len(released.to_bytes()) <= MAX_QUALITY_BYTES
    pair = released.report.pairs[-1]
    assert (pair.prior is not None, bool(pair.weights), bool(pair.patterns)) == (detailed,) * 3
    assert any("left out" in rule for rule in released.report.rules) is not detailed
    assert pair.precision == NOBODY_SHORT
    assert len(pair.ladder) == 12
