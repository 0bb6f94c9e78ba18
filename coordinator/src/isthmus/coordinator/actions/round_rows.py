"""The rows of a round, by handle, and what they were found to be: arrays, since there may be millions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import Submission, submission_from_bytes, unpack_rows
from isthmus.contract.ids import HANDLE_BYTES, PartyId, RoundId
from isthmus.contract.manifest import RoundManifest
from isthmus.coordinator.domain.entities import ENTITY_BYTES, entity_ids
from isthmus.coordinator.match.group import Groups
from isthmus.coordinator.store.blobs import BlobFolder
from isthmus.coordinator.store.protocol import Transaction

StruckOut = Mapping[PartyId, frozenset[bytes]]
"""The handles of each provider's rows that are struck out."""


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


def load_handles(blobs: BlobFolder, tx: Transaction, round_id: RoundId, party: PartyId) -> RoundRows:
    """Give all rows of a provider in the order in which they were sent, without their encodings.

    Raises:
        ChunkDamaged: a chunk is not what it was.
    """
    submission, end = declared_submission(tx, round_id, party), 0
    handles = np.empty((submission.rows, HANDLE_BYTES), np.uint8)
    for chunk in tx.submissions.chunks(round_id, party):
        named, _ = unpack_rows(blobs.get(chunk.digest), row_bits=submission.row_bits)
        first, end = end, end + len(named)
        handles[first:end] = named
    return RoundRows(party=party, handles=handles)


def declared_submission(tx: Transaction, round_id: RoundId, party: PartyId) -> Submission:
    """Give what a provider declared of its complete submission."""
    declared = tx.submissions.find(round_id, party)
    return submission_from_bytes(declared.document if declared else b"")


def struck_out(tx: Transaction, manifest: RoundManifest) -> StruckOut:
    """Give the rows of a round that are struck out so far."""
    return {party: tx.tombstones.of(manifest.round_id, party) for party in manifest.project.provider_ids()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entities:
    """Of each row of a provider its entity.

    `ids` are uint8 (n, 32). `grouped` says whether the entity has other rows, `linked` whether it has rows of other
    providers, both bool (n,): a person who is in one provider's data alone, though more than once, is not linked.
    """

    ids: NDArray[np.uint8]
    grouped: NDArray[np.bool_]
    linked: NDArray[np.bool_]


def find_entities(rows: Sequence[RoundRows], groups: Groups, *, of_all: bool) -> list[Entities]:
    """Give each provider's entities; a row that is with no other is an entity of its own.

    Unless ids `of_all` are asked for, those of rows that are with no other are zero.
    """
    handles = np.empty((len(groups), HANDLE_BYTES), np.uint8)
    inside = [groups.dataset == dataset for dataset in range(len(rows))]
    for one, here in zip(rows, inside, strict=True):
        handles[here] = one.handles[groups.row[here]]
    ids = entity_ids(handles, groups.entity)[groups.entity]
    linked = _of_several_datasets(groups)[groups.entity]
    entities = [_alone(one, named=of_all) for one in rows]
    for known, here in zip(entities, inside, strict=True):
        place = groups.row[here]
        known.ids[place], known.grouped[place], known.linked[place] = ids[here], True, linked[here]
    return entities


def _of_several_datasets(groups: Groups) -> NDArray[np.bool_]:
    """Say of each entity whether it has rows of more than one provider; its entries come by rising data set."""
    changes = (np.diff(groups.entity) == 0) & (np.diff(groups.dataset) != 0)
    several = np.zeros(groups.entities, np.bool_)
    several[groups.entity[1:][changes]] = True
    return several


def _alone(rows: RoundRows, *, named: bool) -> Entities:
    single = np.arange(len(rows) if named else 0, dtype=np.uint32)
    ids = np.zeros((len(rows), ENTITY_BYTES), np.uint8)
    ids[single] = entity_ids(rows.handles[single], single)
    return Entities(ids=ids, grouped=np.zeros(len(rows), np.bool_), linked=np.zeros(len(rows), np.bool_))


def entity_names(entities: Sequence[Entities]) -> list[bytes]:
    """Give the id of every entity once, in order."""
    return [name.tobytes() for name in np.unique(np.concatenate([one.ids for one in entities]), axis=0)]
