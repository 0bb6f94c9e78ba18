"""Showing what happened in a project to the auditors whom its agreement names. Changes nothing.

Whether a party is one is looked up on every call, in the version of the agreement that all signed last: an auditor whom
an amendment names sees the project from its first day on, and one whom it no longer names sees nothing any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.contract.audit_log import Head
from isthmus.contract.errors import NotAMember, NotFound
from isthmus.contract.ids import AgreementId, PartyId, ProjectId, RoundId
from isthmus.contract.outline import project_agreement
from isthmus.contract.views import RoundView
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.log import LogPiece, fetch_log
from isthmus.coordinator.actions.round_views import round_view
from isthmus.coordinator.domain.records import ProjectRow, RoundRow, SignatureRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.store.protocol import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedProject:
    """A project, its hash (32 bytes), and the agreement by which the caller may look at it."""

    id: ProjectId
    digest: bytes
    agreement: AgreementId


def list_projects(context: Context, actor: Actor) -> list[AuditedProject]:
    """Give the projects whose agreement names the caller as an auditor, by id."""
    with context.store.read() as tx:
        return [
            AuditedProject(id=row.id, digest=row.digest, agreement=agreement)
            for row in tx.rounds.projects()
            if (agreement := project_agreement(row.document)) and actor.party in _auditors(tx, row)
        ]


def list_project_rounds(context: Context, actor: Actor, *, project: ProjectId) -> list[RoundView]:
    """Give the rounds of a project of the caller's, the latest change first; raise `NotAMember`."""
    with context.store.read() as tx:
        check_auditor(tx, actor, project)
        return [round_view(context, tx, row) for row in tx.rounds.all() if row.project == project]


def get_project_round(
    context: Context, actor: Actor, *, round_id: RoundId
) -> tuple[RoundView, bytes, list[SignatureRow]]:
    """Give a round of a project of the caller's, its manifest's bytes, and the signatures on it; raise `NotAMember`."""
    with context.store.read() as tx:
        row = _audited_round(tx, actor, round_id)
        return round_view(context, tx, row), row.manifest, list(tx.rounds.signatures(round_id))


def fetch_project_log(
    context: Context, actor: Actor, *, project: ProjectId, known: Head, signing_key: Ed25519PrivateKey
) -> Iterator[LogPiece]:
    """Give what `fetch_log` gives to providers, to an auditor of the project; raise `NotAMember`."""
    return fetch_log(context, actor, project=project, known=known, signing_key=signing_key, may_read=check_auditor)


def check_auditor(tx: Transaction, actor: Actor, project: ProjectId) -> None:
    """Return only if the project's agreement names the caller as an auditor; raise `NotAMember` otherwise."""
    refusal = NotAMember(kind="project", id=project)
    try:
        row = tx.rounds.project(project)
    except NotFound:
        raise refusal from None
    if actor.party not in _auditors(tx, row):
        raise refusal


def _audited_round(tx: Transaction, actor: Actor, round_id: RoundId) -> RoundRow:
    try:
        row = tx.rounds.get(round_id)
        check_auditor(tx, actor, row.project)
    except (NotFound, NotAMember):
        raise NotAMember(kind="round", id=round_id) from None
    return row


def _auditors(tx: Transaction, row: ProjectRow) -> tuple[PartyId, ...]:
    agreement = project_agreement(row.document)
    try:
        return tx.agreements.history(agreement).auditors() if agreement else ()
    except NotFound:
        return ()
