"""A folder of content-addressed files: encodings as they came, and result maps. Names are SHA-256 in hex."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from isthmus.contract.errors import ChunkDamaged
from isthmus.coordinator.store.faults import file_faults

_UNFINISHED: Final = ".new-"


class BlobFolder:
    """Keeps bytes under their digest. A blob is on disk, whole, before `put` returns."""

    def __init__(self, folder: Path) -> None:
        """Use that folder, which `prepare` makes."""
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder, readable by its owner alone."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, data: bytes) -> bytes:
        """Keep the bytes and give their SHA-256; the same bytes again cost nothing.

        Raises:
            StorageUnavailable: the disk is full or does not let them be written; nothing of them is left.
        """
        digest = hashlib.sha256(data).digest()
        path = self._path(digest)
        if not path.exists():
            with file_faults():
                self._write(path, data)
        return digest

    def get(self, digest: bytes) -> bytes:
        """Give the bytes; raise `ChunkDamaged` where they are gone or are not what was put."""
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError as exc:
            raise ChunkDamaged(index=0, problem="its file is missing at the coordinator") from exc
        if hashlib.sha256(data).digest() != digest:
            raise ChunkDamaged(index=0, problem="its file was altered at the coordinator")
        return data

    def pieces(self, digest: bytes, *, size: int) -> Iterator[bytes]:
        """Give the bytes in pieces of `size` at most, one held at a time.

        Raises `ChunkDamaged` before the first piece where they are gone, and after the last where they are not what
        was put: by then the reader has them, and should have a digest of its own to hold against them.
        """
        try:
            file = self._path(digest).open("rb")
        except FileNotFoundError as exc:
            raise ChunkDamaged(index=0, problem="its file is missing at the coordinator") from exc
        total = hashlib.sha256()
        with file:
            while piece := file.read(size):
                total.update(piece)
                yield piece
        if total.digest() != digest:
            raise ChunkDamaged(index=0, problem="its file was altered at the coordinator")

    def delete(self, digest: bytes) -> None:
        """Remove the bytes; nothing happens where they are gone."""
        self._path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[bytes]:
        """Give the digest of every blob that is kept."""
        for path in self._folder.iterdir():
            if not path.name.startswith("."):
                yield bytes.fromhex(path.name)

    def forget_unfinished(self) -> None:
        """Remove what an interrupted `put` left; call it only while nobody else uses the folder."""
        for path in self._folder.glob(f"{_UNFINISHED}*"):
            path.unlink()

    def _path(self, digest: bytes) -> Path:
        return self._folder / digest.hex()

    def _write(self, path: Path, data: bytes) -> None:
        """Write beside, flush to the disk, rename, and flush the folder: whole or not at all after a crash."""
        descriptor, scratch = tempfile.mkstemp(dir=self._folder, prefix=_UNFINISHED)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(scratch).replace(path)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
        self._flush_folder()

    def _flush_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
