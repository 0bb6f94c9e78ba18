"""Runs as files: whole under their name or not there, and a round's gone with the round."""

import resource
from collections.abc import Callable
from pathlib import Path
from stat import S_IMODE

import numpy as np
import pytest

from isthmus.contract.errors import StorageUnavailable
from isthmus.contract.ids import RoundId
from isthmus.coordinator.match.runs import RECORD
from isthmus.coordinator.store.runs import RunFolder, RunFolders

RECORDS = np.frombuffer(bytes(range(240)), RECORD)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def _altered(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_run_is_there_as_it_was_kept_and_for_its_owner_alone(folder: Path) -> None:
    RunFolder(folder).keep("one", RECORDS)
    runs = RunFolder(folder)

    assert runs.holds("one", pairs=7)
    assert runs.open("one").tobytes() == RECORDS.tobytes()
    assert runs.compared_before == 7
    assert [S_IMODE(path.stat().st_mode) for path in (folder, folder / "one")] == [0o700, 0o600]


def test_a_run_of_nothing_is_a_run(folder: Path) -> None:
    runs = RunFolder(folder)
    runs.keep("none", np.empty(0, RECORD))
    assert runs.holds("none", pairs=1)
    assert len(runs.open("none")) == 0


def test_a_run_that_was_never_kept_is_not_there(folder: Path) -> None:
    runs = RunFolder(folder)
    assert not runs.holds("one", pairs=7)
    assert runs.compared_before == 0


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_altered, _cut, _emptied])
def test_a_damaged_run_is_removed_and_can_be_kept_anew(folder: Path, damage: Callable[[Path], None]) -> None:
    runs = RunFolder(folder)
    runs.keep("one", RECORDS)
    damage(folder / "one")

    assert not runs.holds("one", pairs=7)
    assert runs.compared_before == 0
    runs.keep("one", RECORDS)
    assert runs.holds("one", pairs=7)


def test_a_run_under_the_name_of_another_does_not_count(folder: Path) -> None:
    runs = RunFolder(folder)
    runs.keep("one", RECORDS)
    (folder / "one").rename(folder / "other")
    assert not runs.holds("other", pairs=7)


def test_what_a_full_disk_cut_off_is_not_there(folder: Path) -> None:
    runs = RunFolder(folder)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(StorageUnavailable):
            runs.keep("one", RECORDS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(folder.iterdir()) == []


def test_what_was_half_written_is_removed_and_runs_stay(folder: Path) -> None:
    runs = RunFolder(folder)
    runs.keep("one", RECORDS)
    (folder / ".new-1").write_bytes(b"half")
    runs.forget_unfinished()
    assert [path.name for path in folder.iterdir()] == ["one"]


def test_rounds_have_runs_apart_and_forget_them_apart(folder: Path) -> None:
    folders = RunFolders(folder)
    one, other = RoundId("school-0123456789"), RoundId("school-9876543210")
    assert folders.rounds() == []
    for each in (one, other):
        folders.of(each).keep("run", RECORDS)
    folders.of(one).forget()
    assert folders.rounds() == [other]
