"""How each provider of the demo describes a person: its columns, its date format, its errors. Data, not code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .corrupt import Rates

ISO, MONTH_FIRST, COMPACT = "%Y-%m-%d", "%m/%d/%Y", "%Y%m%d"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStyle:
    """One provider: what its file looks like and how its data go wrong.

    `columns` maps standard field -> the provider's column, in file order after the id column; `date_order` is `YMD` or
    `MDY`; `attributes` maps a category column, which is no linkage field, to its closed list of categories; `rates` are
    the errors; `renamed` is the share of people born before 2006 who are filed under another last name.
    """

    holder: str
    file_name: str
    id_column: str
    id_prefix: str
    columns: Mapping[str, str]
    date_format: str
    date_order: str
    sexes: Mapping[str, str]
    attributes: Mapping[str, tuple[str, ...]]
    rates: Rates
    renamed: float


GRADES: Final = ("8", "9", "10", "11", "12")
COHORTS: Final = ("before 1946", "1946-1964", "1965-1980", "1981-1996", "1997 or later")
WAGE_BANDS: Final = ("under 10000", "10000-24999", "25000-49999", "50000-99999", "100000 or more")

SCHOOL: Final = ProviderStyle(
    holder="school",
    file_name="school_district.csv",
    id_column="StudentId",
    id_prefix="9",
    columns={
        "first_name": "FirstName",
        "middle_name": "MI",
        "last_name": "LastSurname",
        "dob": "BirthDate",
        "sex": "Sex",
        "street_number": "StreetNumber",
        "street_name": "StreetName",
        "city": "City",
        "zip": "ZipCode",
    },
    date_format=ISO,
    date_order="YMD",
    sexes={"Male": "M", "Female": "F"},
    attributes={"GradeLevel": GRADES},
    rates={
        "first_name": {
            "nickname": 0.04,
            "keyboard_typo": 0.01,
            "transposition": 0.005,
            "dropped_letter": 0.007,
            "phonetic_spelling": 0.006,
        },
        "middle_name": {"blank": 0.2, "keyboard_typo": 0.01},
        "last_name": {
            "first_part": 0.1,
            "keyboard_typo": 0.01,
            "transposition": 0.005,
            "phonetic_spelling": 0.008,
            "suffix": 0.01,
        },
        "dob": {"digit_slip": 0.01, "swap_day_month": 0.006, "blank": 0.004},
        "sex": {"other_sex": 0.004, "blank": 0.01},
        "street_number": {"digit_slip": 0.01},
        "street_name": {"keyboard_typo": 0.03, "dropped_letter": 0.02},
        "zip": {"digit_slip": 0.01, "blank": 0.01},
    },
    renamed=0.0,
)

REGISTRY: Final = ProviderStyle(
    holder="registry",
    file_name="state_registry.csv",
    id_column="PERSON_KEY",
    id_prefix="4",
    columns={
        "last_name": "FAMILY",
        "first_name": "GIVEN",
        "middle_name": "MIDDLE",
        "dob": "BORN",
        "sex": "GENDER",
        "ssn": "SSN",
    },
    date_format=MONTH_FIRST,
    date_order="MDY",
    sexes={"Male": "MALE", "Female": "FEMALE"},
    attributes={"BIRTH_COHORT": COHORTS},
    rates={
        "first_name": {"scanning_error": 0.006, "keyboard_typo": 0.003},
        "middle_name": {"blank": 0.06, "initial_only": 0.08, "scanning_error": 0.005},
        "last_name": {"scanning_error": 0.006, "keyboard_typo": 0.003, "suffix": 0.015},
        "dob": {"digit_slip": 0.003, "swap_day_month": 0.002},
        "sex": {"other_sex": 0.001},
        "ssn": {"digit_slip": 0.002},
    },
    renamed=0.0,
)

WORKFORCE: Final = ProviderStyle(
    holder="workforce",
    file_name="workforce_wages.csv",
    id_column="emp_id",
    id_prefix="7",
    columns={
        "ssn": "ssn",
        "last_name": "lname",
        "first_name": "fname",
        "middle_name": "mname",
        "dob": "birth_date",
        "street_number": "house_no",
        "street_name": "street",
        "city": "town",
        "state": "st",
        "zip": "zip",
    },
    date_format=COMPACT,
    date_order="YMD",
    sexes={},
    attributes={"wage_band": WAGE_BANDS},
    rates={
        "first_name": {
            "nickname": 0.05,
            "keyboard_typo": 0.012,
            "transposition": 0.006,
            "doubled_letter": 0.004,
            "phonetic_spelling": 0.004,
        },
        "middle_name": {"blank": 0.3},
        "last_name": {
            "first_part": 0.08,
            "keyboard_typo": 0.012,
            "transposition": 0.006,
            "dropped_letter": 0.006,
            "suffix": 0.01,
        },
        "dob": {"digit_slip": 0.012, "swap_day_month": 0.006, "blank": 0.01},
        "ssn": {"digit_slip": 0.01, "transposition": 0.005, "blank": 0.02},
        "street_number": {"digit_slip": 0.01, "transposition": 0.005},
        "street_name": {"keyboard_typo": 0.03, "scanning_error": 0.02},
        "zip": {"digit_slip": 0.01, "blank": 0.02},
    },
    renamed=0.03,
)
