"""Proposing, signing, declining and leaving agreements, and whether one allows a round. docs/protocol.md section 16."""

from datetime import date

from isthmus.contract.agreement import Agreement, agreement_from_toml, checked_agreement, withdrawal_from_bytes
from isthmus.contract.agreement_check import LONGEST_REASON
from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.agreement_views import AgreementSummary, AgreementVersion, Decision, SignedWithdrawal
from isthmus.contract.canonical import Label, same_bytes, verify
from isthmus.contract.errors import (
    AgreementNotInForce,
    InvalidAgreement,
    MalformedDocument,
    MalformedMessage,
    NotAMember,
    NotFound,
)
from isthmus.contract.ids import AgreementId, PartyId
from isthmus.contract.manifest import Member, RoundManifest
from isthmus.contract.parties import Role
from isthmus.contract.project import Project
from isthmus.contract.project_agreement import round_problems
from isthmus.contract.text import is_plain_line
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.domain.agreements import (
    AgreementHistory,
    AgreementRow,
    DecisionRow,
    WithdrawalRow,
    round_problem,
)
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE, AuditEvent
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.store.protocol import Transaction

_State = AgreementState


def propose_agreement(context: Context, actor: Actor, *, text: str) -> AgreementSummary:
    """Read an agreement file, give it its place in the chain and its parties' keys, and put it to those who sign.

    Raises:
        MalformedDocument, UnsupportedVersion: the file cannot be read.
        InvalidAgreement: it is unlawful, a signer has not enrolled or has another key, it does not follow from the
            version in force, or another version waits to be signed.
        NotAMember: a provider proposes what it does not lead.
    """
    draft = agreement_from_toml(text)
    with context.store.begin() as tx:
        history = _history_or_none(tx, draft.id)
        _check_may_propose(actor, draft, history)
        agreement = checked_agreement(_pinned(tx, _placed(draft, history)))
        row = AgreementRow(
            id=agreement.id,
            version=agreement.version,
            digest=agreement.digest(),
            document=agreement.to_bytes(),
            state=_State.PROPOSED,
        )
        tx.agreements.add(row, audit=_event(context, actor, row, "agreement.propose"))
        return _summary(tx.agreements.history(draft.id), row, day=_today(context))


def sign_agreement(context: Context, actor: Actor, *, digest: bytes, signature: bytes) -> AgreementSummary:
    """Keep a provider's signature on a proposed version; the last one brings it in force. Again changes nothing.

    Raises:
        NotAMember: the caller has not to sign it, or there is none.
        AgreementNotInForce: the version is past signing.
        SignatureInvalid: the signature does not hold under the key that is pinned for the caller.
    """
    with context.store.begin() as tx:
        history, row = _own_version(tx, actor, digest)
        if actor.party in history.signatures(digest):
            return _summary(history, row, day=_today(context))
        key = _key_to_sign(history, actor, row, day=_today(context))
        verify(key, Label.AGREEMENT, row.document, signature)
        decision = DecisionRow(digest=digest, party=actor.party, at=context.clock.now(), signature=signature)
        tx.agreements.decide(decision, audit=_event(context, actor, row, "agreement.sign"))
        history = tx.agreements.history(row.id)
        if not history.waiting_for(digest, day=_today(context)):
            _bring_in_force(context, tx, history, row)
        return _summary_of(tx, row, day=_today(context))


def decline_agreement(context: Context, actor: Actor, *, digest: bytes, reason: str) -> AgreementSummary:
    """Refuse a proposed version, which ends it; the version before stays in force. Raises as `sign_agreement`."""
    if not is_plain_line(reason, LONGEST_REASON):
        raise MalformedMessage(field="reason", problem=f"not one printable line of 1 to {LONGEST_REASON} characters")
    with context.store.begin() as tx:
        history, row = _own_version(tx, actor, digest)
        _key_to_sign(history, actor, row, day=_today(context))
        if actor.party in history.signatures(digest):
            problem = "this party signed this version; to leave it, use isthmus-node agreement withdraw"
            raise AgreementNotInForce(agreement=row.id, problem=problem)
        decision = DecisionRow(digest=digest, party=actor.party, at=context.clock.now(), declined=reason)
        tx.agreements.decide(decision, audit=_event(context, actor, row, "agreement.decline"))
        tx.agreements.advance(
            digest, expect=_State.PROPOSED, to=_State.DECLINED, audit=_event(context, None, row, "agreement.end")
        )
        return _summary_of(tx, row, day=_today(context))


def withdraw_from_agreement(context: Context, actor: Actor, *, document: bytes, signature: bytes) -> AgreementSummary:
    """Keep a provider's signed withdrawal from the version in force; the same again changes nothing.

    Raises:
        MalformedDocument, MalformedMessage, UnsupportedVersion: it is no withdrawal, or another party's.
        NotAMember: the caller is not a party of it.
        AgreementNotInForce: the version is not in force.
        SignatureInvalid: the signature does not hold under the key that the version pins.
    """
    left = withdrawal_from_bytes(document)
    if left.party != actor.party:
        raise MalformedDocument(document="withdrawal", problem="it is another party's")
    with context.store.begin() as tx:
        history, row = _own_version(tx, actor, bytes.fromhex(left.digest))
        if any(one.document == document for one in history.withdrawals):
            return _summary(history, row, day=_today(context))
        named = history.documents[row.digest].party(actor.party)
        if row.state is not _State.IN_FORCE or named is None or left.agreement != row.id:
            raise AgreementNotInForce(agreement=row.id, problem="the version is not in force, so nobody can leave it")
        verify(bytes.fromhex(named.identity_key or ""), Label.AGREEMENT_WITHDRAWAL, document, signature)
        kept = WithdrawalRow(digest=row.digest, party=actor.party, document=document, signature=signature)
        tx.agreements.withdraw(kept, audit=_event(context, actor, row, "agreement.withdraw"))
        return _summary_of(tx, row, day=_today(context))


def list_agreements(context: Context, actor: Actor) -> list[AgreementSummary]:
    """Give every version of the agreements that the caller signs, or of all for the operator."""
    day = _today(context)
    with context.store.read() as tx:
        histories = [tx.agreements.history(one) for one in tx.agreements.ids()]
    return [
        _summary(history, row, day=day)
        for history in histories
        if actor.role is Role.OPERATOR or actor.party in history.parties()
        for row in history.versions
    ]


def get_agreement(context: Context, actor: Actor, *, agreement: AgreementId) -> list[AgreementVersion]:
    """Give all versions of an agreement of the caller's, in order; raise `NotAMember`."""
    day = _today(context)
    with context.store.read() as tx:
        history = _own_history(tx, actor, agreement)
    return [_version(history, row, day=day) for row in history.versions]


def agreement_for_round(
    context: Context, tx: Transaction, *, project: Project, members: tuple[Member, ...]
) -> tuple[Agreement, dict[PartyId, bytes]]:
    """Give the version under which a round may be proposed today, and its signatures; raise `AgreementNotInForce`."""
    history = _history_or_none(tx, project.agreement)
    if history is None:
        never = f"project {project.id} names it, but it was never proposed: isthmus-coordinator agreement add"
        raise AgreementNotInForce(agreement=project.agreement, problem=never)
    problem = round_problem(history, day=_today(context), providers=project.provider_ids())
    row = history.in_state(_State.IN_FORCE)
    if problem is not None or row is None:
        raise AgreementNotInForce(agreement=project.agreement, problem=problem or "it is not in force")
    agreement = history.documents[row.digest]
    if not_allowed := tuple(round_problems(project, members, agreement)):
        raise AgreementNotInForce(agreement=project.agreement, problem="; ".join(not_allowed))
    return agreement, history.signatures(row.digest)


def check_still_in_force(context: Context, tx: Transaction, manifest: RoundManifest) -> None:
    """Return only if a round could be proposed today under the very version that its manifest pins."""
    agreement, _ = agreement_for_round(context, tx, project=manifest.project, members=manifest.members)
    if agreement != manifest.agreement:
        now, then = agreement.version, manifest.agreement.version
        problem = f"the round is under version {then}, and version {now} is in force; propose a new round"
        raise AgreementNotInForce(agreement=agreement.id, problem=problem)


def _today(context: Context) -> date:
    return context.clock.now().date()


def _history_or_none(tx: Transaction, agreement: AgreementId) -> AgreementHistory | None:
    try:
        return tx.agreements.history(agreement)
    except NotFound:
        return None


def _own_history(tx: Transaction, actor: Actor, agreement: AgreementId) -> AgreementHistory:
    """Give an agreement of the caller's; one that is not looks as if it did not exist."""
    history = _history_or_none(tx, agreement)
    if history is None or actor.party not in history.parties():
        raise NotAMember(kind="agreement", id=agreement)
    return history


def _own_version(tx: Transaction, actor: Actor, digest: bytes) -> tuple[AgreementHistory, AgreementRow]:
    try:
        history = _own_history(tx, actor, tx.agreements.agreement_of(digest))
    except NotFound:
        raise NotAMember(kind="agreement", id=digest.hex()) from None
    return history, next(row for row in history.versions if row.digest == digest)


def _key_to_sign(history: AgreementHistory, actor: Actor, row: AgreementRow, *, day: date) -> bytes:
    if row.state is not _State.PROPOSED:
        problem = f"version {row.version} is {row.state.value}, so it cannot be signed or declined"
        raise AgreementNotInForce(agreement=row.id, problem=problem)
    keys = history.keys_to_sign(row.digest, day=day)
    if actor.party not in keys:
        raise NotAMember(kind="agreement", id=row.id)
    return keys[actor.party]


def _check_may_propose(actor: Actor, draft: Agreement, history: AgreementHistory | None) -> None:
    if actor.role is Role.OPERATOR:
        return
    force = history.in_state(_State.IN_FORCE) if history else None
    leads = {draft.lead, *([history.documents[force.digest].lead] if history and force else [])}
    if leads != {actor.party}:
        raise NotAMember(kind="agreement led by this party", id=draft.id)


def _placed(draft: Agreement, history: AgreementHistory | None) -> Agreement:
    force = history.in_state(_State.IN_FORCE) if history else None
    if history and (waits := history.in_state(_State.PROPOSED)):
        raise InvalidAgreement(problem=f"version {waits.version} waits to be signed or declined; settle that first")
    placed = draft.placed(before=history.documents[force.digest] if history and force else None)
    if (draft.version, draft.previous) not in {(1, None), (placed.version, placed.previous)}:
        raise InvalidAgreement(problem="its version or previous is not what follows; leave both out of the file")
    return placed


def _pinned(tx: Transaction, agreement: Agreement) -> Agreement:
    """Give the agreement with the keys of all parties that enrolled; raise `InvalidAgreement` where one is missing."""
    rows = {row.id: row for row in tx.parties.all()}
    signers = [rows.get(party) for party in agreement.signers()]
    lacking = [
        party
        for party, row in zip(agreement.signers(), signers, strict=True)
        if row is None or row.role is not Role.PROVIDER or row.identity_key is None
    ]
    if lacking:
        problem = f"these have to sign and have not enrolled as providers: {', '.join(lacking)}"
        raise InvalidAgreement(problem=problem)
    pinned = agreement.pinned({row.id: row.identity_key for row in rows.values() if row.identity_key})
    for said, found in zip(agreement.parties, pinned.parties, strict=True):
        if said.identity_key is not None and not same_bytes(
            said.identity_key.encode(), (found.identity_key or "").encode()
        ):
            raise InvalidAgreement(problem=f"the identity_key of {said.party} is not the one that it enrolled with")
    return pinned


def _bring_in_force(context: Context, tx: Transaction, history: AgreementHistory, row: AgreementRow) -> None:
    before = history.in_state(_State.IN_FORCE)
    if before is not None:
        event = _event(context, None, before, "agreement.supersede")
        tx.agreements.advance(before.digest, expect=_State.IN_FORCE, to=_State.SUPERSEDED, audit=event)
    event = _event(context, None, row, "agreement.begin")
    tx.agreements.advance(row.digest, expect=_State.PROPOSED, to=_State.IN_FORCE, audit=event)


def _summary_of(tx: Transaction, row: AgreementRow, *, day: date) -> AgreementSummary:
    history = tx.agreements.history(row.id)
    return _summary(history, next(one for one in history.versions if one.digest == row.digest), day=day)


def _summary(history: AgreementHistory, row: AgreementRow, *, day: date) -> AgreementSummary:
    agreement = history.documents[row.digest]
    waits = history.waiting_for(row.digest, day=day) if row.state is _State.PROPOSED else ()
    return AgreementSummary(
        agreement_id=row.id,
        version=row.version,
        digest=row.digest,
        state=row.state,
        title=agreement.title,
        effective=agreement.effective,
        expires=agreement.expires,
        waiting_for=waits,
        withdrawn=tuple(sorted(history.withdrawn(row.digest, day=day))),
    )


def _version(history: AgreementHistory, row: AgreementRow, *, day: date) -> AgreementVersion:
    return AgreementVersion(
        summary=_summary(history, row, day=day),
        document=row.document,
        decisions=tuple(
            Decision(party=one.party, at=one.at, signature=one.signature, declined=one.declined)
            for one in history.decisions
            if one.digest == row.digest
        ),
        withdrawals=tuple(
            SignedWithdrawal(document=one.document, signature=one.signature)
            for one in history.withdrawals
            if one.digest == row.digest
        ),
    )


def _event(context: Context, actor: Actor | None, row: AgreementRow, action: str) -> AuditEvent:
    return context.event(
        scope=COORDINATOR_SCOPE,
        actor=actor.party if actor else None,
        action=action,
        object=row.id,
        outcome=f"version {row.version}: {row.digest.hex()}",
    )
