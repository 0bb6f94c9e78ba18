"""A made-up round with field comparison: two files, what the coordinator holds of them, and what an attacker has.

Files, encodings, candidates, requests, answers, differences and links all come from the code that rounds run on; only
the wire is left out. The attacker's list is *exact*, every value as it was filed and in which file, or an *own* list of
the same people with errors of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from random import Random
from typing import Final

import numpy as np
from isthmus_people.people import Person
from isthmus_people.population import Marginals, as_filed, people, read_marginals
from numpy.typing import NDArray

from isthmus.contract.comparison import NAME_BITS, PRESENCE_BYTES, BandPart, Comparison, Form, VectorPart, comparison_1
from isthmus.contract.differences import Differences, field_levels
from isthmus.contract.encodings import tag_words
from isthmus.contract.field_answers import SECOND_PAD, with_pads
from isthmus.contract.hardened import HardenedProfile, hardened_2
from isthmus.contract.ids import PartyId
from isthmus.contract.kinds import random_shares
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.coordinator.match.compare.model import Candidates, fit
from isthmus.coordinator.match.compare.requests import Requests, build_requests
from isthmus.coordinator.match.encodings import TabledRows
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import link_tables
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.pads import PadKeys, consecutive
from isthmus.node.compare.row_fields import read_row_fields
from isthmus.node.encode.hardened import RoundKeys, encode_hardened
from isthmus.node.encode.match_keys import MatchKeyEncoder
from isthmus.node.encode.repeated_tags import hide_repeated, repeated_words
from isthmus.node.normalise.norm1 import normalise_column

Columns = Mapping[str, Sequence[str]]
Ints = NDArray[np.int64]
Seen = NDArray[np.int16]
Flags = NDArray[np.bool_]
Presence = NDArray[np.uint32]
Report = Callable[[str], None]

OVERLAP: Final = 0.5
LINKED: Final = 0.5
"""From this probability on two rows are taken to be one person's."""

_AT_ONCE: Final = 20_000
_LEFT, _RIGHT = PartyId("provider-1"), PartyId("provider-2")
ENGINE: Final = AnonlinkEngine(workers=1, max_pairs=10**7)


class Knowledge(StrEnum):
    """What the attacker's list of people is like."""

    EXACT = "exact"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a design of field comparison could change.

    `slots`: at how many places each row stands. `random_pairs`: so many random pairs are compared, as many as the
    product compares if None; of other places the coordinator has two answers that say nothing of each other.
    `bands`: whether bands are sent. `text_bits`: length of the filters of names, streets and towns.
    """

    slots: int = 8
    random_pairs: int | None = None
    bands: bool = True
    text_bits: int = NAME_BITS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Files:
    """Two files, normalised, and a list of everybody in either, with errors of its own.

    `person` says for each row of a file which person of the list it is, int64.
    """

    columns: tuple[Columns, Columns]
    person: tuple[Ints, Ints]
    own_list: Columns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """What the coordinator holds after the round.

    `requests`: which rows were compared. `seen`: int16, shape (pairs, parts), what differences tell of each part, -1
    where a row lacks it. `presence`: for both files which parts each row was seen to have, uint32, shape (rows,), one
    bit a part; rows that were compared with nobody have none. `linked`: pairs that the model takes for one person, at
    most one of each row.
    """

    comparison: Comparison
    requests: Requests
    seen: Seen
    presence: tuple[Presence, Presence]
    linked: Ints


def make_files(rows: int, *, fields: Sequence[str], seed: int) -> Files:
    """Draw people, file half of them at both providers, and shuffle each file."""
    marginals, common = read_marginals(), round(rows * OVERLAP)
    everybody = list(islice(people(marginals, Random(f"{seed}/people")), 2 * rows - common))
    # Households stay together: every provider has whole ones, but for one at each border.
    left, right = np.arange(rows), np.arange(rows - common, 2 * rows - common)
    chance = np.random.default_rng(seed)
    chance.shuffle(left)
    chance.shuffle(right)
    columns = [
        _filed(everybody, chosen, fields, marginals, Random(f"{seed}/{place}"))
        for place, chosen in enumerate((left, right, np.arange(len(everybody))))
    ]
    return Files(columns=(columns[0], columns[1]), person=(left, right), own_list=columns[2])


def _filed(
    everybody: Sequence[Person], chosen: Ints, fields: Sequence[str], marginals: Marginals, rng: Random
) -> Columns:
    filed = [as_filed(everybody[one], marginals, rng) for one in chosen.tolist()]
    return {field: normalise_column(field, [one[field] for one in filed]).values for field in fields}


def hold_round(files: Files, terms: Terms, *, seed: int, report: Report) -> Held:
    """Run the round as its parties do, and give what the coordinator then has of the second stage."""
    fields, chance = tuple(files.columns[0]), np.random.default_rng(seed)
    comparison, sizes = comparison_1(fields), (len(files.person[0]), len(files.person[1]))
    report("candidates")
    left, right = find_candidates(files, hardened_2(fields), chance)
    requests = build_requests(left, right, rows=sizes, slots=terms.slots, seed=Secret(chance.bytes(32)))
    told = _compared(requests, terms.random_pairs)
    report("answers")
    differences, presence = _answered(files, requests, told, comparison, chance)
    asked = Requests(
        left_place=requests.left_place[told],
        right_place=with_pads(requests.right_row[told], requests.left_place[told] >= SECOND_PAD),
        candidate=requests.candidate[told],
    )
    report("links")
    linked = _linked(asked, differences, comparison, sizes=sizes)
    changed = _changed(comparison, terms)
    if changed != comparison:
        differences, presence = _answered(files, requests, told, changed, chance)
    seen = np.stack([differences.of(part.name) for part in changed.parts], axis=1)
    return Held(comparison=changed, requests=asked, seen=seen, presence=presence, linked=linked)


def _compared(requests: Requests, random_pairs: int | None) -> NDArray[np.bool_]:
    """Say what is compared: what the product compares, or so many of the random pairs; these are in a random order."""
    if random_pairs is None:
        return requests.compared
    return requests.candidate | (np.cumsum(~requests.candidate) <= random_pairs)


def _changed(comparison: Comparison, terms: Terms) -> Comparison:
    """Give what would be compared under other terms."""
    shorter = NAME_BITS // terms.text_bits
    parts = tuple(
        replace(part, bits=part.bits // shorter, inserted=part.inserted // shorter)
        if isinstance(part, VectorPart) and part.form is Form.BIGRAMS
        else part
        for part in comparison.parts
        if terms.bands or not isinstance(part, BandPart)
    )
    return Comparison(fields=comparison.fields, parts=parts)


def find_candidates(
    files: Files, profile: HardenedProfile, chance: np.random.Generator
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Give the candidate pairs of the first stage, best first."""
    encode, diffusion, match = (Secret(chance.bytes(32)) for _ in range(3))
    keys = RoundKeys(encode=encode, diffusion=diffusion, match=match)
    sent = [submission(columns, profile, keys, chance) for columns in files.columns]
    found = link_tables(
        sent, rules=link_rules(profile), engine=ENGINE, max_pairs=10**7, progress=lambda _done, _total: None
    )
    return found.left_row.astype(np.uint32), found.right_row.astype(np.uint32)


def submission(columns: Columns, profile: HardenedProfile, keys: RoundKeys, chance: np.random.Generator) -> TabledRows:
    """Give what one provider sends in the first stage."""
    values, names = [columns[field] for field in profile.fields], [table.name for table in profile.tables]
    clks = np.zeros((len(values[0]), len(names), profile.hardening.clk_bits // 8), np.uint8)
    for part in encode_hardened(values, profile=profile, keys=keys):
        clks[part.rows, names.index(part.table)] = part.clks
    tags = MatchKeyEncoder(profile, keys).encode(values)
    hide_repeated(tags, [repeated_words([words]) for words in tag_words(tags)], random_bytes=chance.bytes)
    return TabledRows(clks=clks, tags=tags)


def _answered(
    files: Files, requests: Requests, told: Flags, comparison: Comparison, chance: np.random.Generator
) -> tuple[Differences, tuple[Presence, Presence]]:
    """Answer at all places; give the differences of what is compared, and which parts each row has by its answers.

    Pads are those of the first of each place, whatever the request says, so that any place can be looked at.
    """
    compare, pad = Secret(chance.bytes(32)), Secret(chance.bytes(32))
    keys = PadKeys(pad=pad, left=_LEFT, right=_RIGHT)
    sides = [
        Answers(
            comparison=comparison,
            rows=read_row_fields(columns, comparison, compare=compare, pad=pad),
            keys=keys,
            side=side,
            random_bytes=chance.bytes,
        )
        for columns, side in zip(files.columns, Side, strict=True)
    ]
    asked = (requests.left_row, requests.right_row)
    found: dict[str, list[NDArray[np.int16]]] = {part.name: [] for part in comparison.parts}
    presence = (np.zeros(len(files.person[0]), np.uint32), np.zeros(len(files.person[1]), np.uint32))
    for first in range(0, len(requests), _AT_ONCE):
        chunk = slice(first, first + _AT_ONCE)
        numbers = consecutive(first, len(requests.candidate[chunk]))
        answers = [side.of(of[chunk], numbers=numbers) for side, of in zip(sides, asked, strict=True)]
        for has, of, answer in zip(presence, asked, answers, strict=True):
            has[of[chunk]] = np.ascontiguousarray(answer[:, :PRESENCE_BYTES]).view("<u4")[:, 0]
        both = [each[told[chunk]] for each in answers]
        for name, one in read_differences(both[0], both[1], comparison).by_part.items():
            found[name].append(one)
    return Differences(by_part={name: np.concatenate(parts) for name, parts in found.items()}), presence


def _linked(requests: Requests, differences: Differences, comparison: Comparison, *, sizes: tuple[int, int]) -> Ints:
    # Near misses, which nodes declare, are left out: hardly a candidate of `hardened-1` is of a family.
    levels, of = field_levels(differences, comparison.fields), requests.candidate
    candidates = Candidates(
        fields=comparison.fields,
        levels=levels[:, of],
        left_row=requests.left_row[of],
        right_row=requests.right_row[of],
        rows=sizes,
    )
    _, probability = fit(candidates, random=random_shares(levels[:, ~of], comparison.fields), near=())
    pairs, taken = np.flatnonzero(of), (set[int](), set[int]())
    kept = []
    for place in np.argsort(-probability, kind="stable").tolist():
        left, right = int(candidates.left_row[place]), int(candidates.right_row[place])
        if probability[place] >= LINKED and left not in taken[0] and right not in taken[1]:
            taken[0].add(left)
            taken[1].add(right)
            kept.append(int(pairs[place]))
    return np.array(kept, np.int64)
