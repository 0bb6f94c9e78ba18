"""The key agreement's vectors: our code computes them, and the independent program notices any change of one."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.key_agreement import KeyTerms, confirmation_from_bytes, wraps_from_bytes
from isthmus.contract.secret import Secret
from isthmus.node.keys.agreement import (
    Contribution,
    KeyUse,
    OwnKeys,
    agreed_key,
    combine,
    confirmation,
    open_all,
    verify_confirmations,
)
from isthmus.node.keys.fingerprint import fingerprint_text
from isthmus.node.keys.linkage_key import key_check_value

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = json.loads((ROOT / "tests" / "vectors" / "key-agreement.json").read_text(encoding="utf-8"))
CASES = DOCUMENT["cases"]


def _owners(case: dict[str, Any]) -> list[OwnKeys]:
    return [
        OwnKeys(
            party=PartyId(member["party"]),
            signing_key=Ed25519PrivateKey.from_private_bytes(bytes.fromhex(member["signing_private"])),
            agreement_key=X25519PrivateKey.from_private_bytes(bytes.fromhex(member["agreement_private"])),
        )
        for member in case["members"]
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_every_member_of_a_vector_computes_master_confirmation_and_keys(case: dict[str, Any]) -> None:
    owners = _owners(case)
    terms = KeyTerms(
        agreement=bytes.fromhex(case["agreement"]), epoch=case["epoch"], members=tuple(own.member() for own in owners)
    )
    wraps = {one["sender"]: wraps_from_bytes(rfc8785.dumps(one)) for one in case["contributions"]}
    proofs = {one["party"]: confirmation_from_bytes(rfc8785.dumps(one)) for one in case["confirmations"]}
    project, round_id = ProjectId(case["project"]), RoundId(case["round_id"])
    for own, member in zip(owners, case["members"], strict=True):
        mine = Contribution(secret=Secret(bytes.fromhex(member["secret"])), wraps=wraps[own.party])
        got = open_all(wraps.values(), mine=mine, terms=terms, own=own)
        master = combine(got, terms=terms)

        assert master.reveal().hex() == case["master"]
        assert confirmation(master, contributions=got, terms=terms, own=own) == proofs[own.party]
        verify_confirmations(proofs.values(), master=master, contributions=got, terms=terms, own=own)
        keys = {use.value: agreed_key(master, use, project=project, round_id=round_id) for use in KeyUse}
        assert {label: key.reveal().hex() for label, key in keys.items()} == case["round_keys"]
        assert key_check_value(master, project=project, round_id=round_id).hex() == case["key_check"]
        assert fingerprint_text(own.member()) == member["fingerprint_text"]


def _flip(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize("name", ["agreement", "transcript", "master", "key_check"])
def test_independent_program_notices_a_changed_value(name: str) -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(json.dumps(DOCUMENT))
    document["cases"][1][name] = _flip(document["cases"][1][name])

    with pytest.raises(verifier["Mismatch"], match="three"):
        verifier["verify_key_agreement"](document)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("members", "fingerprint"),
        ("members", "fingerprint_text"),
        ("members", "secret"),
        ("members", "identity_key"),
        ("members", "agreement_private"),
        ("contributions", "commitment"),
        ("contributions", "signature"),
        ("confirmations", "mac"),
    ],
)
def test_independent_program_notices_a_changed_part(part: str, name: str) -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(json.dumps(DOCUMENT))
    document["cases"][0][part][0][name] = _flip(document["cases"][0][part][0][name])

    with pytest.raises(verifier["Mismatch"], match="two"):
        verifier["verify_key_agreement"](document)


def test_independent_program_notices_a_signature_that_does_not_hold() -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(json.dumps(DOCUMENT))
    proof = document["cases"][0]["confirmations"][0]
    proof["signature"] = _flip(proof["signature"])

    with pytest.raises(InvalidSignature):
        verifier["verify_key_agreement"](document)
