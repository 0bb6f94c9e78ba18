"""What a node refuses by itself: other keys, other data, other encodings, and rounds that not everybody signed."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from unit.node.parts import (
    COLLEGE,
    CONFIG,
    COORDINATOR_KEY,
    KEYS,
    RIVERSIDE,
    ROUND,
    STUDENTS,
    identity,
    manifest,
    member_of,
    project,
)

from isthmus.contract.canonical import Label, sign
from isthmus.contract.errors import MalformedDocument, SignatureInvalid
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.profile import interop_1
from isthmus.contract.project import ProviderTerms
from isthmus.node.config import NodeConfig
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.policy import check_manifest, check_signatures, read_manifest

MANIFEST = manifest()
DATA = MANIFEST.to_bytes()


def _changed(**changes: Any) -> RoundManifest:
    return msgspec.structs.replace(MANIFEST, **changes)


def _problem(terms: RoundManifest, *, config: NodeConfig = CONFIG, **changes: Any) -> str:
    with pytest.raises(RefusedByPolicy) as refused:
        check_manifest(terms, identity=identity(**changes), config=config)
    return refused.value.problem


def test_lawful_round_is_taken_part_in() -> None:
    check_manifest(MANIFEST, identity=identity(), config=CONFIG)


def test_manifest_is_read_for_its_own_round_alone() -> None:
    assert read_manifest(DATA, ROUND) == MANIFEST
    with pytest.raises(RefusedByPolicy, match="another round"):
        read_manifest(DATA, RoundId("k12-to-work-2"))
    with pytest.raises(MalformedDocument):
        read_manifest(DATA + b" ", ROUND)


def test_round_that_pins_another_key_for_this_party_is_refused() -> None:
    for changed in ("identity_key", "agreement_key"):
        other = member_of(RIVERSIDE, **{changed: getattr(member_of(COLLEGE), changed)})

        problem = _problem(_changed(members=(other, MANIFEST.members[1])))

        assert problem == "it pins other keys for this party than this node's"


def test_round_of_another_coordinator_is_refused() -> None:
    assert "another coordinator" in _problem(MANIFEST, coordinator_key=COORDINATOR_KEY[::-1])


def test_round_without_this_party_is_refused() -> None:
    stranger = manifest(
        project(
            providers=tuple(
                ProviderTerms(party=PartyId(name), dataset="students", fields=("first_name", "dob"))
                for name in ("college", "workforce")
            )
        )
    )

    assert "it asks nothing of this party" in _problem(stranger)


def test_round_that_encodes_otherwise_is_refused() -> None:
    other = interop_1(("first_name", "last_name")).document()

    assert "its profile is not one that this node knows" in _problem(_changed(profile=other))


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (NodeConfig(), "data set students, which node.toml does not have"),
        (
            NodeConfig(
                datasets={"students": msgspec.structs.replace(STUDENTS, columns={"first_name": "First", "zip": "Zip"})}
            ),
            "fields that students does not map: last_name, dob",
        ),
    ],
)
def test_round_that_asks_for_data_that_is_not_there_is_refused(config: NodeConfig, problem: str) -> None:
    assert problem in _problem(MANIFEST, config=config)


def test_all_that_stands_against_a_round_is_named_at_once() -> None:
    problem = _problem(_changed(members=MANIFEST.members[1:]), coordinator_key=bytes(32), config=NodeConfig())

    assert problem.count(";") == 2


def _signatures(label: Label = Label.ROUND_MANIFEST, data: bytes = DATA) -> dict[PartyId, bytes]:
    return {party: sign(key, label, data) for party, key in KEYS.items()}


def test_round_that_everybody_signed_goes_on() -> None:
    check_signatures(MANIFEST, DATA, _signatures())


@pytest.mark.parametrize("missing", [RIVERSIDE, COLLEGE])
def test_round_without_a_signature_does_not_go_on(missing: PartyId) -> None:
    signatures = {party: one for party, one in _signatures().items() if party != missing}

    with pytest.raises(RefusedByPolicy, match=f"without the signature of {missing}"):
        check_signatures(MANIFEST, DATA, signatures)


@pytest.mark.parametrize(
    "signatures",
    [
        _signatures(Label.SUBMISSION),
        _signatures(data=DATA + b" "),
        {RIVERSIDE: _signatures()[COLLEGE], COLLEGE: _signatures()[RIVERSIDE]},
        {RIVERSIDE: _signatures()[RIVERSIDE], COLLEGE: b""},
    ],
)
def test_round_with_a_signature_that_does_not_hold_does_not_go_on(signatures: Mapping[PartyId, bytes]) -> None:
    with pytest.raises(SignatureInvalid):
        check_signatures(MANIFEST, DATA, signatures)
