"""Why pairs are links: what each field adds to the odds, which patterns of levels there are, and what is doubtful.

Everything is in bits, logarithms of odds to base 2: one bit doubles the odds. What is here are true counts and weights
of single pairs; they stay at the coordinator. `isthmus.coordinator.disclosure.quality` makes of them what may leave.
"""

from dataclasses import dataclass
from math import log, log2
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.kinds import Floats, Levels
from isthmus.coordinator.match.compare.model import Candidates, Model
from isthmus.coordinator.match.compare.odds import log_odds, log_prior

Flags = NDArray[np.bool_]

_BITS: Final = 1 / log(2)
_SURE: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShares:
    """How often each level of a field comes in one person's pairs and in random ones: shares that add up to 1 each."""

    field: str
    match: tuple[float, ...]
    random: tuple[float, ...]

    def weight(self, level: int) -> float:
        """Give what the level says alone, in bits; 0 where the field is missing (level -1)."""
        return 0.0 if level < 0 else log2(self.match[level]) - log2(self.random[level])


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The way from the odds of any pair to those of one, in bits: `posterior` is the sum of all others.

    `fields` hold the weight of each field as if it were alone, 0 where it is missing. `together` is what they say
    beyond that, because matches and near misses come in kinds: an address of which all parts differ is one removal, and
    equal last names and streets are one family. `competition` is what the rivals of the pair take away, 0 or less.
    """

    prior: float
    fields: tuple[float, ...]
    together: float
    competition: float
    posterior: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternCount:
    """How many candidates have these levels, by place in the names of each field or -1, and are links or not.

    `odds` is log2 of the odds of such a pair before its rivals count.
    """

    levels: tuple[int, ...]
    accepted: bool
    pairs: int
    odds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCount:
    """The clerical band: how many pairs have a probability from `low` to below `high`, and how many rows these are."""

    low: float
    high: float
    pairs: int
    rows: tuple[int, int]


def field_shares(model: Model, fields: tuple[str, ...]) -> tuple[FieldShares, ...]:
    """Give the shares of each field's levels, over all kinds of matches."""
    return tuple(
        FieldShares(
            field=field,
            match=tuple(np.sum([kind.share * kind.shares[place] for kind in model.match], axis=0).tolist()),
            random=tuple(model.random[place].tolist()),
        )
        for place, field in enumerate(fields)
    )


def prior_bits(model: Model, rows: tuple[int, int]) -> float:
    """Give log2 of the odds that a random pair of rows is one person; minus infinity where nobody is shared."""
    return log_prior(model, rows) * _BITS


def waterfalls(levels: Levels, probability: Floats, model: Model, *, rows: tuple[int, int]) -> tuple[Waterfall, ...]:
    """Explain pairs, such as those of one entity.

    Args:
        levels: int8, shape (fields, pairs).
        probability: of the same pairs, as the model gave them among all candidates.
        model: that gave them.
        rows: how many rows both providers have.
    """
    shares = field_shares(model, tuple("" for _ in levels))
    prior, odds = prior_bits(model, rows), log_odds(levels, model, rows) * _BITS
    return tuple(
        _waterfall(prior, tuple(map(FieldShares.weight, shares, column)), odds_of_pair, of_pair)
        for column, odds_of_pair, of_pair in zip(
            levels.T.tolist(), odds.tolist(), np.asarray(probability).tolist(), strict=True
        )
    )


def _waterfall(prior: float, fields: tuple[float, ...], odds: float, probability: float) -> Waterfall:
    # The odds of a probability of nearly 1 drown in rounding; no rival can have taken much of it.
    sure = probability > 1 - _SURE
    competition = 0.0 if sure else min(0.0, log2(max(probability, _SURE**2) / (1 - probability)) - odds)
    return Waterfall(
        prior=prior,
        fields=fields,
        together=odds - prior - sum(fields),
        competition=competition,
        posterior=odds + competition,
    )


def pattern_counts(candidates: Candidates, accepted: Flags, model: Model) -> tuple[PatternCount, ...]:
    """Count candidates by their levels and whether they are links; the commonest first, then by odds and levels.

    Args:
        candidates: of two providers.
        accepted: bool, shape (pairs,): which are links.
        model: that weighs them.
    """
    if not len(candidates):
        return ()
    told = np.vstack([candidates.levels, accepted.astype(np.int8)])
    patterns, pairs = np.unique(told, axis=1, return_counts=True)
    odds = log_odds(np.ascontiguousarray(patterns[:-1]), model, candidates.rows) * _BITS
    found = [
        PatternCount(levels=tuple(column[:-1]), accepted=bool(column[-1]), pairs=count, odds=of)
        for column, count, of in zip(patterns.T.tolist(), pairs.tolist(), odds.tolist(), strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.pairs, -one.odds, one.levels)))


def clerical_band(candidates: Candidates, probability: Floats, *, low: float, high: float) -> BandCount:
    """Count the pairs whose probability is at least `low` and below `high`, and their rows.

    Raises:
        ValueError: the bounds are not 0 <= low < high <= 1.
    """
    if not 0 <= low < high <= 1:
        raise ValueError("a clerical band goes from a lower to a higher probability")
    inside = (probability >= low) & (probability < high)
    rows = (np.unique(side[inside]).size for side in (candidates.left_row, candidates.right_row))
    left, right = rows
    return BandCount(low=low, high=high, pairs=int(np.count_nonzero(inside)), rows=(left, right))
