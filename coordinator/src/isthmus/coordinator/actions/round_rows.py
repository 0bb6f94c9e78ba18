"""The rows of a round, by handle, and what they were found to be: arrays, since there may be millions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import Submission, unpack_rows
from isthmus.contract.ids import HANDLE_BYTES, PartyId
from isthmus.coordinator.domain.entities import ENTITY_BYTES, entity_id
from isthmus.coordinator.match.group import Groups
from isthmus.coordinator.store.blobs import BlobFolder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundRows:
    """Whose rows take part: handles uint8 (n, 16)."""

    party: PartyId
    handles: NDArray[np.uint8]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.handles)

    def names(self) -> Iterator[bytes]:
        """Give the handles as bytes, in row order."""
        return (row.tobytes() for row in self.handles)

    def kept(self, struck: frozenset[bytes]) -> NDArray[np.bool_]:
        """Say of each row whether it is not struck out."""
        if not struck:  # as mostly, and there may be millions of rows
            return np.ones(len(self), np.bool_)
        return np.fromiter((name not in struck for name in self.names()), dtype=np.bool_, count=len(self))


def load_rows(
    blobs: BlobFolder, chunks: Iterable[bytes], *, submission: Submission, struck: frozenset[bytes]
) -> tuple[RoundRows, NDArray[np.uint8]]:
    """Give a provider's rows but for those struck out, and their encodings, uint8, shape (n, row_bits / 8).

    Args:
        blobs: holds the chunks.
        chunks: the digests of all of them, in order.
        submission: what the provider declared.
        struck: the handles of the rows to leave out.

    Raises:
        ChunkDamaged: a chunk is not what it was.
    """
    handles = np.empty((submission.rows, HANDLE_BYTES), np.uint8)
    encoded = np.empty((submission.rows, submission.row_bits // 8), np.uint8)
    end = 0
    # One chunk at a time, each to its place: the encodings are in memory once.
    for digest in chunks:
        named, sent = unpack_rows(blobs.get(digest), row_bits=submission.row_bits)
        kept = RoundRows(party=submission.party, handles=named).kept(struck)
        first, end = end, end + int(np.count_nonzero(kept))
        handles[first:end], encoded[first:end] = named[kept], sent[kept]
    return RoundRows(party=submission.party, handles=handles[:end]), encoded[:end]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entities:
    """Of each row of a provider its entity.

    `ids` are uint8 (n, 32). `grouped` says whether the entity has other rows, `linked` whether it has rows of other
    providers, both bool (n,): a person who is in one provider's data alone, though more than once, is not linked.
    """

    ids: NDArray[np.uint8]
    grouped: NDArray[np.bool_]
    linked: NDArray[np.bool_]

    def named(self, of: RoundRows, which: NDArray[np.bool_]) -> Iterator[tuple[bytes, bytes]]:
        """Give the handle and the entity's id of some rows, bool (n,), in row order."""
        handles, ids = of.handles[which], self.ids[which]
        return zip((row.tobytes() for row in handles), (row.tobytes() for row in ids), strict=True)


def entity_ids(rows: Sequence[RoundRows], groups: Groups, *, of_all: bool) -> list[Entities]:
    """Give each provider's entities; a row that is with no other is an entity of its own.

    Unless ids `of_all` are asked for, those of rows that are with no other are zero.
    """
    entities = [_alone(one, named=of_all) for one in rows]
    ends = np.flatnonzero(np.diff(groups.entity, append=np.uint32(groups.entities)))
    for first, last in pairwise([0, *(int(end) + 1 for end in ends)]):
        places = [(int(groups.dataset[at]), int(groups.row[at])) for at in range(first, last)]
        name = entity_id(rows[dataset].handles[row].tobytes() for dataset, row in places)
        linked = len({dataset for dataset, _ in places}) > 1
        for dataset, row in places:
            entities[dataset].ids[row] = np.frombuffer(name, np.uint8)
            entities[dataset].grouped[row] = True
            entities[dataset].linked[row] = linked
    return entities


def _alone(rows: RoundRows, *, named: bool) -> Entities:
    ids = bytearray(0 if named else ENTITY_BYTES * len(rows))
    for name in rows.names() if named else ():
        ids += entity_id([name])
    return Entities(
        ids=np.frombuffer(ids, np.uint8).reshape(len(rows), ENTITY_BYTES),
        grouped=np.zeros(len(rows), np.bool_),
        linked=np.zeros(len(rows), np.bool_),
    )


def entity_names(entities: Sequence[Entities]) -> list[bytes]:
    """Give the id of every entity once, in order."""
    return [name.tobytes() for name in np.unique(np.concatenate([one.ids for one in entities]), axis=0)]
