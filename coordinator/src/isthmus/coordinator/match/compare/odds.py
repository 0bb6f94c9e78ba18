"""The odds of a pair under a model, one by one: before its rivals count, and what each field adds to them."""

from collections.abc import Sequence

import numpy as np

from isthmus.contract.kinds import Floats, Kind, Levels, log_kinds, log_likelihood
from isthmus.coordinator.match.compare.model import Model


def log_prior(model: Model, rows: tuple[int, int]) -> float:
    """Give the logarithm of the odds that a random pair is one person; minus infinity where nobody is shared."""
    left, right = rows
    # Logarithms of both factors: their product may be too large for none of them.
    return float(np.log(model.shared) - np.log(left) - np.log(right)) if model.shared > 0 else -np.inf


def log_odds(levels: Levels, model: Model, rows: tuple[int, int]) -> Floats:
    """Give the logarithm of the odds of each pair, float64, shape (pairs,), as if its rows had no other candidate."""
    at_random = log_likelihood(levels, model.random)
    against = np.logaddexp(at_random, log_mixture(levels, model.near))
    odds: Floats = log_prior(model, rows) + log_mixture(levels, model.match) - against
    return odds


def log_mixture(levels: Levels, kinds: Sequence[Kind]) -> Floats:
    """Give the logarithm of the probability of each pair's levels in pairs of these kinds, by their shares."""
    mixture: Floats = np.logaddexp.reduce(log_kinds(levels, kinds), initial=-np.inf)
    return mixture
