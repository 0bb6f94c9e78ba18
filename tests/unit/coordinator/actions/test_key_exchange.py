"""Relaying the key agreement: once, from its sender, for this round, and out again byte for byte."""

from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from harness import OPERATOR, Coordinator, Enrolled, agreement_key_of, public_bytes, wraps_of
from project_files import PROJECT

from isthmus.contract.errors import (
    InvalidProject,
    IsthmusError,
    MalformedDocument,
    NotAMember,
    NotReady,
    RoundStateMismatch,
    SignatureInvalid,
    SubmissionConflict,
    WrongManifest,
)
from isthmus.contract.ids import RoundId
from isthmus.contract.key_agreement import SignedWraps
from isthmus.contract.parties import Role
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import key_exchange, rounds
from isthmus.coordinator.domain.roles import Actor


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college", "workforce")


@pytest.fixture
def locked(hub: Coordinator, providers: list[Enrolled]) -> RoundId:
    round_id = hub.propose(providers)
    hub.sign(round_id, *providers)
    return round_id


def _waited_for(hub: Coordinator, provider: Enrolled, round_id: RoundId) -> dict[str, str]:
    view = rounds.get_round(hub.context, provider.actor, round_id=round_id)[0]
    return {one.party: one.needs.partition(":")[0] for one in view.waiting_for}


def test_round_waits_for_parts_then_for_proofs_and_the_last_one_opens_the_preflight(
    hub: Coordinator, providers: list[Enrolled], locked: RoundId
) -> None:
    terms = hub.manifest(locked).key_terms()
    first, *rest = providers
    hub.send_wraps(first, wraps_of(terms, first), round_id=locked)
    needs = _waited_for(hub, first, locked)
    assert list(needs) == ["college", "workforce"]
    assert all(one.endswith("send its part of the round's key") for one in needs.values())
    for one in rest:
        hub.send_wraps(one, wraps_of(terms, one), round_id=locked)
    assert set(_waited_for(hub, first, locked).values()) == {"confirm the round's key"}
    for one in rest:
        hub.send_confirmation(one, hub.proof_of(locked, one), round_id=locked)
    assert hub.state(locked) is RoundState.LOCKED
    hub.send_confirmation(first, hub.proof_of(locked, first), round_id=locked)

    assert hub.state(locked) is RoundState.PREFLIGHT
    actions = [event["action"] for event in hub.events() if event["action"] in {"round.wrap", "round.confirm"}]
    assert actions == ["round.wrap"] * 3 + ["round.confirm"] * 3


@pytest.mark.parametrize("require_verified", [True, False])
def test_round_that_wants_members_verified_says_that_fingerprints_may_hold_it_up(
    hub: Coordinator, providers: list[Enrolled], require_verified: bool
) -> None:
    round_id = hub.propose(providers, require_verified=require_verified)
    hub.sign(round_id, *providers)

    (listed,) = rounds.list_all_rounds(hub.context)

    assert ["fingerprints" in one.needs for one in listed.waiting_for] == [require_verified] * 3


def test_documents_come_out_as_they_went_in(hub: Coordinator, providers: list[Enrolled], locked: RoundId) -> None:
    terms = hub.manifest(locked).key_terms()
    hub.agree(locked, *providers)

    wraps = list(key_exchange.fetch_wraps(hub.context, providers[0].actor, round_id=locked))
    proofs = list(key_exchange.fetch_confirmations(hub.context, providers[0].actor, round_id=locked))

    assert sorted(wraps) == sorted(wraps_of(terms, one).to_bytes() for one in providers)
    assert sorted(proofs) == sorted(hub.proof_of(locked, one).to_bytes() for one in providers)


def test_same_document_again_is_harmless_in_any_state(
    hub: Coordinator, providers: list[Enrolled], locked: RoundId
) -> None:
    hub.agree(locked, *providers)
    before = hub.events()

    hub.agree(locked, *providers)

    assert hub.events() == before


def test_another_document_of_the_same_party_is_refused(
    hub: Coordinator, providers: list[Enrolled], locked: RoundId
) -> None:
    terms, one = hub.manifest(locked).key_terms(), providers[0]
    hub.send_wraps(one, wraps_of(terms, one), round_id=locked)
    with pytest.raises(SubmissionConflict, match="its part of the key"):
        hub.send_wraps(one, wraps_of(terms, one, "another"), round_id=locked)
    for other in providers[1:]:
        hub.send_wraps(other, wraps_of(terms, other), round_id=locked)
    proof = hub.proof_of(locked, one)
    hub.send_confirmation(one, proof, round_id=locked)
    hub.agree(locked, *providers)
    with pytest.raises(RoundStateMismatch):
        hub.send_wraps(one, wraps_of(terms, one, "another"), round_id=locked)


Change = Callable[[SignedWraps], SignedWraps]
REFUSED: dict[str, tuple[Change, type[IsthmusError]]] = {
    "another sender": (lambda w: msgspec.structs.replace(w, sender="workforce"), MalformedDocument),
    "another round": (lambda w: msgspec.structs.replace(w, agreement="00" * 32), WrongManifest),
    "another epoch": (lambda w: msgspec.structs.replace(w, epoch=2), WrongManifest),
    "a member left out": (lambda w: msgspec.structs.replace(w, wraps=w.wraps[:1]), WrongManifest),
    "another commitment": (lambda w: msgspec.structs.replace(w, commitment="00" * 32), SignatureInvalid),
}


@pytest.mark.parametrize("name", REFUSED)
def test_part_that_is_not_the_senders_for_this_round_is_refused_and_not_kept(
    hub: Coordinator, providers: list[Enrolled], locked: RoundId, name: str
) -> None:
    change, refusal = REFUSED[name]
    wraps = change(wraps_of(hub.manifest(locked).key_terms(), providers[0]))

    with pytest.raises(refusal):
        hub.send_wraps(providers[0], wraps, round_id=locked)

    assert list(key_exchange.fetch_wraps(hub.context, providers[0].actor, round_id=locked)) == []


def test_nobody_sends_in_anothers_name(hub: Coordinator, providers: list[Enrolled], locked: RoundId) -> None:
    terms, (one, other, _) = hub.manifest(locked).key_terms(), providers

    with pytest.raises(WrongManifest, match="another party than its sender"):
        hub.send_wraps(one, wraps_of(terms, other), round_id=locked)


def test_proof_before_every_part_is_there_is_not_ready(
    hub: Coordinator, providers: list[Enrolled], locked: RoundId
) -> None:
    one = providers[0]
    hub.send_wraps(one, wraps_of(hub.manifest(locked).key_terms(), one), round_id=locked)

    with pytest.raises(NotReady, match="not every member has sent its part"):
        hub.send_confirmation(one, hub.proof_of(locked, one), round_id=locked)


@pytest.mark.parametrize("change", [{"party": "workforce"}, {"agreement": "00" * 32}, {"epoch": 2}, {"mac": "00" * 32}])
def test_proof_that_is_not_the_senders_for_this_round_is_refused(
    hub: Coordinator, providers: list[Enrolled], locked: RoundId, change: dict[str, object]
) -> None:
    terms = hub.manifest(locked).key_terms()
    for one in providers:
        hub.send_wraps(one, wraps_of(terms, one), round_id=locked)
    proof = msgspec.structs.replace(hub.proof_of(locked, providers[0]), **change)

    with pytest.raises((WrongManifest, SignatureInvalid)):
        hub.send_confirmation(providers[0], proof, round_id=locked)

    assert list(key_exchange.fetch_confirmations(hub.context, providers[0].actor, round_id=locked)) == []


def test_document_over_its_bound_is_refused(hub: Coordinator, providers: list[Enrolled], locked: RoundId) -> None:
    for send in (key_exchange.send_wraps, key_exchange.send_confirmation):
        with pytest.raises(MalformedDocument, match="over 65536 bytes"):
            send(hub.context, providers[0].actor, round_id=locked, document=b" " * 65_537)


def test_nothing_is_sent_before_all_have_signed(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id = hub.propose(providers)

    with pytest.raises(RoundStateMismatch, match="needs locked"):
        hub.send_wraps(providers[0], wraps_of(hub.manifest(round_id).key_terms(), providers[0]), round_id=round_id)


def test_who_has_no_part_in_the_round_neither_sends_nor_sees(
    hub: Coordinator, providers: list[Enrolled], locked: RoundId
) -> None:
    stranger = hub.party("stranger")
    terms = hub.manifest(locked).key_terms()

    with pytest.raises(NotAMember):
        hub.send_wraps(stranger, wraps_of(terms, providers[0]), round_id=locked)
    for fetch in (key_exchange.fetch_wraps, key_exchange.fetch_confirmations):
        with pytest.raises(NotAMember):
            fetch(hub.context, stranger.actor, round_id=locked)


def _rekey(hub: Coordinator, provider: Enrolled, seed: str) -> None:
    shown = agreement_key_of(provider.id, provider.signing_key, seed)
    hub.enrol(hub.mint(provider.id), provider.signing_key, agreement_key=shown)


def test_epoch_grows_when_a_members_key_changes_and_not_otherwise(hub: Coordinator, providers: list[Enrolled]) -> None:
    epochs = [hub.manifest(hub.propose(providers)).epoch for _ in range(2)]
    for seed in ("new", "new", ""):
        _rekey(hub, providers[0], seed)
        epochs.append(hub.manifest(hub.propose(providers)).epoch)

    assert epochs == [1, 1, 2, 2, 3]
    assert [event["outcome"] for event in hub.events() if event["action"] == "project.epoch"] == [
        "epoch 1", "epoch 2", "epoch 3"
    ]  # fmt: skip


def test_agreement_key_has_to_be_bound_to_the_party_by_its_identity_key(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    one, other, _ = providers
    token = hub.mint(one.id)
    for wrong in (
        agreement_key_of(other.id, one.signing_key, "new"),
        agreement_key_of(one.id, other.signing_key, "new"),
    ):
        with pytest.raises(SignatureInvalid):
            hub.enrol(token, one.signing_key, agreement_key=wrong)

    assert hub.enrol(token, one.signing_key), "and failing costs no token"
    assert hub.manifest(hub.propose(providers)).epoch == 1, "an enrolment without an agreement key keeps the old one"


def test_party_without_an_agreement_key_keeps_a_round_from_being_proposed(hub: Coordinator) -> None:
    riverside, key = hub.party("riverside"), Ed25519PrivateKey.generate()
    actor = Actor(party=hub.register("college"), role=Role.PROVIDER)
    hub.enrol(hub.mint("college"), key)

    with pytest.raises(InvalidProject, match="have not enrolled yet: college"):
        hub.propose([riverside, Enrolled(actor=actor, signing_key=key)])


def test_two_parties_with_one_key_cannot_be_in_one_round(hub: Coordinator, providers: list[Enrolled]) -> None:
    hub.propose(providers)
    one, other, _ = providers
    with hub.context.store.begin() as tx:
        key = tx.parties.get(one.id).agreement_key or b""
        event = hub.context.event(scope="coordinator", actor=None, action="party.key", object=other.id, outcome="test")
        tx.parties.set_agreement_key(other.id, key, audit=event)

    with pytest.raises(MalformedDocument, match="share an id or a key"):
        rounds.propose_round(hub.context, OPERATOR, project_id=PROJECT, coordinator_key=public_bytes(hub.signing_key))
