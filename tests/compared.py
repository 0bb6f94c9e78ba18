"""Made-up candidates of two providers, with the truth: what a model that is right would have to say of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.differences import MISSING
from isthmus.contract.kinds import Kind, Shares, random_shares
from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.estimates import Evidence
from isthmus.coordinator.match.compare.model import Candidates, first_model, fit
from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found
from isthmus.coordinator.match.group import group_rows

FIELDS = ("first_name", "last_name", "dob", "sex", "zip")
SIZES = [len(LEVELS[field].names) for field in FIELDS]
ALIKE = {"first_name": 0.03, "last_name": 0.01, "dob": 0.002, "sex": 0.5, "zip": 0.05}
"""How often two people agree at all in a field, by any of its levels but the last."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MadeUp:
    """Evidence and the truth: `same`, bool, says which candidates are one person, of `shared` people."""

    evidence: Evidence
    same: NDArray[np.bool_]
    shared: int

    @property
    def precision(self) -> float:
        """Share of the links that are right."""
        return float(self.same[self.evidence.accepted].mean())

    @property
    def recall_of_candidates(self) -> float:
        """Share of the right candidates that are links."""
        return float(self.evidence.accepted[self.same].mean())


def apart() -> Shares:
    """Give how two people's fields agree."""
    return tuple(
        np.append(np.full(size - 1, ALIKE[field] / (size - 1)), 1 - ALIKE[field])
        for field, size in zip(FIELDS, SIZES, strict=True)
    )


def drawn(rng: np.random.Generator, shares: Shares, count: int, *, missing: float = 0.05) -> NDArray[np.int8]:
    """Draw the levels of pairs, each missing with some probability."""
    levels = np.array([rng.choice(len(of_level), count, p=of_level / of_level.sum()) for of_level in shares], np.int8)
    levels[rng.random(levels.shape) < missing] = MISSING
    return levels


def made_up(
    seed: int, *, shared: int, rows: tuple[int, int], acceptance: float = 0.1, damage: float = 0.0, fields: int = 5
) -> MadeUp:
    """Give two files of which row k of both is one person for k below `shared`; `damage` mixes strangers' levels in.

    Nearly every row of the smaller file has one other of its household in the larger one, as the model takes for
    granted. Of the pairs of two people only those are candidates that agree in two fields at least.
    """
    rng = np.random.default_rng(seed)
    declared = tuple(np.array(LEVELS[field].starting) for field in FIELDS)
    person = tuple((1 - damage) * one + damage * other for one, other in zip(declared, apart(), strict=True))
    left, right = (side.ravel() for side in np.indices(rows))
    levels = drawn(rng, apart(), left.size)
    same = (left == right) & (left < shared)
    levels[:, same] = drawn(rng, person, shared)
    family = rng.choice(np.flatnonzero(~same), min(rows) - 1, replace=False)
    levels[:, family] = drawn(rng, _household(rows), len(family))
    levels[fields:] = MISSING
    lasts = np.array(SIZES)[:, np.newaxis] - 1
    kept = ((levels != MISSING) & (levels != lasts)).sum(axis=0) > 1
    candidates = Candidates(
        fields=FIELDS,
        levels=levels[:, kept],
        left_row=left[kept].astype(np.uint32),
        right_row=right[kept].astype(np.uint32),
        rows=rows,
    )
    random_levels = drawn(rng, apart(), 20_000)
    model, probability = fit(candidates, random=random_shares(random_levels, FIELDS), near=())
    accepted = _linked(candidates, probability, acceptance)
    evidence = Evidence(
        candidates=candidates,
        model=model,
        probability=probability,
        accepted=accepted,
        acceptance=acceptance,
        random_pairs=20_000,
    )
    return MadeUp(evidence=evidence, same=same[kept], shared=shared)


def _household(rows: tuple[int, int]) -> Shares:
    """Give how two people of one household agree, as the model declares it."""
    return first_model(FIELDS, random=apart(), near=(), rows=rows).near[-1].shares


def best_first(candidates: Candidates, probability: NDArray[np.float64]) -> CandidatePairs:
    """Give all candidates as pairs of datasets 0 and 1."""
    return merge_found(
        [
            Found(
                left_dataset=0,
                right_dataset=1,
                similarity=probability,
                left_row=candidates.left_row,
                right_row=candidates.right_row,
            )
        ]
    )


def _linked(candidates: Candidates, probability: NDArray[np.float64], acceptance: float) -> NDArray[np.bool_]:
    pairs = best_first(candidates, np.where(probability >= acceptance, probability, 0))
    kept = int(np.count_nonzero(pairs.similarity))
    chosen = CandidatePairs(
        similarity=pairs.similarity[:kept],
        left_dataset=pairs.left_dataset[:kept],
        right_dataset=pairs.right_dataset[:kept],
        left_row=pairs.left_row[:kept],
        right_row=pairs.right_row[:kept],
    )
    groups = group_rows(chosen, sizes=candidates.rows)
    entity = [np.full(size, -1 - place, np.int64) for place, size in enumerate(candidates.rows)]
    for place, of_rows in enumerate(entity):
        inside = groups.dataset == place
        of_rows[groups.row[inside]] = groups.entity[inside]
    linked: NDArray[np.bool_] = entity[0][candidates.left_row] == entity[1][candidates.right_row]
    return linked


def one_kind(shares: Shares) -> tuple[Kind, ...]:
    """Give these shares as the only kind of pairs."""
    return (Kind(share=1.0, shares=shares),)
