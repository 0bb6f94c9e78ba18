"""The vault: it remembers across restarts, wholly or not at all, and is for its owner alone."""

from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import pytest

from isthmus.contract.errors import AlreadyExists
from isthmus.contract.ids import RoundId
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.vault import LinkedRecord, Prepared, Vault, open_vault

ROUND, OTHER = RoundId("k12-to-work-1"), RoundId("k12-to-work-2")
ROWS = [(bytes([byte]) * 16, f"rec-{byte}") for byte in (3, 1, 2)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.sqlite"


@pytest.fixture
def vault(path: Path) -> Iterator[Vault]:
    vault = open_vault(path)
    yield vault
    vault.close()


def _prepare(vault: Vault, round_id: RoundId = ROUND, document: bytes = b"document") -> None:
    vault.save_prepared(round_id, document=document, report="{}", rows=ROWS)


def test_files_are_for_their_owner_alone(vault: Vault, path: Path) -> None:
    _prepare(vault)

    assert {S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_connection_is_durable_and_overwrites_what_is_deleted(vault: Vault) -> None:
    pragmas = ("journal_mode", "synchronous", "secure_delete")

    values = [vault._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]

    assert values == ["wal", 2, 1]


def test_signed_manifest_is_remembered_by_round_and_never_replaced(vault: Vault) -> None:
    vault.save_signed(ROUND, b"first")
    vault.save_signed(ROUND, b"first")

    with pytest.raises(RefusedByPolicy, match="signed other terms"):
        vault.save_signed(ROUND, b"second")

    assert vault.signed_manifest(ROUND) == b"first"
    assert vault.signed_manifest(OTHER) is None


def test_the_terms_shown_last_are_remembered_by_round(vault: Vault) -> None:
    vault.save_shown(ROUND, b"first")
    vault.save_shown(ROUND, b"second")

    assert vault.shown_manifest(ROUND) == b"second"
    assert vault.shown_manifest(OTHER) is None


def test_prepared_submission_is_remembered_with_its_rows(vault: Vault) -> None:
    _prepare(vault)

    assert vault.prepared(ROUND) == Prepared(document=b"document", report="{}", receipt=None)
    assert vault.record_ids(ROUND) == dict(ROWS)
    assert vault.prepared(OTHER) is None
    assert vault.record_ids(OTHER) == {}


def test_preparing_again_is_refused_and_changes_nothing(vault: Vault) -> None:
    _prepare(vault)

    with pytest.raises(AlreadyExists):
        vault.save_prepared(ROUND, document=b"again", report="[]", rows=[(bytes(16), "rec-9")])

    assert vault.record_ids(ROUND) == dict(ROWS)
    assert vault.prepared(ROUND) == Prepared(document=b"document", report="{}", receipt=None)


def test_preparing_that_fails_half_way_changes_nothing(vault: Vault) -> None:
    def broken() -> Iterator[tuple[bytes, str]]:
        yield bytes(16), "rec-9"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vault.save_prepared(ROUND, document=b"again", report="", rows=broken())

    assert vault.record_ids(ROUND) == {}
    assert vault.prepared(ROUND) is None
    _prepare(vault)


def test_receipt_is_kept_with_its_submission(vault: Vault) -> None:
    _prepare(vault)
    _prepare(vault, OTHER)

    vault.save_receipt(ROUND, receipt=b"receipt", signature=b"signature")

    assert vault.prepared(ROUND) == Prepared(document=b"document", report="{}", receipt=b"receipt")
    assert vault.prepared(OTHER) == Prepared(document=b"document", report="{}", receipt=None)


def test_pseudonyms_are_noted_by_handle_in_place_of_earlier_ones(vault: Vault) -> None:
    _prepare(vault)
    vault.save_pseudonyms(ROUND, [(ROWS[1][0], "old", None)])

    vault.save_pseudonyms(ROUND, [(ROWS[0][0], "aaa", 7), (ROWS[2][0], "bbb", None)])

    assert list(vault.linked_records(ROUND)) == [
        LinkedRecord(record_id="rec-2", pseudonym="bbb", slot=None),
        LinkedRecord(record_id="rec-3", pseudonym="aaa", slot=7),
    ]
    assert list(vault.linked_records(OTHER)) == []


def test_pseudonyms_for_a_foreign_handle_are_refused_and_nothing_changes(vault: Vault) -> None:
    _prepare(vault)
    vault.save_pseudonyms(ROUND, [(ROWS[0][0], "aaa", None)])

    with pytest.raises(RefusedByPolicy):
        vault.save_pseudonyms(ROUND, [(ROWS[2][0], "bbb", None), (b"x" * 16, "ccc", None)])

    assert [one.pseudonym for one in vault.linked_records(ROUND)] == ["aaa"]


def test_tombstones_are_noted_by_round_and_an_acknowledgement_is_never_lost(vault: Vault) -> None:
    first, second = ROWS[0][0], ROWS[1][0]
    vault.save_tombstones(ROUND, [first, second], acknowledged=False)
    vault.save_tombstones(ROUND, [first], acknowledged=True)
    vault.save_tombstones(ROUND, [first], acknowledged=False)

    assert vault.tombstones(ROUND) == {first: True, second: False}
    assert vault.tombstones(OTHER) == {}


def test_everything_is_there_after_opening_again(vault: Vault, path: Path) -> None:
    vault.save_signed(ROUND, b"manifest")
    _prepare(vault)
    vault.save_pseudonyms(ROUND, [(ROWS[0][0], "aaa", 7)])
    vault.close()

    again = open_vault(path)

    assert again.signed_manifest(ROUND) == b"manifest"
    assert again.record_ids(ROUND) == dict(ROWS)
    assert [one.record_id for one in again.linked_records(ROUND)] == ["rec-3"]
    again.close()


def test_all_of_many_rows_are_kept_each_with_its_own_record(vault: Vault) -> None:
    rows = {number.to_bytes(16): f"rec-{number}" for number in range(1001)}

    vault.save_prepared(ROUND, document=b"document", report="{}", rows=iter(rows.items()))

    assert vault.record_ids(ROUND) == rows


def test_planted_people_are_kept_by_person_with_their_row_numbers_and_are_no_records(vault: Vault) -> None:
    handles = [bytes([byte]) * 16 for byte in range(4)]
    whose: list[str | int] = [1, "rec-a", 0, "rec-b"]
    rows = list(zip(handles, whose, strict=True))

    vault.save_prepared(ROUND, document=b"document", report="{}", rows=rows)

    assert list(vault.planted_rows(ROUND).items()) == [(handles[2], 2), (handles[0], 0)]
    assert vault.record_ids(ROUND) == {handles[1]: "rec-a", handles[3]: "rec-b"}
    assert vault.planted_rows(OTHER) == {}
