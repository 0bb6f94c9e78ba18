"""The product's linking, in one process: encoders, candidates, request lists, padded answers, levels, model, groups.

Nothing is simulated but the wire: both nodes' answers are made with their pads, and what the coordinator reads of them
is all that its model sees.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import Comparison, comparison_1
from isthmus.contract.differences import field_levels
from isthmus.contract.encodings import tag_words
from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_single_1
from isthmus.contract.ids import PartyId
from isthmus.contract.kinds import Kind, Levels, Shares, random_shares
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.coordinator.match.compare.model import Candidates, fit
from isthmus.coordinator.match.compare.requests import build_requests
from isthmus.coordinator.match.encodings import TabledRows
from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found
from isthmus.coordinator.match.group import Groups, group_rows
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import at_least, link_tables
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.near_misses import fit_near_misses, near_pairs, own_differences
from isthmus.node.compare.pads import PadKeys
from isthmus.node.compare.row_fields import RowFields, read_row_fields
from isthmus.node.encode.hardened import RoundKeys, encode_hardened
from isthmus.node.encode.match_keys import MatchKeyEncoder
from isthmus.node.encode.repeated_tags import hide_repeated, repeated_words

sys.path.insert(0, str(Path(__file__).parents[2]))
# The benchmarks are no package.
from benchmarks.quality.people import Columns, DataSet
from benchmarks.quality.score import Pairs, packed

KEYS: Final = RoundKeys(
    encode=Secret(b"a benchmark keeps no secrets"),
    diffusion=Secret(b"and no diffusion key"),
    match=Secret(b"nor a match key"),
)
COMPARE, PAD = Secret(b"c" * 32), Secret(b"p" * 32)
MAX_PAIRS: Final = 2 * 10**7
SLOTS: Final = 8
"""In so many pairs each row of the larger provider stands, for each other provider."""

ACCEPT: Final = {"balanced": 0.1, "strict": 0.5}
PAIRS_AT_ONCE: Final = 2**15

Rows = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """Candidates of two providers that were asked for, with the probability of each; `shared` by the model."""

    left: int
    right: int
    left_row: Rows
    right_row: Rows
    probability: NDArray[np.float64]
    shared: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linked:
    """What every stage of linking left: candidates, pairs asked for, and groups by way of accepting.

    `threshold` are the groups by the candidates' own score at the profile's threshold, without comparing fields.
    """

    candidates: CandidatePairs
    compared: tuple[Compared, ...]
    groups: Mapping[str, Groups]
    threshold: Groups

    def asked(self) -> Pairs:
        """Give the candidates that were asked for."""
        return {(one.left, one.right): packed(one.left_row, one.right_row) for one in self.compared}

    def accepted(self, way: str) -> Pairs:
        """Give the pairs that the model accepts."""
        kept = [(one, one.probability >= ACCEPT[way]) for one in self.compared]
        return {(one.left, one.right): packed(one.left_row[keep], one.right_row[keep]) for one, keep in kept}


PROFILES: Final = {
    "hardened-1": hardened_1,
    "hardened-1+names": lambda fields: hardened_1(fields, name_table=True),
    "hardened-single-1": hardened_single_1,
}


def link(people: DataSet, *, profile: str, seed: int) -> Linked:
    """Link a data set as the product does, under one generic configuration."""
    chosen = PROFILES[profile](people.shared_fields())
    rules = link_rules(chosen)
    candidates = link_tables(
        [submission(one.columns, chosen, repeats=one.repeats) for one in people.providers],
        rules=rules,
        engine=KernelEngine(workers=1, max_pairs=MAX_PAIRS),
        max_pairs=MAX_PAIRS,
        progress=_silent,
    )
    sides = combinations(range(len(people.providers)), 2)
    compared = tuple(_compared(people, candidates, left, right, seed=seed) for left, right in sides)
    return Linked(
        candidates=candidates,
        compared=compared,
        groups={way: _grouped(compared, least, people.sizes) for way, least in ACCEPT.items()},
        threshold=group_rows(at_least(candidates, threshold=rules.threshold), sizes=people.sizes),
    )


def submission(columns: Columns, profile: HardenedProfile, *, repeats: bool) -> TabledRows:
    """Give what one provider sends."""
    values = [columns[field] for field in profile.fields]
    names = [table.name for table in profile.tables]
    sent = np.zeros((len(values[0]), len(names), profile.hardening.clk_bits // 8), np.uint8)
    for part in encode_hardened(values, profile=profile, keys=KEYS):
        sent[part.rows, names.index(part.table)] = part.clks
    tags = MatchKeyEncoder(profile, KEYS).encode(values)
    hide_repeated(tags, [repeated_words([words]) for words in tag_words(tags)], random_bytes=os.urandom)
    return TabledRows(clks=sent, tags=tags, repeats=repeats)


def candidate_pairs(candidates: CandidatePairs, providers: int) -> Pairs:
    """Give the candidates of different providers."""
    return {
        (left, right): packed(candidates.left_row[inside], candidates.right_row[inside])
        for left, right in combinations(range(providers), 2)
        if (inside := (candidates.left_dataset == left) & (candidates.right_dataset == right)) is not None
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """Two providers, what both answer, and the pads that they share."""

    comparison: Comparison
    rows: tuple[RowFields, RowFields]
    keys: PadKeys

    def levels(self, left_row: Rows, right_row: Rows) -> Levels:
        """Give the levels that the coordinator reads from both sides' answers, piece by piece."""
        read = [
            self._piece(left_row[first : first + PAIRS_AT_ONCE], right_row[first : first + PAIRS_AT_ONCE], first)
            for first in range(0, max(1, len(left_row)), PAIRS_AT_ONCE)
        ]
        return np.concatenate(read, axis=1)

    def _piece(self, left_row: Rows, right_row: Rows, first: int) -> Levels:
        sides = zip(Side, self.rows, (left_row, right_row), strict=True)
        left, right = (
            Answers(comparison=self.comparison, rows=rows, keys=self.keys, side=side, random_bytes=os.urandom).of(
                asked, first=first
            )
            for side, rows, asked in sides
        )
        return field_levels(read_differences(left, right, self.comparison), self.comparison.fields)


def _compared(people: DataSet, candidates: CandidatePairs, left: int, right: int, *, seed: int) -> Compared:
    comparison = comparison_1(people.shared_fields(left, right))
    columns = [people.providers[place].columns for place in (left, right)]
    first, second = (read_row_fields(one, comparison, compare=COMPARE, pad=PAD) for one in columns)
    keys = PadKeys(pad=PAD, left=PartyId(f"p-{left}"), right=PartyId(f"p-{right}"))
    sides = _Sides(comparison=comparison, rows=(first, second), keys=keys)
    sizes = (people.sizes[left], people.sizes[right])
    inside = (candidates.left_dataset == left) & (candidates.right_dataset == right)
    asked = build_requests(
        candidates.left_row[inside],
        candidates.right_row[inside],
        rows=sizes,
        slots=SLOTS,
        seed=Secret(bytes([left, right]) + seed.to_bytes(30, "big")),
    )
    levels = sides.levels(asked.left_row, asked.right_row)
    at_random = random_shares(levels[:, ~asked.candidate], comparison.fields)
    chosen = asked.candidate
    near = [
        kind
        for one, rows in zip(columns, sides.rows, strict=True)
        for kind in _near_misses(one, rows, comparison, at_random)
    ]
    model, probability = fit(
        Candidates(
            fields=comparison.fields,
            levels=levels[:, chosen],
            left_row=asked.left_row[chosen],
            right_row=asked.right_row[chosen],
            rows=sizes,
        ),
        random=at_random,
        near=near,
    )
    return Compared(
        left=left,
        right=right,
        left_row=asked.left_row[chosen],
        right_row=asked.right_row[chosen],
        probability=probability,
        shared=model.shared,
    )


def _near_misses(columns: Columns, rows: RowFields, comparison: Comparison, at_random: Shares) -> Sequence[Kind]:
    """Give the kinds that a node fits to its own rows; both nodes' together are as many as one's."""
    pairs = near_pairs({field: columns[field] for field in comparison.fields})
    count = len(columns[comparison.fields[0]])
    levels = field_levels(own_differences(rows, pairs, comparison), comparison.fields)
    kinds = fit_near_misses(levels, random=at_random, all_pairs=count * (count - 1) // 2)
    return [Kind(share=kind.share / 2, shares=kind.shares) for kind in kinds]


def _grouped(compared: Sequence[Compared], least: float, sizes: Sequence[int]) -> Groups:
    kept = [(one, one.probability >= least) for one in compared]
    found = [
        Found(
            left_dataset=one.left,
            right_dataset=one.right,
            similarity=one.probability[keep],
            left_row=one.left_row[keep],
            right_row=one.right_row[keep],
        )
        for one, keep in kept
    ]
    return group_rows(merge_found(found), sizes=sizes)


def _silent(done: int, total: int) -> None:
    """Nobody waits."""
