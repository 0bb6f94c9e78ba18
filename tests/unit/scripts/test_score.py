"""The scorer: hand-counted cases, and agreement with counting pair by pair."""

from itertools import combinations
from random import Random

import pytest
from isthmus_people.score import PairCounts, Row, score_links, score_table

TRUTH = [("a", "1", "x"), ("a", "2", "y"), ("b", "1", "x"), ("b", "2", "y"), ("c", "1", "x")]


def _pairs_one_by_one(rows: list[Row]) -> set[frozenset[tuple[str, str]]]:
    return {
        frozenset((left[:2], right[:2]))
        for left, right in combinations(rows, 2)
        if left[0] != right[0] and left[2] == right[2]
    }


def test_score_of_the_truth_itself_is_perfect() -> None:
    scores = score_links(TRUTH, TRUTH)

    assert scores.overall == PairCounts(linked=4, true=4, correct=4)
    assert (scores.overall.precision, scores.overall.recall, scores.overall.f1) == (1.0, 1.0, 1.0)


def test_score_counts_wrong_and_missing_pairs() -> None:
    links = [("a", "1", "l1"), ("b", "1", "l1"), ("a", "2", "l2"), ("c", "1", "l2")]

    scores = score_links(links, TRUTH)

    assert scores.overall == PairCounts(linked=2, true=4, correct=1)
    assert scores.overall.precision == 0.5
    assert scores.overall.recall == 0.25
    assert scores.overall.f1 == pytest.approx(1 / 3)


def test_score_by_holders_adds_up_to_the_overall_counts() -> None:
    links = [("a", "1", "l1"), ("b", "1", "l1"), ("c", "1", "l1")]

    scores = score_links(links, TRUTH)

    assert scores.by_holders[("a", "b")] == PairCounts(linked=1, true=2, correct=1)
    assert scores.by_holders[("a", "c")] == PairCounts(linked=1, true=1, correct=1)
    assert scores.by_holders[("b", "c")] == PairCounts(linked=1, true=1, correct=1)
    assert sum(counts.linked for counts in scores.by_holders.values()) == scores.overall.linked


def test_score_takes_two_records_of_one_holder_for_no_pair() -> None:
    truth = [("a", "1", "x"), ("a", "2", "x"), ("b", "1", "x")]

    assert score_links(truth, truth).overall == PairCounts(linked=2, true=2, correct=2)


def test_score_ignores_and_counts_records_that_the_truth_lacks() -> None:
    links = [("a", "1", "l1"), ("b", "1", "l1"), ("b", "99", "l1"), ("z", "1", "l1")]

    scores = score_links(links, TRUTH)

    assert scores.ignored_records == 2
    assert scores.overall.linked == 1


@pytest.mark.parametrize("seed", range(20))
def test_score_agrees_with_counting_pair_by_pair(seed: int) -> None:
    rng = Random(seed)
    records = [(holder, str(number)) for holder in "abcd" for number in range(rng.randrange(1, 12))]
    truth = [(holder, number, f"e{rng.randrange(8)}") for holder, number in records]
    links = [(holder, number, f"l{rng.randrange(8)}") for holder, number in records if rng.random() < 0.8]

    counts = score_links(iter(links), iter(truth)).overall

    linked, true = _pairs_one_by_one(links), _pairs_one_by_one(truth)
    assert counts == PairCounts(linked=len(linked), true=len(true), correct=len(linked & true))


@pytest.mark.parametrize(
    ("links", "truth", "wanted"),
    [
        ([], TRUTH, (1.0, 0.0, 0.0)),
        ([("a", "1", "l"), ("b", "1", "l")], [("a", "1", "x"), ("b", "1", "y")], (0.0, 1.0, 0.0)),
        ([], [], (1.0, 1.0, 1.0)),
    ],
)
def test_score_of_nothing_is_defined(links: list[Row], truth: list[Row], wanted: tuple[float, float, float]) -> None:
    counts = score_links(links, truth).overall

    assert (counts.precision, counts.recall, counts.f1) == wanted


@pytest.mark.parametrize("name", ["links", "truth"])
def test_score_refuses_a_record_in_two_groups_by_row_number_only(name: str) -> None:
    doubled = [("a", "secret-id", "x"), ("a", "secret-id", "y")]
    links, truth = (doubled, TRUTH) if name == "links" else (TRUTH, doubled)

    with pytest.raises(ValueError, match=f"row 2 of the {name}") as caught:
        score_links(links, truth)

    assert "secret-id" not in str(caught.value)


def test_score_table_has_a_row_for_each_two_holders_and_one_for_all() -> None:
    lines = score_table(score_links(TRUTH, TRUTH)).splitlines()

    assert [line.split()[0] for line in lines] == ["holders", "a", "a", "b", "all"]
    assert lines[-1].split()[1:] == ["1.0000", "1.0000", "1.0000", "4", "4", "4"]
