"""Proposals: what names are known, which of several columns is taken, what is shown and left to a person."""

import pytest

from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.mapping.presets import PRESETS, Preset
from isthmus.node.mapping.propose import Confidence, propose_mapping


def test_our_own_names_are_certain() -> None:
    proposal = propose_mapping(["rec_id", *STANDARD_FIELDS])

    assert proposal.id_column == "rec_id"
    assert proposal.fields == {name: name for name in STANDARD_FIELDS}
    assert {one.confidence for one in proposal.columns} == {Confidence.CERTAIN}


def test_ed_fi_names_are_certain_under_their_preset() -> None:
    names = [name for name in PRESETS[Preset.ED_FI] if name != "SexDescriptor"]

    proposal = propose_mapping(names, preset=Preset.ED_FI)

    assert proposal.id_column == "StudentUniqueId"
    assert proposal.fields == {
        "first_name": "FirstName",
        "middle_name": "MiddleName",
        "last_name": "LastSurname",
        "dob": "BirthDate",
        "sex": "BirthSexDescriptor",
        "city": "City",
        "state": "StateAbbreviationDescriptor",
        "zip": "PostalCode",
        "phone": "TelephoneNumber",
    }


def test_ceds_names_are_certain_under_their_preset() -> None:
    names = [name for name in PRESETS[Preset.CEDS] if name != "Person Identifier"]

    proposal = propose_mapping(names, preset=Preset.CEDS)

    assert proposal.id_column == "Student Identifier"
    assert proposal.fields["last_name"] == "Last or Surname"
    assert proposal.fields["ssn"] == "Social Security Number"
    assert len(proposal.fields) == 10
    assert {one.confidence for one in proposal.columns} == {Confidence.CERTAIN, Confidence.UNSURE}


def test_names_of_a_preset_are_likely_without_it() -> None:
    (one,) = propose_mapping(["LastSurname"]).columns

    assert (one.targets, one.confidence) == (("last_name",), Confidence.LIKELY)


@pytest.mark.parametrize("preset", list(Preset))
def test_street_number_and_name_in_one_column_are_shown_and_not_proposed(preset: Preset) -> None:
    street = next(name for name, targets in PRESETS[preset].items() if len(targets) == 2)

    proposal = propose_mapping([street], preset=preset)

    assert proposal.fields == {}
    assert proposal.columns[0].targets == ("street_number", "street_name")
    assert proposal.columns[0].confidence is Confidence.UNSURE
    assert "together" in proposal.columns[0].reason


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("FNAME", "first_name"),
        ("First Name", "first_name"),
        ("student_first_name", "first_name"),
        ("Student.FirstName", "first_name"),
        ("Given Name", "first_name"),
        ("M.I.", "middle_name"),
        ("MI", "middle_name"),
        ("Surname", "last_name"),
        ("Legal Last Name", "last_name"),
        ("DOB", "dob"),
        ("StudentBirthDate", "dob"),
        ("Date of Birth", "dob"),
        ("YOB", "birth_year"),
        ("Gender", "sex"),
        ("House Number", "street_number"),
        ("Street", "street_name"),
        ("HomeCity", "city"),
        ("Mailing ZIP Code", "zip"),
        ("Zip", "zip"),
        ("Phone 1", "phone"),
        ("SSN", "ssn"),
        ("Parent First Name", None),
        ("Emergency Phone", None),
        ("BirthCity", None),
        ("Maiden Name", None),
        ("SchoolZip", None),
        ("Grade", None),
        ("", None),
        ("Ünïcode", None),
    ],
)
def test_name_is_known_as(column: str, field: str | None) -> None:
    assert propose_mapping([column]).fields == ({field: column} if field else {})


@pytest.mark.parametrize("column", ["StudentId", "student_id", "ID", "SASID", "Participant ID"])
def test_id_column_is_known(column: str) -> None:
    assert propose_mapping([column]).id_column == column


def test_surer_column_is_taken_and_the_other_told() -> None:
    proposal = propose_mapping(["HomeCity", "city"])

    assert proposal.fields == {"city": "city"}
    assert proposal.columns[0].confidence is Confidence.NONE
    assert proposal.columns[0].reason == "another column is a surer city"


def test_equally_good_columns_are_left_to_a_person() -> None:
    proposal = propose_mapping(["Home City", "Mailing City", "StudentId", "State Student ID"])

    assert proposal.fields == {}
    assert proposal.id_column is None
    assert {one.confidence for one in proposal.columns} == {Confidence.UNSURE}
    assert proposal.columns[0].reason == "2 columns are as good for city; choose one"


def test_column_that_is_there_twice_is_not_proposed() -> None:
    assert propose_mapping(["first_name", "first_name"]).fields == {}


def test_full_name_is_shown_and_not_proposed() -> None:
    (one,) = propose_mapping(["Student Name"]).columns

    assert one.targets == ("first_name", "last_name")
    assert one.confidence is Confidence.UNSURE
