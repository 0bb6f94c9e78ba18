"""Matching a sealed round: encodings in, pseudonym maps and a released table out. docs/protocol.md sections 7 to 9.

All results are stored in one transaction with the step to REVIEW, so a round has one result or none. A round found in
MATCHING was interrupted and is matched again from its sealed encodings, which gives the same bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import submission_from_bytes, unpack_rows
from isthmus.contract.errors import IsthmusError
from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import PartyId, RoundId, TableId
from isthmus.contract.project import RevealMode, RoundManifest, manifest_from_bytes
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.rounds import advance, round_event
from isthmus.coordinator.disclosure.release import DisclosureRules, ReleasedTable, release
from isthmus.coordinator.disclosure.table import overlap_table
from isthmus.coordinator.domain.entities import EntityRow, entity_id, pack_entities
from isthmus.coordinator.domain.pseudonyms import PseudonymRow, pack_pseudonyms, pseudonym, spine_slots
from isthmus.coordinator.domain.records import ReleaseRow, ResultRow, RoundRow
from isthmus.coordinator.match.encodings import Dataset, split_rows
from isthmus.coordinator.match.engine import CandidatePairs, Progress, SimilarityEngine
from isthmus.coordinator.match.group import Groups, group_rows
from isthmus.coordinator.match.overlap import membership_patterns
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import at_least, link_tables
from isthmus.coordinator.store.protocol import Transaction

KEY_BYTES: Final = 32


class MatchingInterrupted(Exception):  # not an error: nobody did anything wrong
    """The coordinator was told to stop while it was matching."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """One provider's sealed rows but for those struck out: handles (n, 16), CLKs (n, tables, clk_bits / 8), uint8."""

    party: PartyId
    handles: NDArray[np.uint8]
    encoded: NDArray[np.uint8]
    tombstones: frozenset[bytes]

    def handle_list(self) -> list[bytes]:
        """Give the handles as bytes, in row order."""
        return [row.tobytes() for row in self.handles]


def claim_round(context: Context) -> RoundId | None:
    """Give a round to match, now in MATCHING: an interrupted one first, then the one sealed longest; or none."""
    with context.store.begin() as tx:
        rows = list(reversed(tx.rounds.all()))
        interrupted = next((row for row in rows if row.state is RoundState.MATCHING), None)
        if interrupted is not None:
            return interrupted.id
        sealed = next((row for row in rows if row.state is RoundState.SEALED), None)
        if sealed is not None:
            advance(context, tx, sealed, to=RoundState.MATCHING)
        return sealed.id if sealed else None


def match_round(
    context: Context, round_id: RoundId, *, engine: SimilarityEngine, should_stop: Callable[[], bool]
) -> None:
    """Match a claimed round and take it to RELEASED.

    Raises:
        MatchingInterrupted: `should_stop` gave true; the round stays in MATCHING for the next start.
    """

    def progress(done: int, total: int) -> None:
        if should_stop():
            raise MatchingInterrupted
        context.progress.report(round_id, done, total)

    stored = False
    while not stored:  # a row that is struck out while its round is matched takes part in nothing either
        manifest, rows = _load(context, round_id)
        pairs = _linked_pairs(manifest, rows, engine=engine, progress=progress)
        groups = group_rows(pairs, sizes=[len(one.encoded) for one in rows])
        stored = _store_results(context, round_id, manifest, rows, groups)
    context.progress.clear(round_id)


def _linked_pairs(
    manifest: RoundManifest, rows: Sequence[_Rows], *, engine: SimilarityEngine, progress: Progress
) -> CandidatePairs:
    """Give the pairs that reach the manifest's threshold: by Dice of one plain CLK, or by the score of the tables."""
    profile, threshold = manifest.read_profile(), float(manifest.threshold)
    if isinstance(profile, HardenedProfile):
        pairs = link_tables(
            [split_rows(one.encoded, tables=len(profile.tables), clk_bits=profile.clk_bits) for one in rows],
            rules=link_rules(profile),
            engine=engine,
            max_pairs=engine.max_pairs,
            progress=progress,
        )
        return at_least(pairs, threshold=threshold)
    datasets = [Dataset(party=one.party, clks=one.encoded) for one in rows]
    return engine.candidate_pairs(datasets, threshold=threshold, progress=progress)


def fail_round(context: Context, round_id: RoundId, *, error: Exception) -> None:
    """Take a round whose matching stopped on a fault to FAILED, from where the operator may try again.

    A round that is no longer in MATCHING, because it was cancelled meanwhile, stays as it is.
    """
    code = error.code if isinstance(error, IsthmusError) else type(error).__name__
    context.progress.clear(round_id)
    with context.store.begin() as tx:
        row = tx.rounds.get(round_id)
        if row.state is not RoundState.MATCHING:
            return
        tx.record(round_event(context, row, None, "round.fault", code))
        advance(context, tx, row, to=RoundState.FAILED)


def _load(context: Context, round_id: RoundId) -> tuple[RoundManifest, list[_Rows]]:
    with context.store.read() as tx:
        manifest = manifest_from_bytes(tx.rounds.get(round_id).manifest)
        return manifest, [_load_rows(context, tx, round_id, party) for party in manifest.project.provider_ids()]


def _load_rows(context: Context, tx: Transaction, round_id: RoundId, party: PartyId) -> _Rows:
    declared = tx.submissions.find(round_id, party)
    submission = submission_from_bytes(declared.document if declared else b"")
    payload = b"".join(context.blobs.get(chunk.digest) for chunk in tx.submissions.chunks(round_id, party))
    handles, encoded = unpack_rows(payload, row_bits=submission.row_bits)
    tombstones = tx.tombstones.of(round_id, party)
    takes_part = np.fromiter((row.tobytes() not in tombstones for row in handles), dtype=np.bool_, count=len(handles))
    return _Rows(party=party, handles=handles[takes_part], encoded=encoded[takes_part], tombstones=tombstones)


def _store_results(
    context: Context, round_id: RoundId, manifest: RoundManifest, rows: Sequence[_Rows], groups: Groups
) -> bool:
    """Store everything and release; give false, and store nothing, where rows were struck out meanwhile."""
    table = _overlap(manifest, rows, groups)
    entities = _entity_ids(rows, groups)
    with context.store.begin() as tx:
        if any(tx.tombstones.of(round_id, one.party) != one.tombstones for one in rows):
            return False
        row = tx.rounds.get(round_id)
        keys = [_pseudonym_key(context, tx, row, one.party) for one in rows]
        _store_maps(context, tx, row, manifest, rows, entities, keys)
        _store_entities(context, tx, row, rows, entities)
        _store_release(context, tx, row, table)
        advance(context, tx, row, to=RoundState.REVIEW)
        advance(context, tx, tx.rounds.get(round_id), to=RoundState.RELEASED)
        return True


def _overlap(manifest: RoundManifest, rows: Sequence[_Rows], groups: Groups) -> ReleasedTable:
    sizes = [len(one.encoded) for one in rows]
    patterns = membership_patterns(groups, sizes=sizes)
    table = overlap_table([one.party for one in rows], patterns, sizes)
    return release(table, rules=DisclosureRules(min_cell_count=manifest.project.min_cell_count))


def _entity_ids(rows: Sequence[_Rows], groups: Groups) -> list[list[tuple[bytes, bool]]]:
    """Give, for each provider and row, the id of its entity and whether the entity has rows of other providers."""
    handles = [one.handle_list() for one in rows]
    entities = [[(b"", False)] * len(names) for names in handles]
    members: dict[int, list[tuple[int, int]]] = {}
    for dataset, row, entity in zip(groups.dataset.tolist(), groups.row.tolist(), groups.entity.tolist(), strict=True):
        members.setdefault(entity, []).append((dataset, row))
    for places in members.values():
        name = entity_id(handles[dataset][row] for dataset, row in places)
        for dataset, row in places:
            entities[dataset][row] = (name, True)
    return [
        [found if found[1] else (entity_id([name]), False) for found, name in zip(known, names, strict=True)]
        for known, names in zip(entities, handles, strict=True)
    ]


def _pseudonym_key(context: Context, tx: Transaction, row: RoundRow, party: PartyId) -> bytes:
    event = round_event(context, row, None, "pseudonym-key.make", party)
    return tx.results.pseudonym_key(row.project, party, fresh=context.random_bytes(KEY_BYTES), audit=event)


def _store_maps(
    context: Context,
    tx: Transaction,
    row: RoundRow,
    manifest: RoundManifest,
    rows: Sequence[_Rows],
    entities: Sequence[Sequence[tuple[bytes, bool]]],
    keys: Sequence[bytes],
) -> None:
    """Store each provider's map: rows that linked in reveal mode linked; every row, with its slot, in mode spine."""
    spine = manifest.project.reveal is RevealMode.SPINE
    names = sorted({name for known in entities for name, _ in known})
    slots, slot_count = spine_slots(names, key=b"".join(keys)) if spine else ({}, 0)
    for one, known, key in zip(rows, entities, keys, strict=True):
        shown = [
            PseudonymRow(handle=handle, pseudonym=pseudonym(key, name), slot=slots.get(name))
            for handle, (name, linked) in zip(one.handle_list(), known, strict=True)
            if linked or spine
        ]
        digest = context.blobs.put(pack_pseudonyms(shown))
        result = ResultRow(round_id=row.id, party=one.party, digest=digest, rows=len(shown), slot_count=slot_count)
        tx.results.add(result, audit=round_event(context, row, None, "result.store", one.party))


def _store_entities(
    context: Context,
    tx: Transaction,
    row: RoundRow,
    rows: Sequence[_Rows],
    entities: Sequence[Sequence[tuple[bytes, bool]]],
) -> None:
    linked = [
        EntityRow(dataset=dataset, handle=handle, entity=name)
        for dataset, (one, known) in enumerate(zip(rows, entities, strict=True))
        for handle, (name, is_linked) in zip(one.handle_list(), known, strict=True)
        if is_linked
    ]
    digest = context.blobs.put(pack_entities(linked))
    tx.results.set_entities(row.id, digest, audit=round_event(context, row, None, "entities.store", row.id))


def _store_release(context: Context, tx: Transaction, row: RoundRow, table: ReleasedTable) -> None:
    released = ReleaseRow(
        id=TableId(f"{row.id}-overlap"),
        project=row.project,
        round_id=row.id,
        title=table.title,
        document=table.to_bytes(),
        released_at=context.clock.now(),
    )
    tx.results.add_release(released, audit=round_event(context, row, None, "table.release", released.id))
