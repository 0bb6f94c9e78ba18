"""Carrying a longitudinal project's IDs over: what is known, loaded and kept. docs/protocol.md section 15.

The arithmetic is `isthmus.coordinator.domain.longitudinal`. What is known of a provider's rows is one blob a provider;
it outlasts rounds, and providers who leave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.bands import band
from isthmus.contract.ids import PartyId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import RevealMode
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_rows import Entities, RoundRows, StruckOut, struck_out
from isthmus.coordinator.actions.rounds import round_event
from isthmus.coordinator.domain.longitudinal import (
    Carried,
    CarryCounts,
    IdChanges,
    PresentRows,
    carry_over,
    pack_known,
    unpack_known,
)
from isthmus.coordinator.domain.pseudonyms import pack_changes, pseudonyms
from isthmus.coordinator.domain.records import KnownRow, RoundRow
from isthmus.coordinator.match.group import Groups
from isthmus.coordinator.store.protocol import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a result depends on that may change while it is made: rows struck out, and what is known of earlier rounds.

    `known` is empty unless the project is longitudinal.
    """

    struck: StruckOut
    known: Sequence[KnownRow]

    @property
    def number(self) -> int:
        """The how manieth round of its project this is to be, from 1."""
        return max((one.number for one in self.known), default=0) + 1


def load_basis(tx: Transaction, manifest: RoundManifest) -> Basis:
    """Give what a result depends on as it is now."""
    known = tx.carried.known(manifest.project.id) if manifest.project.longitudinal else ()
    return Basis(struck=struck_out(tx, manifest), known=known)


def carry_ids(
    context: Context,
    manifest: RoundManifest,
    basis: Basis,
    *,
    rows: Sequence[RoundRows],
    groups: Groups,
    entities: Sequence[Entities],
) -> Carried | None:
    """Give the ids of the round's rows as they follow from earlier rounds; none where the project does not ask for it.

    Rows that were struck out are forgotten: should they come back, they come as new ones.

    Raises:
        ChunkDamaged: what is known is not what it was.
    """
    if not manifest.project.longitudinal:
        return None
    known = {
        one.party: unpack_known(context.blobs.get(one.digest)).without(basis.struck.get(one.party, frozenset()))
        for one in basis.known
    }
    spine = manifest.project.reveal is RevealMode.SPINE
    present = [
        PresentRows(party=one.party, handles=one.handles, cluster=cluster, shown=entity.linked | spine)
        for one, cluster, entity in zip(rows, row_clusters([len(one) for one in rows], groups), entities, strict=True)
    ]
    return carry_over(known, present, round_id=manifest.round_id, number=basis.number)


def row_clusters(sizes: Sequence[int], groups: Groups) -> list[NDArray[np.int64]]:
    """Give of each data set's rows the number of their group; rows in none follow, each with a number of its own."""
    starts = np.cumsum([0, *sizes])
    cluster = np.full(int(starts[-1]), -1, np.int64)
    cluster[starts[groups.dataset] + groups.row] = groups.entity
    alone = np.flatnonzero(cluster < 0)
    cluster[alone] = groups.entities + np.arange(len(alone))
    return [cluster[start:end] for start, end in pairwise(starts.tolist())]


def store_carried(
    context: Context,
    tx: Transaction,
    row: RoundRow,
    carried: Carried,
    *,
    keys: Mapping[PartyId, bytes],
    number: int,
) -> None:
    """Keep what is known from now on, and for each provider of the round what changed, as its own pseudonyms."""
    known = [
        KnownRow(party=party, number=number, digest=context.blobs.put(pack_known(rows)))
        for party, rows in carried.known.items()
    ]
    changes = {party: context.blobs.put(_packed(changed, keys[party])) for party, changed in carried.changes.items()}
    event = round_event(context, row, None, "entities.carry", _outcome(carried.counts, number))
    tx.carried.carry(row.project, row.id, known=known, changes=changes, audit=event)


def forget_known(context: Context, known: Sequence[KnownRow]) -> None:
    """Remove the blobs of what was known before, where nothing needs them any more.

    Only after their successors are committed; a coordinator that is killed before removes them when it starts.
    """
    with context.store.begin() as tx:
        for one in known:
            if not tx.blob_is_used(one.digest):
                context.blobs.delete(one.digest)


def _packed(changed: IdChanges, key: bytes) -> bytes:
    before, now = pseudonyms(key, changed.before), pseudonyms(key, changed.now)
    return pack_changes(changed.handles, before, now, changed.why)


def _outcome(counts: CarryCounts, number: int) -> str:
    """Say in bands what became of the IDs: these are counts of people."""
    return (
        f"round {number}: {band(counts.kept)} IDs kept, {band(counts.fresh)} new, {band(counts.merged)} merged,"
        f" {band(counts.split)} split, {band(counts.absent)} absent"
    )
