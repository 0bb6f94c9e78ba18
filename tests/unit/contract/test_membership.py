"""Memberships: what is kept of a project's members, and when its epoch grows."""

import json
from typing import Any

import pytest
import rfc8785

from isthmus.contract.canonical import sha256
from isthmus.contract.errors import IsthmusError, MalformedDocument, MalformedMessage, UnsupportedVersion
from isthmus.contract.ids import PartyId
from isthmus.contract.key_agreement import KeyMember, KeyTerms
from isthmus.contract.membership import Membership, changed_parties, epoch_for, membership_from_bytes, membership_of


def _member(party: str, seed: str = "") -> KeyMember:
    keys = {name: sha256(f"{name} {party} {seed}".encode()) for name in ("identity_key", "agreement_key")}
    return KeyMember(party=PartyId(party), **keys)


def _kept(*members: KeyMember, epoch: int = 3) -> Membership:
    return membership_of(KeyTerms(agreement=bytes(32), epoch=epoch, members=members))


TWO = (_member("riverside"), _member("college"))


def test_membership_comes_back_from_its_bytes_whatever_the_order() -> None:
    kept = _kept(*TWO)

    assert membership_from_bytes(kept.to_bytes()) == kept == _kept(*reversed(TWO))
    assert kept.keys() == frozenset(TWO)


def test_first_epoch_is_one_and_grows_only_with_a_change() -> None:
    kept = _kept(*TWO)

    assert epoch_for(None, frozenset(TWO)) == 1
    assert epoch_for(kept, frozenset(TWO)) == 3
    assert epoch_for(kept, frozenset({TWO[0], _member("college", "new")})) == 4
    assert epoch_for(kept, frozenset({*TWO, _member("workforce")})) == 4


def test_changed_parties_are_those_who_came_went_or_have_another_key() -> None:
    after = _kept(_member("riverside", "new"), _member("workforce"))

    assert changed_parties(_kept(*TWO), after) == ("college", "riverside", "workforce")
    assert changed_parties(after, after) == ()


DAMAGE: dict[str, tuple[dict[str, Any], type[IsthmusError]]] = {
    "version": ({"format": "isthmus/membership/9"}, UnsupportedVersion),
    "no hex": ({"identity_key": "x" * 64}, MalformedDocument),
    "short key": ({"agreement_key": "00"}, MalformedMessage),
    "id": ({"party": "../x"}, MalformedMessage),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_membership_is_refused(name: str) -> None:
    changes, refusal = DAMAGE[name]
    document = json.loads(_kept(*TWO).to_bytes())
    target = document if "format" in changes else document["members"][0]
    target.update(changes)

    with pytest.raises(refusal):
        membership_from_bytes(rfc8785.dumps(document))
