"""`isthmus-node doctor` without a coordinator: who takes part, by rule and list."""

from contextlib import closing
from pathlib import Path

import pytest
from unit.node.consent.consent_parts import NOW, opt_out

from isthmus.contract.clock import FixedClock
from isthmus.node.consent.store import open_opt_outs
from isthmus.node.doctor import Finding, examine

SETTINGS = """
[datasets.people]
file = "people.csv"
id_column = "Nr"
columns = { first_name = "First" }
"""
RULE = """
[[datasets.people.consent]]
column = "Consent"
include_if = ["Y"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text("Nr,First,Consent\n1,Ann,Y\n2,Bob,N\n3,Cem,\n4,Dag,Y\n")
    return tmp_path


def _findings(folder: Path, settings: str) -> dict[str, Finding]:
    (folder / "node.toml").write_text(settings)
    return {one.what: one for one in examine(folder, clock=FixedClock(NOW))}


def test_who_takes_part_is_counted_by_rule_and_list(folder: Path) -> None:
    with closing(open_opt_outs(folder)) as opt_outs:
        opt_outs.opt_out([opt_out("4")])

    found = _findings(folder, SETTINGS + RULE)["consent in people"]

    assert found.well
    assert found.says == (
        "any project: 1 of 4 rows take part"
        " (1 row on the opt-out list: parent opt out; 2 rows without consent in Consent)"
    )


def test_rule_that_leaves_out_everybody_is_bad_and_told_with_its_counts(folder: Path) -> None:
    found = _findings(folder, SETTINGS + RULE.replace('"Y"', '"Yes, I do"'))["consent in people"]

    assert not found.well
    assert "to encode: 1 row without consent in Consent; 3 rows with another value in Consent" in found.says


def test_rule_of_one_project_that_leaves_out_everybody_is_bad(folder: Path) -> None:
    rule = RULE.replace('"Y"', '"Yes, I do"') + 'projects = ["k12-to-work"]\n'

    assert not _findings(folder, SETTINGS + rule)["consent in people"].well


def test_nothing_is_said_of_consent_where_there_is_neither_rule_nor_entry(folder: Path) -> None:
    assert list(_findings(folder, SETTINGS)) == ["settings", "data set people", "identity"]
