"""Parties, tokens and certificates in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from isthmus.contract.clock import to_text
from isthmus.contract.errors import AlreadyExists, CertificateUnknown, EnrolmentTokenInvalid, NotFound, StateChanged
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import PartyKind, Role
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import CertificateRow, PartyRow, TokenRow
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog


class SqlParties:
    """`PartyTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def add(self, party: PartyRow, *, audit: AuditEvent) -> None:
        """Register a party; raise `AlreadyExists` where the id is taken."""
        row = {"id": party.id, "name": party.name, "kind": party.kind.value, "role": party.role.value}
        try:
            self._connection.execute(insert(t.parties).values(**row, **_keys(party)))
        except IntegrityError as exc:
            raise AlreadyExists(kind="party", id=party.id) from exc
        self._log.append(audit)

    def get(self, party: PartyId) -> PartyRow:
        """Give the party; raise `NotFound`."""
        row = self._connection.execute(select(t.parties).where(t.parties.c.id == party)).first()
        if row is None:
            raise NotFound(kind="party", id=party)
        return _party(row)

    def all(self) -> Sequence[PartyRow]:
        """Give all parties by id."""
        return [_party(row) for row in self._connection.execute(select(t.parties).order_by(t.parties.c.id))]

    def add_token(self, token: TokenRow, *, audit: AuditEvent) -> None:
        """Keep a token's digest; every older token of the party stops being valid."""
        self._connection.execute(update(t.tokens).where(t.tokens.c.party == token.party).values(used=True))
        self._connection.execute(
            insert(t.tokens).values(
                digest=token.digest, party=token.party, expires_at=to_text(token.expires_at), used=False
            )
        )
        self._log.append(audit)

    def token_party(self, digest: bytes, *, now: datetime) -> PartyId:
        """Give the party of a token that could be used now; raise `EnrolmentTokenInvalid` otherwise."""
        usable = (t.tokens.c.digest == digest) & ~t.tokens.c.used & (t.tokens.c.expires_at > to_text(now))
        party = self._connection.execute(select(t.tokens.c.party).where(usable)).scalar()
        if party is None:
            raise EnrolmentTokenInvalid
        return PartyId(party)

    def use_token(self, digest: bytes, *, now: datetime, audit: AuditEvent) -> PartyId:
        """Use a token up and give its party; raise `EnrolmentTokenInvalid` where it is unknown, used or expired."""
        party = self.token_party(digest, now=now)
        self._connection.execute(update(t.tokens).where(t.tokens.c.digest == digest).values(used=True))
        self._log.append(audit)
        return party

    def set_identity_key(self, party: PartyId, key: bytes, *, audit: AuditEvent) -> None:
        """Pin the party's identity key; raise `StateChanged` where another one is pinned."""
        free = (t.parties.c.id == party) & (t.parties.c.identity_key.is_(None) | (t.parties.c.identity_key == key))
        done = self._connection.execute(update(t.parties).where(free).values(identity_key=key))
        if done.rowcount != 1:
            raise StateChanged(kind="identity key of party", id=party)
        self._log.append(audit)

    def set_agreement_key(self, party: PartyId, key: bytes, *, audit: AuditEvent) -> None:
        """Keep the party's agreement key, in place of another one if there is; the same again changes nothing."""
        other = (t.parties.c.id == party) & t.parties.c.agreement_key.is_distinct_from(key)
        if self._connection.execute(update(t.parties).where(other).values(agreement_key=key)).rowcount:
            self._log.append(audit)

    def add_certificate(self, certificate: CertificateRow, *, audit: AuditEvent) -> None:
        """Keep what was issued; raise `AlreadyExists` where the key was certified before, for whichever party."""
        row = {"key_digest": certificate.key_digest, "party": certificate.party, "revoked": certificate.revoked}
        try:
            self._connection.execute(insert(t.certificates).values(**row, expires_at=to_text(certificate.expires_at)))
        except IntegrityError as exc:
            raise AlreadyExists(kind="certificate of this TLS key at party", id=certificate.party) from exc
        self._log.append(audit)

    def certificate(self, key_digest: bytes) -> CertificateRow:
        """Give the certificate of that key; raise `CertificateUnknown`."""
        query = select(t.certificates).where(t.certificates.c.key_digest == key_digest)
        row = self._connection.execute(query).first()
        if row is None:
            raise CertificateUnknown
        return CertificateRow(
            key_digest=row.key_digest,
            party=PartyId(row.party),
            expires_at=from_text(row.expires_at),
            revoked=row.revoked,
        )

    def revoke_certificates(self, party: PartyId, *, audit: AuditEvent) -> int:
        """Withdraw all certificates of the party that are not withdrawn yet; give how many."""
        standing = (t.certificates.c.party == party) & ~t.certificates.c.revoked
        done = self._connection.execute(update(t.certificates).where(standing).values(revoked=True))
        self._log.append(audit)
        return done.rowcount


def from_text(text: str) -> datetime:
    """Give a stored time, aware, in UTC."""
    return datetime.fromisoformat(text)


def _keys(party: PartyRow) -> dict[str, bytes | None]:
    return {"identity_key": party.identity_key, "agreement_key": party.agreement_key}


def _party(row: Row[Any]) -> PartyRow:
    return PartyRow(
        id=PartyId(row.id),
        name=row.name,
        kind=PartyKind(row.kind),
        role=Role(row.role),
        identity_key=row.identity_key,
        agreement_key=row.agreement_key,
    )
