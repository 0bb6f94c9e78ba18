"""Datasets that repeat people: comparing them with themselves, against plain programs that share no code with it."""

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match import ENGINES
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.kernel_engine import KernelEngine

Link = tuple[float, int, int, int, int]
Files = list[Dataset]
SMALL: list[dict[str, int]] = [
    {},
    {"piece_pairs": 1, "group_rows": 1},
    {"piece_pairs": 64, "group_rows": 7, "memory_bytes": 1},
]


@st.composite
def files(draw: st.DrawFn) -> Files:
    """One to three small files of near-copies of few rows, with empty and equal rows; some of them repeat people."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    models = rng.random((3, 128)) < 0.4
    noise = draw(st.sampled_from([0.0, 0.05]))
    made = []
    for size in draw(st.lists(st.integers(0, 20), min_size=1, max_size=3)):
        rows = models[rng.integers(0, 3, size)] ^ (rng.random((size, 128)) < noise)
        rows[rng.random(size) < 0.1] = False
        made.append(Dataset(party=PartyId("city"), clks=np.packbits(rows, axis=1), repeats=draw(st.booleans())))
    return made


def plain_pairs(made: Files, threshold: float) -> list[Link]:
    """Every pair that qualifies, one after the other, in order."""
    bits = [[set(np.flatnonzero(row)) for row in np.unpackbits(file.clks, axis=1)] for file in made]
    scored = (
        (2 * len(bits[a][i] & bits[b][j]) / max(1, len(bits[a][i]) + len(bits[b][j])), a, b, i, j)
        for a, b, i, j in row_pairs(made)
    )
    return sorted((pair for pair in scored if pair[0] >= threshold), key=lambda pair: (-pair[0], *pair[1:]))


def row_pairs(made: Files) -> Iterator[tuple[int, int, int, int]]:
    """Every two rows that are compared."""
    for a, b in combinations_with_replacement(range(len(made)), 2):
        if a < b:
            yield from ((a, b, i, j) for i, j in product(range(made[a].rows), range(made[b].rows)))
        elif made[a].repeats:
            yield from ((a, a, i, j) for i, j in combinations(range(made[a].rows), 2))


def best(pairs: list[Link], k: int) -> list[Link]:
    """The pairs that are among the k best of one of their rows, for rows of one other file or of its own."""
    seen: dict[tuple[int, int, int], list[tuple[float, int]]] = {}
    for score, a, b, i, j in pairs:
        seen.setdefault((a, i, b), []).append((-score, j))
        seen.setdefault((b, j, a), []).append((-score, i))
    kept = {of: sorted(others)[:k] for of, others in seen.items()}
    return [
        (score, a, b, i, j)
        for score, a, b, i, j in pairs
        if (-score, j) in kept[a, i, b] or (-score, i) in kept[b, j, a]
    ]


def listed(pairs: CandidatePairs) -> list[Link]:
    """The pairs as tuples of Python numbers."""
    columns = (pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("engine_name", ENGINES)
@settings(max_examples=30, deadline=None)
@given(made=files(), threshold=st.sampled_from([0.4, 0.8, 1.0]), k=st.sampled_from([None, 1, 3]))
def test_rows_of_a_file_that_repeats_people_are_compared_as_a_plain_program_does(
    engine_name: str, made: Files, threshold: float, k: int | None
) -> None:
    engine = ENGINES[engine_name](workers=1, max_pairs=10_000)
    found = engine.candidate_pairs(made, threshold=threshold, progress=lambda *_: None, best_of_row=k)
    wanted = plain_pairs(made, threshold)
    assert listed(found) == (wanted if k is None else best(wanted, k))
    assert found.repeating == {place for place, file in enumerate(made) if file.repeats}


@settings(max_examples=25, deadline=None)
@given(made=files(), cut=st.sampled_from(SMALL), k=st.sampled_from([None, 1, 3]))
def test_slabs_pieces_and_memory_do_not_change_what_is_found_inside_a_file(
    made: Files, cut: dict[str, Any], k: int | None
) -> None:
    engine = KernelEngine(workers=1, max_pairs=10_000, **cut)
    found = engine.candidate_pairs(made, threshold=0.4, progress=lambda *_: None, best_of_row=k)
    wanted = plain_pairs(made, 0.4)
    assert listed(found) == (wanted if k is None else best(wanted, k))
