"""What this node keeps of agreements: which versions a person here was shown, which it signed, which are in force.

A part of the vault's file. What is in force is written only when all signatures were checked here.
docs/protocol.md section 16.
"""

import sqlite3
from typing import Final

from isthmus.contract.agreement import Agreement, Withdrawal, agreement_from_bytes, withdrawal_from_bytes
from isthmus.contract.ids import AgreementId

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS agreements (
    digest BLOB PRIMARY KEY, agreement TEXT NOT NULL, version INTEGER NOT NULL, document BLOB NOT NULL,
    shown_at TEXT, signed_at TEXT, in_force INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS agreement_withdrawals (
    digest BLOB PRIMARY KEY, document BLOB NOT NULL
) STRICT;
"""


class KeptAgreements:
    """Those tables, over the vault's connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use that connection, which commits each statement by itself."""
        self._connection = connection

    def save_shown(self, agreement: Agreement, *, at: str) -> None:
        """Remember that a person here was shown these very terms."""
        self._keep(agreement)
        self._set("shown_at = ?", agreement, at)

    def save_signed(self, agreement: Agreement, *, at: str) -> None:
        """Remember that this node is about to sign this version."""
        self._keep(agreement)
        self._set("signed_at = coalesce(signed_at, ?)", agreement, at)

    def save_in_force(self, agreement: Agreement) -> None:
        """Remember that all signed this version, as was checked here."""
        self._keep(agreement)
        self._set("in_force = ?", agreement, 1)

    def was_shown(self, digest: bytes) -> bool:
        """Say whether a person here was shown this version."""
        return self._is("shown_at IS NOT NULL", digest)

    def was_signed(self, digest: bytes) -> bool:
        """Say whether this node signed this version."""
        return self._is("signed_at IS NOT NULL", digest)

    def in_force(self, agreement: AgreementId) -> Agreement | None:
        """Give the latest version that is known here to be in force, if there is one."""
        query = "SELECT document FROM agreements WHERE agreement = ? AND in_force ORDER BY version DESC LIMIT 1"
        row = self._connection.execute(query, (agreement,)).fetchone()
        return None if row is None else agreement_from_bytes(row[0])

    def save_withdrawal(self, withdrawal: Withdrawal) -> None:
        """Remember that this node leaves a version; what was said first stays."""
        values = (bytes.fromhex(withdrawal.digest), withdrawal.to_bytes())
        self._connection.execute("INSERT OR IGNORE INTO agreement_withdrawals VALUES (?, ?)", values)

    def withdrawal(self, digest: bytes) -> Withdrawal | None:
        """Give how this node left a version, if it did."""
        query = "SELECT document FROM agreement_withdrawals WHERE digest = ?"
        row = self._connection.execute(query, (digest,)).fetchone()
        return None if row is None else withdrawal_from_bytes(row[0])

    def _keep(self, agreement: Agreement) -> None:
        values = (agreement.digest(), agreement.id, agreement.version, agreement.to_bytes())
        self._connection.execute(
            "INSERT OR IGNORE INTO agreements (digest, agreement, version, document) VALUES (?, ?, ?, ?)", values
        )

    def _set(self, what: str, agreement: Agreement, value: str | int) -> None:
        # What is put into the text is written above, of nothing that came from outside.
        self._connection.execute(f"UPDATE agreements SET {what} WHERE digest = ?", (value, agreement.digest()))  # noqa: S608

    def _is(self, what: str, digest: bytes) -> bool:
        query = f"SELECT 1 FROM agreements WHERE digest = ? AND {what}"  # noqa: S608 - as above
        return self._connection.execute(query, (digest,)).fetchone() is not None
