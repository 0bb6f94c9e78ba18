"""Encoding profiles: which features a CLK is made of, how heavily each counts, and the threshold that goes with it.

`interop-1` is one clkhash linkage schema (version 3) over the standard fields that all providers of a project
share. It is a function of the list of fields alone, so that every party rebuilds it and compares. Weights and
threshold points were measured: docs/decisions/0003-interop-1-features.md. Encoding itself happens in nodes only
(docs/protocol.md).

A CLK is pseudonymous personal data, whatever the profile.
"""

import hashlib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import rfc8785

from isthmus.contract.errors import InvalidProfile
from isthmus.contract.profile_parts import (
    NORMALISER,
    RULES,
    WHOLE_TABLE,
    feature_of,
    in_standard_order,
    listed,
    same_json,
)

PROFILE_FORMAT: Final = "isthmus/profile/1"
INTEROP_1: Final = "interop-1"
ENCODER: Final = "clkhash-v3"
CLK_BITS: Final = 1024

BITS_SET: Final = 500
LEAST_FIELDS: Final = 2
"""Bits that a full record sets before collisions, shared among its fields by weight: some 0.39 of a CLK in the end."""


_THRESHOLD_BASE: Final = 80
_THRESHOLD_RANGE: Final = (62, 90)
"""In hundredths. The lower end keeps apart the members of a household, who share much of a full record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How the rows of a project are encoded: all that two nodes must have in common, keys apart.

    `fields` are standard fields in standard order, the columns of the CLK; `linkage_schema` is a clkhash schema of
    version 3 with one feature for each of them and without `info` and `salt`, which a round adds. Do not change it in
    place: `document` and `digest` would follow. A row links only if it holds at least `least_fields` fields that insert
    at least `least_bits` bits together: two rows that hold nothing but a common last name have equal CLKs, and equal
    CLKs would pass any threshold.
    """

    name: str
    normaliser: str
    encoder: str
    clk_bits: int
    fields: tuple[str, ...]
    linkage_schema: dict[str, Any]
    least_fields: int
    least_bits: int

    @property
    def table_names(self) -> tuple[str, ...]:
        """The tables that a row sends an encoding to: one, of all fields."""
        return (WHOLE_TABLE,)

    @property
    def match_key_names(self) -> tuple[str, ...]:
        """The match keys that a row sends a tag for: none."""
        return ()

    @property
    def part_bits(self) -> tuple[int, ...]:
        """How many bits each CLK of a row takes; there is one."""
        return (self.clk_bits,)

    @property
    def row_bits(self) -> int:
        """How many bits the encoding of one row takes."""
        return self.clk_bits

    def field_bits(self) -> dict[str, int]:
        """Give how many bits each field inserts where it is present."""
        features = self.linkage_schema["features"]
        return {one["identifier"]: one["hashing"]["strategy"]["bitsPerFeature"] for one in features}

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
            "least_fields": self.least_fields,
            "least_bits": self.least_bits,
        }

    def digest(self) -> str:
        """Give the profile's identity: SHA-256 of the document's RFC 8785 bytes, 64 hex digits."""
        return hashlib.sha256(rfc8785.dumps(self.document())).hexdigest()


def interop_1(fields: Sequence[str]) -> Profile:
    """Give the profile `interop-1` for these standard fields, in whatever order they come.

    Raises:
        InvalidProfile: fewer than two fields, a field twice, or one that is not standard.
    """
    ordered = in_standard_order(fields)
    return Profile(
        name=INTEROP_1,
        normaliser=NORMALISER,
        encoder=ENCODER,
        clk_bits=CLK_BITS,
        fields=ordered,
        linkage_schema=_linkage_schema(ordered),
        least_fields=LEAST_FIELDS,
        least_bits=BITS_SET // 2,
    )


def default_threshold(fields: Sequence[str]) -> str:
    """Give the declared Dice threshold of `interop-1` for these fields, as decimal text such as "0.80".

    A pair whose similarity is equal or greater is kept. The rule reads the list of fields and nothing else: the
    base less the points of each field, within bounds. It holds where a project declares no threshold of its own.

    Raises:
        InvalidProfile: as `interop_1`.
    """
    points = sum(RULES[field].points for field in in_standard_order(fields))
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
    if not same_json(document, profile.document()):
        raise InvalidProfile(problem=f"its content is not that of {INTEROP_1} for its fields")
    return profile


def _linkage_schema(fields: tuple[str, ...]) -> dict[str, Any]:
    total = sum(RULES[field].weight for field in fields)
    return {
        "version": 3,
        "clkConfig": {"l": CLK_BITS, "kdf": {"type": "HKDF", "hash": "SHA256", "keySize": 64}},
        "features": [feature_of(field, bits=round(BITS_SET * RULES[field].weight / total)) for field in fields],
    }


def _check_keys(document: dict[str, Any]) -> None:
    expected = {
        "format",
        "name",
        "normaliser",
        "encoder",
        "clk_bits",
        "fields",
        "linkage_schema",
        "least_fields",
        "least_bits",
    }
    unknown, missing = set(document) - expected, expected - set(document)
    if unknown:
        raise InvalidProfile(problem=f"unknown keys: {listed(unknown)}")
    if missing:
        raise InvalidProfile(problem=f"missing keys: {listed(missing)}")


def _field_names(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidProfile(problem="its fields are not a list of names")
    return value
