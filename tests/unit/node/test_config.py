"""node.toml: its template works, and whatever does not fit is refused by the key that is wrong."""

import re
from pathlib import Path

import pytest

from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.config import FILE_NAME, DatasetConfig, NodeConfig, config_template, load_config
from isthmus.node.normalise import DateOrder
from isthmus.party.errors import SettingsInvalid

DATASET = """
[datasets.students]
file = "students.csv"
id_column = "Id"
[datasets.students.columns]
first_name = "First"
"""


def _load(folder: Path, text: str) -> NodeConfig:
    (folder / FILE_NAME).write_text(text, "utf-8")
    return load_config(folder)


def test_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    config = _load(tmp_path, "")

    assert (config.datasets, config.encoder, config.policy.sign_automatically) == ({}, "isthmus", ())


def test_data_set_is_read_with_its_defaults(tmp_path: Path) -> None:
    assert _load(tmp_path, DATASET).datasets == {
        "students": DatasetConfig(file="students.csv", id_column="Id", columns={"first_name": "First"})
    }


def test_template_is_read_as_it_is(tmp_path: Path) -> None:
    assert _load(tmp_path, config_template()) == NodeConfig()


def test_template_is_read_once_its_example_is_uncommented(tmp_path: Path) -> None:
    lines = [re.sub(r"^# (\[|\w+ = )", r"\1", line) for line in config_template().splitlines()]

    config = _load(tmp_path, "\n".join(lines))

    students = config.datasets["students"]
    assert students.date_order is DateOrder.YMD
    assert set(students.columns) == {"first_name", "last_name", "dob"}


def test_template_offers_what_the_settings_take() -> None:
    text = config_template()

    assert all(field in text for field in STANDARD_FIELDS)
    assert all(f'"{order.value}"' in text for order in DateOrder)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("surprise = 1", "surprise"),
        ("encoder = 'other'", "encoder"),
        ("[policy]\nsign_automatically = 'all'", "sign_automatically"),
        (DATASET.replace("file =", "path ="), "datasets"),
        (DATASET.replace('id_column = "Id"\n', ""), "id_column"),
        (DATASET + 'shoe = "Shoe"', "datasets.students.columns.shoe is not a standard field"),
        (DATASET.replace("[datasets.students]", '[datasets.students]\ndate_order = "sometimes"'), "date_order"),
        ("encoder =", "it is not TOML"),
    ],
)
def test_setting_that_does_not_fit_is_refused_by_its_name(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingsInvalid, match=re.escape(problem)):
        _load(tmp_path, text)


def test_all_columns_that_are_not_standard_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        _load(tmp_path, DATASET + 'shoe = "Shoe"\nhat = "Hat"')

    assert refused.value.problem.count("is not a standard field") == 2


def test_all_rules_of_consent_that_are_wrong_are_named_at_once(tmp_path: Path) -> None:
    rules = """
[[datasets.students.consent]]
column = "OptOut"
exclude_if = ["Y"]
[[datasets.students.consent]]
column = "Consent"
[[datasets.students.consent]]
column = ""
include_if = ["Y"]
"""
    with pytest.raises(SettingsInvalid) as caught:
        _load(tmp_path, DATASET + rules)

    assert "datasets.students.consent rule 2 needs a word in exclude_if or include_if" in str(caught.value)
    assert "datasets.students.consent rule 3 names no column" in str(caught.value)
    assert "rule 1" not in str(caught.value)


def test_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="isthmus-node init"):
        load_config(tmp_path)


def test_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"encoder = '\xff'")

    with pytest.raises(SettingsInvalid):
        load_config(tmp_path)
