"""The outbox: payloads of prepared submissions until their receipts are in, and what answers are made of and answers.

A file bears its name once it is whole. Files of such names, and no others, that belong to no prepared submission
were left by a node that was killed while it prepared, and go when a node runs again. What is not this program's stays.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from isthmus.contract.canonical import sha256
from isthmus.contract.encodings import Submission, row_bytes, rows_per_chunk, submission_digest
from isthmus.contract.ids import RoundId
from isthmus.node.errors import FolderBlocked
from isthmus.node.vault import Vault

SPOOL_PREFIX: Final = "spool-"
"""What the name of a spool file begins with, for the moment that it has one."""

_OWN: Final = re.compile(
    r"(?P<round>[a-z0-9-]+)\.(new(-fields|-answers)?|[0-9a-f]{16}\.(payload|fields|answers))"
    rf"|{SPOOL_PREFIX}[a-z0-9_]+"
)


class Content(StrEnum):
    """What a file holds; the value is what its name ends in."""

    PAYLOAD = "payload"
    """Rows of a submission, as they are sent."""
    FIELDS = "fields"
    """Encrypted records of the same rows in the same order, from which field comparison is answered."""
    ANSWERS = "answers"
    """Answers for the pairs with one other provider, as they are sent."""


def content_path(outbox: Path, round_id: RoundId, digest: str, content: Content) -> Path:
    """Give where a whole file lies; `digest` is of the submission, or of the answers, that it belongs to."""
    return outbox / f"{round_id}.{digest[:16]}.{content}"


def payload_path(outbox: Path, submission: Submission) -> Path:
    """Give where the payload of a submission lies until its receipt is in."""
    return content_path(outbox, submission.round_id, submission.digest, Content.PAYLOAD)


def fields_path(outbox: Path, submission: Submission) -> Path:
    """Give where the fields of a submission lie until all answers are closed."""
    return content_path(outbox, submission.round_id, submission.digest, Content.FIELDS)


def remove_contents(outbox: Path, round_id: RoundId, *contents: Content) -> None:
    """Remove a round's files of these kinds, whole or not."""
    for content in contents:
        for path in [*outbox.glob(f"{round_id}.*.{content}"), _unnamed(outbox, round_id, content)]:
            if path.is_file():
                path.unlink(missing_ok=True)


def open_outbox(outbox: Path, vault: Vault) -> None:
    """Make the outbox if there is none, and remove this program's files of rounds that have no prepared submission.

    For a folder that no other process prepares in (`isthmus.node.node.only_one_run`).

    Raises:
        FolderBlocked: something that is no folder lies in its place.
    """
    try:
        outbox.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as exc:
        raise FolderBlocked(folder=outbox.name) from exc
    for path in list(outbox.iterdir()):
        own = _OWN.fullmatch(path.name)
        if own and path.is_file() and vault.prepared(RoundId(own["round"] or "")) is None:
            path.unlink()


@contextmanager
def new_content(outbox: Path, round_id: RoundId, content: Content) -> Iterator[BinaryIO]:
    """Open a file, mode 0600, that is removed again unless `named_content` gives it its name."""
    path = _unnamed(outbox, round_id, content)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


def write_rows(file: BinaryIO, blocks: Iterable[memoryview], *, row_bits: int) -> bytes:
    """Write whole rows, given in blocks of any size, down to the disk; give the submission's digest, 32 bytes."""
    size = rows_per_chunk(row_bits) * row_bytes(row_bits)
    return write_chunks(file, _chunks(blocks, size))


def write_chunks(file: BinaryIO, chunks: Iterable[bytes]) -> bytes:
    """Write chunks down to the disk; give the SHA-256 over their SHA-256 digests, 32 bytes."""
    digest = submission_digest(_written(file, chunk) for chunk in chunks)
    sync_file(file)
    return digest


def sync_file(file: BinaryIO) -> None:
    """Have what was written on the disk."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def named_content(outbox: Path, round_id: RoundId, digest: str, content: Content) -> Iterator[None]:
    """Give the file of `new_content` its name while its declaration is saved; remove it where that fails."""
    path = _unnamed(outbox, round_id, content).replace(content_path(outbox, round_id, digest, content))
    try:
        _sync_folder(outbox)
        yield
    except BaseException:
        path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, so that no declaration there outlasts its payload's name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unnamed(outbox: Path, round_id: RoundId, content: Content) -> Path:
    return outbox / (f"{round_id}.new" if content is Content.PAYLOAD else f"{round_id}.new-{content}")


def _chunks(blocks: Iterable[memoryview], size: int) -> Iterator[bytes]:
    """Cut blocks into chunks of `size` bytes; the last may be shorter."""
    pending = bytearray()
    for block in blocks:
        pending += block
        while len(pending) >= size:
            yield bytes(pending[:size])
            del pending[:size]
    if pending:
        yield bytes(pending)


def _written(file: BinaryIO, chunk: bytes) -> bytes:
    file.write(chunk)
    return sha256(chunk)
