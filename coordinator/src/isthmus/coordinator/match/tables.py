"""Linking rows that send tables and match keys (hardened profiles): candidate pairs with one score each, for `group`.

The rule: docs/decisions/0012-linking-by-tables.md and 0015-match-keys.md. No field is compared here.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.crowding import check_best, most_candidates
from isthmus.coordinator.match.encodings import TabledRows
from isthmus.coordinator.match.engine import CandidatePairs, Found, Progress, SimilarityEngine, merge_found
from isthmus.coordinator.match.key_candidates import equal_tags, key_candidates
from isthmus.coordinator.match.runs import Runs
from isthmus.coordinator.match.table_candidates import Packed, RowPairs, table_candidates, united
from isthmus.coordinator.match.table_rules import LinkRules
from isthmus.coordinator.match.table_score import (
    Flags,
    Floats,
    believed,
    compute_excess,
    evidence_bits,
    group_disagreement,
    key_bound,
    score_of_bits,
)

_PAIRS_AT_ONCE = 2**14
"""So many pairs of rows take 8 MB in one table, and as much in the tags of sixteen match keys."""


def link_tables(
    submissions: Sequence[TabledRows],
    *,
    rules: LinkRules,
    engine: SimilarityEngine,
    max_pairs: int,
    progress: Progress,
    runs: Runs | None = None,
) -> CandidatePairs:
    """Give every candidate pair with its score, best first, whatever the score; `at_least` keeps the links.

    The same submissions give the same pairs, whatever the engine's number of workers.

    Args:
        submissions: one for each dataset, tables and match keys in the order of the rules. The bytes of a CLK are whole
            64-bit words.
        rules: those of the profile that the rows are encoded by.
        engine: compares the rows of each table.
        max_pairs: how many pairs may be held in all.
        progress: told the pairs compared of those of all tables together.
        runs: where what is found is kept until all is done; see `SimilarityEngine.candidate_pairs`.

    Raises:
        ValueError: the submissions do not fit the rules or each other.
        TooManyBestPairs: there are more than `max_pairs`.
    """
    if any(8 * one.clks.shape[2] != rules.clk_bits for one in submissions):
        raise ValueError("a submission must hold vectors of the length that the rules name")
    if any(one.tags.shape[1] != len(rules.keys) for one in submissions):
        raise ValueError("a submission must hold a tag for each match key of the rules")
    repeating = frozenset(place for place, one in enumerate(submissions) if one.repeats)
    by_key = key_candidates([one.tags for one in submissions])
    enough = most_candidates(
        [len(one) for one in submissions],
        best_of_row=rules.best_of_row,
        tables=len(rules.tables),
        match_keys=len(rules.keys),
        repeating=repeating,
    )
    check_best(len(by_key), limit=max_pairs, enough=enough)
    buckets = [one.buckets for one in submissions if one.buckets is not None] or None
    by_table = table_candidates(
        [one.clks for one in submissions],
        floors=[table.floor for table in rules.tables],
        engine=engine,
        k=rules.best_of_row,
        max_pairs=max_pairs,
        progress=progress,
        repeating=repeating,
        runs=runs,
        match_keys=len(rules.keys),
        buckets=buckets,
    )
    found = united(by_table, by_key)
    check_best(len(found), limit=max_pairs, enough=enough)
    held = [_held_groups(one, rules) for one in submissions]
    return merge_found([_scored(part, submissions, held, rules) for part in _parts(found)], repeating=repeating)


def at_least(pairs: CandidatePairs, *, threshold: float) -> CandidatePairs:
    """Give the pairs whose similarity is equal to the threshold or greater, in their order."""
    count = int(np.count_nonzero(pairs.similarity >= threshold))
    return CandidatePairs(
        similarity=pairs.similarity[:count],
        left_dataset=pairs.left_dataset[:count],
        right_dataset=pairs.right_dataset[:count],
        left_row=pairs.left_row[:count],
        right_row=pairs.right_row[:count],
        repeating=pairs.repeating,
    )


def _held_groups(submission: TabledRows, rules: LinkRules) -> Flags:
    """Say which groups each row holds, shape (groups, rows), from the tags that it has and the tables that it is in.

    A tag shows the groups of its key, a table of one pair both of these. Where nothing shows a group, rows count as
    full; fields of no group always do.
    """
    signs = [(rule.groups, submission.tags[:, number]) for number, rule in enumerate(rules.keys)]
    signs += [(rule.pair, submission.clks[:, number]) for number, rule in enumerate(rules.tables) if rule.pair]
    shown = {place for groups, _ in signs for place in groups}
    held = np.array([[place not in shown] for place in range(len(rules.groups))]).repeat(len(submission), axis=1)
    for groups, bytes_of_row in signs:
        held[list(groups)] |= bytes_of_row.any(axis=1)
    return held


def _parts(found: RowPairs) -> Iterator[RowPairs]:
    """Cut the pairs into parts of one left and one right dataset, and of bounded length."""
    changes = (np.diff(found.left_dataset) != 0) | (np.diff(found.right_dataset) != 0)
    bounds = [0, *(np.flatnonzero(changes) + 1).tolist(), len(found)]
    for first, last in pairwise(bounds):
        for start in range(first, last, _PAIRS_AT_ONCE):
            inside = slice(start, min(start + _PAIRS_AT_ONCE, last))
            yield RowPairs(
                left_dataset=found.left_dataset[inside],
                right_dataset=found.right_dataset[inside],
                left_row=found.left_row[inside],
                right_row=found.right_row[inside],
            )


def _scored(part: RowPairs, submissions: Sequence[TabledRows], held: Sequence[Flags], rules: LinkRules) -> Found:
    left, right = int(part.left_dataset[0]), int(part.right_dataset[0])
    left_held, right_held = held[left][:, part.left_row], held[right][:, part.right_row]
    both = left_held & right_held
    excess = _excess(submissions[left].clks, submissions[right].clks, part.left_row, part.right_row)
    equal = equal_tags(submissions[left].tags[part.left_row], submissions[right].tags[part.right_row])
    one = left_held ^ right_held
    bound = believed(key_bound(equal, rules=rules), excess, both=both, one=one, rules=rules)
    disagreement = group_disagreement(excess, both=both, one=one, bound=bound, rules=rules)
    other_rows = max(len(submissions[left]), len(submissions[right]))
    bits = evidence_bits(disagreement, both, rules=rules, other_rows=other_rows)
    return Found(
        left_dataset=left,
        right_dataset=right,
        similarity=score_of_bits(bits),
        left_row=part.left_row,
        right_row=part.right_row,
    )


def _excess(left: Packed, right: Packed, left_row: NDArray[np.uint32], right_row: NDArray[np.uint32]) -> Floats:
    """Give the excess of each pair in each table, shape (tables, pairs)."""
    return np.stack([
        compute_excess(np.ascontiguousarray(left[left_row, table]), np.ascontiguousarray(right[right_row, table]))
        for table in range(left.shape[1])
    ])  # fmt: skip
