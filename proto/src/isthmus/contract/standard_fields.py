"""The standard fields: the names under which a provider's columns enter a linkage, and what kind of value each holds.

A provider maps its own columns onto these names; a project names which of them each provider brings. All are personal
data and never leave a node in the clear.
"""

from enum import StrEnum
from typing import Final


class FieldKind(StrEnum):
    """How a value is normalised and compared."""

    NAME = "name"
    DATE = "date"
    YEAR = "year"
    SEX = "sex"
    NUMBER = "number"
    TEXT = "text"
    STATE = "state"
    DIGITS = "digits"


STANDARD_FIELDS: Final[dict[str, FieldKind]] = {
    "first_name": FieldKind.NAME,
    "middle_name": FieldKind.NAME,
    "last_name": FieldKind.NAME,
    "dob": FieldKind.DATE,
    "birth_year": FieldKind.YEAR,
    "sex": FieldKind.SEX,
    "street_number": FieldKind.NUMBER,
    "street_name": FieldKind.TEXT,
    "city": FieldKind.TEXT,
    "state": FieldKind.STATE,
    "zip": FieldKind.DIGITS,
    "phone": FieldKind.DIGITS,
    "ssn": FieldKind.DIGITS,
}
"""Every standard field and its kind, in the order in which schemas, manifests and reports list them."""
