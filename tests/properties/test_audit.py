"""The self-audit's parts, for any input: structure that no key and no order changes, probabilities, linear rank."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.node.audit.attack import AttackResult
from isthmus.node.audit.equality import colours, equal_classes, joined_groups
from isthmus.node.audit.linear import gf2_rank
from isthmus.node.audit.match import posterior
from isthmus.node.audit.report import AuditReport, audit_limit_problem
from isthmus.node.audit.vectors import EncodedTables, signed

calm = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32)
PLACES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


def _tables(rows: list[tuple[int, int]], *, seed: int) -> EncodedTables:
    """Two tables whose vectors stand for small numbers under a key; 0 is a row not in the table."""
    vectors = np.random.default_rng(seed).integers(0, 256, (2, 5, 16), dtype=np.uint8)
    values = np.array(rows)
    return {
        f"t{place}": signed(vectors[place][column] * (column > 0)[:, None].astype(np.uint8), column > 0)
        for place, column in enumerate(values.T)
    }


@calm
@given(rows=PLACES, seed=seeds)
def test_colours_follow_their_rows_and_not_the_key(rows: list[tuple[int, int]], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = [rows[place] for place in order]

    assert np.array_equal(colours(_tables(rows, seed=seed))[order], colours(_tables(shuffled, seed=seed + 1)))


@calm
@given(rows=PLACES, seed=seeds)
def test_classes_are_equal_where_the_values_are(rows: list[tuple[int, int]], seed: int) -> None:
    classes = equal_classes(_tables(rows, seed=seed)["t0"])
    for left, (value, _) in enumerate(rows):
        for right, (other, _) in enumerate(rows):
            assert (classes[left] == classes[right]) == (left == right or value == other != 0)


@calm
@given(rows=PLACES, seed=seeds)
def test_groups_share_no_row_and_no_value_with_each_other(rows: list[tuple[int, int]], seed: int) -> None:
    groups = [group.tolist() for group in joined_groups(_tables(rows, seed=seed), largest=12)]
    placed = {row: place for place, group in enumerate(groups) for row in group}

    assert len(placed) == sum(len(group) for group in groups)
    for table in (0, 1):
        for left in range(len(rows)):
            for right in range(left):
                if rows[left][table] == rows[right][table] != 0:
                    assert placed[left] == placed[right]


@calm
@given(seed=seeds, rows=st.integers(1, 8), people=st.integers(1, 8), spread=st.floats(0, 1e4))
def test_posterior_shares_out_no_more_than_a_row_and_a_person(seed: int, rows: int, people: int, spread: float) -> None:
    scores = (spread * np.random.default_rng(seed).normal(size=(rows, people))).astype(np.float32)
    probability = posterior(scores)

    assert probability.min() >= 0
    assert probability.sum(axis=0).max() < 1 + 1e-4
    assert probability.sum(axis=1).max() < 1 + 1e-4


@calm
@given(seed=seeds, rows=st.integers(1, 12), inner=st.integers(1, 6))
def test_rank_is_at_most_that_of_the_factors_and_knows_no_order(seed: int, rows: int, inner: int) -> None:
    rng = np.random.default_rng(seed)
    product = rng.integers(0, 2, (rows, inner)) @ rng.integers(0, 2, (inner, 64)) % 2
    packed = np.packbits(product.astype(np.uint8), axis=1)

    assert gf2_rank(packed) <= min(rows, inner)
    assert gf2_rank(packed[::-1]) == gf2_rank(packed)


@calm
@given(
    shares=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 100)), min_size=1, max_size=6),
    limit=st.floats(0, 100),
)
def test_a_limit_blocks_where_an_attack_with_few_known_people_is_above_it(
    shares: list[tuple[int, int]], limit: float
) -> None:
    attacks = tuple(
        AttackResult(
            variant="joined",
            known=known,
            candidates=100,
            attacked=100,
            right=right,
            claimed=0,
            claimed_right=0,
            seconds=0.0,
        )
        for known, right in [(0, 0), *shares]
    )
    report = AuditReport(profile="hardened-1", rows=100, attacks=attacks, tables=())
    blocked = any(known <= 100 and right > limit for known, right in shares)

    assert (audit_limit_problem(report, limit) is not None) == blocked
