"""Vectors of planted people: our code computes them, and the independent program notices any change of one."""

import hashlib
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from isthmus.contract.ids import PartyId
from isthmus.contract.secret import Secret
from isthmus.node.planted.copies import planted_copies
from isthmus.node.planted.people import Person, planted_people

ROOT = Path(__file__).resolve().parents[4]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "tests" / "vectors" / "planted.json").read_text(encoding="utf-8"))
KEY = Secret(bytes.fromhex(DOCUMENT["planted_key"]))


def _shown(people: list[Person]) -> dict[str, Any]:
    lines = ["|".join(person.values()) for person in people]
    text = "".join(f"{line}\n" for line in lines)
    return {"first": lines[:12], "digest": hashlib.sha256(text.encode()).hexdigest()}


def test_people_are_those_of_the_vectors() -> None:
    assert _shown(list(planted_people(KEY, count=1000))) == DOCUMENT["people"]


@pytest.mark.parametrize("party", DOCUMENT["copies"])
def test_copies_are_those_of_the_vectors(party: str) -> None:
    assert _shown(list(planted_copies(KEY, party=PartyId(party), count=1000))) == DOCUMENT["copies"][party]


@pytest.mark.parametrize("step", ["key", "people", "copies", "list"])
def test_independent_program_notices_a_changed_vector(step: str) -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(json.dumps(DOCUMENT))
    match step:
        case "key":
            document["planted_key"] = "00" * 32
        case "people":
            document["people"]["first"][3] += "0"
        case "copies":
            document["copies"]["college"]["digest"] = "00" * 32
        case "list":
            document["lists"]["streets"].reverse()
    with pytest.raises(verifier["Mismatch"], match="planted"):
        verifier["verify_planted"](document)
