"""What is remembered of rows: the first faults, and ids that come again, whatever their order."""

import random

from isthmus.node.sources.errors import BlankIds, DuplicateIds
from isthmus.node.sources.rows_seen import FaultyRows, SeenIds


def test_first_twenty_faults_are_listed_and_all_counted() -> None:
    rows = FaultyRows()

    for number in range(1, 31):
        rows.add(number)

    assert (rows.first, rows.total) == (list(range(1, 21)), 30)


def test_distinct_ids_are_no_problem() -> None:
    seen = SeenIds()
    seen.add([f"id-{number}" for number in range(5000)], range(5000))

    assert seen.problems() == []


def test_no_ids_are_no_problem() -> None:
    assert SeenIds().problems() == []


def test_every_row_but_the_first_of_an_id_is_told_like_a_set_would_tell_it() -> None:
    drawn = random.Random(7)
    ids = [str(drawn.randrange(400)) for _ in range(1000)]
    numbers = [3 * place + 2 for place in range(1000)]
    seen = SeenIds()
    for start in range(0, 1000, 64):
        seen.add(ids[start : start + 64], numbers[start : start + 64])

    (problem,) = seen.problems()

    repeated = [number for place, number in enumerate(numbers) if ids[place] in ids[:place]]
    assert isinstance(problem, DuplicateIds)
    assert (problem.rows, problem.total) == (tuple(repeated[:20]), len(repeated))


def test_blank_ids_are_told_and_are_not_repeats_of_each_other() -> None:
    seen = SeenIds()
    seen.add(["a", "", "b"], [2, 3, 5])
    assert seen.any_blank
    seen.add(["", "a"], [6, 7])

    blank, repeated = seen.problems()

    assert isinstance(blank, BlankIds)
    assert blank.rows == (3, 6)
    assert isinstance(repeated, DuplicateIds)
    assert repeated.rows == (7,)


def test_id_of_half_a_character_is_remembered_too() -> None:
    seen = SeenIds()
    seen.add(["\ud83d", "\ud83d"], [1, 2])

    assert [type(problem) for problem in seen.problems()] == [DuplicateIds]


def test_ids_that_are_alike_at_their_end_or_by_length_are_different_ids() -> None:
    alike = ["a", "a\0", "a\0\0", "\0", "b" * 14, "b" * 15, "b" * 15 + "\0", "b" * 16, "b" * 17, "é" * 7, "é" * 8]
    seen = SeenIds()

    seen.add(alike, range(len(alike)))
    assert seen.problems() == []

    seen.add(alike, range(100, 100 + len(alike)))
    (repeated,) = seen.problems()
    assert isinstance(repeated, DuplicateIds)
    assert repeated.rows == tuple(range(100, 100 + len(alike)))
