"""The key agreement disturbed, by the coordinator or by a member: whoever does it is caught and named."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from unit.node.key_parts import agree, contribute, finish, keys_of, secret_of, terms_of

from isthmus.contract.ids import PartyId
from isthmus.contract.key_agreement import (
    KeyMember,
    KeyTerms,
    SignedWraps,
    sign_confirmation,
    sign_wraps,
    transcript,
)
from isthmus.contract.secret import Secret
from isthmus.node.keys.agreement import (
    Contribution,
    OwnKeys,
    combine,
    commit,
    confirmation_mac,
    equivocating_sender,
    make_contribution,
    new_secret,
    open_all,
    open_contribution,
    seen_digests,
    verify_confirmations,
    wrap_info,
)
from isthmus.node.keys.errors import (
    ConfirmationRefused,
    ConfirmationsMissing,
    ContributionRefused,
    ContributionsDiffer,
    ContributionsMissing,
    OwnKeyDiffers,
    WeakSecret,
)
from isthmus.node.keys.fingerprint import fingerprint_text

A, B, C = OWNERS = [keys_of(name) for name in ("college", "riverside", "workforce")]
GHOST = keys_of("ghost")
TERMS = terms_of(OWNERS)


def _wraps(terms: KeyTerms = TERMS) -> dict[PartyId, SignedWraps]:
    return {party: one.wraps for party, one in contribute(terms, OWNERS).items()}


def _open(wraps: SignedWraps, *, terms: KeyTerms = TERMS, own: OwnKeys = A) -> Secret:
    return open_contribution(wraps, terms=terms, own=own)


def _sealed_by_hand(sender: OwnKeys, secrets: dict[PartyId, bytes], commitment: bytes) -> SignedWraps:
    """What a member can sign that does not run our code: any secret to anybody, any commitment."""
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    sealed = {}
    for party, secret in secrets.items():
        member = TERMS.member(party)
        assert member is not None
        key = X25519PublicKey.from_public_bytes(member.agreement_key)
        sealed[party] = suite.encrypt(secret, key, info=wrap_info(TERMS, sender=sender.party, recipient=party))
    return sign_wraps(TERMS, sender=sender.party, commitment=commitment, sealed=sealed, key=sender.signing_key)


def _honest(sender: OwnKeys, secret: bytes) -> Contribution:
    """A contribution of any secret, even one that our code refuses to make."""
    commitment = commit(Secret(secret), TERMS, sender=sender.party)
    wraps = _sealed_by_hand(sender, dict.fromkeys(TERMS.others(sender.party), secret), commitment)
    return Contribution(secret=Secret(secret), wraps=wraps)


def test_ghost_outside_the_signed_manifest_is_refused_by_name() -> None:
    ghostly = make_contribution(secret_of("ghost"), terms=terms_of([*OWNERS, GHOST]), own=GHOST)

    with pytest.raises(ContributionRefused, match=r"name of ghost .* lists no such member"):
        _open(ghostly.wraps)


def test_ghost_in_another_manifest_makes_contributions_that_fit_nobody_else() -> None:
    with_ghost = terms_of([*OWNERS, GHOST], manifest="manifest with a ghost")
    deceived = make_contribution(secret_of("riverside"), terms=with_ghost, own=B)

    with pytest.raises(ContributionRefused, match="riverside is refused: it is for another round or manifest"):
        _open(deceived.wraps)


def test_ghost_confirmation_is_refused_by_name() -> None:
    node, *_ = agree(TERMS, OWNERS)
    ghostly = agree(terms_of([*OWNERS, GHOST]), [*OWNERS, GHOST])[3].confirmation

    with pytest.raises(ConfirmationRefused, match="name of ghost"):
        verify_confirmations([ghostly], master=node.master, contributions=node.contributions, terms=TERMS, own=A)


def test_swapped_key_of_this_node_is_found_before_anything_is_sealed() -> None:
    swapped = terms_of([keys_of("college", "coordinator"), B, C])

    with pytest.raises(OwnKeyDiffers, match="college"):
        make_contribution(secret_of("college"), terms=swapped, own=A)
    with pytest.raises(OwnKeyDiffers, match="college"):
        _open(_wraps()[B.party], terms=swapped)


def test_swapped_identity_key_of_another_refuses_what_that_member_really_signed() -> None:
    swapped = terms_of([A, keys_of("riverside", "coordinator"), C])

    with pytest.raises(ContributionRefused, match="riverside is refused: the signature"):
        _open(_wraps()[B.party], terms=swapped)


def test_swapped_agreement_key_changes_the_fingerprint_that_people_compare() -> None:
    real, swapped = B.member(), keys_of("riverside", "coordinator").member()
    mixed = KeyMember(party=real.party, identity_key=real.identity_key, agreement_key=swapped.agreement_key)

    assert len({fingerprint_text(one) for one in (real, swapped, mixed)}) == 3


def test_wraps_signed_in_anothers_name_are_refused() -> None:
    forged = _sealed_by_hand(C, dict.fromkeys(TERMS.others(B.party), bytes(range(32))), bytes(32))
    forged = msgspec.structs.replace(forged, sender=B.party)

    with pytest.raises(ContributionRefused, match="riverside is refused: the signature"):
        _open(forged)


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        (terms_of(OWNERS, epoch=2), "another epoch"),
        (terms_of(OWNERS, manifest="an earlier round"), "another round or manifest"),
    ],
)
def test_wraps_replayed_from_another_epoch_or_round_are_refused(terms: KeyTerms, problem: str) -> None:
    with pytest.raises(ContributionRefused, match=f"riverside is refused: it is (of|for) {problem}"):
        _open(_wraps(terms)[B.party])


@pytest.mark.parametrize("terms", [terms_of(OWNERS, epoch=2), terms_of(OWNERS, manifest="an earlier round")])
def test_confirmation_replayed_from_another_epoch_or_round_is_refused(terms: KeyTerms) -> None:
    node, *_ = agree(TERMS, OWNERS)
    replayed = agree(terms, OWNERS)[1].confirmation

    with pytest.raises(ConfirmationRefused, match="riverside is refused: it is for another round"):
        verify_confirmations([replayed], master=node.master, contributions=node.contributions, terms=TERMS, own=A)


@pytest.mark.parametrize("field", ["epoch", "agreement", "sender", "commitment", "wraps"])
def test_wraps_altered_on_the_way_are_refused(field: str) -> None:
    honest = _wraps()[B.party]
    other = _wraps(terms_of(OWNERS, manifest="other", epoch=2))[C.party]
    altered = msgspec.structs.replace(honest, **{field: getattr(other, field)})

    with pytest.raises(ContributionRefused, match="the signature is not that member's"):
        _open(altered)


def test_wrap_moved_to_another_recipient_or_sender_does_not_open() -> None:
    honest = _wraps()[B.party]
    sealed = {wrap.recipient: bytes.fromhex(wrap.sealed) for wrap in honest.wraps}
    moved = {A.party: sealed[C.party], C.party: sealed[A.party]}
    commitment = bytes.fromhex(honest.commitment)
    to_another = sign_wraps(TERMS, sender=B.party, commitment=commitment, sealed=moved, key=B.signing_key)
    stolen = {A.party: sealed[A.party], B.party: sealed[C.party]}
    from_another = sign_wraps(TERMS, sender=C.party, commitment=commitment, sealed=stolen, key=C.signing_key)

    for wraps in (to_another, from_another):
        with pytest.raises(ContributionRefused, match="does not open at this node"):
            _open(wraps)


def test_dropped_contribution_leaves_no_master_and_names_whose_it_is() -> None:
    made = contribute(TERMS, OWNERS)

    with pytest.raises(ContributionsMissing, match="workforce"):
        open_all([made[B.party].wraps], mine=made[A.party], terms=TERMS, own=A)
    with pytest.raises(ContributionsMissing, match="riverside, workforce"):
        combine({A.party: made[A.party]}, terms=TERMS)


def test_contribution_of_a_stranger_never_goes_into_a_master() -> None:
    made = contribute(TERMS, OWNERS)

    with pytest.raises(ContributionRefused, match="ghost"):
        combine(made | {GHOST.party: made[A.party]}, terms=TERMS)


def test_dropped_confirmation_is_named() -> None:
    node, other, _ = agree(TERMS, OWNERS)

    with pytest.raises(ConfirmationsMissing, match="workforce"):
        verify_confirmations(
            [other.confirmation] * 2, master=node.master, contributions=node.contributions, terms=TERMS, own=A
        )


def test_two_contributions_of_one_member_at_one_node_are_refused() -> None:
    made = contribute(TERMS, OWNERS)
    second = make_contribution(secret_of("riverside"), terms=TERMS, own=B)

    with pytest.raises(ContributionRefused, match="riverside is refused: there are two"):
        open_all([made[B.party].wraps, second.wraps], mine=made[A.party], terms=TERMS, own=A)


def test_contribution_in_this_nodes_name_that_it_did_not_make_is_refused() -> None:
    made = contribute(TERMS, OWNERS)
    second = make_contribution(secret_of("other"), terms=TERMS, own=A)

    with pytest.raises(ContributionRefused, match="college is refused: there are two"):
        open_all([second.wraps], mine=made[A.party], terms=TERMS, own=A)
    with pytest.raises(ContributionRefused, match="this node's own"):
        _open(second.wraps)


def test_other_wraps_for_another_member_are_found_by_confirmation_and_proven() -> None:
    made = contribute(TERMS, OWNERS)
    second = make_contribution(secret_of("another secret"), terms=TERMS, own=B)
    one = finish(TERMS, A, made[A.party], [made[B.party].wraps, made[C.party].wraps])
    other = finish(TERMS, C, made[C.party], [second.wraps, made[A.party].wraps])

    with pytest.raises(ContributionsDiffer) as caught:
        verify_confirmations(
            [other.confirmation], master=one.master, contributions=one.contributions, terms=TERMS, own=A
        )
    assert (caught.value.sender, caught.value.witness) == ("riverside", "workforce")
    assert equivocating_sender(made[B.party].wraps, second.wraps, terms=TERMS) == "riverside"
    assert equivocating_sender(second.wraps, second.wraps, terms=TERMS) is None
    assert equivocating_sender(second.wraps, made[A.party].wraps, terms=TERMS) is None


def test_other_secret_inside_one_members_wrap_is_found_on_opening() -> None:
    secrets = {A.party: bytes(range(32)), C.party: bytes(range(1, 33))}
    split = _sealed_by_hand(B, secrets, commit(Secret(secrets[A.party]), TERMS, sender=B.party))

    assert _open(split).reveal() == secrets[A.party]
    with pytest.raises(ContributionRefused, match="riverside is refused: its wrap holds another secret"):
        _open(split, own=C)


def test_wraps_that_leave_a_member_out_are_refused() -> None:
    partial = _sealed_by_hand(B, {A.party: bytes(range(32))}, commit(Secret(bytes(range(32))), TERMS, sender=B.party))

    with pytest.raises(ContributionRefused, match="exactly the other members"):
        _open(partial)


def test_member_with_another_master_is_named() -> None:
    node, other, third = agree(TERMS, OWNERS)
    digests = seen_digests(node.contributions, TERMS)
    mac = confirmation_mac(secret_of("wrong"), party=C.party, seen=transcript(TERMS, digests))
    wrong = sign_confirmation(TERMS, party=C.party, digests=digests, mac=mac, key=C.signing_key)

    with pytest.raises(ConfirmationRefused, match="workforce is refused: it saw the same"):
        verify_confirmations(
            [other.confirmation, wrong], master=node.master, contributions=node.contributions, terms=TERMS, own=A
        )
    with pytest.raises(ConfirmationRefused, match="workforce is refused: there are two"):
        verify_confirmations(
            [third.confirmation, wrong], master=node.master, contributions=node.contributions, terms=TERMS, own=A
        )


def test_anothers_mac_is_no_confirmation() -> None:
    node, other, _ = agree(TERMS, OWNERS)
    echoed = sign_confirmation(
        TERMS,
        party=C.party,
        digests=other.confirmation.digests(),
        mac=bytes.fromhex(other.confirmation.mac),
        key=C.signing_key,
    )

    with pytest.raises(ConfirmationRefused, match="workforce"):
        verify_confirmations([echoed], master=node.master, contributions=node.contributions, terms=TERMS, own=A)


def test_confirmation_altered_on_the_way_is_refused() -> None:
    node, other, _ = agree(TERMS, OWNERS)
    altered = msgspec.structs.replace(other.confirmation, mac="00" * 32)

    with pytest.raises(ConfirmationRefused, match="riverside is refused: the signature"):
        verify_confirmations([altered], master=node.master, contributions=node.contributions, terms=TERMS, own=A)


def test_confirmation_about_other_members_is_refused() -> None:
    node, other, _ = agree(TERMS, OWNERS)
    digests = {party: digest for party, digest in other.confirmation.digests().items() if party != C.party}
    fewer = sign_confirmation(TERMS, party=B.party, digests=digests, mac=bytes(32), key=B.signing_key)

    with pytest.raises(ConfirmationRefused, match="exactly the members"):
        verify_confirmations([fewer], master=node.master, contributions=node.contributions, terms=TERMS, own=A)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(32), b"\xff" * 32, bytes(range(33))])
def test_short_long_or_uniform_secret_of_ones_own_is_refused(secret: bytes) -> None:
    with pytest.raises(WeakSecret):
        make_contribution(Secret(secret), terms=TERMS, own=A)


def test_new_secret_comes_from_the_source_and_a_dead_source_is_refused() -> None:
    assert new_secret(lambda count: bytes(range(count))).reveal() == bytes(range(32))
    with pytest.raises(WeakSecret, match="one byte over and over"):
        new_secret(bytes)


def test_all_zero_secret_of_another_is_protected_by_the_rest() -> None:
    made = contribute(TERMS, OWNERS)
    zero = _honest(B, bytes(32))
    nodes = [
        finish(TERMS, own, made[own.party], [zero.wraps, made[A.party].wraps, made[C.party].wraps]) for own in (A, C)
    ]
    known = {B.party: zero} | {own.party: _honest(own, bytes(32)) for own in (A, C)}

    assert nodes[0].master.equals(nodes[1].master)
    assert not nodes[0].master.equals(combine(known, terms=TERMS))


def test_equal_secrets_of_two_members_show_in_no_document_and_cancel_nothing() -> None:
    same = secret_of("same").reveal()
    twins = {own.party: _honest(own, same) for own in (A, B)}
    made = twins | {C.party: _honest(C, secret_of("workforce").reveal())}
    other = twins | {C.party: _honest(C, secret_of("changed").reveal())}

    assert twins[A.party].wraps.commitment != twins[B.party].wraps.commitment
    assert not combine(made, terms=TERMS).equals(combine(other, terms=TERMS))
