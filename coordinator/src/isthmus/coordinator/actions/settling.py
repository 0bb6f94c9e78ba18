"""Making the result of linked pairs and storing it: pseudonym maps, entities, a released table, a quality report.

All is stored in one transaction with the step to REVIEW, so a round has one result or none. docs/protocol.md sections 7
to 9.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from isthmus.contract.ids import PartyId, TableId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import RevealMode
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.carrying import Basis, carry_ids, forget_known, load_basis, store_carried
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.quality_report import FoundByPair, Grouped, make_quality
from isthmus.coordinator.actions.round_rows import (
    Entities,
    RoundRows,
    StruckOut,
    entity_names,
    find_entities,
)
from isthmus.coordinator.actions.rounds import advance, round_event
from isthmus.coordinator.disclosure.quality import ReleasedQuality
from isthmus.coordinator.disclosure.release import DisclosureRules, ReleasedTable, release
from isthmus.coordinator.disclosure.table import overlap_table
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE, AuditEvent
from isthmus.coordinator.domain.entities import pack_entities
from isthmus.coordinator.domain.longitudinal import Carried
from isthmus.coordinator.domain.pseudonyms import pack_pseudonyms, pseudonyms, spine_slots
from isthmus.coordinator.domain.records import ReleaseRow, ResultRow, RoundRow
from isthmus.coordinator.match.compare.evidence import of_kept_rows
from isthmus.coordinator.match.compare.link import Weighed
from isthmus.coordinator.match.compare.people import group_linked
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import Groups, group_rows, pairs_of_kept_rows
from isthmus.coordinator.match.overlap import membership_patterns, people_counts
from isthmus.coordinator.store.protocol import Transaction

KEY_BYTES: Final = 32

UNLOCKED_TRIES: Final = 3
"""How often a result is made from the pairs while rows may still be struck out, before the store is locked for it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matched:
    """What one run of matching gave: pairs of `rows`, best first; `struck` are those struck out when it began.

    `weighed` are the candidates of every two providers where fields were compared, for the quality report. `scarce`
    says, for the log, between which providers there was too little to learn from, and of what.
    `planted` says by two providers how many planted people were found; their rows are not among `rows`.
    """

    manifest: RoundManifest
    struck: StruckOut
    rows: Sequence[RoundRows]
    pairs: CandidatePairs
    weighed: Sequence[Weighed] = ()
    scarce: Sequence[str] = ()
    planted: FoundByPair = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Result:
    """What is stored of a round; `carried` is there in longitudinal projects."""

    manifest: RoundManifest
    basis: Basis
    carried: Carried | None
    rows: Sequence[RoundRows]
    entities: Sequence[Entities]
    table: ReleasedTable
    quality: ReleasedQuality | None
    scarce: Sequence[str]
    planted: FoundByPair


def settle(context: Context, matched: Matched) -> None:
    """Store the result of the rows that are left; nobody can put it off by striking out more and more.

    Grouping takes a while, so it is done before the store is locked, unless that was in vain too often.
    """
    known = _settled(context, matched).known
    forget_known(context, known)


def _settled(context: Context, matched: Matched) -> Basis:
    """Store the result; give what it was made from."""
    for _ in range(UNLOCKED_TRIES):
        with context.store.read() as tx:
            basis = load_basis(tx, matched.manifest)
        result = _result(context, matched, basis)
        with context.store.begin() as tx:
            if load_basis(tx, matched.manifest) == basis:
                _store_result(context, tx, result)
                return basis
    with context.store.begin() as tx:
        basis = load_basis(tx, matched.manifest)
        _store_result(context, tx, _result(context, matched, basis))
        return basis


def _result(context: Context, matched: Matched, basis: Basis) -> _Result:
    kept = [one.kept(basis.struck[one.party]) for one in matched.rows]
    rows = [replace(one, handles=one.handles[keep]) for one, keep in zip(matched.rows, kept, strict=True)]
    # Mostly nothing was struck out meanwhile, and the pairs need not be in memory twice.
    pairs = matched.pairs if all(keep.all() for keep in kept) else pairs_of_kept_rows(matched.pairs, kept)
    group = group_linked if matched.manifest.project.comparison else group_rows
    sizes = [len(one) for one in rows]
    groups = group(pairs, sizes=sizes)
    table = _overlap(matched.manifest, rows, groups)
    grouped = Grouped(
        manifest=matched.manifest,
        weighed=[of_kept_rows(one, kept) for one in matched.weighed],
        planted=matched.planted,
        pairs=pairs,
        sizes=sizes,
        groups=groups,
        table=table,
    )
    entities = find_entities(rows, groups, of_all=matched.manifest.project.reveal is RevealMode.SPINE)
    carried = carry_ids(context, matched.manifest, basis, rows=rows, groups=groups, entities=entities)
    if carried is not None:
        entities = [replace(known, ids=carried.ids[one.party]) for one, known in zip(rows, entities, strict=True)]
    return _Result(
        manifest=matched.manifest,
        basis=basis,
        carried=carried,
        rows=rows,
        entities=entities,
        table=table,
        quality=make_quality(grouped),
        scarce=matched.scarce,
        planted=matched.planted,
    )


def _store_result(context: Context, tx: Transaction, result: _Result) -> None:
    """Store everything and release."""
    row = tx.rounds.get(result.manifest.round_id)
    keys = [_pseudonym_key(context, tx, row, one.party) for one in result.rows]
    _store_maps(context, tx, row, result, keys)
    _store_entities(context, tx, row, result)
    if result.carried is not None:
        by_party = {one.party: key for one, key in zip(result.rows, keys, strict=True)}
        store_carried(context, tx, row, result.carried, keys=by_party, number=result.basis.number)
    _store_release(context, tx, row, result.table)
    _store_quality(context, tx, row, result.quality)
    for said in result.scarce:
        tx.record(_scarce_event(context, row, said))
    _record_planted(context, tx, row, result.planted)
    advance(context, tx, row, to=RoundState.REVIEW)
    advance(context, tx, tx.rounds.get(row.id), to=RoundState.RELEASED)


def _scarce_event(context: Context, row: RoundRow, said: str) -> AuditEvent:
    """Give the event for the operator alone: providers can read their project's, and some of it says "few shared"."""
    return context.event(scope=COORDINATOR_SCOPE, actor=None, action="comparison.scarce", object=row.id, outcome=said)


def _record_planted(context: Context, tx: Transaction, row: RoundRow, planted: FoundByPair) -> None:
    """Record how many planted people were found: they are nobody, so exact numbers tell of nobody."""
    for (left, right), one in planted.items():
        outcome = f"{left} and {right}: {one.found} of {one.people}, {one.asked} asked for"
        tx.record(round_event(context, row, None, "planted.find", outcome))


def _overlap(manifest: RoundManifest, rows: Sequence[RoundRows], groups: Groups) -> ReleasedTable:
    sizes = [len(one) for one in rows]
    patterns = membership_patterns(groups, sizes=sizes)
    people, repeating = people_counts(groups, sizes=sizes), groups.repeating
    table = overlap_table([one.party for one in rows], patterns, people, repeating=repeating)
    return release(table, rules=DisclosureRules(min_cell_count=manifest.project.min_cell_count))


def _pseudonym_key(context: Context, tx: Transaction, row: RoundRow, party: PartyId) -> bytes:
    event = round_event(context, row, None, "pseudonym-key.make", party)
    return tx.results.pseudonym_key(row.project, party, fresh=context.random_bytes(KEY_BYTES), audit=event)


def _store_maps(context: Context, tx: Transaction, row: RoundRow, result: _Result, keys: Sequence[bytes]) -> None:
    """Store each provider's map: rows that linked in reveal mode linked; every row, with its slot, in mode spine."""
    spine = result.manifest.project.reveal is RevealMode.SPINE
    # Where ids last, slots must not: all providers have the same ones, so they would be an ID between providers.
    slot_key = b"".join([*keys, *([row.id.encode("ascii")] if result.carried else [])])
    slots, slot_count = spine_slots(entity_names(result.entities), key=slot_key) if spine else (None, 0)
    for one, known, key in zip(result.rows, result.entities, keys, strict=True):
        shown = np.ones(len(one), np.bool_) if spine else known.linked
        ids = known.ids[shown]
        of_rows = None if slots is None else np.array([slots[name.tobytes()] for name in ids], np.uint32)
        digest = context.blobs.put(pack_pseudonyms(one.handles[shown], pseudonyms(key, ids), of_rows))
        map_row = ResultRow(round_id=row.id, party=one.party, digest=digest, rows=len(ids), slot_count=slot_count)
        tx.results.add(map_row, audit=round_event(context, row, None, "result.store", one.party))


def _store_entities(context: Context, tx: Transaction, row: RoundRow, result: _Result) -> None:
    pairs = zip(result.rows, result.entities, strict=True)
    digest = context.blobs.put(
        pack_entities([(one.handles[known.grouped], known.ids[known.grouped]) for one, known in pairs])
    )
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


def _store_quality(context: Context, tx: Transaction, row: RoundRow, quality: ReleasedQuality | None) -> None:
    if quality is not None:
        tx.results.set_quality(
            row.id, quality.to_bytes(), audit=round_event(context, row, None, "quality.store", row.id)
        )
