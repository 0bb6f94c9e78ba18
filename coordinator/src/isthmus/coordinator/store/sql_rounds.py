"""Projects, rounds, signatures and preflights in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from isthmus.contract.clock import to_text
from isthmus.contract.errors import AlreadyExists, NotFound, StateChanged
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.known_answers import answers_from_text, answers_text
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import PreflightRow, ProjectRow, RoundRow, SignatureRow
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog
from isthmus.coordinator.store.sql_parties import from_text


class SqlRounds:
    """`RoundTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def add_project(self, project: ProjectRow, *, audit: AuditEvent) -> None:
        """Keep a project; the same content again changes nothing; raise `AlreadyExists` for other content."""
        query = select(t.projects.c.digest).where(t.projects.c.id == project.id)
        digest = self._connection.execute(query).scalar()
        if digest == project.digest:
            return
        if digest is not None:
            raise AlreadyExists(kind="project", id=project.id)
        self._connection.execute(
            insert(t.projects).values(id=project.id, document=project.document, digest=project.digest)
        )
        self._log.append(audit)

    def project(self, project: ProjectId) -> ProjectRow:
        """Give the project; raise `NotFound`."""
        row = self._connection.execute(select(t.projects).where(t.projects.c.id == project)).first()
        if row is None:
            raise NotFound(kind="project", id=project)
        return _project(row)

    def projects(self) -> Sequence[ProjectRow]:
        """Give all projects by id."""
        return [_project(row) for row in self._connection.execute(select(t.projects).order_by(t.projects.c.id))]

    def add(self, round_: RoundRow, *, audit: AuditEvent) -> None:
        """Keep a new round."""
        self._connection.execute(
            insert(t.rounds).values(
                id=round_.id,
                project=round_.project,
                state=round_.state.value,
                manifest=round_.manifest,
                manifest_hash=round_.manifest_hash,
                updated_at=to_text(round_.updated_at),
                position=self._next_position(),
            )
        )
        self._log.append(audit)

    def get(self, round_id: RoundId) -> RoundRow:
        """Give the round; raise `NotFound`."""
        row = self._connection.execute(select(t.rounds).where(t.rounds.c.id == round_id)).first()
        if row is None:
            raise NotFound(kind="round", id=round_id)
        return _round(row)

    def all(self) -> Sequence[RoundRow]:
        """Give all rounds, the latest change first."""
        query = select(t.rounds).order_by(t.rounds.c.position.desc())
        return [_round(row) for row in self._connection.execute(query)]

    def advance(self, round_id: RoundId, *, expect: RoundState, to: RoundState, audit: AuditEvent) -> None:
        """Change the state if it still is `expect`; raise `StateChanged` otherwise."""
        as_expected = (t.rounds.c.id == round_id) & (t.rounds.c.state == expect.value)
        changes = {"state": to.value, "updated_at": to_text(audit.at), "position": self._next_position()}
        if self._connection.execute(update(t.rounds).where(as_expected).values(**changes)).rowcount != 1:
            raise StateChanged(kind="round", id=round_id)
        self._log.append(audit)

    def sign(self, signature: SignatureRow, *, audit: AuditEvent) -> None:
        """Keep a provider's signature; again changes nothing."""
        if any(known.party == signature.party for known in self.signatures(signature.round_id)):
            return
        row = {"round_id": signature.round_id, "party": signature.party, "signature": signature.signature}
        self._connection.execute(insert(t.signatures).values(**row))
        self._log.append(audit)

    def signatures(self, round_id: RoundId) -> Sequence[SignatureRow]:
        """Give the signatures on a round by party."""
        query = select(t.signatures).where(t.signatures.c.round_id == round_id).order_by(t.signatures.c.party)
        return [
            SignatureRow(round_id=RoundId(row.round_id), party=PartyId(row.party), signature=row.signature)
            for row in self._connection.execute(query)
        ]

    def set_preflight(self, preflight: PreflightRow, *, audit: AuditEvent) -> None:
        """Keep what a provider confirmed, in place of what it confirmed before."""
        self._delete_preflight(preflight.round_id, preflight.party)
        self._connection.execute(
            insert(t.preflights).values(
                round_id=preflight.round_id,
                party=preflight.party,
                key_check=preflight.key_check,
                profile_digest=preflight.profile_digest,
                answers=answers_text(preflight.answers),
            )
        )
        self._log.append(audit)

    def drop_preflight(self, round_id: RoundId, party: PartyId, *, audit: AuditEvent) -> None:
        """Forget what a provider confirmed, so that it has to confirm again."""
        self._delete_preflight(round_id, party)
        self._log.append(audit)

    def preflights(self, round_id: RoundId) -> Sequence[PreflightRow]:
        """Give what was confirmed for a round by party."""
        query = select(t.preflights).where(t.preflights.c.round_id == round_id).order_by(t.preflights.c.party)
        return [
            PreflightRow(
                round_id=RoundId(row.round_id),
                party=PartyId(row.party),
                key_check=row.key_check,
                profile_digest=row.profile_digest,
                answers=answers_from_text(row.answers),
            )
            for row in self._connection.execute(query)
        ]

    def _delete_preflight(self, round_id: RoundId, party: PartyId) -> None:
        own = (t.preflights.c.round_id == round_id) & (t.preflights.c.party == party)
        self._connection.execute(delete(t.preflights).where(own))

    def _next_position(self) -> int:
        """Give a number above every round's, so that rounds sort by their latest change whatever the clock does."""
        return int(self._connection.execute(select(func.coalesce(func.max(t.rounds.c.position), 0))).scalar_one()) + 1


def _project(row: Row[Any]) -> ProjectRow:
    return ProjectRow(id=ProjectId(row.id), document=row.document, digest=row.digest)


def _round(row: Row[Any]) -> RoundRow:
    return RoundRow(
        id=RoundId(row.id),
        project=ProjectId(row.project),
        state=RoundState(row.state),
        manifest=row.manifest,
        manifest_hash=row.manifest_hash,
        updated_at=from_text(row.updated_at),
    )
