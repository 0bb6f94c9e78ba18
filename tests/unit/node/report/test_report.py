"""The report against brute-force counts of planted faults, and what it must never hold."""

import json
import re
import secrets
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.norm1 import normalise_column
from isthmus.node.report.command import profile
from isthmus.node.report.data import report_data
from isthmus.node.report.digests import DigestCounter
from isthmus.node.report.errors import PageExists, PageUnwritable, TooFewRows
from isthmus.node.report.findings import Level, find
from isthmus.node.report.model import Characters, Count, Hidden, Report
from isthmus.node.report.outgoing import outgoing
from isthmus.node.report.page import report_page
from isthmus.node.report.tally import new_tally
from isthmus.node.report.text import report_text

from .people_parts import FIELDS, planted


def _report(columns: dict[str, list[str]], *, piece: int = 10_000, cap: int = 1 << 20) -> Report[int]:
    tally = new_tally(tuple(columns), date_order=DateOrder.YMD, random_bytes=lambda size: b"k" * size, cap=cap)
    rows = len(columns["dob"])
    ids = [str(row) for row in range(rows)]
    for start in range(0, rows, piece):
        some = {name: values[start : start + piece] for name, values in columns.items()}
        tally.add(some, ids[start : start + piece])
    return tally.report("students", year=2026)


def _normal(columns: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: normalise_column(name, values).values for name, values in columns.items()}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in {"meta", "rect", "line"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_report_counts_planted_faults_exactly() -> None:
    dob, phone = _report(planted()).fields[2], _report(planted()).fields[5]

    assert (dob.sound, dob.damaged, dob.placeholder, dob.blank) == (400 - 76, 13, 3, 60)
    assert (phone.sound, phone.damaged, phone.placeholder, phone.blank) == (350, 0, 10, 40)


def test_report_agrees_with_brute_force() -> None:
    columns = planted()
    normal, report = _normal(columns), _report(columns)

    rows = list(zip(*(normal[name] for name in FIELDS), strict=True))
    same = Counter(rows)
    assert report.repeats[0].rows == sum(count for count in same.values() if count > 1)
    assert report.repeats[0].surplus == len(rows) - len(same)
    held = [(bool(first), bool(last), bool(dob), bool(zip_), bool(phone)) for first, last, dob, _, zip_, phone in rows]
    poor = sum(not (sum(row) >= 2 and row != (True, True, False, False, False)) for row in held)
    assert report.linkage.unlinkable == report.linkage.names_only == poor > 0
    for one in report.fields:
        filled = Counter(value for value in normal[one.field] if value)
        raw = [value for value, kept in zip(columns[one.field], normal[one.field], strict=True) if kept]
        assert one.distinct == len(filled)
        assert one.most_common == max(filled.values()) / filled.total()
        assert {bar.low: bar.count for bar in one.lengths if bar.count} == Counter(map(len, raw))
        assert one.characters[Characters.DIGITS] == sum(any(c.isdigit() for c in value) for value in raw)
    years = Counter(int(value[:4]) for value in columns["dob"] if value and value not in {"1985-02-31", "1900-01-01"})
    assert {bar.low: bar.count for bar in report.fields[2].years if bar.count} == years
    assert report.fields[1].characters[Characters.LOST] == 5


@pytest.mark.parametrize("piece", [29, 399])
def test_report_does_not_depend_on_the_pieces(piece: int) -> None:
    assert _report(planted(), piece=piece) == _report(planted())


def test_report_over_the_cap_estimates_distinct_values() -> None:
    counter = DigestCounter(cap=1000)
    digests = np.array([int.from_bytes(secrets.token_bytes(8), "little") for _ in range(20_000)], dtype=np.uint64)
    counter.add(digests[:9000])
    counter.add(digests[9000:])

    tally = counter.tally()

    assert tally.estimated
    assert tally.distinct == pytest.approx(20_000, rel=0.25)  # eight standard errors of 1/sqrt(1000)


@pytest.mark.parametrize("shared", [False, True])
def test_no_value_of_a_record_is_in_text_page_or_json(shared: bool) -> None:
    columns = planted()
    report: Report[Count] = outgoing(_report(columns)) if shared else _report(columns)

    page = report_page(report, columns={"dob": "BirthDate"}, made="1 May 2026")
    shown = (page + report_text(report) + json.dumps(report_data(report))).lower()
    plain = re.sub(r"[\d.]+", " ", shown)

    for name in FIELDS:
        for value in {one for one in columns[name] if len(one) > 3}:
            where = shown if name in {"dob", "phone"} else plain
            if name != "zip":
                assert value.lower() not in where
    assert not {value for value in columns["zip"] if value} & set(re.findall(r"(?<![\w.#])\d{5}(?![\w.])", shown))


@pytest.mark.parametrize("shared", [False, True])
def test_page_is_well_formed_and_loads_nothing(shared: bool) -> None:
    report: Report[Count] = outgoing(_report(planted())) if shared else _report(planted())
    parser = _Page()

    parser.feed(report_page(replace(report, dataset='<script>"x'), columns={"dob": "<b>"}, made="1 May 2026"))

    assert parser.open == []
    assert not parser.seen.keys() & {"script", "link", "img", "iframe", "object", "b"}
    assert not {name for name, _ in parser.attributes} & {"src", "href", "onload", "style"}
    assert not [value for _, value in parser.attributes if "://" in value]
    ids = [value for name, value in parser.attributes if name == "id"]
    assert len(ids) == len(set(ids)) == len([one for one in ids if one.endswith(("-title", "-desc"))])
    labelled = {one for name, value in parser.attributes if name == "aria-labelledby" for one in value.split()}
    assert labelled == set(ids)


def test_findings_name_the_planted_faults() -> None:
    found = {(one.field, one.level) for one in find(_report(planted()))}

    assert {("", Level.ACT), ("dob", Level.ACT), ("last_name", Level.ACT), ("phone", Level.KNOW)} <= found


def test_shared_report_hides_counts_under_ten() -> None:
    shared = outgoing(_report(planted()))
    dob = shared.fields[2]

    assert (dob.damaged, dob.placeholder, dob.blank, dob.sound) == (10, Hidden.FEW, 60, Hidden.WITHHELD)
    assert shared.fields[1].characters[Characters.LOST] is Hidden.FEW


def test_shared_report_of_few_rows_is_refused() -> None:
    with pytest.raises(TooFewRows):
        outgoing(_report(planted(rows=260 - 161)))


def _folder(tmp_path: Path) -> Path:
    columns = planted()
    rows = [",".join(("id", *FIELDS))]
    rows += [",".join((f"r{number}", *row)) for number, row in enumerate(zip(*columns.values(), strict=True))]
    (tmp_path / "people.csv").write_text("\n".join(rows) + "\n", "utf-8")
    mapped = "\n".join(f'{name} = "{name}"' for name in FIELDS)
    settings = f'[datasets.students]\nfile = "people.csv"\nid_column = "id"\n[datasets.students.columns]\n{mapped}\n'
    (tmp_path / "node.toml").write_text(settings, "utf-8")
    return tmp_path


def test_command_writes_a_private_page_and_overwrites_it_only_by_force(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    asked = ["--dir", str(_folder(tmp_path)), "--dataset", "students", "--html", str(page)]

    first, again, forced = (CliRunner().invoke(profile, [*asked, *more]) for more in ([], [], ["--force"]))

    assert (first.exit_code, forced.exit_code) == (0, 0)
    assert isinstance(again.exception, PageExists)
    assert "--force" in str(again.exception)
    assert page.stat().st_mode & 0o777 == 0o600
    assert "students: 400 rows" in first.stdout


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_page_in_a_folder_that_is_not_there_is_refused_before_counting(tmp_path: Path, force: list[str]) -> None:
    page = tmp_path / "nowhere" / "report.html"

    done = CliRunner().invoke(
        profile, ["--dir", str(_folder(tmp_path)), "--dataset", "students", "--html", str(page), *force]
    )

    assert isinstance(done.exception, PageUnwritable)
    assert "there is no such folder" in str(done.exception)
    assert "counting" not in done.output


def test_page_that_the_disk_refuses_is_said_with_its_name(tmp_path: Path) -> None:
    page = tmp_path / ("x" * 250 + ".html")

    done = CliRunner().invoke(profile, ["--dir", str(_folder(tmp_path)), "--dataset", "students", "--html", str(page)])

    assert isinstance(done.exception, PageUnwritable)
    assert "file name too long" in str(done.exception)


def test_mistyped_year_of_birth_does_not_stretch_the_chart() -> None:
    columns = planted()
    columns["dob"][:3] = ["1903-05-05", "2095-05-05", "1820-05-05"]

    report = _report(columns)

    years = report.fields[2].years
    assert len(years) < 70, "a bar each would be 276"
    assert (years[0].low, years[0].count, years[-1].high, years[-1].count) == (None, 2, None, 1)
    assert f"; 2 at up to {years[0].high}; 1 at {years[-1].low} and over" in report_text(report)


def test_command_gives_json_for_sharing(tmp_path: Path) -> None:
    asked = ["--dir", str(_folder(tmp_path)), "--dataset", "students", "--for-sharing", "--json"]

    data = json.loads(CliRunner().invoke(profile, asked).stdout)

    assert (data["format"], data["rows"], data["shared"]) == ("isthmus/data-quality/1", 400, True)
    assert data["fields"][2]["placeholder"] == "<10"
