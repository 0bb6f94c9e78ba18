"""What preparing a submission leaves in outbox and vault, also when it fails."""

from contextlib import closing
from pathlib import Path
from stat import S_IMODE

import pytest
from unit.node.parts import ROUND
from unit.node.preparing_parts import left_in, made_records, prepare_in, record_stream

from isthmus.contract.errors import AlreadyExists
from isthmus.node.errors import FolderBlocked
from isthmus.node.outbox import open_outbox, payload_path
from isthmus.node.sources.errors import DuplicateIds
from isthmus.node.vault import open_vault


def test_outbox_holds_the_payload_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    submission = prepare_in(tmp_path, record_stream(made_records()))

    (payload,) = left_in(tmp_path)
    assert payload == payload_path(tmp_path / "outbox", submission)
    assert S_IMODE(payload.stat().st_mode) == 0o600
    assert S_IMODE(payload.parent.stat().st_mode) == 0o700


def test_nothing_is_kept_where_the_last_row_has_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DuplicateIds):
        prepare_in(tmp_path, record_stream(made_records(), fault=DuplicateIds(rows=(41,), total=1)))

    assert left_in(tmp_path) == []
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        assert vault.prepared(ROUND) is None
        assert vault.record_ids(ROUND) == {}


def test_second_submission_of_a_round_is_refused_and_the_first_one_stays(tmp_path: Path) -> None:
    submission = prepare_in(tmp_path, record_stream(made_records()))

    with pytest.raises(AlreadyExists):
        prepare_in(tmp_path, record_stream(made_records(8)))

    assert left_in(tmp_path) == [payload_path(tmp_path / "outbox", submission)]
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        assert len(vault.record_ids(ROUND)) == 40


def test_declaration_does_not_stand_where_its_payload_could_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")

    with pytest.raises(FolderBlocked, match="outbox"):
        prepare_in(tmp_path, record_stream(made_records()))

    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        assert vault.prepared(ROUND) is None


def test_opening_the_outbox_leaves_alone_what_is_not_the_nodes(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    (outbox / "another-round-1.new").mkdir(parents=True)
    (outbox / "kept").mkdir()
    for name in ("notes.txt", "tmpabcdef", ".nfs0001", "payload", "another-round-2.0123.payload", "UPPER-1.new"):
        (outbox / name).write_bytes(b"somebody's")
    before = sorted(path.name for path in outbox.iterdir())

    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        open_outbox(outbox, vault)

    assert sorted(path.name for path in outbox.iterdir()) == before


def test_opening_the_outbox_removes_what_no_submission_is_about(tmp_path: Path) -> None:
    submission = prepare_in(tmp_path, record_stream(made_records()))
    for name in ("another-round-1.0123456789abcdef.payload", "another-round-1.new", "spool-ab_cdef1"):
        (tmp_path / "outbox" / name).write_bytes(b"left behind")

    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        open_outbox(tmp_path / "outbox", vault)

    assert left_in(tmp_path) == [payload_path(tmp_path / "outbox", submission)]
