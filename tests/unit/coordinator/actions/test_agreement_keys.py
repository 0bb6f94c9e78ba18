"""Agreement keys at enrolment: one party's is no other's."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from harness import Coordinator, agreement_key_of

from isthmus.contract.errors import AlreadyExists
from isthmus.contract.ids import PartyId
from isthmus.contract.key_agreement import sign_agreement_key
from isthmus.coordinator.actions.enrolment import ShownAgreementKey


def test_agreement_key_of_another_party_is_refused_and_the_token_stays_good(hub: Coordinator) -> None:
    """Whoever shows it need not hold it; the next round of a project with both would have no lawful manifest."""
    riverside = hub.party("riverside")
    stolen = agreement_key_of(riverside.id, riverside.signing_key).key
    hub.register("college")
    token, signing_key = hub.mint("college"), Ed25519PrivateKey.from_private_bytes(b"c" * 32)
    proof = sign_agreement_key(signing_key, party=PartyId("college"), agreement_key=stolen)

    with pytest.raises(AlreadyExists, match="riverside"):
        hub.enrol(token, signing_key, agreement_key=ShownAgreementKey(key=stolen, proof=proof))

    hub.enrol(token, signing_key, agreement_key=agreement_key_of(PartyId("college"), signing_key))
