"""Grouping against anonlink's greedy solver and against a plain program written from the protocol."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solving import by_anonlink, by_the_protocol, bytes_of, groups_of, pairs_of, random_pairs

from isthmus.coordinator.match import solver
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import group_rows
from isthmus.coordinator.match.overlap import membership_patterns, people_counts

SHARES = st.sampled_from([0.05, 0.2, 0.5, 0.8, 0.95, 1.0])
LEVELS = st.sampled_from([1, 2, 5, 1000])
Graph = tuple[CandidatePairs, list[int]]


@st.composite
def graphs(draw: st.DrawFn, *, repeats: bool) -> Graph:
    """Candidate pairs of two to seven files, and the sizes of these; some files may repeat people."""
    sizes = draw(st.lists(st.integers(0, 6), min_size=1 if repeats else 2, max_size=7))
    repeating = draw(st.sets(st.integers(0, len(sizes) - 1), min_size=1)) if repeats else set()
    pairs = random_pairs(
        draw(st.integers(0, 2**32)), sizes=sizes, share=draw(SHARES), levels=draw(LEVELS), repeating=repeating
    )
    return pairs, sizes


def drawn(seed: int) -> Graph:
    """One of very many graphs: two to six files of one to eight rows each."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, rng.integers(2, 7)).tolist()
    share, levels = rng.choice([0.1, 0.4, 0.9]), int(rng.choice([1, 3, 1000]))
    return random_pairs(seed, sizes=sizes, share=share, levels=levels), sizes


@settings(max_examples=400, deadline=None)
@given(graph=graphs(repeats=False))
def test_groups_are_those_of_anonlink_byte_for_byte(graph: Graph) -> None:
    pairs, sizes = graph
    assert bytes_of(group_rows(pairs, sizes=sizes)) == bytes_of(groups_of(by_anonlink(pairs)))


@pytest.mark.slow
def test_groups_are_those_of_anonlink_in_thousands_of_graphs() -> None:
    joined = 0
    for seed in range(4000):
        pairs, sizes = drawn(seed)
        groups = group_rows(pairs, sizes=sizes)
        assert bytes_of(groups) == bytes_of(groups_of(by_anonlink(pairs))), seed
        joined += int(np.count_nonzero(np.bincount(groups.entity) > 2)) if len(groups) else 0
    assert joined > 4000


@settings(max_examples=200, deadline=None)
@given(graph=graphs(repeats=True))
def test_groups_of_files_that_repeat_people_are_those_of_the_protocol(graph: Graph) -> None:
    pairs, sizes = graph
    entities = by_the_protocol(pairs)
    groups = group_rows(pairs, sizes=sizes)
    assert bytes_of(groups) == bytes_of(groups_of(entities, repeating=pairs.repeating))
    assert entities == by_anonlink(pairs)


@settings(max_examples=100, deadline=None)
@given(graph=graphs(repeats=True))
def test_patterns_count_every_entity_once_where_files_repeat_people(graph: Graph) -> None:
    pairs, sizes = graph
    groups = group_rows(pairs, sizes=sizes)
    patterns, people = membership_patterns(groups, sizes=sizes), people_counts(groups, sizes=sizes)
    assert sum(patterns.values()) == groups.entities + sum(sizes) - len(groups)
    for dataset, size in enumerate(sizes):
        entities = np.unique(groups.entity[groups.dataset == dataset]).size
        alone = size - np.count_nonzero(groups.dataset == dataset)
        assert people[dataset] == entities + alone
        assert sum(count for pattern, count in patterns.items() if dataset in pattern) == people[dataset]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), share=SHARES, levels=LEVELS)
def test_more_files_than_there_are_bits_are_grouped_alike(seed: int, share: float, levels: int) -> None:
    sizes = [1] * (solver.MASK_BITS + 6)
    pairs = random_pairs(seed, sizes=sizes, share=share, levels=levels)
    assert bytes_of(group_rows(pairs, sizes=sizes)) == bytes_of(groups_of(by_anonlink(pairs)))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), length=st.integers(2, 30))
def test_chains_are_cut_as_anonlink_cuts_them(seed: int, length: int) -> None:
    scores = np.sort(np.random.default_rng(seed).integers(5, 10, length) / 10)[::-1]
    order = np.random.default_rng(seed).permutation(length)
    pairs = pairs_of(
        [
            (float(score), link % 3, link % 3 + 1, link // 3, link // 3)
            for score, link in zip(scores, order, strict=True)
        ]
    )
    sizes = [length] * 4
    assert bytes_of(group_rows(pairs, sizes=sizes)) == bytes_of(groups_of(by_anonlink(pairs)))


def test_one_person_three_hundred_times_in_one_file_is_one_entity() -> None:
    rows = 300
    pairs = random_pairs(0, sizes=[rows], share=1.0, levels=1000, repeating={0})
    groups = group_rows(pairs, sizes=[rows])
    assert (groups.entities, groups.row.tolist()) == (1, list(range(rows)))


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), share=SHARES, levels=LEVELS, sizes=st.tuples(st.integers(0, 12), st.integers(0, 12)))
def test_two_files_are_paired_as_if_there_were_a_third_empty_one(
    seed: int, share: float, levels: int, sizes: tuple[int, int]
) -> None:
    pairs = random_pairs(seed, sizes=list(sizes), share=share, levels=levels)
    alone, with_empty = group_rows(pairs, sizes=sizes), group_rows(pairs, sizes=[*sizes, 0])
    assert bytes_of(alone) == bytes_of(with_empty) == bytes_of(groups_of(by_anonlink(pairs)))


def test_slots_become_more_when_there_are_more_tallies() -> None:
    sizes, bits = [120] * 4, solver._bits(4, ())
    pairs = random_pairs(3, sizes=sizes, share=0.05, levels=20)
    starts = np.arange(5) * 120
    numbers = (starts[pairs.left_dataset] + pairs.left_row, starts[pairs.right_dataset] + pairs.right_row)
    state = solver._state(rows=480, pairs=len(pairs))
    left, right = (each.astype(np.uint32) for each in numbers)
    solver._take_pairs(*state, pairs.left_dataset, pairs.right_dataset, left, right, bits)
    assert solver.FIRST_ROOM < state.used[solver.ROOM] <= state.slots.size
    assert bytes_of(group_rows(pairs, sizes=sizes)) == bytes_of(groups_of(by_anonlink(pairs)))


def test_slots_are_swept_of_void_tallies_when_they_run_out() -> None:
    swept, sizes = 0, [1] * 9
    starts, bits = np.arange(10), np.zeros(9, np.uint64)
    for seed in range(200):
        pairs = random_pairs(seed, sizes=sizes, share=0.6, levels=1000)
        # With one row each, a dataset's number is the number of its row.
        columns = pairs.left_dataset, pairs.right_dataset, pairs.left_dataset, pairs.right_dataset
        wide, tight = (solver._state(rows=9, pairs=len(pairs)) for _ in range(2))
        solver._take_pairs(*wide, *columns, bits)
        tallies = int(wide.used[solver.TALLIES])
        tight = tight._replace(slots=np.zeros(1 << tallies.bit_length(), np.uint32))
        tight.used[solver.ROOM] = tight.slots.size
        solver._take_pairs(*tight, *columns, bits)
        found = solver._members(tight.group_of, tight.groups[: tight.used[solver.GROUPS] + 1], starts)
        assert tuple(each.tobytes() for each in found) == bytes_of(groups_of(by_anonlink(pairs))), seed
        swept += tight.used[solver.SLOTS] < wide.used[solver.SLOTS]
    assert swept > 0
