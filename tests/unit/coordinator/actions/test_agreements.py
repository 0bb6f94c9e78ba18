"""Agreements at the coordinator: who may do what, when a version counts, and what others may not do."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from harness import (
    OPERATOR,
    START,
    Coordinator,
    Enrolled,
    agreement_text,
    public_bytes,
)
from project_files import AGREEMENT, PROJECT, project_text

from isthmus.contract.agreement import agreement_from_bytes, withdrawal_of
from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.canonical import Label, sign
from isthmus.contract.errors import (
    AgreementNotInForce,
    InvalidAgreement,
    MalformedDocument,
    MalformedMessage,
    NotAMember,
    SignatureInvalid,
)
from isthmus.contract.ids import AgreementId, RoundId
from isthmus.contract.manifest import Member
from isthmus.contract.parties import Role
from isthmus.contract.project import project_from_toml
from isthmus.coordinator.actions import agreements, rounds

TODAY = START.date()


@pytest.fixture
def two(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


def states(hub: Coordinator) -> list[tuple[int, str]]:
    return [(one.version, one.state.value) for one in agreements.list_agreements(hub.context, OPERATOR)]


def in_force(hub: Coordinator, providers: list[Enrolled], **changes: Any) -> bytes:
    digest = hub.propose_agreement(providers, **changes)
    hub.sign_agreement(digest, *providers)
    return digest


def leave(hub: Coordinator, provider: Enrolled, digest: bytes, *, effective: date = TODAY) -> None:
    agreement = agreement_from_bytes(hub.agreement_bytes(digest))
    document = withdrawal_of(agreement, provider.id, reason="The board decided so.", effective=effective).to_bytes()
    signature = sign(provider.signing_key, Label.AGREEMENT_WITHDRAWAL, document)
    agreements.withdraw_from_agreement(hub.context, provider.actor, document=document, signature=signature)


def allowed(hub: Coordinator, *providers: Enrolled) -> bytes:
    """Give the hash of the version under which a round of these providers may be proposed."""
    project = project_from_toml(project_text(providers=[one.id for one in providers]))
    members = tuple(
        Member(party=one.id, name=one.id, identity_key=public_bytes(one.signing_key).hex(), agreement_key="")
        for one in providers
    )
    with hub.context.store.read() as tx:
        found, _ = agreements.agreement_for_round(hub.context, tx, project=project, members=members)
    return found.digest()


def test_version_comes_in_force_with_the_last_signature(hub: Coordinator, two: list[Enrolled]) -> None:
    digest = hub.propose_agreement(two)
    assert states(hub) == [(1, "proposed")]

    first = hub.sign_agreement(digest, two[0])
    assert first is not None
    assert first.waiting_for == (two[1].id,)
    hub.sign_agreement(digest, two[1])

    assert states(hub) == [(1, "in-force")]
    assert allowed(hub, *two) == digest


def test_keys_of_all_who_enrolled_are_pinned(hub: Coordinator, two: list[Enrolled]) -> None:
    analyst = hub.party("research", Role.ANALYST)
    document = agreement_from_bytes(hub.agreement_bytes(hub.propose_agreement(two, analysts=["research", "nobody"])))

    pinned = {one.party: one.identity_key for one in document.parties}
    enrolled = {str(one.id): one.signing_key.public_key().public_bytes_raw().hex() for one in (*two, analyst)}
    assert pinned == enrolled | {"nobody": None}


def test_signing_again_changes_nothing(hub: Coordinator, two: list[Enrolled]) -> None:
    digest = hub.propose_agreement(two)
    for _ in range(2):
        hub.sign_agreement(digest, two[0])

    assert [one["action"] for one in hub.events("coordinator")].count("agreement.sign") == 1


def test_signature_by_another_key_is_refused(hub: Coordinator, two: list[Enrolled]) -> None:
    digest = hub.propose_agreement(two)
    signature = sign(two[1].signing_key, Label.AGREEMENT, hub.agreement_bytes(digest))

    with pytest.raises(SignatureInvalid):
        agreements.sign_agreement(hub.context, two[0].actor, digest=digest, signature=signature)


def test_stranger_sees_and_does_nothing(hub: Coordinator, two: list[Enrolled]) -> None:
    digest, stranger = hub.propose_agreement(two), hub.party("stranger").actor

    assert agreements.list_agreements(hub.context, stranger) == []
    acts: list[Callable[[], object]] = [
        lambda: agreements.get_agreement(hub.context, stranger, agreement=AGREEMENT),
        lambda: agreements.get_agreement(hub.context, stranger, agreement=AgreementId("nothing")),
        lambda: agreements.sign_agreement(hub.context, stranger, digest=digest, signature=bytes(64)),
        lambda: agreements.sign_agreement(hub.context, stranger, digest=bytes(32), signature=bytes(64)),
        lambda: agreements.decline_agreement(hub.context, stranger, digest=digest, reason="No."),
    ]
    for act in acts:
        with pytest.raises(NotAMember):
            act()


def test_only_the_lead_or_the_operator_proposes(hub: Coordinator, two: list[Enrolled]) -> None:
    with pytest.raises(NotAMember):
        hub.propose_agreement(two, by=two[1].actor)
    in_force(hub, two)
    with pytest.raises(NotAMember):  # nor does one make itself the lead
        hub.propose_agreement(two, by=two[1].actor, lead="college")

    assert len(hub.propose_agreement(two, by=two[0].actor, title="Amended")) == 32


def test_signer_who_has_not_enrolled_is_named(hub: Coordinator, two: list[Enrolled]) -> None:
    hub.register("workforce")
    text = agreement_text(providers=[*(one.id for one in two), "workforce"])

    with pytest.raises(InvalidAgreement, match="workforce"):
        agreements.propose_agreement(hub.context, OPERATOR, text=text)


def test_key_in_the_file_has_to_be_the_partys(hub: Coordinator, two: list[Enrolled]) -> None:
    text = agreement_text(providers=[one.id for one in two]) + f'identity_key = "{"ab" * 32}"\n'

    with pytest.raises(InvalidAgreement, match="identity_key of college"):
        agreements.propose_agreement(hub.context, OPERATOR, text=text)


def test_amendment_takes_the_place_when_all_have_signed_and_not_before(hub: Coordinator, two: list[Enrolled]) -> None:
    first = in_force(hub, two)
    second = hub.propose_agreement(two, title="Amended")
    hub.sign_agreement(second, two[0])
    assert allowed(hub, *two) == first

    hub.sign_agreement(second, two[1])

    assert allowed(hub, *two) == second
    assert states(hub) == [(1, "superseded"), (2, "in-force")]
    assert agreement_from_bytes(hub.agreement_bytes(second)).previous == first.hex()


def test_one_version_at_a_time_is_proposed(hub: Coordinator, two: list[Enrolled]) -> None:
    hub.propose_agreement(two)

    with pytest.raises(InvalidAgreement, match="waits to be signed"):
        hub.propose_agreement(two, title="Amended")


@pytest.mark.parametrize("changes", [{"version": 3, "previous": "ab" * 32}, {"version": 2, "previous": "ab" * 32}])
def test_file_that_names_another_place_in_the_chain_is_refused(
    hub: Coordinator, two: list[Enrolled], changes: dict[str, Any]
) -> None:
    in_force(hub, two)

    with pytest.raises(InvalidAgreement, match="what follows"):
        hub.propose_agreement(two, **changes)


def test_declined_amendment_leaves_the_version_before_in_force(hub: Coordinator, two: list[Enrolled]) -> None:
    first = in_force(hub, two)
    second = hub.propose_agreement(two, title="Amended")
    hub.sign_agreement(second, two[0])
    agreements.decline_agreement(hub.context, two[1].actor, digest=second, reason="Our board wants 24 hours.")

    assert allowed(hub, *two) == first
    shown = agreements.get_agreement(hub.context, two[0].actor, agreement=AGREEMENT)[-1]
    assert [one.declined for one in shown.decisions] == ["Our board wants 24 hours.", None]
    with pytest.raises(AgreementNotInForce, match="declined"):
        hub.sign_agreement(second, two[1])
    third = hub.propose_agreement(two, title="Amended anew")
    assert agreement_from_bytes(hub.agreement_bytes(third)).version == 2


@pytest.mark.parametrize("reason", ["", "two\nlines", "x" * 1001])
def test_declining_needs_a_reason_of_one_line(hub: Coordinator, two: list[Enrolled], reason: str) -> None:
    digest = hub.propose_agreement(two)

    with pytest.raises(MalformedMessage):
        agreements.decline_agreement(hub.context, two[0].actor, digest=digest, reason=reason)


def test_who_signed_cannot_decline(hub: Coordinator, two: list[Enrolled]) -> None:
    digest = hub.propose_agreement(two)
    hub.sign_agreement(digest, two[0])

    with pytest.raises(AgreementNotInForce, match="withdraw"):
        agreements.decline_agreement(hub.context, two[0].actor, digest=digest, reason="No.")


def test_party_that_is_left_out_has_to_sign_that_too(hub: Coordinator, two: list[Enrolled]) -> None:
    three = [*two, hub.party("workforce")]
    in_force(hub, three)
    second = hub.propose_agreement(two, title="Without workforce")
    hub.sign_agreement(second, *two)
    assert states(hub) == [(1, "in-force"), (2, "proposed")]

    hub.sign_agreement(second, three[2])

    assert states(hub) == [(1, "superseded"), (2, "in-force")]


def test_party_that_withdrew_need_not_sign_what_leaves_it_out(hub: Coordinator, two: list[Enrolled]) -> None:
    three = [*two, hub.party("workforce")]
    leave(hub, three[2], in_force(hub, three))
    second = hub.propose_agreement(two, title="Without workforce")
    hub.sign_agreement(second, *two)

    assert allowed(hub, *two) == second


def test_withdrawn_party_is_in_no_new_round_from_the_day_on(hub: Coordinator, two: list[Enrolled]) -> None:
    three = [*two, hub.party("workforce")]
    leave(hub, three[2], in_force(hub, three), effective=TODAY + timedelta(days=30))
    allowed(hub, *three)

    hub.clock.set(START + timedelta(days=30))

    with pytest.raises(AgreementNotInForce, match="workforce withdrew"):
        allowed(hub, *three)
    allowed(hub, *two)


def test_party_that_signs_the_next_version_is_back(hub: Coordinator, two: list[Enrolled]) -> None:
    leave(hub, two[1], in_force(hub, two))
    in_force(hub, two, title="Amended")

    allowed(hub, *two)


def test_withdrawal_is_by_the_party_itself_and_from_what_is_in_force(hub: Coordinator, two: list[Enrolled]) -> None:
    digest = hub.propose_agreement(two)
    with pytest.raises(AgreementNotInForce, match="not in force"):
        leave(hub, two[0], digest)
    hub.sign_agreement(digest, *two)
    document = withdrawal_of(
        agreement_from_bytes(hub.agreement_bytes(digest)), two[1].id, reason="Forged.", effective=TODAY
    ).to_bytes()
    signature = sign(two[0].signing_key, Label.AGREEMENT_WITHDRAWAL, document)

    with pytest.raises(MalformedDocument, match="another party"):
        agreements.withdraw_from_agreement(hub.context, two[0].actor, document=document, signature=signature)
    with pytest.raises(SignatureInvalid):
        agreements.withdraw_from_agreement(hub.context, two[1].actor, document=document, signature=signature)
    allowed(hub, *two)


def test_leaving_twice_with_the_same_words_changes_nothing(hub: Coordinator, two: list[Enrolled]) -> None:
    digest = in_force(hub, two)
    for _ in range(2):
        leave(hub, two[1], digest)

    assert [one["action"] for one in hub.events("coordinator")].count("agreement.withdraw") == 1


@pytest.mark.parametrize(
    ("effective", "expires", "said"),
    [
        (TODAY, TODAY + timedelta(days=1), None),
        (TODAY - timedelta(days=1), TODAY, None),
        (TODAY + timedelta(days=1), TODAY + timedelta(days=9), "counts from"),
        (TODAY - timedelta(days=9), TODAY - timedelta(days=1), "expired"),
    ],
)
def test_agreement_allows_rounds_on_its_days_alone(
    hub: Coordinator, two: list[Enrolled], effective: date, expires: date, said: str | None
) -> None:
    digest = in_force(hub, two, effective=effective, expires=expires)

    if said is None:
        assert allowed(hub, *two) == digest
        return
    with pytest.raises(AgreementNotInForce, match=said):
        allowed(hub, *two)


def test_agreement_that_was_never_proposed_or_never_signed_allows_nothing(
    hub: Coordinator, two: list[Enrolled]
) -> None:
    with pytest.raises(AgreementNotInForce, match="never proposed"):
        allowed(hub, *two)
    hub.propose_agreement(two)
    with pytest.raises(AgreementNotInForce, match="signed by all"):
        allowed(hub, *two)


def test_versions_tell_their_signatures_and_withdrawals(hub: Coordinator, two: list[Enrolled]) -> None:
    digest = in_force(hub, two)
    leave(hub, two[1], digest)

    (version,) = agreements.get_agreement(hub.context, two[0].actor, agreement=AGREEMENT)

    assert version.summary.state is AgreementState.IN_FORCE
    assert version.summary.withdrawn == (two[1].id,)
    document = agreement_from_bytes(version.document)
    for party, signature in version.signatures().items():
        document.check_signature(party, signature)
    assert set(version.signatures()) == {one.id for one in two}


def propose_round(hub: Coordinator) -> RoundId:
    return rounds.propose_round(
        hub.context, OPERATOR, project_id=PROJECT, coordinator_key=public_bytes(hub.signing_key)
    ).round_id


def with_project(hub: Coordinator, two: list[Enrolled], **changes: Any) -> None:
    text = project_text(providers=[one.id for one in two], **changes)
    rounds.add_project(hub.context, OPERATOR, text=text)


def test_round_pins_the_agreement_with_everybodys_signature(hub: Coordinator, two: list[Enrolled]) -> None:
    digest = in_force(hub, two)
    with_project(hub, two)

    manifest = hub.manifest(propose_round(hub))

    assert manifest.agreement.digest() == digest
    for party, signature in manifest.agreement_signatures.items():
        manifest.agreement.check_signature(party, bytes.fromhex(signature))


def test_round_is_not_proposed_without_an_agreement_in_force(hub: Coordinator, two: list[Enrolled]) -> None:
    with_project(hub, two)

    with pytest.raises(AgreementNotInForce, match="never proposed"):
        propose_round(hub)
    digest = hub.propose_agreement(two)
    with pytest.raises(AgreementNotInForce, match="signed by all"):
        propose_round(hub)
    hub.sign_agreement(digest, *two)
    leave(hub, two[1], digest)
    with pytest.raises(AgreementNotInForce, match="college withdrew"):
        propose_round(hub)
    assert not [one for one in hub.events() if one["action"].startswith("round.")]


def test_round_with_whom_the_agreement_does_not_name_is_not_proposed(hub: Coordinator, two: list[Enrolled]) -> None:
    hub.party("research", Role.ANALYST)
    in_force(hub, two)
    with_project(hub, [*two, hub.party("workforce")], analysts=["research"])

    with pytest.raises(AgreementNotInForce, match=r"workforce as provider.*research as analyst"):
        propose_round(hub)


def test_superseded_manifest_is_not_signed(hub: Coordinator, two: list[Enrolled]) -> None:
    in_force(hub, two)
    with_project(hub, two)
    round_id = propose_round(hub)
    hub.sign(round_id, two[0])
    in_force(hub, two, title="Amended")

    with pytest.raises(AgreementNotInForce, match="under version 1, and version 2"):
        hub.sign(round_id, two[1])
    assert hub.manifest(propose_round(hub)).agreement.version == 2


def test_round_is_not_signed_after_the_agreement_expired_or_a_member_left(
    hub: Coordinator, two: list[Enrolled]
) -> None:
    digest = in_force(hub, two, expires=TODAY + timedelta(days=10))
    with_project(hub, two)
    round_id = propose_round(hub)
    leave(hub, two[1], digest, effective=TODAY + timedelta(days=5))

    hub.clock.set(START + timedelta(days=5))
    with pytest.raises(AgreementNotInForce, match="college withdrew"):
        hub.sign(round_id, two[0])
    hub.clock.set(START + timedelta(days=11))
    with pytest.raises(AgreementNotInForce, match="expired"):
        hub.sign(round_id, two[0])
