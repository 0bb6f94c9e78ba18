"""What every encoding profile is made of: how each standard field enters a filter, and how documents are compared.

The profiles themselves: `isthmus.contract.profile` (interop-1) and `isthmus.contract.hardened`. Weights and threshold
points were measured: docs/decisions/0003-interop-1-features.md.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import rfc8785

from isthmus.contract.errors import InvalidProfile
from isthmus.contract.standard_fields import STANDARD_FIELDS

NORMALISER: Final = "norm-1"
WHOLE_TABLE: Final = "all"
"""The table of all fields that the providers share; every profile has it."""


class FeatureRule(NamedTuple):
    """How one field enters the CLK and the declared threshold.

    `comparison` is a clkhash comparison. `weight` is the field's share of the bits, relative to the other fields
    present. `points` are hundredths that the field takes off the declared threshold: many for a field on which
    unrelated people hardly ever agree (SSN), some for one that says that the record holds parts which change (an
    address), fewer than none for one on which half of all people agree (sex).
    """

    comparison: dict[str, Any]
    weight: int
    points: int


def _ngrams(length: int, *, positional: bool = False) -> dict[str, Any]:
    return {"type": "ngram", "n": length, "positional": positional}


RULES: Final[dict[str, FeatureRule]] = {
    "first_name": FeatureRule(_ngrams(2), 100, 3),
    "middle_name": FeatureRule(_ngrams(2), 30, 0),
    "last_name": FeatureRule(_ngrams(2), 110, 3),
    "dob": FeatureRule(_ngrams(3, positional=True), 160, 1),
    "birth_year": FeatureRule({"type": "exact"}, 40, 0),
    "sex": FeatureRule({"type": "exact"}, 25, -2),
    "street_number": FeatureRule(_ngrams(2, positional=True), 30, 4),
    "street_name": FeatureRule(_ngrams(2), 20, 0),
    "city": FeatureRule(_ngrams(2), 10, 0),
    "state": FeatureRule(_ngrams(2), 10, 0),
    "zip": FeatureRule(_ngrams(2, positional=True), 25, 0),
    "phone": FeatureRule(_ngrams(2, positional=True), 70, 3),
    "ssn": FeatureRule(_ngrams(2, positional=True), 240, 9),
}


def in_standard_order(fields: Sequence[str]) -> tuple[str, ...]:
    """Give two or more standard fields in standard order.

    Raises:
        InvalidProfile: fewer than two fields, a field twice, or one that is not standard.
    """
    unknown = set(fields) - STANDARD_FIELDS.keys()
    if unknown:
        raise InvalidProfile(problem=f"not standard fields: {listed(unknown)}")
    if len(set(fields)) != len(fields):
        raise InvalidProfile(problem="a field is listed twice")
    if len(fields) < 2:
        raise InvalidProfile(problem="it needs at least two fields")
    return tuple(field for field in STANDARD_FIELDS if field in fields)


def feature_of(field: str, *, bits: int) -> dict[str, Any]:
    """Give the feature of a field; a missing value is an empty string, which sets no bit."""
    return {
        "identifier": field,
        "format": {"type": "string", "encoding": "utf-8"},
        "hashing": {
            "hash": {"type": "blakeHash"},
            "strategy": {"bitsPerFeature": bits},
            "comparison": dict(RULES[field].comparison),
        },
    }


def same_json(document: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Say whether two documents have the same canonical bytes; a value that JSON cannot hold is not the same."""
    try:
        return rfc8785.dumps(document) == rfc8785.dumps(expected)
    except (rfc8785.CanonicalizationError, RecursionError):
        return False


def listed(names: Iterable[str]) -> str:
    """Give names for a message, sorted, each cut to 40 characters."""
    return ", ".join(sorted(name[:40] for name in names))
