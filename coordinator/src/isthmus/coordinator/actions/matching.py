"""Matching a sealed round: encodings in, pseudonym maps and a released table out. docs/protocol.md sections 7 to 9.

All results are stored in one transaction with the step to REVIEW, so a round has one result or none. A round found in
MATCHING was interrupted and is matched again from its sealed encodings and the runs that were kept of the comparison,
which gives the same bytes.

Rows may be struck out until the result is stored, one by one if a provider likes. So the work that this repeats is
bounded: see `match_round`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import Submission, submission_from_bytes
from isthmus.contract.errors import IsthmusError
from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import PartyId, RoundId, TableId
from isthmus.contract.project import RevealMode, RoundManifest, manifest_from_bytes
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.context import Compared, Context
from isthmus.coordinator.actions.round_rows import Entities, RoundRows, entity_names, find_entities, load_rows
from isthmus.coordinator.actions.rounds import advance, round_event
from isthmus.coordinator.disclosure.release import DisclosureRules, ReleasedTable, release
from isthmus.coordinator.disclosure.table import overlap_table
from isthmus.coordinator.domain.entities import pack_entities
from isthmus.coordinator.domain.pseudonyms import pack_pseudonyms, pseudonyms, spine_slots
from isthmus.coordinator.domain.records import ReleaseRow, ResultRow, RoundRow
from isthmus.coordinator.match.encodings import Dataset, split_rows
from isthmus.coordinator.match.engine import CandidatePairs, Progress, SimilarityEngine
from isthmus.coordinator.match.group import Groups, group_rows, pairs_of_kept_rows
from isthmus.coordinator.match.memory import Demand, Memory, check_memory
from isthmus.coordinator.match.overlap import membership_patterns, people_counts
from isthmus.coordinator.match.runs import Runs
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import at_least, link_tables
from isthmus.coordinator.store.protocol import Transaction

KEY_BYTES: Final = 32

StruckOut = Mapping[PartyId, frozenset[bytes]]
"""The handles of each provider's rows that are struck out."""


MOST_RUNS: Final = 3
"""How often a round is matched at most because rows were struck out while it was matched."""

UNLOCKED_TRIES: Final = 3
"""How often a result is made from the pairs while rows may still be struck out, before the store is locked for it."""


class MatchingInterrupted(Exception):  # not an error: nobody did anything wrong
    """The coordinator was told to stop while it was matching."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Matched:
    """What one run of matching gave: the pairs that reach the threshold, of the rows not struck out when it began."""

    manifest: RoundManifest
    struck: StruckOut
    rows: Sequence[RoundRows]
    pairs: CandidatePairs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Result:
    """What is stored of a round."""

    manifest: RoundManifest
    rows: Sequence[RoundRows]
    entities: Sequence[Entities]
    table: ReleasedTable


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
    context: Context,
    round_id: RoundId,
    *,
    engine: SimilarityEngine,
    should_stop: Callable[[], bool],
    told: Callable[[Compared], None] = lambda _: None,
    memory: Memory | None = None,
) -> None:
    """Match a claimed round and take it to RELEASED, without the rows that are struck out by then.

    Where rows were struck out meanwhile, `interop-1` drops their pairs, which is the same as never having had the
    rows. Several tables are matched again, because a row competes with others for the candidates of a third; rows
    struck out during the last of `MOST_RUNS` runs are dropped as in `interop-1`. docs/protocol.md section 7.

    What was found is kept as it is found, and a try that was interrupted, killed or failed is gone on with. `told` is
    told how far this one is.

    Raises:
        NotEnoughMemory: it may take more than `memory`, if that is given; nothing was loaded yet.
        MatchingInterrupted: `should_stop` gave true; the round stays in MATCHING for the next start.
    """
    if memory is not None:
        check_memory(_demand(context, round_id), memory, max_pairs=engine.max_pairs)
    context.runs.of(round_id).forget_unfinished()

    def one_run() -> _Matched:
        runs = context.runs.of(round_id)

        def progress(done: int, total: int) -> None:
            if should_stop():
                raise MatchingInterrupted
            now, before = context.clock.now(), runs.compared_before
            told(context.progress.report(round_id, done, total, now=now, before=before))

        return _match(context, round_id, engine=engine, runs=runs, progress=progress)

    matched = one_run()
    for _ in range(MOST_RUNS - 1 if isinstance(matched.manifest.read_profile(), HardenedProfile) else 0):
        with context.store.read() as tx:
            if _struck_out(tx, matched.manifest) == matched.struck:
                break
        matched = one_run()
    _settle(context, matched)
    context.runs.of(round_id).forget()
    context.progress.clear(round_id)


def _demand(context: Context, round_id: RoundId) -> Demand:
    """Give what decides how much memory a round takes, from what was declared."""
    with context.store.read() as tx:
        manifest = manifest_from_bytes(tx.rounds.get(round_id).manifest)
        sent = [_declared(tx, round_id, party) for party in manifest.project.provider_ids()]
    profile, blocks = manifest.read_profile(), manifest.project.blocks
    return Demand(
        sizes=[one.rows for one in sent],
        row_bytes=sent[0].row_bits // 8,
        clk_bytes=sent[0].clk_bits // 8,
        tables=sent[0].tables,
        match_keys=sent[0].match_keys,
        best_of_row=link_rules(profile).best_of_row if isinstance(profile, HardenedProfile) else None,
        spine=manifest.project.reveal is RevealMode.SPINE,
        repeating=frozenset(place for place, terms in enumerate(manifest.project.providers) if terms.repeats),
        block_keys=sent[0].blocks,
        bucket_rows=blocks.most_rows if blocks else 0,
    )


def _match(
    context: Context, round_id: RoundId, *, engine: SimilarityEngine, runs: Runs, progress: Progress
) -> _Matched:
    with context.store.read() as tx:
        manifest = manifest_from_bytes(tx.rounds.get(round_id).manifest)
        struck = _struck_out(tx, manifest)
        loaded = [_load(context, tx, round_id, party, struck[party]) for party in manifest.project.provider_ids()]
    encodings = [encoded for _, encoded in loaded]
    pairs = _linked_pairs(manifest, encodings, engine=engine, runs=runs, progress=progress)
    return _Matched(manifest=manifest, struck=struck, rows=[rows for rows, _ in loaded], pairs=pairs)


def _linked_pairs(
    manifest: RoundManifest,
    encoded: Sequence[NDArray[np.uint8]],
    *,
    engine: SimilarityEngine,
    runs: Runs,
    progress: Progress,
) -> CandidatePairs:
    """Give the pairs that reach the manifest's threshold: by Dice of one plain CLK, or by the score of tables."""
    profile, threshold, blocks = manifest.read_profile(), float(manifest.threshold), manifest.project.blocks
    shape = {"clk_bits": profile.clk_bits, "blocks": len(blocks.keys) if blocks else 0}
    providers = manifest.project.providers
    rows = [
        split_rows(one, tables=len(profile.table_names), repeats=terms.repeats, **shape)
        for one, terms in zip(encoded, providers, strict=True)
    ]
    if isinstance(profile, HardenedProfile):
        pairs = link_tables(
            rows,
            rules=link_rules(profile),
            engine=engine,
            max_pairs=engine.max_pairs,
            progress=progress,
            runs=runs,
        )
        return at_least(pairs, threshold=threshold)
    datasets = [
        Dataset(party=terms.party, clks=one.clks[:, 0], repeats=one.repeats, buckets=one.buckets)
        for one, terms in zip(rows, providers, strict=True)
    ]
    return engine.candidate_pairs(datasets, threshold=threshold, progress=progress, runs=runs)


def fail_round(context: Context, round_id: RoundId, *, error: Exception) -> None:
    """Take a round whose matching stopped on a fault to FAILED, from where the operator may try again.

    A round that is no longer in MATCHING, because it was cancelled meanwhile, stays as it is.
    """
    code = error.code if isinstance(error, IsthmusError) else type(error).__name__
    context.progress.clear(round_id)
    with context.store.begin() as tx:
        row = tx.rounds.get(round_id)
        if row.state is not RoundState.MATCHING:
            context.runs.of(round_id).forget()
            return
        tx.record(round_event(context, row, None, "round.fault", code))
        advance(context, tx, row, to=RoundState.FAILED)


def _struck_out(tx: Transaction, manifest: RoundManifest) -> StruckOut:
    return {party: tx.tombstones.of(manifest.round_id, party) for party in manifest.project.provider_ids()}


def _load(
    context: Context, tx: Transaction, round_id: RoundId, party: PartyId, struck: frozenset[bytes]
) -> tuple[RoundRows, NDArray[np.uint8]]:
    submission = _declared(tx, round_id, party)
    chunks = (chunk.digest for chunk in tx.submissions.chunks(round_id, party))
    return load_rows(context.blobs, chunks, submission=submission, struck=struck)


def _declared(tx: Transaction, round_id: RoundId, party: PartyId) -> Submission:
    declared = tx.submissions.find(round_id, party)
    return submission_from_bytes(declared.document if declared else b"")


def _settle(context: Context, matched: _Matched) -> None:
    """Store the result of the rows that are left; nobody can put it off by striking out more and more.

    Grouping takes a while, so it is done before the store is locked, unless that was in vain too often.
    """
    for _ in range(UNLOCKED_TRIES):
        with context.store.read() as tx:
            struck = _struck_out(tx, matched.manifest)
        result = _result(matched, struck)
        with context.store.begin() as tx:
            if _struck_out(tx, matched.manifest) == struck:
                return _store_result(context, tx, result)
    with context.store.begin() as tx:
        return _store_result(context, tx, _result(matched, _struck_out(tx, matched.manifest)))


def _result(matched: _Matched, struck: StruckOut) -> _Result:
    kept = [one.kept(struck[one.party]) for one in matched.rows]
    rows = [replace(one, handles=one.handles[keep]) for one, keep in zip(matched.rows, kept, strict=True)]
    # Mostly nothing was struck out meanwhile, and the pairs need not be in memory twice.
    pairs = matched.pairs if all(keep.all() for keep in kept) else pairs_of_kept_rows(matched.pairs, kept)
    groups = group_rows(pairs, sizes=[len(one) for one in rows])
    return _Result(
        manifest=matched.manifest,
        rows=rows,
        entities=find_entities(rows, groups, of_all=matched.manifest.project.reveal is RevealMode.SPINE),
        table=_overlap(matched.manifest, rows, groups),
    )


def _store_result(context: Context, tx: Transaction, result: _Result) -> None:
    """Store everything and release."""
    row = tx.rounds.get(result.manifest.round_id)
    keys = [_pseudonym_key(context, tx, row, one.party) for one in result.rows]
    _store_maps(context, tx, row, result, keys)
    _store_entities(context, tx, row, result)
    _store_release(context, tx, row, result.table)
    advance(context, tx, row, to=RoundState.REVIEW)
    advance(context, tx, tx.rounds.get(row.id), to=RoundState.RELEASED)


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
    slots, slot_count = spine_slots(entity_names(result.entities), key=b"".join(keys)) if spine else (None, 0)
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
