"""How many matches are candidates and no links, by what links look like and by which candidates are left.

The model learns from candidates, and where fields are few or badly damaged it takes damaged matches for strangers of
one household. Links alone are nearly all matches, but cut off: a pair must reach acceptance. So matches are learnt from
links as a sample of which one part cannot be seen, by filling that part in from the kinds found so far (Dempster, Laird
and Rubin, 1977, section 4.2). That says how many matches are no links, candidates or not, and how they look. Of each
look, no more can be candidates than there are candidates of it whose rows are both free.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.differences import MISSING
from isthmus.contract.kinds import Floats, Levels
from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.draws import drawn_levels
from isthmus.coordinator.match.compare.model import Candidates, Model, first_model, learnt
from isthmus.coordinator.match.compare.odds import log_odds
from isthmus.coordinator.match.compare.patterns import Patterns, patterns_of

Flags = NDArray[np.bool_]

ROUNDS: Final = 15
DRAWS: Final = 5_000

LEAST_SEEN: Final = 0.02
"""At least this share of matches is taken to be links: from less nothing can be told of the others."""

EQUAL, ALIKE, UNLIKE, LACKING = range(4)
"""How a field looks: by its first level, one between, its last, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unseen:
    """Matches that are no links: `levels`, int8, shape (fields, draws), each of which stands for `each` matches."""

    levels: Levels
    each: float


def missing_candidates(candidates: Candidates, model: Model, accepted: Flags, *, least: float, seed: int) -> float:
    """Give how many matches are candidates and no links.

    Args:
        candidates: of two providers.
        model: that decided about them.
        accepted: bool, shape (pairs,): which are links; one at least.
        least: logarithm of the odds from which on a pair may link.
        seed: of the draws.
    """
    unseen = unseen_matches(candidates, model, accepted, least=least, seed=seed)
    left = candidates.levels[:, free(candidates, accepted)]
    looks = _looks(np.concatenate([unseen.levels, left], axis=1), candidates.fields)
    _, of_pair = np.unique(looks, return_inverse=True)
    drawn = np.arange(of_pair.size) < unseen.levels.shape[1]
    expected = np.bincount(of_pair, drawn * unseen.each)
    return float(np.minimum(expected, np.bincount(of_pair, ~drawn)).sum())


def most_missing(candidates: Candidates, accepted: Flags) -> int:
    """Give how many candidates could be matches beside the links, if all links are right: one a row at most."""
    left = candidates.left_row[free(candidates, accepted)]
    right = candidates.right_row[free(candidates, accepted)]
    return min(np.unique(left).size, np.unique(right).size)


def unseen_matches(candidates: Candidates, model: Model, accepted: Flags, *, least: float, seed: int) -> Unseen:
    """Give matches that are no links, be they candidates or not, as links let expect them; see `missing_candidates`."""
    links = candidates.levels[:, accepted]
    begun = first_model(candidates.fields, random=model.random, near=(), rows=candidates.rows)
    seen = patterns_of(links, candidates.fields)

    def drawn(known: Model) -> Unseen:
        # The same chance in every round, or the rounds would not come to rest.
        levels = drawn_levels(known.match, links != MISSING, np.random.default_rng([seed, 2]), DRAWS)
        below = levels[:, log_odds(levels, model, candidates.rows) < least]
        reaching = max(1 - below.shape[1] / DRAWS, LEAST_SEEN)
        return Unseen(levels=below, each=links.shape[1] / (reaching * DRAWS))

    known = begun
    for _ in range(ROUNDS - 1):
        both, weights = _filled_in(seen, drawn(known), candidates.fields)
        known = learnt(both, known, weights, begun.match)
    return drawn(known)


def free(candidates: Candidates, accepted: Flags) -> Flags:
    """Say which candidates have two rows that no link has."""
    left = np.isin(candidates.left_row, candidates.left_row[accepted])
    right = np.isin(candidates.right_row, candidates.right_row[accepted])
    return np.asarray(~left & ~right)


def _filled_in(seen: Patterns, unseen: Unseen, fields: tuple[str, ...]) -> tuple[Patterns, Floats]:
    """Give links and unseen matches together, and how many matches each of them stands for."""
    counts = seen.summed(np.ones(seen.of_pair.size))
    weights = np.concatenate([counts, np.full(unseen.levels.shape[1], unseen.each)])
    return patterns_of(np.concatenate([seen.levels, unseen.levels], axis=1), fields), weights


def _looks(levels: Levels, fields: tuple[str, ...]) -> NDArray[np.uint64]:
    """Give how each pair looks, as a number of a digit to base 4 for each field."""
    codes = np.zeros(levels.shape[1], np.uint64)
    for row, field in zip(levels, fields, strict=True):
        look = np.where(row == 0, EQUAL, np.where(row == len(LEVELS[field].names) - 1, UNLIKE, ALIKE))
        codes = codes * np.uint64(4) + np.where(row == MISSING, LACKING, look).astype(np.uint64)
    return codes
