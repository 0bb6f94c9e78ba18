"""Names under which columns are known: of two data standards of education, and in ordinary exports.

A target is a standard field, `id_column` for the source's own id, or several fields that one column holds together.
Names are written as the standards write them and compared as `names.plain_name` gives them.

Sources: Ed-Fi Unified Data Model (Student, StudentEducationOrganizationAssociation and their addresses and telephones);
Common Education Data Standards, Person elements.
"""

from enum import StrEnum
from typing import Final

from isthmus.contract.standard_fields import STANDARD_FIELDS

ID_COLUMN: Final = "id_column"
Targets = tuple[str, ...]


class Preset(StrEnum):
    """A data standard whose element names are taken as certain."""

    ED_FI = "ed-fi"
    CEDS = "ceds"


_STREET: Final = ("street_number", "street_name")

PRESETS: Final[dict[Preset, dict[str, Targets]]] = {
    Preset.ED_FI: {
        "StudentUniqueId": (ID_COLUMN,),
        "FirstName": ("first_name",),
        "MiddleName": ("middle_name",),
        "LastSurname": ("last_name",),
        "BirthDate": ("dob",),
        "BirthSexDescriptor": ("sex",),
        "SexDescriptor": ("sex",),
        "StreetNumberName": _STREET,
        "City": ("city",),
        "StateAbbreviationDescriptor": ("state",),
        "PostalCode": ("zip",),
        "TelephoneNumber": ("phone",),
    },
    Preset.CEDS: {
        "Student Identifier": (ID_COLUMN,),
        "Person Identifier": (ID_COLUMN,),
        "First Name": ("first_name",),
        "Middle Name": ("middle_name",),
        "Last or Surname": ("last_name",),
        "Birthdate": ("dob",),
        "Sex": ("sex",),
        "Address Street Number and Name": _STREET,
        "Address City": ("city",),
        "State Abbreviation": ("state",),
        "Address Postal Code": ("zip",),
        "Telephone Number": ("phone",),
        "Social Security Number": ("ssn",),
    },
}
"""Element names of each standard and what they are. A street's number and name are one element in both."""

STANDARD_NAMES: Final[dict[str, Targets]] = {
    ID_COLUMN: (ID_COLUMN,),
    "rec_id": (ID_COLUMN,),
    **{name: (name,) for name in STANDARD_FIELDS},
}
"""Our own names."""

_SYNONYMS: Final[dict[Targets, tuple[str, ...]]] = {
    (ID_COLUMN,): (
        *("id", "record id", "person id", "participant id", "client id", "local id", "unique id", "student number"),
        *("local student id", "state student id", "sasid", "ssid", "student usi", "participant number", "case id"),
        *("student id", "student key", "person key"),
        *("employee id", "member id", "pupil id", "student identification number", "identifier", "record number"),
    ),
    ("first_name",): (
        "first",
        "fname",
        "f name",
        "first nm",
        "frst name",
        "given",
        "given name",
        "forename",
        "name first",
    ),
    ("middle_name",): ("middle", "mname", "m name", "mi", "middle initial", "middle init", "middle nm", "name middle"),
    ("last_name",): ("last", "lname", "l name", "surname", "family name", "last nm", "lst name", "name last"),
    ("dob",): ("birth date", "birth dt", "bdate", "b day", "birthday", "date birth", "dt birth", "born", "dateofbirth"),
    ("birth_year",): ("year birth", "yob", "birth yr", "birthyear", "year born"),
    ("sex",): ("gender", "sex code", "gender code", "sex cd", "gender cd", "birth sex", "legal sex", "legal gender"),
    ("street_number",): ("house number", "house no", "house num", "street no", "street num", "address number"),
    ("street_name",): ("street", "street nm", "address street name", "road name"),
    ("city",): ("town", "city name", "municipality", "suburb", "city town", "addr city"),
    ("state",): ("state code", "state cd", "state abbr", "st", "address state", "state province", "addr state"),
    ("zip",): ("zip code", "zip cd", "zip5", "postcode", "post code", "address zip", "zip postal code", "postal cd"),
    ("phone",): (
        "telephone",
        "phone number",
        "phone no",
        "phone num",
        "tel",
        "mobile",
        "cell",
        "cell phone",
        "mobile phone",
    ),
    ("ssn",): ("social security", "social security no", "social security num", "soc sec", "social", "ssn number"),
    _STREET: (
        *("address", "address 1", "address line 1", "address1", "addr", "addr 1", "street address", "address street"),
        *("street address 1", "mailing street address", "address line"),
    ),
    ("first_name", "last_name"): (
        "name",
        "full name",
        "fullname",
        "student",
        "name full",
        "last first",
        "display name",
    ),
    ("city", "state", "zip"): ("city state zip", "city state", "csz", "city st zip"),
}


SYNONYMS: Final[dict[str, Targets]] = {name: targets for targets, names in _SYNONYMS.items() for name in names}
"""Names of ordinary exports."""
