"""Linking by tables and match keys against plain programs that share no code with it."""

from dataclasses import replace
from itertools import combinations, product
from math import log2, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.contract.hardened import hardened_1
from isthmus.coordinator.match import ENGINES
from isthmus.coordinator.match.encodings import TabledRows, Tags
from isthmus.coordinator.match.engine import CandidatePairs, SimilarityEngine
from isthmus.coordinator.match.key_candidates import equal_tags, key_candidates
from isthmus.coordinator.match.table_candidates import RowPairs, table_candidates, united
from isthmus.coordinator.match.table_rules import LinkRules, link_rules
from isthmus.coordinator.match.table_score import (
    compute_excess,
    evidence_bits,
    group_disagreement,
    key_bound,
    score_of_bits,
)
from isthmus.coordinator.match.tables import link_tables

ALL_ENGINES = {name: make(workers=1, max_pairs=100_000) for name, make in ENGINES.items()}
ENGINE = ALL_ENGINES["anonlink"]
RULES = link_rules(hardened_1(("first_name", "last_name", "dob", "zip"), name_table=True))
Pair = tuple[int, int, int, int]
Submissions = list[NDArray[np.uint8]]


@st.composite
def submissions(draw: st.DrawFn, *, tables: int = 2, clk_bytes: int = 8) -> Submissions:
    """Up to three small files of near-copies of few rows; many are equal, and some are in no or not every table."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    models = rng.random((3, tables, clk_bytes * 8)) < 0.5
    noise = draw(st.sampled_from([0.0, 0.02, 0.1]))
    files = []
    for size in draw(st.lists(st.integers(0, 8), min_size=1, max_size=3)):
        bits = models[rng.integers(0, 3, size)] ^ (rng.random((size, tables, clk_bytes * 8)) < noise)
        bits[rng.random((size, tables)) < 0.2] = False
        files.append(np.packbits(bits, axis=2))
    return files


def plain_candidates(files: Submissions, floors: list[float], k: int) -> set[Pair]:
    """Every row looks through every other file, table by table."""
    found: set[Pair] = set()
    bits = [np.unpackbits(file, axis=2).astype(int) for file in files]
    for (a, left), (b, right), (table, floor) in (
        (*both, each) for both in combinations(enumerate(bits), 2) for each in enumerate(floors)
    ):
        dice = {
            (i, j): 2 * int(x @ y) / int(x.sum() + y.sum())
            for (i, x), (j, y) in product(enumerate(left[:, table]), enumerate(right[:, table]))
            if x.any() and y.any()
        }
        good = {pair: score for pair, score in dice.items() if score >= floor}
        for i in range(len(left)):
            best = sorted((pair for pair in good if pair[0] == i), key=lambda pair: (-good[pair], pair[1]))[:k]
            found |= {(a, b, *pair) for pair in best}
        for j in range(len(right)):
            best = sorted((pair for pair in good if pair[1] == j), key=lambda pair: (-good[pair], pair[0]))[:k]
            found |= {(a, b, *pair) for pair in best}
    return found


def listed(pairs: RowPairs) -> list[Pair]:
    """The pairs as tuples of Python numbers."""
    columns = (pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("engine", ALL_ENGINES.values(), ids=ALL_ENGINES)
@settings(max_examples=30, deadline=None)
@given(files=submissions(), floors=st.lists(st.floats(0.5, 1), min_size=2, max_size=2), k=st.integers(1, 4))
def test_candidates_are_those_of_a_plain_search(
    engine: SimilarityEngine, files: Submissions, floors: list[float], k: int
) -> None:
    found = table_candidates(files, floors=floors, engine=engine, k=k, max_pairs=10_000, progress=lambda *_: None)

    assert listed(found) == sorted(plain_candidates(files, floors, k))


@st.composite
def tag_files(draw: st.DrawFn, *, keys: int = 2) -> list[Tags]:
    """Up to three small files of tags of few values: some repeat, some are missing, some share a half alone."""
    halves = st.sampled_from([0, 1, 2, 3, 2**64 - 1])
    file = st.lists(st.lists(st.tuples(halves, halves), min_size=keys, max_size=keys), max_size=6)
    files = draw(st.lists(file, min_size=1, max_size=3))
    return [np.array(rows, np.uint64).reshape(len(rows), keys, 2).view(np.uint8) for rows in files]


def plain_key_pairs(files: list[Tags]) -> set[Pair]:
    """Every row is held against every row of every other file, whole tags and then those that are alone in theirs."""
    found: set[Pair] = set()
    for (a, left), (b, right) in combinations(enumerate(files), 2):
        for (i, x), (j, y) in product(enumerate(left), enumerate(right)):
            for key in range(left.shape[1]):
                alone = all(
                    sum(bytes(other[key][:8]) == bytes(tag[:8]) and any(other[key]) for other in file) == 1
                    for file, tag in ((left, x[key]), (right, y[key]))
                )
                if any(x[key]) and bytes(x[key]) == bytes(y[key]) and alone:
                    found.add((a, b, i, j))
    return found


@settings(max_examples=80, deadline=None)
@given(files=tag_files())
def test_candidates_by_match_keys_are_those_of_a_plain_search(files: list[Tags]) -> None:
    assert listed(key_candidates(files)) == sorted(plain_key_pairs(files))


@settings(max_examples=60, deadline=None)
@given(files=tag_files())
def test_candidates_by_match_keys_turn_with_the_order_of_datasets(files: list[Tags]) -> None:
    last = len(files) - 1
    turned = {(last - b, last - a, j, i) for a, b, i, j in listed(key_candidates(files[::-1]))}

    assert turned == set(listed(key_candidates(files)))


@settings(max_examples=60, deadline=None)
@given(files=tag_files(keys=3))
def test_shared_tags_are_those_of_a_plain_look(files: list[Tags]) -> None:
    left, right = files[0], files[-1]
    rows = min(len(left), len(right))
    wanted = [[bytes(left[i, key]) == bytes(right[i, key]) != bytes(16) for i in range(rows)] for key in range(3)]

    assert equal_tags(left[:rows], right[:rows]).tolist() == wanted


pair_lists = st.lists(st.tuples(*[st.integers(0, 2)] * 4), max_size=8)


def as_pairs(rows: list[Pair]) -> RowPairs:
    """The pairs as arrays."""
    columns = np.array(sorted(set(rows)), np.uint32).reshape(-1, 4).T
    return RowPairs(left_dataset=columns[0], right_dataset=columns[1], left_row=columns[2], right_row=columns[3])


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(pair_lists, min_size=1, max_size=4))
def test_united_pairs_are_those_of_all_parts_in_order(parts: list[list[Pair]]) -> None:
    assert listed(united(*map(as_pairs, parts))) == sorted({pair for part in parts for pair in part})


def plain_share(excess: float) -> float:
    """The share of differing input bits, by bisection."""
    low, high = 0.0, 0.4
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - 2 * middle) ** 4 * (1 - middle) ** 8 > excess else (low, middle)
    return low


def plain_bound(equal: list[bool], rules: LinkRules) -> list[float]:
    """What the match keys that a pair shares leave open of each group."""
    shared = [rule.bounds for rule, told in zip(rules.keys, equal, strict=True) if told]
    return [min([1.0, *(bounds[g] for bounds in shared)]) for g in range(len(rules.groups))]


def plain_disagreement(
    excess: list[float], both: list[bool], one: list[bool], bound: list[float], rules: LinkRules
) -> list[float]:
    """The least squares of one pair, number by number."""
    tables, groups = range(len(rules.tables)), range(len(rules.groups))
    shares = [table.shares for table in rules.tables]
    seen, weights = [], []
    for t in tables:
        kept = min(max(excess[t], 0.03), 1.0)
        lone = sum(shares[t][g] for g in groups if one[g]) / 2
        share = plain_share(kept)
        seen.append(max(share - lone, 0) if excess[t] == excess[t] else 0)
        deviation = 1 / (kept * (8 / (1 - 2 * share) + 8 / (1 - share))) / 2048**0.5
        weights.append(1 / (deviation**2 + 0.008**2) if excess[t] >= 0.08 else 0)
    found = [
        min(bound[g], rule.gone_at * (rule.agree_bits + 1) / (rule.agree_bits + rule.differ_bits))
        for g, rule in enumerate(rules.groups)
    ]
    for _ in range(25):
        top, bottom = [0.0] * len(groups), [0.0] * len(groups)
        for t in tables:
            reach = sum(shares[t][g] for g in groups if both[g])
            lacking = seen[t] - sum(shares[t][g] * found[g] for g in groups if both[g])
            if reach == 0:
                continue
            for g in groups:
                top[g] += shares[t][g] * weights[t] * lacking / reach
                bottom[g] += shares[t][g] * weights[t]
        found = [min(max(found[g] + 1.5 * (top[g] / bottom[g] if bottom[g] else 0), 0), bound[g]) for g in groups]
    return found


def plain_bits(disagreement: list[float], both: list[bool], rows: int, rules: LinkRules) -> float:
    """The evidence of one pair, group by group."""
    bits = {
        rule.name: rule.agree_bits - (rule.agree_bits + rule.differ_bits) * min(gone / rule.gone_at, 1)
        for rule, gone, held in zip(rules.groups, disagreement, both, strict=True)
        if held
    }
    personal = sum(value for name, value in bits.items() if name in {"first", "birth", "ssn"})
    return -log2(2 ** -(sum(bits.values()) - log2(rows)) + 2 ** -(personal - 1))


@st.composite
def excesses(draw: st.DrawFn) -> tuple[list[bool], list[bool], list[float], list[bool]]:
    """Groups that two rows hold, at least two each in common, what their tables show, and the tags they share."""
    left, right = (draw(st.lists(st.booleans(), min_size=4, max_size=4)) for _ in range(2))
    left[:2], right[:2] = [True, True], [True, True]
    both = [one and other for one, other in zip(left, right, strict=True)]
    excess = [
        draw(st.floats(-0.1, 1)) if table.pair is None or all(both[g] for g in table.pair) else nan
        for table in RULES.tables
    ]
    equal = [all(both[g] for g in rule.groups) and draw(st.booleans()) for rule in RULES.keys]
    return left, right, excess, equal


@settings(max_examples=40, deadline=None)
@given(case=excesses(), rows=st.integers(1, 10**6))
def test_scores_are_those_of_the_plain_formula(
    case: tuple[list[bool], list[bool], list[float], list[bool]], rows: int
) -> None:
    left, right, excess, equal = case
    both = [one and other for one, other in zip(left, right, strict=True)]
    one = [a != b for a, b in zip(left, right, strict=True)]
    column = {name: np.array([flags]).T for name, flags in (("both", both), ("one", one))}
    bound = key_bound(np.array([equal]).T, rules=RULES)
    found = group_disagreement(np.array([excess]).T, both=column["both"], one=column["one"], bound=bound, rules=RULES)
    wanted = plain_disagreement(excess, both, one, plain_bound(equal, RULES), RULES)

    held = [place for place in range(4) if both[place]]
    assert np.allclose(found[held, 0], [wanted[place] for place in held], atol=1e-6)
    bits = evidence_bits(found, column["both"], rules=RULES, other_rows=rows)
    assert np.isclose(bits[0], plain_bits(found[:, 0].tolist(), both, rows, RULES))
    score = float(score_of_bits(bits)[0])
    assert 0 <= score <= 1
    assert abs(score - 1 / (1 + 2 ** (-bits[0] / 8))) < 1e-8


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), flipped=st.integers(0, 512))
def test_excess_counts_the_bits_that_differ(seed: int, flipped: int) -> None:
    rng = np.random.default_rng(seed)
    bits = rng.random((3, 512)) < 0.5
    change = rng.permuted(np.repeat([[True] * flipped + [False] * (512 - flipped)], 3, axis=0), axis=1)

    excess = compute_excess(np.packbits(bits, axis=1), np.packbits(bits ^ change, axis=1))

    assert excess.tolist() == [1 - flipped / 256] * 3


flags = st.lists(st.booleans(), min_size=len(RULES.keys), max_size=len(RULES.keys))


@settings(max_examples=40, deadline=None)
@given(few=flags, more=flags)
def test_more_shared_tags_leave_no_group_more_open(few: list[bool], more: list[bool]) -> None:
    equal = np.array([few, np.logical_or(few, more)]).T
    bound = key_bound(equal, rules=RULES)

    assert (bound[:, 1] <= bound[:, 0]).all()
    assert ((bound >= 0) & (bound <= 1)).all()


@st.composite
def tabled_files(draw: st.DrawFn) -> list[TabledRows]:
    """Up to three small files of near-copies, with tags of which each is in few rows of other files."""
    files, rng = draw(submissions(tables=len(RULES.tables), clk_bytes=256)), np.random.default_rng(draw(st.integers(0)))
    values = rng.integers(1, 256, (12, len(RULES.keys), 16), np.uint8)
    made = []
    for clks in files:
        tags = values[rng.permutation(12)[: len(clks)]]
        tags[rng.random(tags.shape[:2]) < 0.3] = 0
        made.append(TabledRows(clks=clks, tags=tags))
    return made


def scores(files: list[TabledRows]) -> dict[Pair, float]:
    """The score of every pair; k is over the number of rows, for of equally good ones the order decides which go."""
    rules = replace(RULES, best_of_row=9)
    found: CandidatePairs = link_tables(files, rules=rules, engine=ENGINE, max_pairs=10_000, progress=lambda *_: None)
    columns = (found.left_dataset, found.right_dataset, found.left_row, found.right_row, found.similarity)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    assert len({row[:4] for row in rows}) == len(rows)
    return {(a, b, i, j): score for a, b, i, j, score in rows}


@settings(max_examples=15, deadline=None)
@given(files=tabled_files(), seed=st.integers(0, 2**32))
def test_shuffled_rows_keep_their_scores(files: list[TabledRows], seed: int) -> None:
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(file)) for file in files]
    shuffled = [
        TabledRows(clks=file.clks[order], tags=file.tags[order]) for file, order in zip(files, orders, strict=True)
    ]

    found = {(a, b, int(orders[a][i]), int(orders[b][j])): score for (a, b, i, j), score in scores(shuffled).items()}

    assert found == scores(files)


@settings(max_examples=15, deadline=None)
@given(files=tabled_files())
def test_datasets_in_another_order_have_the_same_scores(files: list[TabledRows]) -> None:
    last = len(files) - 1

    turned = {(last - b, last - a, j, i): score for (a, b, i, j), score in scores(files[::-1]).items()}

    assert turned == scores(files)


@settings(max_examples=15, deadline=None)
@given(files=tabled_files())
def test_pairs_are_those_of_the_tables_and_those_of_the_match_keys(files: list[TabledRows]) -> None:
    floors = [table.floor for table in RULES.tables]
    by_table = plain_candidates([file.clks for file in files], floors, 9)

    assert scores(files).keys() == by_table | plain_key_pairs([file.tags for file in files])
