"""The folder of blobs: bytes by their digest, whole or not at all, and never others than were put."""

import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE

import pytest

from isthmus.contract.errors import ChunkDamaged, StorageUnavailable
from isthmus.coordinator.store.blobs import BlobFolder

DATA = b"rows " * 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "blobs"


@pytest.fixture
def blobs(folder: Path) -> BlobFolder:
    blobs = BlobFolder(folder)
    blobs.prepare()
    return blobs


@contextmanager
def _disk_that_is_full_after(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond that size while the block runs."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_bytes_come_back_by_their_sha_256(blobs: BlobFolder) -> None:
    digest = blobs.put(DATA)

    assert digest == hashlib.sha256(DATA).digest()
    assert blobs.get(digest) == DATA


@pytest.mark.parametrize("size", [1, 7, len(DATA), len(DATA) + 1])
def test_pieces_are_the_bytes_and_none_is_larger_than_asked(blobs: BlobFolder, size: int) -> None:
    pieces = list(blobs.pieces(blobs.put(DATA), size=size))

    assert b"".join(pieces) == DATA
    assert max(map(len, pieces)) == min(size, len(DATA))


def test_pieces_of_a_blob_that_is_gone_or_altered_end_in_an_error(blobs: BlobFolder, folder: Path) -> None:
    digest = blobs.put(DATA)
    (folder / digest.hex()).write_bytes(DATA[:-1] + b"!")

    with pytest.raises(ChunkDamaged, match="altered"):
        list(blobs.pieces(digest, size=100))
    blobs.delete(digest)
    with pytest.raises(ChunkDamaged, match="missing"):
        list(blobs.pieces(digest, size=100))


def test_folder_and_files_are_for_their_owner_alone(blobs: BlobFolder, folder: Path) -> None:
    blobs.put(DATA)
    blobs.prepare()

    assert S_IMODE(folder.stat().st_mode) == 0o700
    assert {S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_same_bytes_again_are_one_file_that_is_not_written_again(blobs: BlobFolder, folder: Path) -> None:
    digest = blobs.put(DATA)
    before = (folder / digest.hex()).stat()

    assert blobs.put(DATA) == digest

    (file,) = folder.iterdir()
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_bytes_that_are_gone_are_refused_and_can_be_put_again(blobs: BlobFolder) -> None:
    digest = blobs.put(DATA)
    blobs.delete(digest)
    blobs.delete(digest)

    with pytest.raises(ChunkDamaged, match="missing"):
        blobs.get(digest)
    assert blobs.get(blobs.put(DATA)) == DATA


@pytest.mark.parametrize("altered", [b"", DATA[:-1], DATA[:-1] + b"\x00"])
def test_bytes_that_were_altered_on_disk_are_refused(blobs: BlobFolder, folder: Path, altered: bytes) -> None:
    digest = blobs.put(DATA)
    (folder / digest.hex()).write_bytes(altered)

    with pytest.raises(ChunkDamaged, match="altered"):
        blobs.get(digest)


def test_full_disk_leaves_no_part_of_a_blob_behind(blobs: BlobFolder, folder: Path) -> None:
    with _disk_that_is_full_after(1000), pytest.raises(StorageUnavailable, match="its disk is full"):
        blobs.put(DATA)

    assert list(folder.iterdir()) == []
    assert blobs.get(blobs.put(DATA)) == DATA
