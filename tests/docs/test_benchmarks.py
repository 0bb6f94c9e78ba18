"""The page of benchmarks: every program is on it and in the README, every chart is drawn from its numbers."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from docs.pages import DOCS, ROOT, read

BENCHMARKS: Final = ROOT / "benchmarks"
PROGRAMS: Final = {
    **{path.stem: path for path in sorted(BENCHMARKS.glob("*.py")) if "__main__" in read(path)},
    **{path.parent.name: path for path in sorted(BENCHMARKS.glob("*/run.py"))},
}
"""By name; one that is a folder of modules has the name of the folder."""

CHARTS: Final = sorted((DOCS / "benchmarks").glob("*.svg"))
TIMES: Final = [path for path in CHARTS if path.name.startswith("time-")]
"""Charts of time against rows."""

ESTIMATES: Final = [path for path in CHARTS if path.name.endswith("-estimates.svg")]
"""Charts of estimates beside the truth; the others are of F1 by set."""
LARGEST_CHART: Final = 30_000
_SVG: Final = "{http://www.w3.org/2000/svg}"


def _loaded(path: Path) -> ModuleType:
    # The benchmarks are no package, and those that draw need nothing but Python's own library.
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def log_chart() -> ModuleType:
    return _loaded(BENCHMARKS / "log_chart.py")


def _page() -> str:
    return read(DOCS / "benchmarks.md")


@pytest.mark.parametrize("name", PROGRAMS)
def test_page_has_a_section_with_a_command_for_every_program(name: str) -> None:
    section = _page().partition(f"\n## {name}\n")[2].partition("\n## ")[0]

    assert f"    .venv/bin/python {PROGRAMS[name].relative_to(ROOT)}" in section


def test_page_describes_no_program_that_is_not_there() -> None:
    sections = set(re.findall(r"^## (\w+)$", _page(), re.MULTILINE))

    assert sections == set(PROGRAMS)


def test_readme_names_every_program() -> None:
    listed = read(ROOT / "README.md").partition("  benchmarks/ ")[2].partition("  requirements/")[0]

    assert [name for name in PROGRAMS if not re.search(rf"\b{name}\b", listed)] == []


def test_page_links_every_chart_and_each_is_there() -> None:
    linked = re.findall(r"!\[[^\]]+\]\((benchmarks/[\w-]+\.svg)\)", _page())

    assert linked
    assert sorted(linked) == [str(path.relative_to(DOCS)) for path in CHARTS]


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: str(path.name))
def test_chart_is_small_xml_that_says_in_words_what_it_shows_and_fetches_nothing(path: Path) -> None:
    text, root = read(path), ET.fromstring(read(path))  # noqa: S314 - a file of ours

    words = [element.text for element in root.iter() if element.text]
    assert len(text) < LARGEST_CHART
    assert root.tag == f"{_SVG}svg"
    assert root.findtext(f"{_SVG}title")
    assert root.findtext(f"{_SVG}desc")
    times = {"n: rows a side (logarithmic)", "processor seconds, one core (logarithmic)"}
    estimates = {"precision", "recall of candidates", "truth"}
    assert (times if path in TIMES else estimates if path in ESTIMATES else {"F1 of linked pairs"}) <= set(words)
    assert text.count("://") == text.count('xmlns="http://www.w3.org/2000/svg"') == 1
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("path", TIMES, ids=lambda path: str(path.name))
def test_chart_of_times_is_drawn_from_the_numbers_beside_it(path: Path, log_chart: ModuleType) -> None:
    series = log_chart.read_series(path.with_suffix(".json"))
    title = ET.fromstring(read(path)).findtext(f"{_SVG}title")  # noqa: S314 - a file of ours

    assert log_chart.chart(series, title=title) == read(path)


@pytest.mark.parametrize("path", sorted({*CHARTS} - {*TIMES, *ESTIMATES}), ids=lambda path: str(path.name))
def test_chart_of_f1_is_drawn_from_the_numbers_beside_it_and_the_page_shows_them(path: Path) -> None:
    numbers = json.loads(path.with_suffix(".json").read_text("utf-8"))
    f1_chart = _loaded(BENCHMARKS / "quality" / "f1_chart.py")

    assert f1_chart.chart(numbers["f1"], title=numbers["title"]) == read(path)
    for name, of_set in numbers["f1"].items():
        rows = [line for line in _page().splitlines() if line.startswith(f"| {name} |")]
        assert any(all(f" {value:.4f} |" in row for value in of_set.values()) for row in rows)


@pytest.mark.parametrize("path", ESTIMATES, ids=lambda path: str(path.name))
def test_chart_of_estimates_is_drawn_from_the_numbers_beside_it_and_the_page_shows_them(path: Path) -> None:
    numbers = json.loads(path.with_suffix(".json").read_text("utf-8"))
    drawing = _loaded(BENCHMARKS / "quality" / "estimate_chart.py")
    said = {
        name: {quantity: drawing.Figure(**figure) for quantity, figure in figures.items()}
        for name, figures in numbers["estimates"].items()
    }

    assert drawing.chart(said, title=numbers["title"]) == read(path)
    for name, figures in said.items():
        rows = [line for line in _page().splitlines() if line.startswith(f"| {name} |")]
        told = [f" {one.value:.4f} ({one.low:.4f} to {one.high:.4f})" for one in figures.values() if one.told]
        assert any(all(one in row for one in told) and " to " in row for row in rows)


@pytest.mark.parametrize("path", TIMES, ids=lambda path: str(path.name))
def test_page_shows_the_exponents_of_the_chart(path: Path, log_chart: ModuleType) -> None:
    for one in log_chart.read_series(path.with_suffix(".json")):
        row = next(line for line in _page().splitlines() if line.startswith(f"| {one.name} |"))

        assert row.endswith(f"| {one.exponent:.2f} |")


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_exponent_is_the_power_of_the_most_rows(power: float, log_chart: ModuleType) -> None:
    rows = [1000, 2000, 4000, 8000, 16_000]
    points = [log_chart.Point(rows=n, seconds=1e-6 * n**power, peak_mib=1.0, grown_mib=0.0) for n in rows]
    points[0] = log_chart.Point(rows=1000, seconds=99.0, peak_mib=1.0, grown_mib=0.0)  # what a start costs

    series = log_chart.Series(name="one", peer=False, points=tuple(points))

    assert series.exponent == pytest.approx(power)
    assert series.growth() == f"n^{power:.2f}, fitted from 2,000 to 16,000"


def test_one_point_has_no_exponent_and_a_chart_all_the_same(log_chart: ModuleType) -> None:
    point = log_chart.Point(rows=1000, seconds=0.5, peak_mib=1.0, grown_mib=0.0)

    drawn = log_chart.chart([log_chart.Series(name="a & b", peer=True, points=(point,))], title="One <point>")

    root = ET.fromstring(drawn)  # noqa: S314 - drawn just now
    assert "a & b: too few points for an exponent" in [element.text for element in root.iter()]
    assert len(list(root.iter(f"{_SVG}circle"))) == 1
    assert 'stroke-dasharray="7 5"' in drawn


@pytest.mark.slow
@pytest.mark.process
def test_scale_measures_writes_its_numbers_and_draws(tmp_path: Path, log_chart: ModuleType) -> None:
    numbers, drawn = tmp_path / "numbers.json", tmp_path / "chart.svg"
    options = ("--rows", "300", "600", "--only", "isthmus: grouping", "--json", numbers, "--chart", drawn)

    done = subprocess.run(
        [sys.executable, BENCHMARKS / "scale.py", *options], check=True, capture_output=True, text=True
    )

    (series,) = log_chart.read_series(numbers)
    assert [point["rows"] for point in json.loads(numbers.read_text("utf-8"))[0]["points"]] == [300, 600]
    assert all(point.seconds > 0 and point.peak_mib > 50 for point in series.points)
    assert series.growth() in done.stdout
    assert series.growth() in drawn.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.process
def test_round_says_where_its_seconds_and_bytes_went(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.json"

    done = subprocess.run(
        [sys.executable, BENCHMARKS / "rounds.py", "--rows", "150", "--json", numbers],
        check=True,
        capture_output=True,
        text=True,
    )

    found = json.loads(numbers.read_text("utf-8"))
    assert [one["name"] for one in found["programs"]] == ["coordinator", "provider-1", "provider-2"]
    assert all(one["cpu_s"] > 0 and one["peak_bytes"] > 2**24 for one in found["programs"])
    assert min(stage["wall_s"] for stage in found["stages"]) >= 0
    for one in found["traffic"]:
        content = one["encodings"] + one["answers"]
        assert one["pairs"] == 8 * found["rows"]
        assert content < one["wire_sent"] < content + 2**20
        assert one["wire_received"] > one["requests"] == 4 * one["pairs"]
    assert found["f1"] > 0.9
    assert "| upload of answers |" in done.stdout
