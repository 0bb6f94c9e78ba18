"""Handles that come back in every round: of records alone, by a key that is kept, and never over one key stream."""

import hashlib
import hmac
import json
import random
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from unit.node.parts import COLLEGE, CONFIG, RIVERSIDE, ROUND, STUDENTS, identity, manifest, project

from isthmus.contract.clock import FixedClock
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.id_changes import IdChangeReason
from isthmus.contract.ids import ProjectId, Pseudonym, RoundId
from isthmus.contract.project import Project, ProviderTerms
from isthmus.contract.secret import Secret
from isthmus.node.client import Client, FetchedChange
from isthmus.node.compare.field_file import CHECK_BYTES
from isthmus.node.errors import HandleKeyLost, RefusedByPolicy
from isthmus.node.id_changes import changes_data, changes_text, save_id_changes
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.keys.handles import handle_key_check, lasting_handles
from isthmus.node.lasting import lasting_handle_key
from isthmus.node.node import Node
from isthmus.node.outbox import fields_path
from isthmus.node.prepare import Job, prepare_submission
from isthmus.node.records import Piece, RecordStream, SourceDescription
from isthmus.node.round_encoding import RoundEncoding
from isthmus.node.show import report_text
from isthmus.node.vault import open_vault
from isthmus.party.identity import PLAIN

HANDLE_KEY = Secret(bytes(range(32)))
RECORDS = [f"STUDENT-{number:03}" for number in range(30)]
FIELDS = ("first_name", "last_name", "dob", "zip")
PLANTED = 7


def _lasting(**changes: Any) -> Project:
    providers = tuple(ProviderTerms(party=party, dataset="students", fields=FIELDS) for party in (RIVERSIDE, COLLEGE))
    parts = {"providers": providers, "comparison": ComparisonTerms(planted=PLANTED), "longitudinal": True}
    return project(**(parts | changes))


def _stream(records: list[str]) -> RecordStream:
    def pieces() -> Generator[Piece, None, SourceDescription]:
        columns = {
            "first_name": ["Maria" for _ in records],
            "last_name": [f"Fictional{one[-2:]}" for one in records],
            "dob": ["2005-01-14" for _ in records],
            "zip": ["10001" for _ in records],
        }
        yield Piece(record_ids=records, columns=columns)
        return SourceDescription(kind="CSV", rows=len(records), findings=())

    return RecordStream(pieces())


class Prepared:
    """What a preparation left in a folder of its own."""

    def __init__(self, folder: Path, records: list[str], *, seed: int, salt: bytes = b"") -> None:
        """Prepare, with that chance."""
        folder.mkdir()
        terms = manifest(_lasting())
        encoding = RoundEncoding(manifest=terms, profile=terms.read_profile(), key=Secret(b"k" * 32), encoder="isthmus")
        kept, planted = encoding.kept(RIVERSIDE, salt=salt), encoding.planted(RIVERSIDE)
        job = Job(dataset=STUDENTS, encoding=encoding, kept=kept, planted=planted, handle_key=HANDLE_KEY)
        with closing(open_vault(folder / "vault.sqlite")) as vault:
            submission = prepare_submission(
                _stream(records),
                job,
                party=RIVERSIDE,
                outbox=folder / "outbox",
                vault=vault,
                random_bytes=random.Random(seed).randbytes,
                progress=lambda *_: None,
            )
            prepared = vault.prepared(ROUND)
            assert prepared is not None
            self.report = prepared.report
            self.records = vault.record_ids(ROUND)
            self.planted = set(vault.planted_rows(ROUND))
        self.fields = fields_path(folder / "outbox", submission).read_bytes()


def test_handle_is_the_hmac_of_the_record_id() -> None:
    expected = hmac.new(HANDLE_KEY.reveal(), "Zoë-7".encode(), hashlib.sha256).digest()[:16]

    assert lasting_handles(HANDLE_KEY, ["Zoë-7"]).tobytes() == expected
    assert lasting_handles(HANDLE_KEY, []).shape == (0, 16)


def test_nodes_that_hold_the_same_record_ids_share_no_handle() -> None:
    one, other = (
        {handle.tobytes() for handle in lasting_handles(Secret(bytes([byte]) * 32), RECORDS)} for byte in (1, 2)
    )

    assert len(one) == len(RECORDS)
    assert not one & other


def test_records_have_the_same_handles_again_and_planted_people_never(tmp_path: Path) -> None:
    first = Prepared(tmp_path / "first", RECORDS, seed=1)
    second = Prepared(tmp_path / "second", [*reversed(RECORDS[5:]), "NEW"], seed=2)

    known = {record: handle for handle, record in first.records.items()}
    assert all(known[record] == handle for handle, record in second.records.items() if record != "NEW")
    assert len(first.planted) == len(second.planted) == PLANTED
    assert not first.planted & second.planted
    assert not (first.planted | second.planted) & {one.tobytes() for one in lasting_handles(HANDLE_KEY, RECORDS)}


def test_second_preparation_of_a_round_does_not_meet_the_key_stream_of_the_first(tmp_path: Path) -> None:
    first, second = (Prepared(tmp_path / name, RECORDS, seed=1, salt=name.encode() * 4) for name in ("salt", "else"))
    rows_bytes = len(first.fields) - CHECK_BYTES
    size = rows_bytes // (len(RECORDS) + PLANTED)
    starts = range(0, rows_bytes, size)
    rows = [(first.fields[start : start + size], second.fields[start : start + size]) for start in starts]

    assert all(one[:16] == other[:16] and one[16:] != other[16:] for one, other in rows)


def test_report_says_that_handles_last(tmp_path: Path) -> None:
    report = Prepared(tmp_path / "one", RECORDS, seed=1).report

    assert "under a handle that it has in every round of the project" in report_text(_decoded(report))


def _decoded(report: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report)
    return found


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node of a folder that holds nothing but its vault."""
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        yield Node(
            folder=tmp_path,
            config=CONFIG,
            identity=identity(),
            vault=vault,
            keys=KeyFolder(folder=tmp_path / "keys", files=PLAIN),
            random_bytes=random.Random(7).randbytes,
            clock=FixedClock(datetime(2026, 1, 15, tzinfo=UTC)),
        )


def test_handle_key_is_made_once_for_each_longitudinal_project(node: Node) -> None:
    first, other = (lasting_handle_key(node, _lasting(id=ProjectId(name))) for name in ("k12-to-work", "other"))

    assert first is not None and other is not None
    assert not first.equals(other)
    again = lasting_handle_key(node, _lasting())
    assert again is not None and again.equals(first)
    assert lasting_handle_key(node, _lasting(longitudinal=False)) is None


def test_lost_or_exchanged_handle_key_stops_the_node_until_somebody_accepts_it(node: Node) -> None:
    first = lasting_handle_key(node, _lasting())
    path = node.folder / "keys" / "k12-to-work.handles"
    path.unlink()

    with pytest.raises(HandleKeyLost, match="k12-to-work"):
        lasting_handle_key(node, _lasting())
    node.keys.save_handle_key(ProjectId("k12-to-work"), Secret(bytes(32)))
    with pytest.raises(HandleKeyLost):
        lasting_handle_key(node, _lasting())
    path.unlink()
    node.vault.save_handle_check(ProjectId("k12-to-work"), None)

    another = lasting_handle_key(node, _lasting())
    assert first is not None and another is not None and not another.equals(first)


def test_handle_key_of_another_project_or_length_is_refused(node: Node) -> None:
    node.keys.save_handle_key(ProjectId("other"), HANDLE_KEY)
    folder = node.folder / "keys"
    (folder / "other.handles").rename(folder / "k12-to-work.handles")

    with pytest.raises(MalformedDocument, match="another project"):
        lasting_handle_key(node, _lasting())
    node.keys.save_handle_key(ProjectId("short"), Secret(bytes(31)))
    with pytest.raises(MalformedDocument, match="32 bytes"):
        node.keys.handle_key(ProjectId("short"))


def test_check_value_of_a_handle_key_is_no_handle() -> None:
    of_its_text = lasting_handles(HANDLE_KEY, ["isthmus/handle-key-check/1"]).tobytes()

    assert handle_key_check(HANDLE_KEY) != of_its_text
    assert handle_key_check(HANDLE_KEY) == handle_key_check(Secret(bytes(range(32))))


class Told(Client):
    """A client whose coordinator says these changes."""

    def __init__(self, changes: list[FetchedChange]) -> None:
        """Say these."""
        self.changes = changes

    def fetch_id_changes(self, round_id: RoundId) -> Iterator[FetchedChange]:
        """Give them."""
        assert round_id == ROUND
        yield from self.changes


WAS, IS = Pseudonym("a" * 26), Pseudonym("b" * 26)


def _change(**changes: Any) -> FetchedChange:
    parts: dict[str, Any] = {"handle": bytes(16), "before": WAS, "now": IS, "reason": IdChangeReason.MERGED}
    return FetchedChange(**(parts | changes))


@pytest.fixture
def released(node: Node) -> Node:
    node.vault.save_prepared(ROUND, document=b"{}", report="{}", rows=[(bytes(16), "R-1"), (b"x" * 16, "R-2")])
    node.vault.save_pseudonyms(ROUND, [(bytes(16), IS, None)])
    node.ids.mkdir()
    return node


def test_changes_are_written_beside_the_ids_once(released: Node) -> None:
    changes = save_id_changes(released, Told([_change()]), ROUND)
    again = save_id_changes(released, Told([]), ROUND)

    assert changes.path.read_text("utf-8") == f"rec_id,before,now,reason\nR-1,{WAS},{IS},merged\n"
    assert changes.path.stat().st_mode & 0o777 == 0o600
    assert again == changes
    assert changes.total == 1
    assert "1 records have another ID than before" in changes_text(changes)
    assert changes_data(changes) == {
        "longitudinal": True, "file": str(changes.path), "merged": 1, "split": 0, "moved": 0,
    }  # fmt: skip


def test_round_that_changed_nothing_and_project_that_is_not_longitudinal_are_told_apart(released: Node) -> None:
    unchanged = save_id_changes(released, Told([]), ROUND)

    assert "has the same" in changes_text(unchanged)
    assert "not longitudinal" in changes_text(None)
    assert changes_data(None) == {"longitudinal": False}


@pytest.mark.parametrize(
    "told",
    [
        [_change(), _change()],
        [_change(handle=b"y" * 16)],
        [_change(handle=b"x" * 16)],
        [_change(now=WAS, before=IS)],
        [_change(before=IS)],
    ],
    ids=["twice", "foreign", "no ID", "other ID", "same"],
)
def test_changes_that_are_not_about_this_nodes_ids_are_refused(released: Node, told: list[FetchedChange]) -> None:
    with pytest.raises(RefusedByPolicy):
        save_id_changes(released, Told(told), ROUND)

    assert not list(released.ids.iterdir())
