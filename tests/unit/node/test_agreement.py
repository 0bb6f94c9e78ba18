"""The key agreement when nobody disturbs it: one master for all; stopped nodes; keys and kept files that are none."""

import hashlib
import hmac
from collections.abc import Callable

import pytest
from unit.node.key_parts import agree, contribute, finish, keys_of, secret_of, terms_of

from isthmus.contract.canonical import sha256
from isthmus.contract.errors import MalformedDocument, UnsupportedVersion
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.key_agreement import (
    KeyMember,
    KeyTerms,
    SignedWraps,
    confirmation_from_bytes,
    sign_wraps,
    wraps_from_bytes,
)
from isthmus.contract.secret import Secret
from isthmus.node.keys.agreement import (
    KeyUse,
    OwnKeys,
    _Kept,
    agreed_key,
    confirmation,
    kept_bytes,
    make_contribution,
    open_contribution,
    read_kept,
    verify_confirmations,
)
from isthmus.node.keys.errors import (
    ContributionRefused,
    MemberKeyUnusable,
    OwnKeyDiffers,
)
from isthmus.node.keys.linkage_key import key_check_value

A, B, C = OWNERS = [keys_of(name) for name in ("college", "riverside", "workforce")]
GHOST = keys_of("ghost")
TERMS = terms_of(OWNERS)
PROJECT, ROUND = ProjectId("demo"), RoundId("demo-0000000001")


def _open(wraps: SignedWraps, *, terms: KeyTerms = TERMS, own: OwnKeys = A) -> Secret:
    return open_contribution(wraps, terms=terms, own=own)


def test_all_members_hold_one_master_and_confirm_each_other() -> None:
    nodes = agree(TERMS, OWNERS)

    assert len({node.master.reveal() for node in nodes}) == 1
    for node in nodes:
        verify_confirmations(
            [one.confirmation for one in nodes],
            master=node.master,
            contributions=node.contributions,
            terms=TERMS,
            own=node.own,
        )


def test_master_is_hkdf_of_the_length_prefixed_secrets_in_party_order() -> None:
    material = b"".join(b"\x00\x20" + secret_of(party).reveal() for party in ("college", "riverside", "workforce"))
    extracted = hmac.digest(TERMS.agreement, material, "sha256")

    expected = hmac.digest(extracted, b"isthmus/key-master/1|1\x01", "sha256")
    assert agree(TERMS, OWNERS)[0].master.reveal() == expected


def test_confirmation_is_an_hmac_of_party_and_transcript_under_the_master() -> None:
    (node, *_) = agree(TERMS, OWNERS)
    digests = b"".join(hashlib.sha256(node.contributions[party].wraps.to_bytes()).digest() for party in TERMS.parties())
    seen = hashlib.sha256(b"isthmus/key-transcript/1\x00" + TERMS.agreement + b"\x00\x00\x00\x01" + digests).hexdigest()

    expected = hmac.digest(node.master.reveal(), f"isthmus/key-confirm/1|college|{seen}".encode(), "sha256")
    assert node.confirmation.mac == expected.hex()


def test_order_of_members_and_of_arrival_changes_nothing() -> None:
    made = contribute(TERMS, OWNERS)
    shuffled = terms_of([C, A, B])
    wraps = [one.wraps for one in made.values()]

    forward = finish(TERMS, A, made[A.party], wraps)
    backward = finish(shuffled, A, made[A.party], [*reversed(wraps), *wraps])
    assert forward.master.equals(backward.master)
    assert forward.confirmation == backward.confirmation


def test_keys_for_each_use_and_round_differ_and_masters_give_the_same_key_check() -> None:
    first, second, _ = agree(TERMS, OWNERS)
    keys = {
        agreed_key(first.master, use, project=PROJECT, round_id=RoundId(f"demo-000000000{number}")).reveal()
        for use in KeyUse
        for number in (1, 2)
    }

    assert len(keys) == 10
    assert key_check_value(first.master, project=PROJECT, round_id=ROUND) == key_check_value(
        second.master, project=PROJECT, round_id=ROUND
    )


def test_documents_come_back_from_their_bytes_and_still_hold() -> None:
    nodes = agree(TERMS, OWNERS)
    wraps = [wraps_from_bytes(one.wraps.to_bytes()) for one in nodes[1].contributions.values()]
    proofs = [confirmation_from_bytes(node.confirmation.to_bytes()) for node in nodes]

    again = finish(TERMS, A, nodes[0].contributions[A.party], wraps)
    verify_confirmations(proofs, master=again.master, contributions=again.contributions, terms=TERMS, own=A)


def test_secrets_show_in_no_repr() -> None:
    (node, *_) = agree(TERMS, OWNERS)
    shown = f"{A!r} {node!r} {node.contributions[A.party]!r}"

    assert secret_of("college").reveal().hex() not in shown
    assert repr(secret_of("college").reveal()) not in shown
    assert repr(A) == "OwnKeys(party='college')"
    assert repr(_Kept(format="f", secret="5ec2e7", wraps="{}")) == "_Kept(...)"


def test_restarted_node_goes_on_with_the_same_contribution() -> None:
    made = contribute(TERMS, OWNERS)
    again = read_kept(kept_bytes(made[A.party]), terms=TERMS, own=A)
    before, after = (
        finish(TERMS, A, mine, [made[B.party].wraps, made[C.party].wraps]) for mine in (made[A.party], again)
    )

    assert again.wraps == made[A.party].wraps
    assert before.confirmation == after.confirmation
    assert before.master.equals(after.master)


@pytest.mark.parametrize("terms", [terms_of(OWNERS, epoch=2), terms_of(OWNERS, manifest="later")])
def test_kept_contribution_of_other_terms_is_refused(terms: KeyTerms) -> None:
    kept = kept_bytes(contribute(TERMS, OWNERS)[A.party])

    with pytest.raises(ContributionRefused, match="college"):
        read_kept(kept, terms=terms, own=A)
    with pytest.raises(ContributionRefused, match="not this node's own"):
        read_kept(kept, terms=TERMS, own=B)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda text: text.replace("contribution/1", "contribution/2"), UnsupportedVersion),
        (lambda text: text.replace(secret_of("college").reveal().hex(), "00" * 32), ContributionRefused),
        (lambda text: text.replace(secret_of("college").reveal().hex(), "zz"), MalformedDocument),
        (lambda text: text[:-1], MalformedDocument),
    ],
)
def test_kept_contribution_that_was_altered_is_refused(change: Callable[[str], str], error: type[Exception]) -> None:
    kept = kept_bytes(contribute(TERMS, OWNERS)[A.party]).decode()

    with pytest.raises(error) as refused:
        read_kept(change(kept).encode(), terms=TERMS, own=A)
    assert secret_of("college").reveal().hex() not in str(refused.value)


def test_agreement_key_of_small_order_is_named() -> None:
    member = B.member()
    broken = KeyMember(party=member.party, identity_key=member.identity_key, agreement_key=bytes(32))
    terms = KeyTerms(agreement=sha256(b"m"), epoch=1, members=(A.member(), broken))

    with pytest.raises(MemberKeyUnusable, match="riverside"):
        make_contribution(secret_of("college"), terms=terms, own=A)


def test_encapsulated_key_of_small_order_does_not_open() -> None:
    sealed = {party: bytes(80) for party in TERMS.others(B.party)}
    wraps = sign_wraps(TERMS, sender=B.party, commitment=bytes(32), sealed=sealed, key=B.signing_key)

    with pytest.raises(ContributionRefused, match="does not open"):
        _open(wraps)


def test_confirming_needs_ones_own_keys_in_the_terms() -> None:
    node, *_ = agree(TERMS, OWNERS)

    with pytest.raises(OwnKeyDiffers):
        confirmation(node.master, contributions=node.contributions, terms=TERMS, own=GHOST)
