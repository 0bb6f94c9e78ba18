"""A mapped source as settings to paste, as text and as data; no value of a record in any of them."""

import json
import tomllib
from pathlib import Path

from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.mapping.presets import Preset
from isthmus.node.mapping.show import MappedSource, map_source, mapping_data, mapping_text, settings_text
from isthmus.node.sources.open_source import Source

PEOPLE = (
    "StudentUniqueId,FirstName,LastSurname,BirthDate,HomeCity,MailingCity,StreetNumberName,Grade\n"
    "q71,Quorimble,Zylaxton,02/13/2001,Vexordine,Vexordine,17 Brunumphry Rd,9\n"
    "q72,Ana,,12/31/1999,,,,\n"
)
SECRETS = ("q71", "Quorimble", "Zylaxton", "2001", "Vexordine", "Brunumphry", "Ana", "17")


def mapped(folder: Path, content: str = PEOPLE, preset: Preset | None = Preset.ED_FI) -> MappedSource:
    """What `map_source` gives for a CSV file."""
    (folder / "people.csv").write_text(content)
    return map_source(folder, Source(file="people.csv"), name="students", preset=preset)


def test_settings_are_what_node_toml_takes(tmp_path: Path) -> None:
    settings = tomllib.loads(settings_text(mapped(tmp_path)))

    assert settings == {
        "datasets": {
            "students": {
                "file": "people.csv",
                "id_column": "StudentUniqueId",
                "date_order": "MDY",
                "columns": {"first_name": "FirstName", "last_name": "LastSurname", "dob": "BirthDate"},
            }
        }
    }
    assert set(settings["datasets"]["students"]["columns"]) <= set(STANDARD_FIELDS)


def test_choices_of_a_person_stand_in_comments(tmp_path: Path) -> None:
    lines = settings_text(mapped(tmp_path)).splitlines()

    assert '# city = "HomeCity"        # 2 columns are as good for city; choose one' in lines
    assert '# city = "MailingCity"        # 2 columns are as good for city; choose one' in lines
    assert any(line.startswith('# street_name = "StreetNumberName"') for line in lines)


def test_neither_text_nor_data_holds_a_value(tmp_path: Path) -> None:
    shown = mapping_text(mapped(tmp_path)) + json.dumps(mapping_data(mapped(tmp_path)))

    assert not [secret for secret in SECRETS if secret in shown]


def test_text_gives_each_column_its_verdict_and_shapes(tmp_path: Path) -> None:
    text = mapping_text(mapped(tmp_path))

    assert "first_name (certain): Ed-Fi names it so" in text
    assert "looks like: 99/99/9999\n" in text
    assert "looks like: Xxxxxxxxx | Xxx\n" in text
    assert "not proposed: no name that is known" in text


def test_data_gives_what_text_gives(tmp_path: Path) -> None:
    data = mapping_data(mapped(tmp_path))

    assert data["id_column"] == "StudentUniqueId"
    assert data["date_order"] == "MDY"
    assert data["columns"][1] == {
        "column": "FirstName",
        "targets": ["first_name"],
        "confidence": "certain",
        "reason": "Ed-Fi names it so",
        "shapes": ["Xxxxxxxxx", "Xxx"],
    }


def test_first_row_that_may_be_a_record_is_not_shown(tmp_path: Path) -> None:
    found = mapped(tmp_path, "q71,Quorimble,Zylaxton\nq72,Vexordine,Brunumphry\n")

    assert not [secret for secret in SECRETS if secret in mapping_text(found)]
    assert "the first row may be a record and not a header, so its names are not shown" in found.findings
    assert found.proposal.fields == {}


def test_names_and_declared_settings_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "people.dat").write_text('id~first name~"last ""name"""\n1~Ana~Lee\n')
    source = Source(kind="csv", file="people.dat", delimiter="~")

    settings = tomllib.loads(settings_text(map_source(tmp_path, source, name="all pupils")))

    dataset = settings["datasets"]["all pupils"]
    assert dataset["delimiter"] == "~"
    assert dataset["columns"] == {"first_name": "first name", "last_name": 'last "name"'}
