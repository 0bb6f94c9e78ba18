"""Candidate pairs of a sealed round: encodings in, scored pairs out. docs/protocol.md section 7."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.project import RevealMode, RoundManifest, manifest_from_bytes
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_rows import RoundRows, declared_submission, load_rows, struck_out
from isthmus.coordinator.actions.settling import Matched
from isthmus.coordinator.match.encodings import Dataset, split_rows
from isthmus.coordinator.match.engine import CandidatePairs, Progress, SimilarityEngine
from isthmus.coordinator.match.field_candidates import field_candidates, reach_for
from isthmus.coordinator.match.memory import Demand
from isthmus.coordinator.match.runs import Runs
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import at_least, link_tables
from isthmus.coordinator.store.protocol import Transaction


class _Looking(TypedDict):
    """How candidates are looked for, whatever the profile."""

    engine: SimilarityEngine
    max_pairs: int
    progress: Progress
    runs: Runs


def demand_of(context: Context, round_id: RoundId, *, max_pairs: int) -> Demand:
    """Give what decides how much memory a round takes, from what was declared; `max_pairs` may be held."""
    with context.store.read() as tx:
        manifest = manifest_from_bytes(tx.rounds.get(round_id).manifest)
        sent = [declared_submission(tx, round_id, party) for party in manifest.project.provider_ids()]
    profile, project, sizes = manifest.read_profile(), manifest.project, [one.rows for one in sent]
    repeating = frozenset(place for place, terms in enumerate(project.providers) if terms.repeats)
    best: int | None
    if project.comparison:
        best = reach_for(profile, sizes, repeating=repeating, max_pairs=max_pairs).best_of_row
    else:
        best = link_rules(profile).best_of_row if isinstance(profile, HardenedProfile) else None
    return Demand(
        sizes=sizes,
        row_bytes=sent[0].row_bits // 8,
        clk_bytes=sent[0].clk_bits // 8,
        tables=sent[0].tables,
        match_keys=sent[0].match_keys,
        best_of_row=best,
        spine=project.reveal is RevealMode.SPINE,
        repeating=repeating,
        block_keys=sent[0].blocks,
        bucket_rows=project.blocks.most_rows if project.blocks else 0,
        slots=project.comparison.slots if project.comparison else 0,
        fields=max(len(project.comparable_fields(party)) for party in project.provider_ids()),
    )


def find_candidates(
    context: Context, round_id: RoundId, *, engine: SimilarityEngine, runs: Runs, progress: Progress
) -> Matched:
    """Give the pairs of rows that are not struck out; `rows` are these alone.

    Where the project grants field comparison they are all pairs that were scored, and otherwise those that link.
    """
    with context.store.read() as tx:
        manifest = manifest_from_bytes(tx.rounds.get(round_id).manifest)
        struck = struck_out(tx, manifest)
        loaded = [_load(context, tx, round_id, party, struck[party]) for party in manifest.project.provider_ids()]
    encodings = [encoded for _, encoded in loaded]
    pairs = _pairs(manifest, encodings, engine=engine, runs=runs, progress=progress)
    return Matched(manifest=manifest, struck=struck, rows=[rows for rows, _ in loaded], pairs=pairs)


def _pairs(
    manifest: RoundManifest,
    encoded: Sequence[NDArray[np.uint8]],
    *,
    engine: SimilarityEngine,
    runs: Runs,
    progress: Progress,
) -> CandidatePairs:
    """Give the pairs that reach the manifest's threshold: by Dice of one plain CLK, or by the score of tables.

    Where field comparison decides, give the candidates for it, whatever their score.
    """
    profile, threshold, blocks = manifest.read_profile(), float(manifest.threshold), manifest.project.blocks
    shape = {"clk_bits": profile.clk_bits, "blocks": len(blocks.keys) if blocks else 0}
    providers = manifest.project.providers
    rows = [
        split_rows(one, tables=len(profile.table_names), repeats=terms.repeats, **shape)
        for one, terms in zip(encoded, providers, strict=True)
    ]
    looking: _Looking = {"engine": engine, "max_pairs": engine.max_pairs, "progress": progress, "runs": runs}
    if manifest.project.comparison:
        return field_candidates(rows, profile=profile, **looking)
    if isinstance(profile, HardenedProfile):
        return at_least(link_tables(rows, rules=link_rules(profile), **looking), threshold=threshold)
    datasets = [
        Dataset(party=terms.party, clks=one.clks[:, 0], repeats=one.repeats, buckets=one.buckets)
        for one, terms in zip(rows, providers, strict=True)
    ]
    return engine.candidate_pairs(datasets, threshold=threshold, progress=progress, runs=runs)


def _load(
    context: Context, tx: Transaction, round_id: RoundId, party: PartyId, struck: frozenset[bytes]
) -> tuple[RoundRows, NDArray[np.uint8]]:
    submission = declared_submission(tx, round_id, party)
    chunks = (chunk.digest for chunk in tx.submissions.chunks(round_id, party))
    return load_rows(context.blobs, chunks, submission=submission, struck=struck)
