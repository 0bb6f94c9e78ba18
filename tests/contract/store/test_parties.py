"""Parties, tokens and certificates in every store."""

from dataclasses import replace
from datetime import timedelta

import pytest
from contract.store.conftest import Open
from contract.store.things import HOUR, NOW, A, B, actions, certificate, digest, event, party, token

from isthmus.contract.errors import (
    AlreadyExists,
    CertificateUnknown,
    EnrolmentTokenInvalid,
    NotFound,
    StateChanged,
)
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import PartyKind, Role
from isthmus.coordinator.store.protocol import Store


@pytest.fixture
def two(store: Store) -> Store:
    with store.begin() as tx:
        tx.parties.add(party(A), audit=event("party.add"))
        tx.parties.add(party(B), audit=event("party.add"))
    return store


def test_party_comes_back_as_it_was_added_after_opening_again(open_again: Open) -> None:
    row = replace(party(key=digest(9)), kind=PartyKind.ANALYST, role=Role.ANALYST, name="Øst “Skole”")
    with open_again().begin() as tx:
        tx.parties.add(row, audit=event())

    with open_again().read() as tx:
        assert tx.parties.get(A) == row


def test_party_id_is_taken_once(two: Store) -> None:
    with pytest.raises(AlreadyExists), two.begin() as tx:
        tx.parties.add(replace(party(A), name="Other"), audit=event("party.add"))

    with two.read() as tx:
        assert tx.parties.get(A).name == "Riverside"


def test_unknown_party_is_not_found(two: Store) -> None:
    with two.read() as tx, pytest.raises(NotFound):
        tx.parties.get(PartyId("nobody"))


def test_parties_come_by_id(two: Store) -> None:
    with two.read() as tx:
        assert [one.id for one in tx.parties.all()] == [B, A]


def test_token_is_used_up_once(two: Store) -> None:
    with two.begin() as tx:
        tx.parties.add_token(token(1), audit=event("token.mint"))
    with two.begin() as tx:
        assert tx.parties.token_party(digest(1), now=NOW) == A
        assert tx.parties.use_token(digest(1), now=NOW, audit=event("token.use")) == A

    with two.begin() as tx:
        with pytest.raises(EnrolmentTokenInvalid):
            tx.parties.use_token(digest(1), now=NOW, audit=event("token.use"))
        with pytest.raises(EnrolmentTokenInvalid):
            tx.parties.token_party(digest(1), now=NOW)
    assert actions(two) == ["party.add", "party.add", "token.mint", "token.use"]


def test_token_is_not_usable_from_the_moment_that_it_expires(two: Store) -> None:
    with two.begin() as tx:
        tx.parties.add_token(token(1), audit=event("token.mint"))

    with two.begin() as tx:
        assert tx.parties.token_party(digest(1), now=NOW + HOUR - timedelta(seconds=1)) == A
        with pytest.raises(EnrolmentTokenInvalid):
            tx.parties.token_party(digest(1), now=NOW + HOUR)
        with pytest.raises(EnrolmentTokenInvalid):
            tx.parties.use_token(digest(1), now=NOW + HOUR, audit=event())


def test_unknown_token_is_refused(two: Store) -> None:
    with two.begin() as tx, pytest.raises(EnrolmentTokenInvalid):
        tx.parties.use_token(digest(1), now=NOW, audit=event())


def test_newer_token_ends_the_older_ones_of_its_party_alone(two: Store) -> None:
    with two.begin() as tx:
        tx.parties.add_token(token(1, A), audit=event())
        tx.parties.add_token(token(2, B), audit=event())
        tx.parties.add_token(token(3, A), audit=event())

    with two.read() as tx:
        assert tx.parties.token_party(digest(3), now=NOW) == A
        assert tx.parties.token_party(digest(2), now=NOW) == B
        with pytest.raises(EnrolmentTokenInvalid):
            tx.parties.token_party(digest(1), now=NOW)


def test_identity_key_is_pinned_once_and_the_same_again_is_harmless(two: Store) -> None:
    with two.begin() as tx:
        tx.parties.set_identity_key(A, digest(1), audit=event("key.pin"))
        tx.parties.set_identity_key(A, digest(1), audit=event("key.pin"))

    with pytest.raises(StateChanged), two.begin() as tx:
        tx.parties.set_identity_key(A, digest(2), audit=event("key.pin"))

    with two.read() as tx:
        assert tx.parties.get(A).identity_key == digest(1)
        assert tx.parties.get(B).identity_key is None
    assert actions(two).count("key.pin") == 2


def test_agreement_key_is_kept_and_another_one_takes_its_place(two: Store) -> None:
    with two.begin() as tx:
        for byte in (1, 1, 2):
            tx.parties.set_agreement_key(A, digest(byte), audit=event("party.key"))

    with two.read() as tx:
        assert tx.parties.get(A).agreement_key == digest(2)
        assert tx.parties.get(B).agreement_key is None
    assert actions(two).count("party.key") == 2, "the same again is no event"


def test_certificate_comes_back_and_an_unknown_one_is_refused(two: Store) -> None:
    with two.begin() as tx:
        tx.parties.add_certificate(certificate(1), audit=event("certificate.add"))

    with two.read() as tx:
        assert tx.parties.certificate(digest(1)) == certificate(1)
        with pytest.raises(CertificateUnknown):
            tx.parties.certificate(digest(2))
    assert actions(two)[-1] == "certificate.add"


@pytest.mark.parametrize("name", [A, B])
def test_key_is_certified_once_for_whichever_party(two: Store, name: PartyId) -> None:
    with two.begin() as tx:
        tx.parties.add_certificate(certificate(1, A), audit=event())

    with pytest.raises(AlreadyExists), two.begin() as tx:
        tx.parties.add_certificate(certificate(1, name), audit=event())

    with two.read() as tx:
        assert tx.parties.certificate(digest(1)).party == A


def test_revoking_counts_what_stood_and_touches_no_other_party(two: Store) -> None:
    with two.begin() as tx:
        for byte, name in ((1, A), (2, A), (3, B)):
            tx.parties.add_certificate(certificate(byte, name), audit=event())

    with two.begin() as tx:
        assert tx.parties.revoke_certificates(A, audit=event("revoke")) == 2
        assert tx.parties.revoke_certificates(A, audit=event("revoke")) == 0

    with two.read() as tx:
        assert [tx.parties.certificate(digest(byte)).revoked for byte in (1, 2, 3)] == [True, True, False]
    assert actions(two)[-2:] == ["revoke", "revoke"]
