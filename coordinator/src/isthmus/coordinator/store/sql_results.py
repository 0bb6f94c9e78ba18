"""Pseudonym maps, pseudonym keys, released tables and quality reports in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.exc import IntegrityError

from isthmus.contract.clock import to_text
from isthmus.contract.errors import AlreadyExists, NotFound
from isthmus.contract.ids import PartyId, ProjectId, RoundId, TableId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import ReleaseRow, ResultRow
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog
from isthmus.coordinator.store.sql_parties import from_text


class SqlResults:
    """`ResultTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def add(self, result: ResultRow, *, audit: AuditEvent) -> None:
        """Keep a provider's result; raise `AlreadyExists` where the round has one for it."""
        row = {"round_id": result.round_id, "party": result.party, "digest": result.digest}
        counts = {"rows": result.rows, "slot_count": result.slot_count}
        try:
            self._connection.execute(insert(t.results).values(**row, **counts))
        except IntegrityError as exc:
            raise AlreadyExists(kind="result of round", id=result.round_id) from exc
        self._log.append(audit)

    def find(self, round_id: RoundId, party: PartyId) -> ResultRow | None:
        """Give the party's result in the round, if there is one."""
        own = (t.results.c.round_id == round_id) & (t.results.c.party == party)
        row = self._connection.execute(select(t.results).where(own)).mappings().first()
        if row is None:
            return None
        return ResultRow(
            round_id=round_id, party=party, digest=row["digest"], rows=row["rows"], slot_count=row["slot_count"]
        )

    def set_entities(self, round_id: RoundId, digest: bytes, *, audit: AuditEvent) -> None:
        """Keep the blob of who is whom in a round; raise `AlreadyExists` where the round has one."""
        try:
            self._connection.execute(insert(t.entities).values(round_id=round_id, digest=digest))
        except IntegrityError as exc:
            raise AlreadyExists(kind="result of round", id=round_id) from exc
        self._log.append(audit)

    def entities(self, round_id: RoundId) -> bytes | None:
        """Give the digest of the round's entities blob, if there is one."""
        query = select(t.entities.c.digest).where(t.entities.c.round_id == round_id)
        return self._connection.execute(query).scalar()

    def set_quality(self, round_id: RoundId, document: bytes, *, audit: AuditEvent) -> None:
        """Keep the released quality report of a round; raise `AlreadyExists` where the round has one."""
        try:
            self._connection.execute(insert(t.quality_reports).values(round_id=round_id, document=document))
        except IntegrityError as exc:
            raise AlreadyExists(kind="quality report of round", id=round_id) from exc
        self._log.append(audit)

    def quality(self, round_id: RoundId) -> bytes | None:
        """Give the canonical bytes of the round's quality report, if there is one."""
        query = select(t.quality_reports.c.document).where(t.quality_reports.c.round_id == round_id)
        return self._connection.execute(query).scalar()

    def pseudonym_key(self, project: ProjectId, recipient: PartyId, *, fresh: bytes, audit: AuditEvent) -> bytes:
        """Give the recipient's pseudonym key in the project (32 bytes); `fresh` becomes it where there is none."""
        own = (t.pseudonym_keys.c.project == project) & (t.pseudonym_keys.c.recipient == recipient)
        known = self._connection.execute(select(t.pseudonym_keys.c.key).where(own)).scalar()
        if known is not None:
            return bytes(known)
        self._connection.execute(insert(t.pseudonym_keys).values(project=project, recipient=recipient, key=fresh))
        self._log.append(audit)
        return fresh

    def add_release(self, release: ReleaseRow, *, audit: AuditEvent) -> None:
        """Keep a released table; raise `AlreadyExists` where the id is taken."""
        row = {"id": release.id, "project": release.project, "round_id": release.round_id, "title": release.title}
        bytes_and_time = {"document": release.document, "released_at": to_text(release.released_at)}
        try:
            self._connection.execute(insert(t.releases).values(**row, **bytes_and_time))
        except IntegrityError as exc:
            raise AlreadyExists(kind="table", id=release.id) from exc
        self._log.append(audit)

    def release(self, table: TableId) -> ReleaseRow:
        """Give the released table; raise `NotFound`."""
        row = self._connection.execute(select(t.releases).where(t.releases.c.id == table)).first()
        if row is None:
            raise NotFound(kind="table", id=table)
        return _release(row)

    def releases(self) -> Sequence[ReleaseRow]:
        """Give all released tables, newest first."""
        query = select(t.releases).order_by(t.releases.c.released_at.desc(), t.releases.c.id)
        return [_release(row) for row in self._connection.execute(query)]


def _release(row: Row[Any]) -> ReleaseRow:
    return ReleaseRow(
        id=TableId(row.id),
        project=ProjectId(row.project),
        round_id=RoundId(row.round_id),
        title=row.title,
        document=row.document,
        released_at=from_text(row.released_at),
    )
