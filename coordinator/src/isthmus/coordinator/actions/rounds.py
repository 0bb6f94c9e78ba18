"""Projects, the life of a round up to collecting, and how a round looks from outside. docs/protocol.md section 10."""

from collections.abc import Collection

from isthmus.contract.canonical import HASH_BYTES, Label, check_length, same_bytes, verify
from isthmus.contract.clock import to_text
from isthmus.contract.encodings import KEY_CHECK_BYTES
from isthmus.contract.errors import (
    InvalidProject,
    KnownAnswersDiffer,
    MalformedMessage,
    NotFound,
    RoundStateMismatch,
    UnsupportedVersion,
    WrongLinkageKey,
    WrongManifest,
    WrongProfile,
)
from isthmus.contract.ids import PartyId, ProjectId, RoundId, new_round_id
from isthmus.contract.known_answers import KnownAnswer, answered_parts, differing_parts
from isthmus.contract.manifest import Member, RoundManifest, build_manifest
from isthmus.contract.membership import epoch_for, membership_from_bytes, membership_of
from isthmus.contract.outline import manifest_outline
from isthmus.contract.parties import Role
from isthmus.contract.project import PROJECT_FORMAT, Project, project_from_bytes, project_from_toml
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView
from isthmus.coordinator.actions.access import member_round, member_row
from isthmus.coordinator.actions.agreements import agreement_for_round, check_still_in_force
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_views import round_view, signers
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import PreflightRow, ProjectRow, RoundRow, SignatureRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.domain.rounds import transition
from isthmus.coordinator.store.protocol import Transaction


def add_project(context: Context, actor: Actor, *, text: str) -> ProjectRow:
    """Read a project file and keep it; the same file again changes nothing.

    Raises:
        MalformedDocument, UnsupportedVersion, InvalidProject: the file is wrong, or names a party that is not
            registered in the role that the project gives it.
        AlreadyExists: a project of that id has other content.
    """
    project = project_from_toml(text)
    row = ProjectRow(id=project.id, document=project.to_bytes(), digest=project.digest())
    event = context.event(
        scope=project.id, actor=actor.party, action="project.add", object=project.id, outcome=row.digest.hex()
    )
    with context.store.begin() as tx:
        _check_registered(tx, project.provider_ids(), Role.PROVIDER)
        _check_registered(tx, project.analysts, Role.ANALYST)
        tx.rounds.add_project(row, audit=event)
    return row


def propose_round(context: Context, actor: Actor, *, project_id: ProjectId, coordinator_key: bytes) -> RoundView:
    """Pin a project's terms and members into a manifest and put it to the providers.

    Raises:
        NotFound: there is no such project.
        InvalidProject: a provider has not enrolled yet, so there is no key of it to pin; or another version of this
            program keeps the project.
        AgreementNotInForce: the project's agreement does not allow a round today, or not this one.
        MalformedDocument: two providers have the same key.
    """
    with context.store.begin() as tx:
        project = _known_project(tx, project_id)
        members = _members(tx, project)
        agreement, signatures = agreement_for_round(context, tx, project=project, members=members)
        manifest = build_manifest(
            project,
            agreement=agreement,
            agreement_signatures=signatures,
            round_id=new_round_id(project_id, context.random_bytes),
            epoch=_epoch(tx, project_id, members),
            members=members,
            coordinator_key=coordinator_key,
            proposed_at=to_text(context.clock.now()),
        )
        row = RoundRow(
            id=manifest.round_id,
            project=project_id,
            state=RoundState.DRAFT,
            manifest=manifest.to_bytes(),
            manifest_hash=manifest.digest(),
            updated_at=context.clock.now(),
        )
        tx.rounds.add(row, audit=round_event(context, row, actor, "round.draft", row.manifest_hash.hex()))
        _keep_membership(context, tx, row, manifest)
        advance(context, tx, row, to=RoundState.PROPOSED, actor=actor)
        return round_view(context, tx, tx.rounds.get(row.id))


def cancel_round(context: Context, actor: Actor, *, round_id: RoundId) -> RoundView:
    """End a round before its release, whichever version made it; raise `IllegalTransition` where it is too late."""
    with context.store.begin() as tx:
        advance(context, tx, tx.rounds.get(round_id), to=RoundState.CANCELLED, actor=actor)
        return round_view(context, tx, tx.rounds.get(round_id))


def retry_round(context: Context, actor: Actor, *, round_id: RoundId) -> RoundView:
    """Match a failed round again; raise `RoundStateMismatch` where it did not fail."""
    with context.store.begin() as tx:
        row = tx.rounds.get(round_id)
        require_state(row, RoundState.FAILED)
        advance(context, tx, row, to=RoundState.MATCHING, actor=actor)
        return round_view(context, tx, tx.rounds.get(round_id))


def list_all_rounds(context: Context) -> list[RoundView]:
    """Give every round, the latest change first."""
    with context.store.read() as tx:
        return [round_view(context, tx, row) for row in tx.rounds.all()]


def list_rounds(context: Context, actor: Actor) -> list[RoundView]:
    """Give the rounds in which the caller is a provider, the latest change first."""
    with context.store.read() as tx:
        return [
            round_view(context, tx, row)
            for row in tx.rounds.all()
            if actor.party in manifest_outline(row.manifest).parties()
        ]


def get_round(context: Context, actor: Actor, *, round_id: RoundId) -> tuple[RoundView, bytes, list[SignatureRow]]:
    """Give a round of the caller's, its manifest's bytes, and the signatures on it; raise `NotAMember`."""
    with context.store.read() as tx:
        row = member_row(tx, actor, round_id)
        return round_view(context, tx, row), row.manifest, list(tx.rounds.signatures(round_id))


def sign_round(
    context: Context, actor: Actor, *, round_id: RoundId, manifest_hash: bytes, signature: bytes
) -> RoundView:
    """Keep a provider's signature; the last one locks the round. Signing again changes nothing.

    Raises:
        NotAMember, RoundStateMismatch: the round is not the caller's, or is past signing.
        WrongManifest: the caller signed another manifest.
        AgreementNotInForce: the agreement changed since the round was proposed, or does not allow it today.
        SignatureInvalid: the signature does not hold under the key that the manifest pins for the caller.
    """
    with context.store.begin() as tx:
        row, manifest = member_round(tx, actor, round_id)
        _check_manifest_hash(row, manifest_hash)
        if actor.party in signers(tx, round_id):
            return round_view(context, tx, row)
        require_state(row, RoundState.PROPOSED)
        check_still_in_force(context, tx, manifest)
        verify(_identity_key(manifest, actor.party), Label.ROUND_MANIFEST, row.manifest, signature)
        signed = SignatureRow(round_id=round_id, party=actor.party, signature=signature)
        tx.rounds.sign(signed, audit=round_event(context, row, actor, "round.sign", row.manifest_hash.hex()))
        if signers(tx, round_id) == set(manifest.project.provider_ids()):
            advance(context, tx, row, to=RoundState.LOCKED)
        return round_view(context, tx, tx.rounds.get(round_id))


def decline_round(context: Context, actor: Actor, *, round_id: RoundId, manifest_hash: bytes) -> RoundView:
    """Refuse a proposed round, which ends it."""
    with context.store.begin() as tx:
        row = member_row(tx, actor, round_id)
        _check_manifest_hash(row, manifest_hash)
        require_state(row, RoundState.PROPOSED)
        advance(context, tx, row, to=RoundState.CANCELLED, actor=actor, action="round.decline")
        return round_view(context, tx, tx.rounds.get(round_id))


def confirm_preflight(
    context: Context,
    actor: Actor,
    *,
    round_id: RoundId,
    key_check: bytes,
    profile_digest: bytes,
    answers: tuple[KnownAnswer, ...],
) -> RoundView:
    """Keep how a provider will encode: key, profile, known answers; when all agree with the lead, collecting begins.

    A provider that confirmed before the lead, and otherwise, is asked again once the lead has confirmed. The same
    again changes nothing and is not recorded.

    Raises:
        NotAMember, RoundStateMismatch: the round is not the caller's, or not in preflight.
        WrongProfile: the node encodes with another profile than the manifest's.
        MalformedMessage: the answers are not one for each field and each table of the profile, in order.
        WrongLinkageKey: the caller's key is not the lead's.
        KnownAnswersDiffer: with the same key, the caller does not make the lead's bytes of the same values.
    """
    check_length(key_check, KEY_CHECK_BYTES, "key_check")
    with context.store.begin() as tx:
        row, manifest = member_round(tx, actor, round_id)
        if row.state is not RoundState.PREFLIGHT and _confirmed_same(tx, round_id, actor.party, key_check):
            return round_view(context, tx, row)
        require_state(row, RoundState.PREFLIGHT)
        confirmed = PreflightRow(
            round_id=round_id, party=actor.party, key_check=key_check, profile_digest=profile_digest, answers=answers
        )
        if confirmed in tx.rounds.preflights(round_id):
            return round_view(context, tx, row)
        _check_against_profile(manifest, confirmed)
        _check_against_lead(tx, manifest, confirmed)
        tx.rounds.set_preflight(confirmed, audit=round_event(context, row, actor, "round.preflight", "confirmed"))
        if actor.party == manifest.project.lead:
            _drop_others(context, tx, row, confirmed)
        if len(tx.rounds.preflights(round_id)) == len(manifest.members):
            advance(context, tx, row, to=RoundState.COLLECTING)
        return round_view(context, tx, tx.rounds.get(round_id))


def advance(
    context: Context,
    tx: Transaction,
    row: RoundRow,
    *,
    to: RoundState,
    actor: Actor | None = None,
    action: str = "round.advance",
) -> None:
    """Take a round one lawful step further, with its audit event."""
    event = round_event(context, row, actor, action, f"{row.state.value} to {to.value}")
    tx.rounds.advance(row.id, expect=row.state, to=transition(row.state, to), audit=event)


def require_state(row: RoundRow, *states: RoundState) -> None:
    """Return only if the round is in one of the states; raise `RoundStateMismatch` otherwise."""
    if row.state not in states:
        needed = " or ".join(state.value for state in states)
        raise RoundStateMismatch(round_id=row.id, state=row.state.value, needed=needed)


def _check_manifest_hash(row: RoundRow, manifest_hash: bytes) -> None:
    check_length(manifest_hash, HASH_BYTES, "manifest_hash")
    if not same_bytes(row.manifest_hash, manifest_hash):
        raise WrongManifest(round_id=row.id, problem="it is not the one that was proposed")


def _identity_key(manifest: RoundManifest, party: PartyId) -> bytes:
    return next(bytes.fromhex(member.identity_key) for member in manifest.members if member.party == party)


def _check_against_profile(manifest: RoundManifest, confirmed: PreflightRow) -> None:
    profile = manifest.read_profile()
    if not same_bytes(confirmed.profile_digest, bytes.fromhex(profile.digest())):
        raise WrongProfile(round_id=manifest.round_id)
    if tuple(answer.part for answer in confirmed.answers) != answered_parts(profile, manifest.project.blocks):
        raise MalformedMessage(field="known_answers", problem="not one for each part that the manifest asks for")


def _check_against_lead(tx: Transaction, manifest: RoundManifest, confirmed: PreflightRow) -> None:
    lead = manifest.project.lead
    leads = next((one for one in tx.rounds.preflights(manifest.round_id) if one.party == lead), confirmed)
    if confirmed.party == lead:
        return
    if not same_bytes(leads.key_check, confirmed.key_check):
        raise WrongLinkageKey(party=confirmed.party, lead=lead)
    parts = differing_parts(leads.answers, confirmed.answers)
    if parts:
        raise KnownAnswersDiffer(party=confirmed.party, lead=lead, parts=", ".join(parts))


def _drop_others(context: Context, tx: Transaction, row: RoundRow, leads: PreflightRow) -> None:
    """Ask again whoever confirmed otherwise than the lead."""
    for other in tx.rounds.preflights(row.id):
        reason = "another key" if not same_bytes(other.key_check, leads.key_check) else ""
        reason = reason or ", ".join(differing_parts(leads.answers, other.answers))
        if reason:
            event = round_event(context, row, None, "round.preflight", f"{other.party} must confirm again: {reason}")
            tx.rounds.drop_preflight(row.id, other.party, audit=event)


def _confirmed_same(tx: Transaction, round_id: RoundId, party: PartyId, key_check: bytes) -> bool:
    return any(one.party == party and same_bytes(one.key_check, key_check) for one in tx.rounds.preflights(round_id))


def _check_registered(tx: Transaction, parties: Collection[PartyId], role: Role) -> None:
    problems = []
    for party in parties:
        try:
            if tx.parties.get(party).role is not role:
                problems.append(f"{party} is not registered as {role.value}")
        except NotFound:
            problems.append(f"{party} is not registered; add it with: isthmus-coordinator party add")
    if problems:
        raise InvalidProject(problem="; ".join(problems))


def _known_project(tx: Transaction, project: ProjectId) -> Project:
    try:
        return project_from_bytes(tx.rounds.project(project).document)
    except UnsupportedVersion as exc:
        problem = f"it was added by another version of this program; add it with a new id and format {PROJECT_FORMAT}"
        raise InvalidProject(problem=problem) from exc


def _members(tx: Transaction, project: Project) -> tuple[Member, ...]:
    rows = [tx.parties.get(party) for party in project.provider_ids()]
    missing = [row.id for row in rows if row.identity_key is None or row.agreement_key is None]
    if missing:
        raise InvalidProject(problem=f"these providers have not enrolled yet: {', '.join(missing)}")
    return tuple(
        Member(
            party=row.id,
            name=row.name,
            identity_key=(row.identity_key or b"").hex(),
            agreement_key=(row.agreement_key or b"").hex(),
        )
        for row in rows
    )


def _epoch(tx: Transaction, project: ProjectId, members: tuple[Member, ...]) -> int:
    kept = tx.keys.membership(project)
    return epoch_for(membership_from_bytes(kept) if kept else None, frozenset(member.keys() for member in members))


def _keep_membership(context: Context, tx: Transaction, row: RoundRow, manifest: RoundManifest) -> None:
    document = membership_of(manifest.key_terms()).to_bytes()
    if tx.keys.membership(row.project) != document:
        event = round_event(context, row, None, "project.epoch", f"epoch {manifest.epoch}")
        tx.keys.set_membership(row.project, document, audit=event)


def round_event(context: Context, row: RoundRow, actor: Actor | None, action: str, outcome: str) -> AuditEvent:
    return context.event(
        scope=row.project, actor=actor.party if actor else None, action=action, object=row.id, outcome=outcome
    )
