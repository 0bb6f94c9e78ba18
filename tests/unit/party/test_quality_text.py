"""A quality report as text and as charts: bars as long as their numbers say, and nothing shown that is hidden."""

from xml.etree import ElementTree as ET

import msgspec
import pytest

from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.quality import (
    MOST_BITS,
    QUALITY_FORMAT,
    Band,
    Interval,
    LevelWeight,
    NotEnoughData,
    PairQuality,
    Pattern,
    Planted,
    QualityReport,
    Rung,
    TooLittle,
)
from isthmus.party.quality_charts import ladder_chart, report_charts, waterfall_chart
from isthmus.party.quality_text import (
    BAR,
    REASONS,
    estimate_text,
    odds_text,
    quality_summary,
    quality_text,
    waterfall_steps,
)

PATTERN = Pattern(levels=("equal, rare", "equal", ""), accepted=True, pairs=1_234, odds=-2.5)
PAIR = PairQuality(
    left=PartyId("k12"),
    right=PartyId("college"),
    rows=(5_000, 60_000),
    fields=("last_name", "sex", "zip"),
    candidate_pairs=2_400,
    accepted=2_300,
    precision=Interval(value=0.98, low=0.95, high=1.0),
    recall_of_candidates=Interval(value=0.9, low=0.85, high=0.95),
    recall=NotEnoughData(reason=TooLittle.FEW_PLANTED),
    f1=NotEnoughData(reason=TooLittle.FEW_PLANTED),
    planted=Planted(planted=12, found=11, recall=NotEnoughData(reason=TooLittle.FEW_PLANTED)),
    prior=-12.0,
    weights=(
        LevelWeight(field="last_name", level="equal, rare", weight=8.0, bounded=True),
        LevelWeight(field="sex", level="equal", weight=1.0, bounded=False),
        LevelWeight(field="sex", level="unlike", weight=-4.0, bounded=False),
    ),
    patterns=(PATTERN,),
    ladder=(Rung(acceptance=0.1, both=2_300), Rung(acceptance=0.5, both=1_150), Rung(acceptance=0.9, both=None)),
    band=Band(low=0.1, high=0.9, pairs=40),
)
SVG = "{http://www.w3.org/2000/svg}"


def _report(*pairs: PairQuality) -> QualityReport:
    return QualityReport(
        format=QUALITY_FORMAT,
        round_id=RoundId("r-1"),
        acceptance=0.1,
        min_cell_count=10,
        rules=("Small patterns are not listed.",),
        pairs=pairs,
    )


def _text(pair: PairQuality = PAIR) -> str:
    return quality_text(_report(pair))


def _line(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(start))


def _drawn(chart: str) -> ET.Element:
    return ET.fromstring(chart.replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1))  # noqa: S314 - drawn just now


def test_text_shows_estimates_with_intervals_and_says_why_others_are_missing() -> None:
    text = _text()

    assert "0.980  (0.950 to 1.000)" in _line(text, "precision")
    assert REASONS[TooLittle.FEW_PLANTED] in _line(text, "recall   ")
    assert "11 of 12 found" in _line(text, "planted people")
    assert text.endswith("Small patterns are not listed.")


def test_every_figure_of_a_pair_is_explained_once_below_the_report() -> None:
    text = _text()
    told = [line[:24].strip() for line in text.partition("How to read it\n")[2].splitlines() if line.startswith("  ")]

    assert {"precision", "recall", "recall of candidates", "F1", "planted people", "doubtful pairs"} < set(told)
    assert len(told) == len(set(told))


def test_planted_people_are_counted_only_where_there_are_any() -> None:
    nobody = msgspec.structs.replace(PAIR.planted, planted=0, found=0)

    assert "11 of 12 found" in _line(_text(), "planted people")
    assert _line(_text(msgspec.structs.replace(PAIR, planted=nobody)), "planted people").split()[-1] == "none"


@pytest.mark.parametrize("reason", TooLittle)
def test_every_reason_has_words(reason: TooLittle) -> None:
    assert len(estimate_text(NotEnoughData(reason=reason))) > 20


def test_bars_of_the_ladder_are_as_long_as_the_counts() -> None:
    text = _text()

    assert _line(text, "0.1 ").count("#") == BAR
    assert _line(text, "0.5 ").count("#") == BAR // 2
    assert "hidden" in _line(text, "0.9 ")
    assert "#" not in _line(text, "0.9 ")


def test_bars_of_weights_point_the_way_of_their_sign() -> None:
    text = _text()

    assert "~  +8.0" in _line(text, "last_name: equal, rare")
    assert _line(text, "sex: unlike").count("-") == 1 + BAR // 2
    assert _line(text, "sex: equal").count("+") == 1 + BAR // 8


def test_steps_of_a_waterfall_lead_from_any_pair_to_the_pattern() -> None:
    steps = waterfall_steps(PAIR, PATTERN)

    assert [label for label, _ in steps] == [
        "a random pair",
        "last_name: equal, rare",
        "sex: equal",
        "all fields together",
    ]
    assert sum(weight for _, weight in steps) == pytest.approx(PATTERN.odds)


def test_odds_that_are_cut_leave_no_rest_to_be_told() -> None:
    cut = msgspec.structs.replace(PATTERN, odds=MOST_BITS)

    assert "all fields together" not in [label for label, _ in waterfall_steps(PAIR, cut)]
    assert odds_text(cut) == "2^10 or more"
    assert odds_text(msgspec.structs.replace(PATTERN, odds=-MOST_BITS)) == "2^-10 or less"
    assert odds_text(PATTERN) == "2^-2.5"
    assert odds_text(msgspec.structs.replace(PATTERN, odds=None)) == "unknown"


def test_bars_of_a_waterfall_begin_where_the_last_one_ended() -> None:
    text = _text()
    shown = text.partition("a pattern of 1,234 links")[2].splitlines()[1:4]
    bars = [line[54:] for line in shown]

    # From -12 to -4 to -3: the first bar goes from 0 down to the left end, the next two back up.
    starts = [len(bar) - len(bar.lstrip()) for bar in bars]
    assert starts[0] == starts[1] == 0
    assert starts[2] == len(bars[1])
    assert len(bars[0]) > len(bars[1])


def test_hidden_counts_are_called_hidden() -> None:
    hidden = NotEnoughData(reason=TooLittle.HIDDEN)
    text = _text(
        msgspec.structs.replace(
            PAIR,
            candidate_pairs=None,
            accepted=None,
            precision=hidden,
            weights=(),
            patterns=(),
            ladder=(),
            prior=None,
            band=Band(low=0.1, high=0.9, pairs=None),
        )
    )

    assert "hidden" in _line(text, "links")
    assert "hidden" in _line(text, "candidate pairs")
    assert REASONS[TooLittle.HIDDEN] in _line(text, "precision")
    assert "few, or hidden" in _line(text, "doubtful pairs")
    assert "a pattern of" not in text


def test_waterfall_chart_has_a_bar_for_each_step_that_begins_where_the_last_one_ended() -> None:
    bars = list(_drawn(waterfall_chart("one", PAIR, PATTERN)).iter(f"{SVG}rect"))
    ends = [(float(bar.attrib["x"]), float(bar.attrib["x"]) + float(bar.attrib["width"])) for bar in bars]

    assert [bar.attrib["class"] for bar in bars] == ["down", "up", "up", "up", "total"]
    assert ends[0][0] == pytest.approx(ends[1][0], abs=0.2)
    assert ends[1][1] == pytest.approx(ends[2][0], abs=0.2)
    assert ends[4] == pytest.approx((ends[3][1], ends[0][1]), abs=0.2)


def test_ladder_chart_shows_what_is_shown_and_marks_the_rounds_own() -> None:
    root = _drawn(ladder_chart("one", PAIR, acceptance=0.1))
    (line,), (own,) = root.iter(f"{SVG}polyline"), root.iter(f"{SVG}circle")

    assert len(line.attrib["points"].split()) == 2
    assert line.attrib["points"].split()[0] == f"{own.attrib['cx']},{own.attrib['cy']}"


def test_ladder_chart_without_a_shown_count_is_empty() -> None:
    assert ladder_chart("one", msgspec.structs.replace(PAIR, ladder=()), acceptance=0.1) == ""


@pytest.mark.parametrize("chart", [waterfall_chart("one", PAIR, PATTERN), ladder_chart("one", PAIR, acceptance=0.1)])
def test_chart_says_in_words_what_it_shows(chart: str) -> None:
    root = _drawn(chart)

    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    assert root.attrib["aria-labelledby"] == "one-title one-desc"
    assert "://" not in chart


def test_summary_has_precision_and_recall_of_every_two_providers_and_nothing_else() -> None:
    assert quality_summary(_report(PAIR, PAIR)).splitlines() == 2 * [
        "k12 and college",
        "  estimated precision  0.980  (0.950 to 1.000)",
        f"  estimated recall     {REASONS[TooLittle.FEW_PLANTED]}",
    ]


def test_file_of_charts_holds_all_of_them_below_one_another_under_names_of_their_own() -> None:
    drawn = ET.fromstring(report_charts(_report(PAIR, PAIR)))  # noqa: S314 - drawn just now

    charts = drawn.findall(f"{SVG}svg")
    ends = [float(one.attrib["y"]) + float(one.attrib["height"]) for one in charts]
    starts = [float(one.attrib["y"]) for one in charts]
    assert len(charts) == 4, "a ladder and a waterfall each"
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))
    assert ends[-1] <= float(drawn.attrib["height"])
    ids = [one.attrib["id"] for one in drawn.iter() if "id" in one.attrib]
    assert len(set(ids)) == len(ids) == 8
    for outer in charts:
        (inner,) = outer
        assert inner.attrib["viewBox"] == f"0 0 {outer.attrib['width']} {outer.attrib['height']}"


def test_file_of_charts_says_so_where_there_is_nothing_to_draw() -> None:
    hidden = msgspec.structs.replace(PAIR, ladder=(), patterns=(), weights=())

    drawn = ET.fromstring(report_charts(_report(hidden)))  # noqa: S314 - drawn just now

    assert (
        drawn.findtext(f"{SVG}text") == "k12 and college: nothing to draw, for it is hidden or there is not enough data"
    )
