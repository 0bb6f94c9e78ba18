"""Too many candidate pairs, in all or of one row, and the threshold from which on they would not be too many."""

from collections.abc import Collection, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.errors import CrowdedRows, TooManyBestPairs, TooManyCandidates
from isthmus.coordinator.match.records import EDGES

NONE_FITS = "no threshold"


def most_candidates(
    sizes: Sequence[int], *, best_of_row: int, tables: int, match_keys: int, repeating: Collection[int] = ()
) -> int:
    """Give how many candidate pairs rows of so many datasets can have by tables and match keys, whatever they hold.

    Inside the datasets that repeat people only tables find pairs.
    """
    found = sum(
        min(tables * best_of_row * size, size * (size - 1) // 2) for size in (sizes[place] for place in repeating)
    )
    for left, right in combinations(sizes, 2):
        of_tables = tables * min(best_of_row * (left + right), left * right)
        found += min(of_tables + match_keys * min(left, right), left * right)
    return found


def check_best(found: int, *, limit: int, enough: int) -> None:
    """Raise `TooManyBestPairs` where there are more candidate pairs by tables and keys than the limit."""
    if found > limit:
        raise TooManyBestPairs(limit=limit, enough=enough)


def check_pairs(steps: NDArray[np.int64], *, threshold: float, limit: int) -> None:
    """Raise `TooManyCandidates` where there are more pairs than the limit.

    Args:
        steps: int64, pairs by steps of similarity (`records.count_steps`).
        threshold: the similarity that pairs were found from.
        limit: how many there may be.
    """
    found = int(steps.sum())
    if found > limit:
        fits = fitting_threshold(steps, limit=limit)
        raise TooManyCandidates(threshold=threshold, limit=limit, found=found, fits=fits)


def fitting_threshold(steps: NDArray[np.int64], *, limit: int) -> str:
    """Give the lowest threshold of three decimals that so many pairs at most reach."""
    reaching = np.cumsum(steps[::-1])[::-1]
    return _threshold(np.flatnonzero(reaching <= limit))


def check_rows(pairs: CandidatePairs, *, sizes: Sequence[int], threshold: float, limit: int) -> None:
    """Raise `CrowdedRows` where a row is in more pairs than the limit; `sizes` are the rows of the datasets."""
    starts = np.cumsum([0, *sizes])
    # The rows of each pair side by side, so that the pairs of a row stay best first.
    left, right = starts[pairs.left_dataset] + pairs.left_row, starts[pairs.right_dataset] + pairs.right_row
    rows = np.column_stack([left, right]).reshape(-1)
    counts = np.bincount(rows, minlength=int(starts[-1]))
    crowded = np.flatnonzero(counts > limit)
    if crowded.size:
        # The pair that is one too many of each crowded row: the threshold must lie above all of these.
        firsts = np.cumsum(counts) - counts
        too_many = pairs.similarity[np.argsort(rows, kind="stable")[firsts[crowded] + limit] // 2].max()
        fits = _threshold(np.flatnonzero(too_many < EDGES))
        raise CrowdedRows(threshold=threshold, limit=limit, rows=crowded.size, fits=fits)


def _threshold(fitting: NDArray[np.intp]) -> str:
    return f"{EDGES[fitting[0]]:.3f}" if fitting.size else NONE_FITS
