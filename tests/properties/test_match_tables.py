"""Linking by tables against plain programs that share no code with it."""

from itertools import combinations, product
from math import log2, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.contract.hardened import hardened_1
from isthmus.coordinator.match import ENGINES
from isthmus.coordinator.match.engine import SimilarityEngine
from isthmus.coordinator.match.table_candidates import RowPairs, table_candidates
from isthmus.coordinator.match.table_rules import LinkRules, link_rules
from isthmus.coordinator.match.table_score import compute_excess, evidence_bits, group_disagreement, score_of_bits
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


def plain_share(excess: float) -> float:
    """The share of differing input bits, by bisection."""
    low, high = 0.0, 0.4
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - 2 * middle) ** 4 * (1 - middle) ** 8 > excess else (low, middle)
    return low


def plain_disagreement(excess: list[float], both: list[bool], one: list[bool], rules: LinkRules) -> list[float]:
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
        weights.append(1 / (deviation**2 + 0.008**2) if excess[t] == excess[t] else 0)
    found = [1.0] * len(groups)
    for _ in range(25):
        top, bottom = [0.0] * len(groups), [0.0] * len(groups)
        for t in tables:
            reach = sum(shares[t][g] for g in groups if both[g])
            lacking = seen[t] - sum(shares[t][g] * found[g] for g in groups if both[g])
            if reach == 0 or (excess[t] < 0.08 and lacking <= 0):
                continue
            for g in groups:
                top[g] += shares[t][g] * weights[t] * lacking / reach
                bottom[g] += shares[t][g] * weights[t]
        found = [min(max(found[g] + 1.5 * (top[g] / bottom[g] if bottom[g] else 0), 0), 1) for g in groups]
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
def excesses(draw: st.DrawFn) -> tuple[list[bool], list[bool], list[float]]:
    """Groups that two rows hold, at least two each in common, and what their tables show."""
    left, right = (draw(st.lists(st.booleans(), min_size=4, max_size=4)) for _ in range(2))
    left[:2], right[:2] = [True, True], [True, True]
    both = [one and other for one, other in zip(left, right, strict=True)]
    excess = [
        draw(st.floats(-0.1, 1)) if table.pair is None or all(both[g] for g in table.pair) else nan
        for table in RULES.tables
    ]
    return left, right, excess


@settings(max_examples=40, deadline=None)
@given(case=excesses(), rows=st.integers(1, 10**6))
def test_scores_are_those_of_the_plain_formula(case: tuple[list[bool], list[bool], list[float]], rows: int) -> None:
    left, right, excess = case
    both = [one and other for one, other in zip(left, right, strict=True)]
    one = [a != b for a, b in zip(left, right, strict=True)]
    column = {name: np.array([flags]).T for name, flags in (("both", both), ("one", one))}
    found = group_disagreement(np.array([excess]).T, both=column["both"], one=column["one"], rules=RULES)
    wanted = plain_disagreement(excess, both, one, RULES)

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


@settings(max_examples=15, deadline=None)
@given(files=submissions(tables=len(RULES.tables), clk_bytes=256), seed=st.integers(0, 2**32))
def test_shuffled_rows_keep_their_scores(files: Submissions, seed: int) -> None:
    # k is over the number of rows: where it drops some of equally good rows, their order decides which.
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(file)) for file in files]
    rules = LinkRules(groups=RULES.groups, tables=RULES.tables, taps=4, clk_bits=2048, best_of_row=9)
    plain, shuffled = (
        link_tables(each, rules=rules, engine=ENGINE, max_pairs=10_000, progress=lambda *_: None)
        for each in (files, [file[order] for file, order in zip(files, orders, strict=True)])
    )

    known = {
        (a, b, i, j): score
        for score, a, b, i, j in zip(
            plain.similarity.tolist(),
            plain.left_dataset.tolist(),
            plain.right_dataset.tolist(),
            plain.left_row.tolist(),
            plain.right_row.tolist(),
            strict=True,
        )
    }
    assert len(shuffled) == len(plain)
    for score, a, b, i, j in zip(
        shuffled.similarity.tolist(),
        shuffled.left_dataset.tolist(),
        shuffled.right_dataset.tolist(),
        shuffled.left_row.tolist(),
        shuffled.right_row.tolist(),
        strict=True,
    ):
        assert known[a, b, int(orders[a][i]), int(orders[b][j])] == score
