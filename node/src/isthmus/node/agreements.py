"""Agreements at the node: what the coordinator shows of one is checked here before a person reads it or it is signed.

The coordinator's word that a version is in force counts for nothing: signatures do. A history that leaves out the
version which this node knows to be in force is refused. docs/protocol.md section 16.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from isthmus.contract.agreement import Agreement, Withdrawal, agreement_from_bytes, withdrawal_from_bytes, withdrawal_of
from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.agreement_views import AgreementSummary, AgreementVersion
from isthmus.contract.canonical import Label, sign, verify
from isthmus.contract.clock import to_text
from isthmus.contract.ids import AgreementId, PartyId
from isthmus.node.agreement_client import AgreementClient
from isthmus.node.errors import AgreementNotShown, AgreementRefused
from isthmus.node.node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A version as it came, with everything in it checked: the document, signatures and withdrawals."""

    view: AgreementVersion
    agreement: Agreement
    withdrawals: tuple[Withdrawal, ...]

    @property
    def state(self) -> AgreementState:
        """Where the coordinator says that it stands."""
        return self.view.summary.state


def receive(node: Node, client: AgreementClient, agreement: AgreementId) -> tuple[Received, ...]:
    """Fetch all versions of an agreement, check them, and remember which is in force.

    Raises:
        AgreementRefused: the versions are another agreement's, do not follow from each other, leave out what this node
            knows to be in force, or pin another key for this party; or one counts as signed by all and is not.
        SignatureInvalid: a signature or a withdrawal does not hold.
    """
    found = tuple(_received(one) for one in client.get(agreement))
    _check_chain(found, agreement, node.vault.agreements.in_force(agreement))
    for one in found:
        _check_own_key(one.agreement, node)
        if one.state in {AgreementState.IN_FORCE, AgreementState.SUPERSEDED}:
            _check_all_signed(one)
            node.vault.agreements.save_in_force(one.agreement)
    return found


def newest(found: Sequence[Received]) -> Received:
    """Give the version that people ask for: the proposed one, else the one in force, else the last."""
    for state in (AgreementState.PROPOSED, AgreementState.IN_FORCE):
        for one in found:
            if one.state is state:
                return one
    return found[-1]


def before(found: Sequence[Received], one: Received) -> Agreement | None:
    """Give the version that this one amends."""
    return next((other.agreement for other in found if other.view.summary.digest.hex() == one.agreement.previous), None)


def sign_agreement(node: Node, client: AgreementClient, agreement: AgreementId) -> AgreementSummary:
    """Sign the proposed version, which a person here was shown, and see whether it is in force now.

    Raises:
        AgreementNotShown: nobody here was shown these very terms.
        AgreementRefused: nothing is proposed; or as `receive`.
    """
    one = _proposed(receive(node, client, agreement), agreement)
    if not node.vault.agreements.was_shown(one.view.summary.digest):
        raise AgreementNotShown(agreement=agreement)
    node.vault.agreements.save_signed(one.agreement, at=to_text(node.clock.now()))
    signature = sign(node.identity.signing_key, Label.AGREEMENT, one.agreement.to_bytes())
    summary = client.sign(one.view.summary.digest, signature)
    receive(node, client, agreement)
    return summary


def decline_agreement(node: Node, client: AgreementClient, agreement: AgreementId, *, reason: str) -> AgreementSummary:
    """Refuse the proposed version, for a reason that the others read; raises as `receive`."""
    one = _proposed(receive(node, client, agreement), agreement)
    return client.decline(one.view.summary.digest, reason=reason)


def withdraw(
    node: Node, client: AgreementClient, agreement: AgreementId, *, reason: str, effective: date
) -> AgreementSummary:
    """Leave the version in force from that day on. It is remembered here first, whatever becomes of the call."""
    one = next((one for one in receive(node, client, agreement) if one.state is AgreementState.IN_FORCE), None)
    if one is None:
        raise AgreementRefused(agreement=agreement, problem="no version of it is in force, so there is none to leave")
    left = withdrawal_of(one.agreement, node.identity.party, reason=reason, effective=effective)
    node.vault.agreements.save_withdrawal(left)
    kept = node.vault.agreements.withdrawal(one.view.summary.digest) or left
    document = kept.to_bytes()
    return client.withdraw(document, sign(node.identity.signing_key, Label.AGREEMENT_WITHDRAWAL, document))


def propose(node: Node, client: AgreementClient, draft: Agreement, text: str) -> Received:
    """Propose a version and give it as the coordinator put it; raise `AgreementRefused` where it says other things."""
    digest = client.propose(text).digest
    found = receive(node, client, draft.id)
    made = next((one for one in found if one.view.summary.digest == digest), None)
    if made is None or not made.agreement.same_terms(draft):
        raise AgreementRefused(agreement=draft.id, problem="the coordinator proposed other terms than the file's")
    return made


def _received(view: AgreementVersion) -> Received:
    agreement = agreement_from_bytes(view.document)
    signers = set(agreement.signers())
    for party, signature in view.signatures().items():
        if party in signers:  # one that the version leaves out signs too, with the key of the version before
            agreement.check_signature(party, signature)
    return Received(
        view=view,
        agreement=agreement,
        withdrawals=tuple(_withdrawal(agreement, one.document, one.signature) for one in view.withdrawals),
    )


def _withdrawal(agreement: Agreement, document: bytes, signature: bytes) -> Withdrawal:
    left = withdrawal_from_bytes(document)
    named = agreement.party(left.party)
    if named is None or named.identity_key is None or left.digest != agreement.digest().hex():
        raise AgreementRefused(agreement=agreement.id, problem="a withdrawal in it is from something else")
    verify(bytes.fromhex(named.identity_key), Label.AGREEMENT_WITHDRAWAL, document, signature)
    return left


def _check_chain(found: Sequence[Received], wanted: AgreementId, known: Agreement | None) -> None:
    versions = {one.view.summary.digest.hex(): one.agreement for one in found}
    for agreement in versions.values():
        if agreement.id != wanted:
            raise AgreementRefused(agreement=wanted, problem="the coordinator sent another agreement")
        previous = versions.get(agreement.previous) if agreement.previous else None
        if agreement.previous and (previous is None or previous.version != agreement.version - 1):
            raise AgreementRefused(agreement=wanted, problem="its versions do not follow from each other")
    if known is None:
        return
    digest = known.digest().hex()
    later = [
        agreement
        for one, agreement in zip(found, versions.values(), strict=True)
        if one.state is AgreementState.PROPOSED or (one.state is AgreementState.IN_FORCE and agreement != known)
    ]
    if digest not in versions or not all(_descends(one, digest, versions) for one in later):
        problem = "the coordinator shows a history without the version that this node knows to be in force"
        raise AgreementRefused(agreement=wanted, problem=problem)


def _descends(agreement: Agreement, digest: str, versions: dict[str, Agreement]) -> bool:
    at: Agreement | None = agreement
    while at is not None and at.previous is not None:
        if at.previous == digest:
            return True
        at = versions.get(at.previous)
    return False


def _check_own_key(agreement: Agreement, node: Node) -> None:
    named = agreement.party(node.identity.party)
    own = node.identity.signing_key.public_key().public_bytes_raw().hex()
    if named is not None and named.identity_key != own:
        problem = f"version {agreement.version} pins another key for this party than this node's"
        raise AgreementRefused(agreement=agreement.id, problem=problem)


def _check_all_signed(one: Received) -> None:
    lacking = [party for party in one.agreement.signers() if party not in one.view.signatures()]
    if lacking:
        problem = f"the coordinator says that it is in force without the signature of {', '.join(lacking)}"
        raise AgreementRefused(agreement=one.agreement.id, problem=problem)


def _proposed(found: Sequence[Received], agreement: AgreementId) -> Received:
    one = newest(found)
    if one.state is not AgreementState.PROPOSED:
        problem = f"no version of it waits to be signed; version {one.agreement.version} is {one.state.value}"
        raise AgreementRefused(agreement=agreement, problem=problem)
    return one


def decided_lines(one: Received, party: PartyId) -> list[str]:
    """Say who signed, who declined and why, who has still to decide, and who left."""
    lines = []
    for decision in one.view.decisions:
        said = f"declined: {decision.declined}" if decision.declined else "signed"
        lines.append(f"  {_you(decision.party, party)} {said}, {to_text(decision.at)}")
    lines += [f"  {_you(waiting, party)} has not signed yet" for waiting in one.view.summary.waiting_for]
    lines += [f"  {_you(left.party, party)} left from {left.effective} on: {left.reason}" for left in one.withdrawals]
    return lines


def _you(party: PartyId, reader: PartyId) -> str:
    return f"{party} (you)" if party == reader else party
