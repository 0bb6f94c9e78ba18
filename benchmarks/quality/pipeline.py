"""The product's linking, in one process: encoders, candidates, request lists, padded answers, levels, model, groups.

Nothing is simulated but the wire: both nodes' answers are made with their pads, and what the coordinator reads of them
is all that its model sees.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import Comparison, comparison_1
from isthmus.contract.differences import field_levels
from isthmus.contract.encodings import tag_words
from isthmus.contract.field_answers import pad_numbers, row_numbers
from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_2, hardened_single_1
from isthmus.contract.ids import PartyId
from isthmus.contract.kinds import Kind, random_shares
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.match_keys import MATCH_KEY_BITS
from isthmus.contract.profile import interop_1
from isthmus.contract.profiles import AnyProfile, default_threshold
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.compare.link import Compared, Weighed, merge_links, weigh
from isthmus.coordinator.match.compare.people import People, find_people, group_linked
from isthmus.coordinator.match.compare.reading import Piece, read_answers
from isthmus.coordinator.match.compare.requests import Requests, build_requests
from isthmus.coordinator.match.encodings import TabledRows
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.field_candidates import field_candidates
from isthmus.coordinator.match.group import Groups, group_rows
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import at_least, link_tables
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.near_misses import field_codes, fit_near_misses, near_pairs, own_differences
from isthmus.node.compare.pads import PadKeys
from isthmus.node.compare.row_fields import RowFields, read_row_fields
from isthmus.node.encode.hardened import RoundKeys, encode_hardened
from isthmus.node.encode.interop import encode_interop
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
ENGINE: Final = KernelEngine(workers=1, max_pairs=MAX_PAIRS)
SLOTS: Final = 8
"""In so many pairs each row of the larger provider stands, for each other provider."""

ACCEPT: Final = {"balanced": 0.1, "strict": 0.5}
PAIRS_AT_ONCE: Final = 2**14
OWN_RANDOM_PAIRS: Final = 20_000

Rows = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linked:
    """What every stage of linking left: candidates, pairs asked for with their probabilities, groups by acceptance.

    `inside` are the pairs inside providers that repeat people, `people` the people that these make of the rows.
    """

    candidates: CandidatePairs
    inside: CandidatePairs
    people: tuple[People, ...]
    weighed: tuple[Weighed, ...]
    groups: Mapping[str, Groups]

    def asked(self) -> Pairs:
        """Give the candidates that were asked for."""
        return {
            (one.compared.left, one.compared.right): packed(one.compared.left_row, one.compared.right_row)
            for one in self.weighed
        }

    def accepted(self, way: str) -> Pairs:
        """Give the pairs that the model accepts."""
        kept = [(one.compared, one.probability >= ACCEPT[way]) for one in self.weighed]
        return {(one.left, one.right): packed(one.left_row[keep], one.right_row[keep]) for one, keep in kept}


PROFILES: Final[Mapping[str, Callable[[Sequence[str]], AnyProfile]]] = {
    "interop-1": interop_1,
    "hardened-1": hardened_1,
    "hardened-2": hardened_2,
    "hardened-1+names": lambda fields: hardened_1(fields, name_table=True),
    "hardened-single-1": hardened_single_1,
}


def link(people: DataSet, *, profile: str, seed: int, keys: RoundKeys = KEYS) -> Linked:
    """Link a data set as the product does, under one generic configuration."""
    chosen = PROFILES[profile](people.shared_fields())
    sent = submissions(people, chosen, keys=keys)
    candidates = field_candidates(sent, profile=chosen, engine=ENGINE, max_pairs=MAX_PAIRS, progress=_silent)
    # Who is repeated is told by the narrower candidates of linking: among those for fields, the score is no judge.
    inside = _inside(_by_rule(sent, chosen) if any(one.repeats for one in sent) else candidates)
    persons = find_people(inside, sizes=people.sizes)
    sides = combinations(range(len(people.providers)), 2)
    weighed = tuple(weigh(_compared(people, candidates, *side, seed=seed), people=persons) for side in sides)
    accepted = {way: merge_links(weighed, accept=least, inside=inside) for way, least in ACCEPT.items()}
    return Linked(
        candidates=candidates,
        inside=inside,
        people=tuple(persons),
        weighed=weighed,
        groups={way: group_linked(pairs, sizes=people.sizes) for way, pairs in accepted.items()},
    )


def link_by_rule(people: DataSet, *, profile: str, keys: RoundKeys = KEYS) -> Groups:
    """Link by the score of tables and tags alone, without comparing fields."""
    chosen = PROFILES[profile](people.shared_fields())
    return group_rows(_by_rule(submissions(people, chosen, keys=keys), chosen), sizes=people.sizes)


def _by_rule(sent: Sequence[TabledRows], profile: AnyProfile) -> CandidatePairs:
    """Give the pairs whose score reaches the profile's threshold."""
    if isinstance(profile, HardenedProfile):
        rules = link_rules(profile)
        found = link_tables(sent, rules=rules, engine=ENGINE, max_pairs=MAX_PAIRS, progress=_silent)
    else:
        found = field_candidates(sent, profile=profile, engine=ENGINE, max_pairs=MAX_PAIRS, progress=_silent)
    return at_least(found, threshold=_threshold(profile))


def _threshold(profile: AnyProfile) -> float:
    return float(default_threshold(profile.name, profile.fields))


def submissions(people: DataSet, profile: AnyProfile, *, keys: RoundKeys = KEYS) -> list[TabledRows]:
    """Give what the providers send."""
    return [submission(one.columns, profile, repeats=one.repeats, keys=keys) for one in people.providers]


def _inside(pairs: CandidatePairs) -> CandidatePairs:
    """Give the pairs whose rows are of one provider."""
    own = pairs.left_dataset == pairs.right_dataset
    return replace(
        pairs,
        similarity=pairs.similarity[own],
        left_dataset=pairs.left_dataset[own],
        right_dataset=pairs.right_dataset[own],
        left_row=pairs.left_row[own],
        right_row=pairs.right_row[own],
    )


def submission(columns: Columns, profile: AnyProfile, *, repeats: bool, keys: RoundKeys = KEYS) -> TabledRows:
    """Give what one provider sends; of `interop-1` one CLK a row and no tags."""
    values = [columns[field] for field in profile.fields]
    if not isinstance(profile, HardenedProfile):
        clks = encode_interop(values, schema=parse_linkage_schema(profile.linkage_schema), secret=keys.encode.reveal())
        none = np.zeros((len(clks), 0, MATCH_KEY_BITS // 8), np.uint8)
        return TabledRows(clks=clks[:, np.newaxis], tags=none, repeats=repeats)
    names = [table.name for table in profile.tables]
    sent = np.zeros((len(values[0]), len(names), profile.hardening.clk_bits // 8), np.uint8)
    for part in encode_hardened(values, profile=profile, keys=keys):
        sent[part.rows, names.index(part.table)] = part.clks
    tags = MatchKeyEncoder(profile, keys).encode(values)
    hide_repeated(tags, [repeated_words([words]) for words in tag_words(tags)], random_bytes=os.urandom)
    return TabledRows(clks=sent, tags=tags, repeats=repeats)


def candidate_pairs(candidates: CandidatePairs, providers: int) -> Pairs:
    """Give the candidates of different providers."""
    return {side: packed(*_of_side(candidates, *side)) for side in combinations(range(providers), 2)}


def _of_side(candidates: CandidatePairs, left: int, right: int) -> tuple[Rows, Rows]:
    """Give the rows of the candidates of two providers, best first."""
    inside = (candidates.left_dataset == left) & (candidates.right_dataset == right)
    return candidates.left_row[inside], candidates.right_row[inside]


def _compared(people: DataSet, candidates: CandidatePairs, left: int, right: int, *, seed: int) -> Compared:
    comparison = comparison_1(people.shared_fields(left, right))
    columns = [people.providers[place].columns for place in (left, right)]
    rows = [read_row_fields(one, comparison, compare=COMPARE, pad=PAD) for one in columns]
    asked = build_requests(
        *_of_side(candidates, left, right),
        rows=(people.sizes[left], people.sizes[right]),
        slots=SLOTS,
        seed=Secret(bytes([left, right]) + seed.to_bytes(30, "big")),
    )
    keys = PadKeys(pad=PAD, left=PartyId(f"p-{left}"), right=PartyId(f"p-{right}"))
    rng = np.random.default_rng([seed, left, right])
    near = [_near_misses(one, fields, comparison, rng) for one, fields in zip(columns, rows, strict=True)]
    return Compared(
        left=left,
        right=right,
        left_row=asked.left_row[asked.candidate],
        right_row=asked.right_row[asked.candidate],
        read=read_answers(_answers(asked, rows, comparison, keys), comparison),
        near=tuple(kind for kinds in near for kind in kinds),
    )


def _answers(asked: Requests, rows: Sequence[RowFields], comparison: Comparison, keys: PadKeys) -> Iterator[Piece]:
    """Give both nodes' answers, under their pads, piece by piece."""
    left, right = (
        Answers(comparison=comparison, rows=fields, keys=keys, side=side, random_bytes=os.urandom)
        for side, fields in zip(Side, rows, strict=True)
    )
    for first in range(0, len(asked), PAIRS_AT_ONCE):
        piece = slice(first, first + PAIRS_AT_ONCE)
        ours, theirs = (
            node.of(row_numbers(places[piece]), numbers=pad_numbers(places[piece], first=first))
            for node, places in ((left, asked.left_place), (right, asked.right_place))
        )
        compared = asked.compared[piece]
        yield ours[compared], theirs[compared], asked.candidate[piece][compared]


def _near_misses(columns: Columns, rows: RowFields, comparison: Comparison, rng: np.random.Generator) -> Sequence[Kind]:
    """Give the kinds that a node fits to its own rows; those of both nodes together count as one node's."""
    count = len(columns[comparison.fields[0]])
    pairs = near_pairs(field_codes(rows, comparison))
    at_random = rng.integers(0, count, (2, OWN_RANDOM_PAIRS)).astype(np.uint32)
    near, random = (
        field_levels(own_differences(rows, chosen, comparison), comparison.fields) for chosen in (pairs, at_random)
    )
    shares = random_shares(random[:, at_random[0] != at_random[1]], comparison.fields)
    kinds = fit_near_misses(near, random=shares, all_pairs=count * (count - 1) // 2)
    return [replace(kind, share=kind.share / 2) for kind in kinds]


def _silent(done: int, total: int) -> None:
    """Nobody waits."""
