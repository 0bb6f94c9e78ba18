"""Vectors of planted people and their copies, made with our own code."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.secret import Secret
from isthmus.node.keys.linkage_key import round_key
from isthmus.node.planted.copies import planted_copies
from isthmus.node.planted.lists import ORIGINS, STREET_KINDS, STREETS, TOWNS, Origin
from isthmus.node.planted.people import Person, planted_people

Json = dict[str, Any]

MASTER: Final = Secret(bytes(range(32)))
PROJECT, ROUND = ProjectId("demo"), RoundId("demo-0000000001")
PARTIES: Final = (PartyId("riverside"), PartyId("college"))
SHOWN, ALL = 12, 1000


def planted_vectors() -> Json:
    """Give the lists, the first people with their copies at two providers, and digests of all that there can be."""
    key = round_key(MASTER, project=PROJECT, round_id=ROUND, label="planted")
    people = planted_people(key, count=ALL)
    return {
        "about": [
            "Planted people, and the copies of two providers (docs/protocol.md section 14). Made by",
            "scripts/make_vectors, confirmed by scripts/verify_vectors. Keys are hexadecimal. Values are in standard",
            "order of their fields. `lists` is part of fields-1. A digest is SHA-256 over persons 0 to 999: the values",
            "of each, with a vertical bar between two, then a line feed, in UTF-8.",
        ],
        "version": 1,
        "lists": {
            "origins": [_origin(origin) for origin in ORIGINS],
            "streets": list(STREETS),
            "street_kinds": list(STREET_KINDS),
            "towns": [
                {"city": one.city, "state": one.state, "zip_prefix": one.zip_prefix, "area_code": one.area_code}
                for one in TOWNS
            ],
        },
        "master": MASTER.reveal().hex(),
        "project": PROJECT,
        "round_id": ROUND,
        "planted_key": key.reveal().hex(),
        "people": _shown(people),
        "copies": {party: _shown(planted_copies(key, party=party, count=ALL)) for party in PARTIES},
    }


def _origin(origin: Origin) -> Json:
    return {
        "name": origin.name,
        "parts": origin.parts,
        "double": origin.double,
        "first_names": {sex: list(names) for sex, names in origin.first_names.items()},
        "last_names": list(origin.last_names),
    }


def _shown(people: Iterable[Person]) -> Json:
    lines = ["|".join(person.values()) for person in people]
    digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    return {"first": lines[:SHOWN], "digest": digest}
