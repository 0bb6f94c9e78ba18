"""Datasets, candidate pairs and the rules that every engine shares."""

import numpy as np
import pytest

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Found, check_comparable, merge_found


def _dataset(rows: int, clk_bytes: int = 8) -> Dataset:
    return Dataset(party=PartyId("district-a"), clks=np.ones((rows, clk_bytes), np.uint8))


def _indices(*values: int) -> np.ndarray:
    return np.array(values, np.uint32)


def _pairs(repeating: frozenset[int] = frozenset(), /, **changes: np.ndarray) -> CandidatePairs:
    arrays = {
        "similarity": np.array([0.9, 0.8]),
        "left_dataset": _indices(0, 0),
        "right_dataset": _indices(1, 1),
        "left_row": _indices(0, 1),
        "right_row": _indices(0, 1),
    }
    return CandidatePairs(**(arrays | changes), repeating=repeating)


def test_dataset_knows_its_shape() -> None:
    dataset = _dataset(3)
    assert (dataset.rows, dataset.clk_bytes) == (3, 8)


@pytest.mark.parametrize("clks", [np.ones((2, 8), np.int64), np.ones(8, np.uint8), np.ones((2, 0), np.uint8)], ids=str)
def test_dataset_of_wrong_shape_is_refused(clks: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 of shape"):
        Dataset(party=PartyId("district-a"), clks=clks)


def test_pairs_inside_a_dataset_are_refused_unless_it_repeats_people() -> None:
    datasets, rows = _indices(0, 1), _indices(1, 1)
    for repeating in (frozenset[int](), frozenset({1})):
        with pytest.raises(ValueError, match="left dataset"):
            _pairs(repeating, right_dataset=datasets, right_row=rows)
    assert len(_pairs(frozenset({0}), right_dataset=datasets, right_row=rows)) == 2


@pytest.mark.parametrize("right_row", [4, 3])
def test_pairs_of_a_row_with_itself_or_an_earlier_one_are_refused(right_row: int) -> None:
    rows = {"left_row": _indices(4, 1), "right_row": _indices(right_row, 1)}
    with pytest.raises(ValueError, match="left dataset"):
        _pairs(frozenset({0}), right_dataset=_indices(0, 1), **rows)


def test_pairs_know_their_number() -> None:
    assert len(_pairs()) == 2


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"similarity": np.array([1, 1])}, "float64"),
        ({"left_row": np.array([0, 1])}, "uint32"),
        ({"left_row": _indices(0)}, "one length"),
        ({"similarity": np.array([[0.9, 0.8]])}, "one axis"),
        ({"right_dataset": _indices(1, 0)}, "left dataset"),
        ({"similarity": np.array([0.8, 0.9])}, "falling"),
        ({"left_row": _indices(0, 0), "right_row": _indices(1, 1)}, "twice"),
    ],
)
def test_pairs_that_break_a_promise_are_refused(changes: dict[str, np.ndarray], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        _pairs(**changes)


def test_datasets_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="CLK length"):
        check_comparable([_dataset(1, 8), _dataset(1, 16)], 0.8)


@pytest.mark.parametrize("threshold", [0.0, 0.0999, 1.0001, float("nan")])
def test_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        check_comparable([_dataset(1)], threshold)


def test_merging_nothing_gives_no_pairs() -> None:
    assert len(merge_found([])) == 0


def test_merged_parts_come_in_one_order_whatever_theirs() -> None:
    def part(left: int, right: int, scores: list[float]) -> Found:
        rows = np.arange(len(scores), dtype=np.uint32)
        return Found(
            left_dataset=left,
            right_dataset=right,
            similarity=np.array(scores),
            left_row=rows[::-1],
            right_row=rows,
        )

    parts = [part(1, 2, [0.9, 0.7]), part(0, 2, [0.9]), part(0, 1, [0.9, 0.9])]
    there, back = merge_found(parts), merge_found(parts[::-1])
    listed = list(
        zip(
            there.similarity.tolist(),
            there.left_dataset.tolist(),
            there.right_dataset.tolist(),
            there.left_row.tolist(),
            there.right_row.tolist(),
            strict=True,
        )
    )
    assert listed == [(0.9, 0, 1, 0, 1), (0.9, 0, 1, 1, 0), (0.9, 0, 2, 0, 0), (0.9, 1, 2, 1, 0), (0.7, 1, 2, 0, 1)]
    assert back.left_row.tobytes() == there.left_row.tobytes()
    assert back.right_dataset.tobytes() == there.right_dataset.tobytes()
