"""What the kit makes of a set: groups of people, losses by stage, baselines, tables, file and chart."""

from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks.quality import baselines, f1_chart, report, splink_pairs
from benchmarks.quality.fairness import GroupCounts, added, count_groups
from benchmarks.quality.measure import (
    CLK_BEST,
    EXACT,
    OURS,
    Losses,
    Measured,
    Quality,
    baselines_of,
    measure,
    measure_baselines,
)
from benchmarks.quality.people import DataSet, Provider, Sources
from benchmarks.quality.score import pairs_of
from benchmarks.quality.sets import make_set

_SVG = "{http://www.w3.org/2000/svg}"


def _provider(rows: list[tuple[str, str, str, str]], *, repeats: bool = False) -> Provider:
    """Give rows of (entity, first name, last name, birth date)."""
    entities, *columns = ([row[place] for row in rows] for place in range(4))
    return Provider(
        columns=dict(zip(("first_name", "last_name", "dob"), columns, strict=True)),
        entities=entities,
        origins=["Polish", *[""] * (len(rows) - 1)],
        repeats=repeats,
    )


def _two() -> DataSet:
    ours = [("1", "ada", "baker", "19800101"), ("2", "eva", "baker", "19800101"), ("3", "ivo", "dyer", "")]
    theirs = [("1", "ada", "carver", "19800101"), ("2", "eva", "bakker", "19800101"), ("3", "ivo", "dyer", "19700101")]
    return DataSet(name="two", providers=(_provider(ours), _provider(theirs)))


def _quality(f1: float) -> Quality:
    return Quality(precision=f1, recall=f1, f1=f1, entity_f1=f1, false_merges=2, overlap_error=0.0)


def _measured(name: str, half: str, seed: int, **f1: float) -> Measured:
    return Measured(
        name=name,
        half=half,
        seed=seed,
        rows=(10, 20),
        ways={way.replace("_", " "): _quality(value) for way, value in f1.items()},
        losses=Losses(true=9, candidates=1, budget=0, model=2, grouping=0, won=0),
        groups={("surname", "kept"): GroupCounts(true=9, linked=6, false=1)},
        splink_groups={},
        seconds={"linking": 1.0, "Splink": 2.0},
    )


def test_pairs_are_told_apart_by_surname_twins_missing_fields_and_origin() -> None:
    true = pairs_of(_two().entity_codes())

    counts = count_groups(_two(), true=true, found=true)

    assert {key: one.true for key, one in counts.items()} == {
        ("missing fields", "0"): 2,
        ("missing fields", "1"): 1,
        ("names", "Polish"): 1,
        ("surname", "changed"): 1,
        ("surname", "kept"): 2,
        ("twin in the file", "no"): 1,
        ("twin in the file", "yes"): 2,
    }
    assert all(one.linked == one.true and one.false == 0 for one in counts.values())


def test_a_false_link_counts_in_its_own_groups() -> None:
    true = pairs_of(_two().entity_codes())

    counts = count_groups(_two(), true=true, found={(0, 1): np.array([0 << 32 | 1])})

    assert counts["twin in the file", "yes"] == GroupCounts(true=2, linked=0, false=1)
    assert counts["surname", "kept"] == GroupCounts(true=2, linked=0, false=1)


def test_groups_of_several_sets_add_up() -> None:
    one, other = ({("names", name): GroupCounts(true=3, linked=2, false=1)} for name in ("Polish", "Korean"))

    total = added([one, other, one])

    assert total["names", "Polish"] == GroupCounts(true=6, linked=4, false=2)
    assert total["names", "Korean"] == GroupCounts(true=3, linked=2, false=1)


def test_exact_key_links_equal_names_and_dates_and_nothing_missing() -> None:
    ours = [("1", "ada", "baker", "19800101"), ("2", "ivo", "dyer", "")]

    pairs = baselines.exact_key(DataSet(name="same", providers=(_provider(ours), _provider(ours))))

    assert [(pairs.left_row[place], pairs.right_row[place]) for place in range(len(pairs))] == [(0, 0)]


def test_exact_key_finds_repeats_inside_a_file_that_has_them() -> None:
    row = ("1", "ada", "baker", "19800101")

    pairs = baselines.exact_key(
        DataSet(name="repeats", providers=(_provider([row, row], repeats=True), _provider([row])))
    )

    sides = zip(pairs.left_dataset.tolist(), pairs.right_dataset.tolist(), strict=True)
    assert sorted(sides) == [(0, 0), (0, 1), (0, 1)]


def test_rules_of_splink_need_their_fields() -> None:
    assert splink_pairs.fields_of(("zip", "substr(first_name, 1, 1)")) == {"zip", "first_name"}
    assert splink_pairs.possible(splink_pairs.BLOCKS, {"first_name", "last_name", "ssn"}) == [
        ("first_name", "last_name"),
        ("ssn",),
    ]


def test_mean_is_of_sets_each_the_mean_of_its_seeds() -> None:
    measured = [
        _measured("one", "choose", 1, ours=0.8),
        _measured("one", "choose", 2, ours=1.0),
        _measured("two", "choose", 1, ours=0.5),
        _measured("three", "report", 1, ours=0.3),
    ]

    means = report.means(measured, lambda one: one.f1)

    assert means["choose"]["ours"] == pytest.approx(0.7)
    assert means["report"]["ours"] == pytest.approx(0.3)
    assert means["all"]["ours"] == pytest.approx((0.9 + 0.5 + 0.3) / 3)


def test_mean_is_of_sets_that_have_every_way() -> None:
    measured = [_measured("one", "choose", 1, ours=0.8, Splink_best=0.9), _measured("two", "choose", 1, ours=0.1)]

    assert report.means(measured, lambda one: one.f1)["choose"] == {"ours": 0.8, "Splink best": 0.9}


def test_measurements_are_read_as_they_were_written(tmp_path: Path) -> None:
    measured = [_measured("one", "choose", 1, ours=0.8), _measured("two", "report", 2, ours=0.9)]

    report.write_measured(tmp_path / "kit.json", measured)

    assert report.read_measured(tmp_path / "kit.json") == measured


def test_tables_show_sets_halves_losses_and_groups() -> None:
    tables = report.tables([_measured("one", "choose", 1, ours_balanced=0.8)])

    assert "| one | choose | 0.8000 |" in tables
    assert "| one | 9.0 | 1.0 | 0.0 | 2.0 | 0.0 | 0.0 |" in tables
    assert "| surname | kept | 9 | 0.6667 | 1 |" in tables


def test_chart_has_a_mark_for_each_way_of_a_set_and_says_them_in_words() -> None:
    f1 = {"a & b": {"ours balanced": 0.91, "Splink best": 0.8}, "two": {"ours balanced": 1.0}}

    root = ET.fromstring(f1_chart.chart(f1, title="F1 <by> set"))  # noqa: S314 - drawn just now

    legend = len(f1_chart.WAYS)
    marks = [one for one in root.iter() if one.get("class", "").startswith("w")]
    assert len(marks) == legend + 3
    assert root.findtext(f"{_SVG}desc") == "a & b: ours balanced 0.910, Splink best 0.800; two: ours balanced 1.000"
    assert max(float(one.get("cx", 0)) for one in root.iter(f"{_SVG}circle")) == f1_chart.RIGHT


@pytest.mark.slow
def test_small_set_is_linked_well_and_losses_add_up(sources: Sources) -> None:
    told: list[str] = []

    one = measure(
        make_set("small", sources),
        half="choose",
        seed=1,
        profile="hardened-1",
        others=partial(measure_baselines, profile="hardened-1", folder=sources.folder, with_splink=False),
        tell=told.append,
    )

    lost = one.losses
    linked = lost.true - lost.candidates - lost.budget - lost.model - lost.grouping + lost.won
    assert one.ways[OURS].recall == pytest.approx(linked / lost.true)
    assert one.ways[OURS].f1 > 0.8
    assert one.ways[CLK_BEST].f1 >= one.ways["CLK 0.8"].f1
    assert 0 < one.ways[EXACT].f1 <= 1
    assert sum(counts.true for (by, _), counts in one.groups.items() if by == "surname") == lost.true
    assert told == ["linking", "estimates", "threshold rule", "exact key and CLK"]


def test_baselines_of_before_are_all_but_ours() -> None:
    before = _measured("one", "choose", 1, ours_balanced=0.9, threshold_rule=0.8, Splink_best=0.7)

    beside = baselines_of(before)

    assert set(beside.ways) == {"threshold rule", "Splink best"}
    assert beside.seconds == {"Splink": 2.0}
