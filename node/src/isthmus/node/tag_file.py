"""The tags of a submission while it is prepared, on disk, by match key: to find those that several rows have.

The file has no name, so nothing of it is left when the process ends. It takes 8 bytes a tag; memory is that of one
match key, 8 bytes a row.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from isthmus.node.encode.repeated_tags import Repeated, repeated_words

Words = NDArray[np.uint64]


class TagFile:
    """The first words of tags, added some rows at a time. Made by `open_tag_file`."""

    def __init__(self, file: IO[bytes]) -> None:
        """Keep them in a file of their own."""
        self._file = file
        self._blocks: list[tuple[int, int]] = []
        self._keys = 0

    def add(self, words: Words) -> None:
        """Add those of some rows, uint64, shape (match keys, rows), contiguous."""
        self._keys = len(words)
        self._blocks.append((self._file.tell(), words.shape[1]))
        self._file.write(words.data)

    def repeated(self) -> Repeated:
        """Give, for each match key, the words that more than one row has."""
        self._file.flush()
        return [repeated_words(self._of(key)) for key in range(self._keys)]

    def _of(self, key: int) -> Iterator[Words]:
        for start, rows in self._blocks:
            yield np.frombuffer(os.pread(self._file.fileno(), 8 * rows, start + 8 * rows * key), np.uint64)


@contextmanager
def open_tag_file(folder: Path, *, prefix: str) -> Iterator[TagFile]:
    """Open an empty file on the file system of that folder.

    Where it cannot make files that never had a name, its name begins with `prefix` until it is taken away.
    """
    with TemporaryFile(dir=folder, prefix=prefix) as file:
        yield TagFile(file)
