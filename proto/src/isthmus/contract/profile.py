"""Encoding profiles: which features a CLK is made of, how heavily each counts, and the threshold that goes with it.

`interop-1` is one clkhash linkage schema (version 3) over the standard fields that all providers of a project
share. It is a function of the list of fields alone, so that every party rebuilds it and compares. Weights and
threshold points were measured: docs/decisions/0003-interop-1-features.md. Encoding itself happens in nodes only
(docs/protocol.md).

A CLK is pseudonymous personal data, whatever the profile.
"""

import hashlib
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import rfc8785

from isthmus.contract.errors import InvalidProfile
from isthmus.contract.standard_fields import STANDARD_FIELDS

PROFILE_FORMAT: Final = "isthmus/profile/1"
INTEROP_1: Final = "interop-1"
NORMALISER: Final = "norm-1"
ENCODER: Final = "clkhash-v3"
CLK_BITS: Final = 1024

BITS_SET: Final = 500
"""Bits that a full record sets before collisions, shared among its fields by weight: some 0.39 of a CLK in the end."""


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


_RULES: Final[dict[str, FeatureRule]] = {
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

_THRESHOLD_BASE: Final = 80
_THRESHOLD_RANGE: Final = (62, 90)
"""In hundredths. The lower end keeps apart the members of a household, who share much of a full record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How the rows of a project are encoded: all that two nodes must have in common, keys apart.

    `fields` are standard fields in standard order, the columns of the CLK; `linkage_schema` is a clkhash schema of
    version 3 with one feature for each of them and without `info` and `salt`, which a round adds. Do not change the
    schema in place: `document` and `digest` would follow.
    """

    name: str
    normaliser: str
    encoder: str
    clk_bits: int
    fields: tuple[str, ...]
    linkage_schema: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """Give the profile as a JSON document of format `isthmus/profile/1`, a copy."""
        return {
            "format": PROFILE_FORMAT,
            "name": self.name,
            "normaliser": self.normaliser,
            "encoder": self.encoder,
            "clk_bits": self.clk_bits,
            "fields": list(self.fields),
            "linkage_schema": deepcopy(self.linkage_schema),
        }

    def digest(self) -> str:
        """Give the profile's identity: SHA-256 of the document's RFC 8785 bytes, 64 hex digits."""
        return hashlib.sha256(rfc8785.dumps(self.document())).hexdigest()


def interop_1(fields: Sequence[str]) -> Profile:
    """Give the profile `interop-1` for these standard fields, in whatever order they come.

    Raises:
        InvalidProfile: fewer than two fields, a field twice, or one that is not standard.
    """
    ordered = _in_standard_order(fields)
    return Profile(
        name=INTEROP_1,
        normaliser=NORMALISER,
        encoder=ENCODER,
        clk_bits=CLK_BITS,
        fields=ordered,
        linkage_schema=_linkage_schema(ordered),
    )


def default_threshold(fields: Sequence[str]) -> str:
    """Give the declared Dice threshold of `interop-1` for these fields, as decimal text such as "0.80".

    A pair whose similarity is equal or greater is kept. The rule reads the list of fields and nothing else: the
    base less the points of each field, within bounds. It holds where a project declares no threshold of its own.

    Raises:
        InvalidProfile: as `interop_1`.
    """
    points = sum(_RULES[field].points for field in _in_standard_order(fields))
    low, high = _THRESHOLD_RANGE
    return f"0.{min(high, max(low, _THRESHOLD_BASE - points)):02d}"


def profile_from_document(document: dict[str, Any]) -> Profile:
    """Give the profile that a document holds, after checking that it is one that we encode with, to the last bit.

    `interop-1` follows from its fields, so a document under that name that says anything else is refused.

    Raises:
        InvalidProfile: a key is unknown or missing, the format or name is not ours, or the content is not that of the
            named profile.
    """
    _check_keys(document)
    if document["format"] != PROFILE_FORMAT or document["name"] != INTEROP_1:
        raise InvalidProfile(problem=f"this version encodes with {INTEROP_1} in documents of format {PROFILE_FORMAT}")
    profile = interop_1(_field_names(document["fields"]))
    if not _same_json(document, profile.document()):
        raise InvalidProfile(problem=f"its content is not that of {INTEROP_1} for its fields")
    return profile


def _in_standard_order(fields: Sequence[str]) -> tuple[str, ...]:
    unknown = set(fields) - STANDARD_FIELDS.keys()
    if unknown:
        raise InvalidProfile(problem=f"not standard fields: {_listed(unknown)}")
    if len(set(fields)) != len(fields):
        raise InvalidProfile(problem="a field is listed twice")
    if len(fields) < 2:
        raise InvalidProfile(problem="it needs at least two fields")
    return tuple(field for field in STANDARD_FIELDS if field in fields)


def _linkage_schema(fields: tuple[str, ...]) -> dict[str, Any]:
    total = sum(_RULES[field].weight for field in fields)
    return {
        "version": 3,
        "clkConfig": {"l": CLK_BITS, "kdf": {"type": "HKDF", "hash": "SHA256", "keySize": 64}},
        "features": [_feature(field, bits=round(BITS_SET * _RULES[field].weight / total)) for field in fields],
    }


def _feature(field: str, *, bits: int) -> dict[str, Any]:
    """Give the feature of a field; a missing value is an empty string, which sets no bit."""
    return {
        "identifier": field,
        "format": {"type": "string", "encoding": "utf-8"},
        "hashing": {
            "hash": {"type": "blakeHash"},
            "strategy": {"bitsPerFeature": bits},
            "comparison": dict(_RULES[field].comparison),
        },
    }


def _check_keys(document: dict[str, Any]) -> None:
    expected = {"format", "name", "normaliser", "encoder", "clk_bits", "fields", "linkage_schema"}
    unknown, missing = set(document) - expected, expected - set(document)
    if unknown:
        raise InvalidProfile(problem=f"unknown keys: {_listed(unknown)}")
    if missing:
        raise InvalidProfile(problem=f"missing keys: {_listed(missing)}")


def _field_names(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidProfile(problem="its fields are not a list of names")
    return value


def _same_json(document: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Say whether two documents have the same canonical bytes; a value that JSON cannot hold is not the same."""
    try:
        return rfc8785.dumps(document) == rfc8785.dumps(expected)
    except (rfc8785.CanonicalizationError, RecursionError):
        return False


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(name[:40] for name in names))
