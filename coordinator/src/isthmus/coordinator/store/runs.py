"""Runs as files: what pieces of a comparison found, kept in a round's scratch folder until the round has its result.

A file is a digest, SHA-256 over the name and the records, and the records. It is on the disk, whole, under its name or
it is not there, so a worker that is killed at any point goes on with the runs that it finds.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from isthmus.contract.ids import RoundId
from isthmus.coordinator.match.runs import RECORD, Records
from isthmus.coordinator.store.faults import file_faults

_DIGEST_BYTES: Final = 32
_UNFINISHED: Final = ".new-"


class RunFolder:
    """`Runs` of one round in a folder."""

    def __init__(self, folder: Path) -> None:
        """Use that folder, which is made when the first run is kept."""
        self._folder, self._compared_before = folder, 0

    @property
    def compared_before(self) -> int:
        """How many record pairs were compared for the runs that were asked for and found."""
        return self._compared_before

    def keep(self, name: str, records: Records) -> None:
        """Write a run; raise `StorageUnavailable` where the disk does not let it be written."""
        if not (self._folder / name).exists():
            data = np.ascontiguousarray(records).data.cast("B")
            with file_faults():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._write(self._folder / name, _digest(name, data), data)

    def holds(self, name: str, *, pairs: int) -> bool:
        """Say whether the run is there and is what was kept; one that is damaged is removed."""
        path = self._folder / name
        if not path.exists():
            return False
        stored = np.memmap(path, np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)
        whole = stored[:_DIGEST_BYTES].tobytes() == _digest(name, stored[_DIGEST_BYTES:].data)
        if whole:
            self._compared_before += pairs
        else:
            path.unlink()
        return whole

    def open(self, name: str) -> Records:
        """Give a run as a memory map."""
        path = self._folder / name
        if path.stat().st_size == _DIGEST_BYTES:
            return np.empty(0, RECORD)  # a map cannot be empty
        return np.memmap(path, RECORD, mode="r", offset=_DIGEST_BYTES)

    def forget(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def forget_unfinished(self) -> None:
        """Remove what a worker that was killed left half written."""
        for path in self._folder.glob(f"{_UNFINISHED}*"):
            path.unlink()

    def _write(self, path: Path, *parts: bytes | memoryview) -> None:
        descriptor, scratch = tempfile.mkstemp(dir=self._folder, prefix=_UNFINISHED)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for part in parts:
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            # Without a flush of the folder a power cut may take the last names back, which only costs their work.
            Path(scratch).replace(path)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise


class RunFolders:
    """The runs of all rounds: a folder for each."""

    def __init__(self, folder: Path) -> None:
        """Use that folder, which is made when the first run is kept."""
        self._folder = folder

    def of(self, round_id: RoundId) -> RunFolder:
        """Give a round's runs."""
        return RunFolder(self._folder / round_id)

    def rounds(self) -> list[RoundId]:
        """Give the rounds that have runs."""
        return [RoundId(path.name) for path in self._folder.iterdir()] if self._folder.exists() else []


def _digest(name: str, records: memoryview) -> bytes:
    digest = hashlib.sha256(name.encode("ascii"))
    digest.update(records)
    return digest.digest()
