"""The model of pairs: as a plain program computes it, with competition; a made-up population is found again."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.contract.differences import MISSING
from isthmus.contract.kinds import Kind, Shares, random_shares
from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare import model as module
from isthmus.coordinator.match.compare.model import DECLARED, Candidates, Model, fit
from isthmus.coordinator.match.compare.patterns import patterns_of

FIELDS = ("first_name", "last_name", "dob", "sex", "zip")
SIZES = [len(LEVELS[field].names) for field in FIELDS]


def _shares(rng: np.random.Generator) -> Shares:
    return tuple(rng.dirichlet(np.ones(size)) for size in SIZES)


def _drawn(rng: np.random.Generator, shares: Shares, count: int, *, missing: float) -> NDArray[np.int8]:
    """Draw the levels of pairs, each missing with some probability."""
    levels = np.array([rng.choice(len(of_level), count, p=of_level / of_level.sum()) for of_level in shares], np.int8)
    levels[rng.random(levels.shape) < missing] = MISSING
    return levels


def _any_case(seed: int, *, near: int = 1) -> tuple[Candidates, Model]:
    rng, rows = np.random.default_rng(seed), (8, 6)
    # Some pairs come with the levels of others.
    levels = _drawn(rng, _shares(rng), 20, missing=0.2)[:, rng.integers(0, 20, 30)]
    candidates = Candidates(
        fields=FIELDS,
        levels=levels,
        left_row=rng.integers(0, rows[0], 30, np.uint32),
        right_row=rng.integers(0, rows[1], 30, np.uint32),
        rows=rows,
    )
    model = Model(
        match=tuple(Kind(share=share, shares=_shares(rng)) for share in (0.7, 0.2, 0.1)),
        random=_shares(rng),
        near=tuple(Kind(share=0.01, shares=_shares(rng)) for _ in range(near)),
        shared=3.5,
    )
    return candidates, model


def _plain_likelihood(levels: list[int], shares: Shares) -> float:
    return math.prod(float(of_level[level]) for level, of_level in zip(levels, shares, strict=True) if level != MISSING)


def _plain_posterior(candidates: Candidates, model: Model) -> list[float]:
    """Compute probabilities pair by pair, in floats, without a logarithm or an array."""
    odds = []
    for levels in candidates.levels.T.tolist():
        one = sum(kind.share * _plain_likelihood(levels, kind.shares) for kind in model.match)
        two = _plain_likelihood(levels, model.random)
        two += sum(kind.share * _plain_likelihood(levels, kind.shares) for kind in model.near)
        odds.append(model.shared / (candidates.rows[0] * candidates.rows[1]) * one / two)
    rivals = []
    for pair in range(len(candidates)):
        others = [0.0, 0.0]
        for rival in range(len(candidates)):
            others[0] += odds[rival] * (rival != pair and candidates.left_row[rival] == candidates.left_row[pair])
            others[1] += odds[rival] * (rival != pair and candidates.right_row[rival] == candidates.right_row[pair])
        rivals.append(sum(others))
    return [own / (1 + own + other) for own, other in zip(odds, rivals, strict=True)]


def _plainly_learnt(candidates: Candidates, model: Model, probability: list[float], start: Sequence[Kind]) -> Model:
    """Count pair by pair, kind by kind, field by field: what each starts with, and what probability gives it."""
    found, counts = [], []
    for own, begun in zip(model.match, start, strict=True):
        shares = [(20 * of_level).tolist() for of_level in begun.shares]
        total = 20 * begun.share
        for levels, one in zip(candidates.levels.T.tolist(), probability, strict=True):
            of_all = sum(kind.share * _plain_likelihood(levels, kind.shares) for kind in model.match)
            weight = one * own.share * _plain_likelihood(levels, own.shares) / of_all
            total += weight
            for field, level in enumerate(levels):
                if level != MISSING:
                    shares[field][level] += weight
        found.append(total)
        counts.append(tuple(np.array(of_level) / sum(of_level) for of_level in shares))
    kinds = tuple(Kind(share=one / sum(found), shares=shares) for one, shares in zip(found, counts, strict=True))
    shared = max(1.0, sum(probability))
    # The last kind is a household.
    near = [replace(kind, share=kind.share * shared / model.shared) for kind in model.near[:-1]] + [*model.near[-1:]]
    return replace(model, match=kinds, near=tuple(near), shared=shared)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("near", [0, 2])
def test_posterior_is_what_a_plain_program_computes(seed: int, near: int) -> None:
    candidates, model = _any_case(seed, near=near)

    patterns = patterns_of(candidates.levels, FIELDS)
    found = module._posterior(candidates, patterns, model)

    assert found.tolist() == pytest.approx(_plain_posterior(candidates, model), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("near", [0, 3])
def test_what_is_learnt_is_what_a_plain_program_counts(seed: int, near: int) -> None:
    candidates, model = _any_case(seed, near=near)
    probability = np.random.default_rng(seed).random(len(candidates))
    start = tuple(replace(kind, shares=_shares(np.random.default_rng(seed + 10))) for kind in model.match)

    found = module.learnt(patterns_of(candidates.levels, FIELDS), model, probability, start)

    expected = _plainly_learnt(candidates, model, probability.tolist(), start)
    assert found.shared == pytest.approx(expected.shared)
    for one, other in zip((*found.match, *found.near), (*expected.match, *expected.near), strict=True):
        assert one.share == pytest.approx(other.share)
        assert np.concatenate(one.shares).tolist() == pytest.approx(np.concatenate(other.shares).tolist())


def test_without_rounds_the_model_stays_as_it_begins() -> None:
    candidates, random = _population(np.random.default_rng(4), shared=60, rows=(100, 80))

    model, probability = fit(candidates, random=random, near=(), most_rounds=0)

    assert model.shared == 0.3 * 80
    assert [kind.share for kind in model.match] == [0.8, 0.15, 0.05]
    assert 0 < probability.min() < probability.max() < 1


def test_starting_values_can_be_others() -> None:
    candidates, random = _population(np.random.default_rng(5), shared=60, rows=(100, 80))
    doubtful = {**DECLARED, "zip": (0.1, 0.1, 0.1, 0.7)}

    model, _ = fit(candidates, random=random, near=(), starting=doubtful, most_rounds=0)

    assert model.match[0].shares[FIELDS.index("zip")].tolist() == pytest.approx([0.1, 0.1, 0.1, 0.7])
    assert model.match[0].shares[0].tolist() == pytest.approx(LEVELS["first_name"].starting, abs=1e-3)


def _population(rng: np.random.Generator, *, shared: int, rows: tuple[int, int]) -> tuple[Candidates, Shares]:
    """Give all pairs of rows, of which row k of both is one person for k below `shared`, and shares in random pairs."""
    declared: Shares = tuple(np.array(LEVELS[field].starting) for field in FIELDS)
    # Two people at random agree in nothing but their sex.
    alike = {"sex": 0.5}
    apart: Shares = tuple(
        np.append(np.full(size - 1, alike.get(field, 0.02) / (size - 1)), 1 - alike.get(field, 0.02))
        for field, size in zip(FIELDS, SIZES, strict=True)
    )
    left, right = (side.ravel() for side in np.indices(rows))
    levels = _drawn(rng, apart, len(left), missing=0.05)
    levels[:, (left == right) & (left < shared)] = _drawn(rng, declared, shared, missing=0.05)
    candidates = Candidates(
        fields=FIELDS,
        levels=levels,
        left_row=left.astype(np.uint32),
        right_row=right.astype(np.uint32),
        rows=rows,
    )
    return candidates, random_shares(_drawn(rng, apart, 20_000, missing=0.05), FIELDS)


@pytest.mark.parametrize("shared", [0, 40, 80, 140])
def test_shared_people_of_a_made_up_population_are_found(shared: int) -> None:
    candidates, random = _population(np.random.default_rng(shared), shared=shared, rows=(150, 200))

    model, probability = fit(candidates, random=random, near=())

    same = (candidates.left_row == candidates.right_row) & (candidates.left_row < shared)
    assert model.shared == pytest.approx(shared, rel=0.05, abs=2)
    assert (probability[same] > 0.5).sum() >= 0.95 * shared
    assert (probability[~same] > 0.5).sum() <= 0.05 * shared
    assert sum(kind.share for kind in model.match) == pytest.approx(1)
    assert all(of_level.sum() == pytest.approx(1) for kind in model.match for of_level in kind.shares)


def test_model_is_the_same_every_time_and_probabilities_are_between_0_and_1() -> None:
    candidates, random = _population(np.random.default_rng(1), shared=60, rows=(100, 80))

    (_, one), (_, other) = (fit(candidates, random=random, near=()) for _ in range(2))

    assert one.tolist() == other.tolist()
    assert one.min() >= 0
    assert one.max() <= 1


def test_order_of_the_candidates_makes_no_difference() -> None:
    rng = np.random.default_rng(2)
    candidates, random = _population(rng, shared=60, rows=(100, 80))
    order = rng.permutation(len(candidates))
    moved = replace(
        candidates,
        levels=candidates.levels[:, order],
        left_row=candidates.left_row[order],
        right_row=candidates.right_row[order],
    )

    (_, one), (_, other) = (fit(each, random=random, near=()) for each in (candidates, moved))

    assert one[order].tolist() == pytest.approx(other.tolist(), rel=1e-6)


def _with_rival(*, same_row: bool) -> NDArray[np.float64]:
    """Give probabilities of a perfect pair and of as perfect a pair, of the same left row or another one."""
    levels = np.zeros((len(FIELDS), 2), np.int8)
    left = np.array([0, 0 if same_row else 1], np.uint32)
    candidates = Candidates(
        fields=FIELDS, levels=levels, left_row=left, right_row=np.array([0, 1], np.uint32), rows=(50, 50)
    )
    unlike = np.array([[size - 1] * 500 for size in SIZES], np.int8)
    return fit(candidates, random=random_shares(unlike, FIELDS), near=())[1]


def test_two_equally_good_candidates_of_a_row_share_it() -> None:
    assert _with_rival(same_row=False).tolist() == pytest.approx([1, 1], abs=0.01)
    assert _with_rival(same_row=True).tolist() == pytest.approx([0.5, 0.5], abs=0.01)


def test_near_misses_make_a_pair_that_looks_like_them_less_likely() -> None:
    candidates, random = _population(np.random.default_rng(3), shared=60, rows=(100, 80))
    # A family: last name and ZIP are equal, all else differs.
    family = tuple(
        np.where(np.arange(size) == (0 if field in ("last_name", "zip") else size - 1), 0.96, 0.04 / (size - 1))
        for field, size in zip(FIELDS, SIZES, strict=True)
    )
    levels = candidates.levels.copy()
    levels[:, 0] = [0 if field in ("last_name", "zip") else size - 1 for field, size in zip(FIELDS, SIZES, strict=True)]
    candidates = replace(candidates, levels=levels)

    without, known = (
        fit(candidates, random=random, near=near)[1][0] for near in ((), (Kind(share=0.01, shares=family),))
    )

    assert known < without / 2


def test_starting_kinds_are_as_declared_moved_and_damaged() -> None:
    random = tuple(np.full(size, 1 / size) for size in SIZES)

    declared, moved, damaged = module._starting(FIELDS, random, DECLARED)

    place = FIELDS.index("zip")
    assert moved.shares[place].tolist() == pytest.approx(random[place].tolist())
    assert moved.shares[0].tolist() == declared.shares[0].tolist()
    assert damaged.shares[0].tolist() == pytest.approx(((declared.shares[0] + random[0]) / 2).tolist(), rel=1e-3)


def test_near_misses_that_nodes_tell_of_count_by_the_overlap() -> None:
    candidates, random = _population(np.random.default_rng(6), shared=60, rows=(100, 80))
    family = Kind(share=0.01, shares=random)

    begun, found = (fit(candidates, random=random, near=(family,), most_rounds=most)[0] for most in (0, 60))

    assert begun.near[0].share == pytest.approx(0.3 * 0.01)
    assert found.near[0].share == pytest.approx(found.shared / 80 * 0.01)
    assert begun.near[1].share == found.near[1].share


def test_a_household_has_all_but_its_people_in_common() -> None:
    random = tuple(np.full(size, 1 / size) for size in SIZES)

    model = module.first_model(FIELDS, random=random, near=(), rows=(20, 50))

    (household,) = model.near
    assert household.share == 1 / 50
    for field, found, by in zip(FIELDS, household.shares, random, strict=True):
        common = field in ("last_name", "zip")
        assert found.tolist() == pytest.approx(LEVELS[field].starting if common else by.tolist(), abs=1e-3)


def test_random_shares_count_levels_that_are_there_and_rule_none_out() -> None:
    found = random_shares(np.array([[1, 1, 0, MISSING]], np.int8), ("sex",))[0]

    assert found.tolist() == pytest.approx([1.3 / 3.6, 2.3 / 3.6])


@pytest.mark.parametrize("rows", [(5, 5), (0, 5), (5, 0), (0, 0)])
def test_no_candidates_have_no_probabilities(rows: tuple[int, int]) -> None:
    none = np.zeros(0, np.uint32)
    candidates = Candidates(
        fields=FIELDS, levels=np.zeros((len(FIELDS), 0), np.int8), left_row=none, right_row=none, rows=rows
    )
    random = random_shares(candidates.levels, FIELDS)

    model, probability = fit(candidates, random=random, near=())

    assert probability.size == 0
    assert model.shared == 0
