"""Signatures: what rehearsals teach, and how far it carries to an encoding under a key that nobody knows."""

import numpy as np
import pytest
from unit.node.audit.audit_parts import INTEROP, synthetic_columns

from isthmus.node.audit.signature import OTHER_COLOUR, Signatures, learn, log_likelihood, observe
from isthmus.node.audit.vectors import encode_tables

PEOPLE = 200


@pytest.fixture(scope="module")
def rehearsed() -> list[Signatures]:
    """Plain CLKs of the same people under four keys."""
    rng = np.random.default_rng(6)
    encoded = [encode_tables(synthetic_columns(PEOPLE), profile=INTEROP, random_bytes=rng.bytes) for _ in range(4)]
    return [observe(tables, channels=(("all",),), join=True, rng=rng) for tables in encoded]


def _drawn(seed: int, *, spread: float) -> Signatures:
    """Numbers that are the person's own in column 0, noise in column 1 and the same for all in column 2."""
    noise = np.random.default_rng(seed).normal(size=(PEOPLE, 2)) * (spread, 100)
    own = np.random.default_rng(0).normal(size=PEOPLE)
    numbers = np.column_stack([own + noise[:, 0], noise[:, 1], np.full(PEOPLE, 1e6)])
    return Signatures(numbers=numbers, colour=None)


def _mean_rank(seen: Signatures, rehearsed: list[Signatures]) -> float:
    likelihood = log_likelihood(seen, learn(rehearsed), np.arange(PEOPLE))
    return float((likelihood > np.diag(likelihood)[:, None]).sum(axis=1).mean())


def test_a_person_of_a_plain_clk_is_among_the_likeliest(rehearsed: list[Signatures]) -> None:
    assert _mean_rank(rehearsed[3], rehearsed[:3]) < PEOPLE / 8


def test_numbers_that_change_with_the_key_are_not_trusted() -> None:
    assert _mean_rank(_drawn(4, spread=0.001), [_drawn(seed, spread=0.001) for seed in (1, 2, 3)]) < 1


def test_noise_alone_gets_a_low_temperature() -> None:
    noisy = learn([_drawn(seed, spread=30) for seed in (1, 2, 3)])
    clear = learn([_drawn(seed, spread=0.01) for seed in (1, 2, 3)])

    assert noisy.temperature < clear.temperature


def test_another_colour_costs_what_it_is_said_to_cost() -> None:
    colour = np.arange(PEOPLE, dtype=np.uint64) % np.uint64(2)
    same = [Signatures(numbers=np.zeros((PEOPLE, 2)), colour=colour) for _ in range(3)]
    likelihood = log_likelihood(same[0], learn(same), np.arange(4))

    assert likelihood[0, :4].tolist() == pytest.approx([0, -OTHER_COLOUR, 0, -OTHER_COLOUR])


def test_the_likeliest_person_has_likelihood_zero_without_colours() -> None:
    likelihood = log_likelihood(_drawn(4, spread=1), learn([_drawn(seed, spread=1) for seed in (1, 2)]), np.arange(9))

    assert likelihood.max(axis=1).tolist() == [0] * 9
