"""Agreements in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.clock import to_text
from isthmus.contract.errors import AlreadyExists, NotFound, StateChanged
from isthmus.contract.ids import AgreementId, PartyId
from isthmus.coordinator.domain.agreements import AgreementHistory, AgreementRow, DecisionRow, WithdrawalRow
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog
from isthmus.coordinator.store.sql_parties import from_text


class SqlAgreements:
    """`AgreementTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def add(self, row: AgreementRow, *, audit: AuditEvent) -> None:
        """Keep a version; raise `AlreadyExists` where the very same one was there before."""
        values = {"digest": row.digest, "agreement": row.id, "version": row.version, "document": row.document}
        place = self._connection.execute(select(func.count()).select_from(t.agreements)).scalar_one()
        values |= {"state": row.state.value, "position": place}
        self._insert(t.agreements, values, audit, AlreadyExists(kind="version of agreement", id=row.id))

    def ids(self) -> Sequence[AgreementId]:
        """Give the ids of all agreements, in order."""
        query = select(t.agreements.c.agreement).distinct().order_by(t.agreements.c.agreement)
        return [AgreementId(one) for one in self._connection.execute(query).scalars()]

    def history(self, agreement: AgreementId) -> AgreementHistory:
        """Give all of an agreement; raise `NotFound`."""
        query = select(t.agreements).where(t.agreements.c.agreement == agreement).order_by(t.agreements.c.position)
        versions = tuple(_version(row) for row in self._connection.execute(query))
        if not versions:
            raise NotFound(kind="agreement", id=agreement)
        return AgreementHistory(
            versions=versions,
            decisions=tuple(_decision(row) for row in self._of(t.agreement_decisions, versions)),
            withdrawals=tuple(_withdrawal(row) for row in self._of(t.agreement_withdrawals, versions)),
        )

    def agreement_of(self, digest: bytes) -> AgreementId:
        """Give the agreement that a version is of; raise `NotFound`."""
        query = select(t.agreements.c.agreement).where(t.agreements.c.digest == digest)
        found = self._connection.execute(query).scalar()
        if found is None:
            raise NotFound(kind="version of an agreement", id=digest.hex())
        return AgreementId(found)

    def decide(self, decision: DecisionRow, *, audit: AuditEvent) -> None:
        """Keep what a party decided; raise `AlreadyExists` where it decided before."""
        values = {"digest": decision.digest, "party": decision.party, "at": to_text(decision.at)}
        decided = {"signature": decision.signature, "declined": decision.declined}
        taken = AlreadyExists(kind="decision on this version by", id=decision.party)
        self._insert(t.agreement_decisions, {**values, **decided}, audit, taken)

    def advance(self, digest: bytes, *, expect: AgreementState, to: AgreementState, audit: AuditEvent) -> None:
        """Change where a version stands; raise `StateChanged` where it does not stand where it was expected."""
        there = (t.agreements.c.digest == digest) & (t.agreements.c.state == expect.value)
        if self._connection.execute(update(t.agreements).where(there).values(state=to.value)).rowcount != 1:
            raise StateChanged(kind="version of an agreement", id=digest.hex())
        self._log.append(audit)

    def withdraw(self, withdrawal: WithdrawalRow, *, audit: AuditEvent) -> None:
        """Keep a withdrawal; raise `AlreadyExists` where the party left that version before."""
        values = {"digest": withdrawal.digest, "party": withdrawal.party, "document": withdrawal.document}
        taken = AlreadyExists(kind="withdrawal from this version by", id=withdrawal.party)
        self._insert(t.agreement_withdrawals, values | {"signature": withdrawal.signature}, audit, taken)

    def _insert(self, table: Table, values: dict[str, Any], audit: AuditEvent, taken: AlreadyExists) -> None:
        try:
            self._connection.execute(insert(table).values(**values))
        except IntegrityError as exc:
            raise taken from exc
        self._log.append(audit)

    def _of(self, table: Table, versions: Sequence[AgreementRow]) -> Sequence[Row[Any]]:
        """Give the rows of these versions, version by version, then by party."""
        places = {row.digest: place for place, row in enumerate(versions)}
        found = self._connection.execute(select(table).where(table.c.digest.in_(list(places)))).all()
        return sorted(found, key=lambda row: (places[row.digest], row.party))


def _version(row: Row[Any]) -> AgreementRow:
    return AgreementRow(
        id=AgreementId(row.agreement),
        version=row.version,
        digest=row.digest,
        document=row.document,
        state=AgreementState(row.state),
    )


def _decision(row: Row[Any]) -> DecisionRow:
    return DecisionRow(
        digest=row.digest,
        party=PartyId(row.party),
        at=from_text(row.at),
        signature=row.signature,
        declined=row.declined,
    )


def _withdrawal(row: Row[Any]) -> WithdrawalRow:
    return WithdrawalRow(digest=row.digest, party=PartyId(row.party), document=row.document, signature=row.signature)
