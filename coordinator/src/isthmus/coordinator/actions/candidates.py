"""Candidate pairs of a sealed round: encodings in, scored pairs out. docs/protocol.md section 7."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final, TypedDict

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.manifest import RoundManifest, manifest_from_bytes
from isthmus.contract.profiles import AnyProfile
from isthmus.contract.project import RevealMode
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_rows import RoundRows, declared_submission, load_rows, struck_out
from isthmus.coordinator.actions.settling import Matched
from isthmus.coordinator.match.encodings import Dataset, TabledRows, split_rows
from isthmus.coordinator.match.engine import CandidatePairs, Found, Progress, SimilarityEngine, merge_found
from isthmus.coordinator.match.field_candidates import field_candidates, reach_for
from isthmus.coordinator.match.memory import Demand
from isthmus.coordinator.match.runs import Runs
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import at_least, link_tables
from isthmus.coordinator.store.protocol import Transaction

_ROWS: Final = PartyId("rows")
"""An engine compares; whose rows they are is nothing to it."""


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
    """Give the pairs that reach the manifest's threshold.

    Where field comparison decides, give the candidates for it, whatever their score, but inside data sets that repeat
    people still the pairs that link: no second node could answer for those.
    """
    profile, threshold, project = manifest.read_profile(), float(manifest.threshold), manifest.project
    blocks = len(project.blocks.keys) if project.blocks else 0
    rows = [
        split_rows(
            one, tables=len(profile.table_names), repeats=terms.repeats, clk_bits=profile.clk_bits, blocks=blocks
        )
        for one, terms in zip(encoded, project.providers, strict=True)
    ]
    looking: _Looking = {"engine": engine, "max_pairs": engine.max_pairs, "progress": progress, "runs": runs}
    if not project.comparison:
        return _linking(rows, profile, threshold, looking)
    repeating = [place for place, one in enumerate(rows) if one.repeats]
    if not repeating:
        return field_candidates(rows, profile=profile, **looking)
    stages = 1 + len(repeating)
    candidates = field_candidates(rows, profile=profile, **_stage(looking, 0, stages))
    own = {
        place: _linking([rows[place]], profile, threshold, _stage(looking, done, stages))
        for done, place in enumerate(repeating, start=1)
    }
    return _between_and_own(candidates, own)


def _linking(rows: Sequence[TabledRows], profile: AnyProfile, threshold: float, looking: _Looking) -> CandidatePairs:
    """Give the pairs that reach the threshold: by the score of tables, or by Dice of one plain CLK."""
    if isinstance(profile, HardenedProfile):
        return at_least(link_tables(rows, rules=link_rules(profile), **looking), threshold=threshold)
    datasets = [Dataset(party=_ROWS, clks=one.clks[:, 0], repeats=one.repeats, buckets=one.buckets) for one in rows]
    return looking["engine"].candidate_pairs(
        datasets, threshold=threshold, progress=looking["progress"], runs=looking["runs"]
    )


def _stage(looking: _Looking, done: int, stages: int) -> _Looking:
    """Give the same for one of several stages, each of which is told to be as much work as any other."""

    def progress(inside: int, total: int) -> None:
        looking["progress"](done * total + inside, stages * total)

    return {**looking, "progress": progress}


def _between_and_own(candidates: CandidatePairs, own: Mapping[int, CandidatePairs]) -> CandidatePairs:
    """Give the candidates between data sets, and inside of each data set its own pairs."""
    between = candidates.left_dataset != candidates.right_dataset
    parts = [
        Found(
            left_dataset=int(left),
            right_dataset=int(right),
            similarity=candidates.similarity[here],
            left_row=candidates.left_row[here],
            right_row=candidates.right_row[here],
        )
        for left, right in combinations(range(int(candidates.right_dataset.max(initial=0)) + 1), 2)
        if (here := between & (candidates.left_dataset == left) & (candidates.right_dataset == right)).any()
    ]
    parts += [
        Found(
            left_dataset=place,
            right_dataset=place,
            similarity=pairs.similarity,
            left_row=pairs.left_row,
            right_row=pairs.right_row,
        )
        for place, pairs in own.items()
    ]
    return merge_found(parts, repeating=candidates.repeating)


def _load(
    context: Context, tx: Transaction, round_id: RoundId, party: PartyId, struck: frozenset[bytes]
) -> tuple[RoundRows, NDArray[np.uint8]]:
    submission = declared_submission(tx, round_id, party)
    chunks = (chunk.digest for chunk in tx.submissions.chunks(round_id, party))
    return load_rows(context.blobs, chunks, submission=submission, struck=struck)
