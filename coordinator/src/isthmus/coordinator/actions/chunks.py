"""What chunks of submissions and of answers have in common: where they go on, whether one fits, what goes unused."""

from collections.abc import Iterable
from dataclasses import dataclass

from isthmus.contract.canonical import sha256
from isthmus.contract.encodings import CHUNK_BYTES
from isthmus.contract.errors import ChunkDamaged
from isthmus.coordinator.actions.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Where sending goes on: the first chunk not stored, and whether all is closed."""

    next_chunk: int
    complete: bool


def first_missing(stored: Iterable[int], *, declared: int) -> int:
    """Give the index of the first chunk that is not stored; that of the one after the last if all are."""
    there = set(stored)
    return next((index for index in range(declared) if index not in there), declared)


def check_declared_chunk(index: int, *, declared: int) -> None:
    """Return only if there is a chunk of that index among those declared; raise `ChunkDamaged` otherwise."""
    if not 0 <= index < declared:
        raise ChunkDamaged(index=index, problem="the submission declares no such chunk")


def check_payload(payload: bytes, *, index: int, length: int, digest: bytes) -> None:
    """Return only if a chunk is of that length and digest; raise `ChunkDamaged` otherwise."""
    if len(payload) > CHUNK_BYTES or len(payload) != length:
        raise ChunkDamaged(index=index, problem="it has the wrong length")
    if sha256(payload) != digest:
        raise ChunkDamaged(index=index, problem="its digest does not fit its content")


def delete_unused(context: Context, digests: Iterable[bytes]) -> None:
    """Remove the blobs of discarded chunks; one that was sent again meanwhile stays."""
    with context.store.begin() as tx:
        for digest in digests:
            if not tx.blob_is_used(digest):
                context.blobs.delete(digest)
