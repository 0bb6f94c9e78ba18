"""How likely a pair of rows is one person, from the levels of its fields (Fellegi and Sunter, 1969).

Three things explain a pair: it is one person (m), it is two people at random (u), or it is two people who have
something in common, such as a family. One person's fields do not differ independently: who moves changes street, number
and town at once. So both one person's pairs and those of families are mixtures of kinds, in each of which fields are
independent. u is counted in random pairs; kinds of families come from the nodes, who see them in their own rows, and
one more, of a household, is declared. The kinds of matches and the number of shared people are found by expectation
maximisation over the candidate pairs, in which the candidates of a row compete: a row is at most one row of the other
provider. Missing fields say nothing. Everything is deterministic: the pairs alone decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.kinds import Floats, Kind, Levels, Shares, counted, log_kinds, log_likelihood
from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.patterns import Patterns, patterns_of

Starting = Mapping[str, Sequence[float]]
"""By field, how often one person's pairs show each of its levels, to begin with; they add up to 1."""

DECLARED: Final[Starting] = MappingProxyType({field: levels.starting for field, levels in LEVELS.items()})
"""Those of the contract: first guesses for people in general."""

MATCH_PRIOR: Final = 20.0
"""So many matches count as the starting shares do, beside those found."""

LEAST_SHARE: Final = 1e-4
"""No level is rarer than that in one person's pairs of rows."""

FIRST_GUESS: Final = 0.3
"""Part of the smaller provider's rows that both hold, to begin with."""

STARTING_KINDS: Final = (0.8, 0.15, 0.05)
"""Shares of the kinds of matches to begin with: as declared, moved elsewhere, badly damaged."""

ADDRESS: Final = frozenset({"street_number", "street_name", "city", "state", "zip"})
PERSONAL: Final = frozenset({"first_name", "middle_name", "dob", "birth_year", "sex", "ssn"})
"""What people of one household do not have in common."""

HOUSEHOLD_MEMBERS: Final = 1.0
"""So many others of a row's household are in the other file, where that file is the larger one.

Nodes of small files see too few families to tell of them, and too few households are candidates to count them. What
nodes tell counts by the overlap: where files have few people in common, they have few families in common as well.
Made-up people, 8 sets of four and five files and 17 of two and three, with acceptance at 0.1 and at 0.5: with neither,
mean F1 was .9500 and .9713, .9450 and .9694, and 546, 31, 354 and 18 pairs were false; with the household alone .9509
and .9712, .9446 and .9691, and 410, 29, 222 and 18; with both .9507 and .9733, .9483 and .9699, and 505, 34, 314 and
19. With 4 members by the overlap .9511 and .9732, 429 and 33 at 0.1; but then too few shared people are found where
there are no households. febrl4, which has none, loses .0009 at most at 0.1 and .0023 at 0.5.
"""

MOST_ROUNDS, CLOSE = 60, 1e-5
LARGEST: Final = 60.0
"""Logarithms of odds are cut to this size, either way."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Candidate pairs of two providers.

    `levels` is int8, shape (fields, pairs); `left_row` and `right_row` are uint32, shape (pairs,); `rows` are how many
    rows both have.
    """

    fields: tuple[str, ...]
    levels: Levels
    left_row: NDArray[np.uint32]
    right_row: NDArray[np.uint32]
    rows: tuple[int, int]

    def __len__(self) -> int:
        """How many pairs there are."""
        return int(self.left_row.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """What explains pairs.

    `match` are the kinds of one person's pairs, whose shares add up to 1; `random` are the shares of levels in random
    pairs; `near` are the kinds of two people who have something in common, by their share of all pairs of two people:
    those of the nodes, by the overlap, then that of a household. `shared` is how many people both providers hold.
    """

    match: tuple[Kind, ...]
    random: Shares
    near: tuple[Kind, ...]
    shared: float


def fit(
    candidates: Candidates,
    *,
    random: Shares,
    near: Sequence[Kind],
    starting: Starting = DECLARED,
    most_rounds: int = MOST_ROUNDS,
) -> tuple[Model, Floats]:
    """Find the model that explains the candidates; give it with the probability of each pair, float64.

    Args:
        candidates: of two providers. All that are good must be among them; poor ones may be missing.
        random: from `random_shares`.
        near: those of both providers, in one sequence; none if they know of none.
        starting: what matches look like to begin with, of these fields at least.
        most_rounds: of estimation; with none the model stays as it begins.

    Without candidates the model is the one to begin with, and nobody is shared.
    """
    begun = first_model(candidates.fields, random=random, near=near, rows=candidates.rows, starting=starting)
    if not len(candidates):
        return replace(begun, shared=0.0), np.zeros(0)
    patterns = patterns_of(candidates.levels, candidates.fields)
    model, probability = begun, _posterior(candidates, patterns, begun)
    for _ in range(most_rounds):
        before = model
        model = learnt(patterns, before, probability, begun.match)
        probability = _posterior(candidates, patterns, model)
        if abs(model.shared - before.shared) < CLOSE * before.shared:
            break
    return model, probability


def first_model(
    fields: Sequence[str],
    *,
    random: Shares,
    near: Sequence[Kind],
    rows: tuple[int, int],
    starting: Starting = DECLARED,
) -> Model:
    """Give the model to begin with; the arguments are those of `fit`."""
    match = _starting(fields, random, starting)
    household = Kind(
        share=HOUSEHOLD_MEMBERS / max(1, *rows),
        shares=tuple(
            by if field in PERSONAL else of for field, of, by in zip(fields, match[0].shares, random, strict=True)
        ),
    )
    known = (*_times(near, FIRST_GUESS), household)
    return Model(match=match, random=random, near=known, shared=FIRST_GUESS * min(rows))


def judge(candidates: Candidates, model: Model) -> Floats:
    """Give the probability of each pair by a model that was found in others, float64.

    Rows may be numbered beyond `candidates.rows`, which then say how rare a match is, and no more.
    """
    if not len(candidates) or not model.shared:
        return np.zeros(len(candidates))
    return _posterior(candidates, patterns_of(candidates.levels, candidates.fields), model)


def log_evidence(levels: Levels, model: Model) -> Floats:
    """Give the logarithm of how much likelier each pair's levels are of one person than of two, shape (pairs,)."""
    as_two = np.logaddexp(log_likelihood(levels, model.random), _log_mixture(levels, model.near))
    evidence: Floats = _log_mixture(levels, model.match) - as_two
    return evidence


def _starting(fields: Sequence[str], random: Shares, starting: Starting) -> tuple[Kind, ...]:
    """Give the kinds of matches to begin with: as declared, moved elsewhere, badly damaged."""
    declared = tuple(np.maximum(np.array(starting[field]), LEAST_SHARE) for field in fields)
    moved = tuple(by if field in ADDRESS else of for field, of, by in zip(fields, declared, random, strict=True))
    damaged = tuple((of + by) / 2 for of, by in zip(declared, random, strict=True))
    kinds = zip(STARTING_KINDS, (declared, moved, damaged), strict=True)
    return tuple(Kind(share=share, shares=tuple(one / one.sum() for one in shares)) for share, shares in kinds)


def learnt(patterns: Patterns, model: Model, probability: Floats, start: Sequence[Kind]) -> Model:
    """Give the model whose matches are these pairs, each as often as its probability says.

    Args:
        patterns: of the pairs.
        model: that of the round before, whose other parts stay.
        probability: float64, shape (pairs,); a pair that stands for several counts as often.
        start: the kinds of matches to begin with, which count as `MATCH_PRIOR` matches.
    """
    likelihoods = log_kinds(patterns.levels, model.match)
    matches = patterns.summed(probability)
    parts = matches * np.exp(likelihoods - np.logaddexp.reduce(likelihoods))
    found = parts.sum(axis=1) + MATCH_PRIOR * np.array([kind.share for kind in start])
    match = tuple(
        Kind(
            share=float(share),
            shares=tuple(
                counted(row, part, MATCH_PRIOR * prior) for row, prior in zip(patterns.levels, kind.shares, strict=True)
            ),
        )
        for kind, part, share in zip(start, parts, found / found.sum(), strict=True)
    )
    shared = max(1.0, float(matches.sum()))
    near = (*_times(model.near[:-1], shared / model.shared), *model.near[-1:])
    return replace(model, match=match, near=near, shared=shared)


def _times(kinds: Sequence[Kind], factor: float) -> tuple[Kind, ...]:
    return tuple(replace(kind, share=kind.share * factor) for kind in kinds)


def _posterior(candidates: Candidates, patterns: Patterns, model: Model) -> Floats:
    """Give the probability of each pair, knowing that a row has at most one of its candidates."""
    left, right = candidates.rows
    prior = np.log(model.shared) - np.log(float(left) * right)
    evidence = np.clip(prior + log_evidence(patterns.levels, model), -LARGEST, LARGEST)
    odds = np.exp(evidence)[patterns.of_pair]
    of_left = np.bincount(candidates.left_row, odds, left)[candidates.left_row]
    of_right = np.bincount(candidates.right_row, odds, right)[candidates.right_row]
    # The odds themselves are in both sums, and rounding must not let them be missing from the rest.
    others = np.maximum(of_left - odds, 0) + np.maximum(of_right - odds, 0)
    probability: Floats = odds / (1 + odds + others)
    return probability


def _log_mixture(levels: Levels, kinds: Sequence[Kind]) -> Floats:
    mixture: Floats = np.logaddexp.reduce(log_kinds(levels, kinds), initial=-np.inf)
    return mixture
