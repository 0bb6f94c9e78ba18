"""Whoever the members are and whatever they draw: equal masters for all, another master for any other secret."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.node.key_parts import NAMES, agree, contribute, finish, keys_of, terms_of

from isthmus.contract.errors import IsthmusError
from isthmus.contract.key_agreement import confirmation_from_bytes, wraps_from_bytes
from isthmus.contract.secret import Secret
from isthmus.node.keys.agreement import (
    combine,
    make_contribution,
    open_all,
    open_contribution,
    verify_confirmations,
)
from isthmus.node.keys.errors import ContributionRefused

OWNERS = [keys_of(name) for name in NAMES]
TERMS = terms_of(OWNERS[:3])
WRAPS = contribute(TERMS, OWNERS[:3])[OWNERS[1].party].wraps
PROOF = agree(TERMS, OWNERS[:3])[0].confirmation
SECRETS = st.binary(min_size=32, max_size=32).filter(lambda secret: len(set(secret)) > 1)


@pytest.mark.parametrize("count", range(2, 9))
def test_masters_are_equal_at_all_members_and_all_confirm(count: int) -> None:
    owners = OWNERS[:count]
    terms = terms_of(owners)
    nodes = agree(terms, owners)

    assert len({node.master.reveal() for node in nodes}) == 1
    for node in nodes:
        verify_confirmations(
            [one.confirmation for one in nodes],
            master=node.master,
            contributions=node.contributions,
            terms=terms,
            own=node.own,
        )


@settings(max_examples=25)
@given(secrets=st.lists(SECRETS, min_size=3, max_size=3), other=SECRETS, changed=st.integers(0, 2))
def test_masters_differ_exactly_if_one_members_secret_does(secrets: list[bytes], other: bytes, changed: int) -> None:
    made = {
        owner.party: make_contribution(Secret(secret), terms=TERMS, own=owner)
        for owner, secret in zip(OWNERS[:3], secrets, strict=True)
    }
    owner = OWNERS[changed]
    replaced = made | {owner.party: make_contribution(Secret(other), terms=TERMS, own=owner)}

    same = combine(made, terms=TERMS).equals(combine(replaced, terms=TERMS))
    assert same == (other == secrets[changed])


@settings(max_examples=25)
@given(data=st.data())
def test_order_and_repetition_of_what_arrives_change_nothing(data: st.DataObject) -> None:
    made = contribute(TERMS, OWNERS[:3])
    wraps = [one.wraps for one in made.values()]
    arrived = data.draw(st.permutations(wraps + data.draw(st.lists(st.sampled_from(wraps), max_size=3))))
    mine = made[OWNERS[0].party]

    assert finish(TERMS, OWNERS[0], mine, arrived).master.equals(finish(TERMS, OWNERS[0], mine, wraps).master)
    assert sorted(open_all(arrived, mine=mine, terms=TERMS, own=OWNERS[0])) == list(TERMS.parties())


@given(place=st.integers(0, len(WRAPS.to_bytes()) - 1), byte=st.integers(0, 255))
def test_wraps_with_any_changed_byte_are_refused(place: int, byte: int) -> None:
    data = bytearray(WRAPS.to_bytes())
    changed = data[place] != byte
    data[place] = byte

    if changed:
        with pytest.raises(IsthmusError):
            open_contribution(wraps_from_bytes(bytes(data)), terms=TERMS, own=OWNERS[0])


@given(st.binary(max_size=200) | st.integers(0, len(PROOF.to_bytes()) - 1).map(lambda end: PROOF.to_bytes()[:end]))
def test_bytes_of_any_kind_are_read_or_refused_with_a_type(data: bytes) -> None:
    for read in (wraps_from_bytes, confirmation_from_bytes):
        with pytest.raises(IsthmusError):
            read(data)


@settings(max_examples=25)
@given(epoch=st.integers(1, 5), manifest=st.sampled_from(["manifest", "other"]))
def test_contribution_opens_only_under_the_terms_that_it_was_made_for(epoch: int, manifest: str) -> None:
    terms = terms_of(OWNERS[:3], manifest=manifest, epoch=epoch)

    if (manifest, epoch) == ("manifest", 1):
        assert len(open_contribution(WRAPS, terms=terms, own=OWNERS[0]).reveal()) == 32
    else:
        with pytest.raises(ContributionRefused):
            open_contribution(WRAPS, terms=terms, own=OWNERS[0])
