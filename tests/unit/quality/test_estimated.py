"""Estimates of the kit beside the truth: true numbers, tallies, tables, file and chart."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks.quality import estimate_chart, report
from benchmarks.quality.estimate_tables import by_pair, estimate_tables, tally
from benchmarks.quality.estimated import (
    F1,
    OF_CANDIDATES,
    OVERLAP,
    PRECISION,
    QUANTITIES,
    RECALL,
    Figure,
    PairEstimates,
    estimates_of,
    truth_of,
)
from benchmarks.quality.measure import Losses, Measured
from benchmarks.quality.people import Sources
from benchmarks.quality.pipeline import link
from benchmarks.quality.sets import make_set
from isthmus.contract.kinds import random_shares
from isthmus.coordinator.match.compare.estimates import Evidence
from isthmus.coordinator.match.compare.model import Candidates, fit

_SVG = "{http://www.w3.org/2000/svg}"
_INSIDE = Figure(true=0.95, value=0.97, low=0.9, high=1.0)
_TOO_HIGH = Figure(true=0.8, value=0.9, low=0.85, high=0.95)
_SILENT = Figure(true=0.5, too_little="few-rows")


def _measured(name: str, half: str, figure: Figure, *, providers: int = 2) -> Measured:
    overlap = Figure(true=100, value=90, low=80, high=95)
    pair = PairEstimates(
        left=0, right=1, links=90, false=5, figures=dict.fromkeys(QUANTITIES, figure) | {OVERLAP: overlap}
    )
    return Measured(
        name=name,
        half=half,
        seed=1,
        rows=(200,) * providers,
        ways={},
        losses=Losses(true=9, candidates=1, budget=0, model=2, grouping=0, won=0),
        groups={},
        splink_groups={},
        seconds={},
        estimates=(pair,),
    )


def _evidence(left: list[int], right: list[int], accepted: list[bool]) -> Evidence:
    candidates = Candidates(
        fields=("sex",),
        levels=np.zeros((1, len(left)), np.int8),
        left_row=np.array(left, np.uint32),
        right_row=np.array(right, np.uint32),
        rows=(4, 4),
    )
    model, probability = fit(candidates, random=random_shares(np.zeros((1, 10), np.int8), ("sex",)), near=())
    return Evidence(
        candidates=candidates,
        model=model,
        probability=probability,
        accepted=np.array(accepted),
        acceptance=0.1,
        random_pairs=10,
    )


def test_truth_counts_links_right_ones_and_right_candidates() -> None:
    ours, theirs = np.array([7, 8, 9, 1]), np.array([7, 9, 8, 2])
    told = _evidence([0, 1, 1, 3], [0, 1, 2, 3], [True, False, False, True])

    truth = truth_of(told, ours, theirs, shared=np.array([7, 8, 9]))

    assert (truth.links, truth.right, truth.found, truth.linked.tolist()) == (2, 1, 2, [7])
    assert [truth.rate(one) for one in (PRECISION, OF_CANDIDATES, RECALL, F1, OVERLAP)] == pytest.approx(
        [1 / 2, 1 / 2, 1 / 3, 0.4, 3]
    )


def test_tally_counts_what_is_told_and_says_on_which_side_truth_is() -> None:
    of = tally([_INSIDE, _TOO_HIGH, _SILENT, Figure(true=1.0, value=0.5, low=0.4, high=0.6)])

    assert (of.of, of.inside, of.too_high, of.too_low) == (3, 1, 1, 1)
    assert of.off == pytest.approx((0.02 + 0.1 + 0.5) / 3)


def test_tally_of_counts_is_a_share_of_the_truth() -> None:
    assert tally([Figure(true=50, value=40, low=40, high=45)], relative=True).off == pytest.approx(0.2)


def test_tables_mark_what_is_outside_and_give_the_reason_for_silence() -> None:
    figures = (_INSIDE, _TOO_HIGH, _SILENT)
    (_, rows), (_, summary) = estimate_tables([_measured(f"s{k}", "choose", one) for k, one in enumerate(figures)])

    assert [row[6] for row in rows[2:]] == ["0.9700 (0.9000 to 1.0000)", "0.9000 (0.8500 to 0.9500) !", "few-rows"]
    assert (PRECISION, "choose", "3", "2", "1", "1", "0", "0.0600") in summary
    assert (OVERLAP, "choose", "3", "3", "0", "0", "3", "0.1000") in summary


def test_pairs_of_more_than_two_providers_are_named_by_their_places() -> None:
    assert list(by_pair([_measured("two", "choose", _INSIDE), _measured("three", "report", _INSIDE, providers=3)])) == [
        "two",
        "three 0-1",
    ]


def test_nothing_estimated_is_no_table() -> None:
    assert not list(estimate_tables([]))


def test_estimates_are_read_as_they_were_written(tmp_path: Path) -> None:
    measured = [_measured("one", "choose", _INSIDE), _measured("two", "report", _SILENT)]

    report.write_measured(tmp_path / "kit.json", measured)

    assert report.read_measured(tmp_path / "kit.json") == measured


def test_chart_has_truth_for_all_and_an_interval_where_one_is_told(tmp_path: Path) -> None:
    said = by_pair([_measured("a & b", "choose", _TOO_HIGH), _measured("two", "report", _SILENT)])

    estimate_chart.write_chart(tmp_path / "said.svg", said, title="<estimates>")

    root = ET.fromstring((tmp_path / "said.svg").read_text("utf-8"))  # noqa: S314 - drawn just now
    of_legend, panels = 1, 2
    assert len(list(root.iter(f"{_SVG}path"))) == of_legend + panels * 2
    assert len(list(root.iter(f"{_SVG}circle"))) == of_legend + panels
    assert "a & b: precision 0.8000, estimated 0.9000 (0.8500 to 0.9500)" in (root.findtext(f"{_SVG}desc") or "")
    assert '"too_little": "few-rows"' in (tmp_path / "said.json").read_text("utf-8")


@pytest.mark.slow
def test_small_set_has_too_little_data_to_say_anything_but_its_overlap(sources: Sources) -> None:
    people = make_set("small", sources)

    (pair,) = estimates_of(link(people, profile="hardened-2", seed=1), people, seed=1)

    assert {pair.figures[quantity].too_little for quantity in (PRECISION, OF_CANDIDATES)} == {"few-rows"}
    assert 0.0 <= pair.figures[PRECISION].true <= 1.0
    overlap = pair.figures[OVERLAP]
    assert overlap.low <= overlap.value <= overlap.high
    assert overlap.true == 20
