"""The documents of field comparison: what is read back, what is refused, and what a node may be asked for."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.errors import MalformedDocument, UnsupportedVersion
from isthmus.contract.field_answers import (
    ANSWERS_FORMAT,
    MOST_NEAR_MISSES,
    REQUEST_FORMAT,
    ComparisonAnswers,
    ComparisonRequest,
    answer_chunks,
    answers_from_bytes,
    answers_per_chunk,
    budget_problem,
    lists_digest,
    near_misses_from_wire,
    near_misses_to_wire,
    pack_row_numbers,
    planted_problem,
    request_from_bytes,
    rows_digest,
    unpack_row_numbers,
)
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.kinds import Kind
from isthmus.contract.levels import LEVELS

RIVERSIDE, COLLEGE = PartyId("riverside"), PartyId("college")
FIELDS = ("last_name", "dob")


def _request(**changes: object) -> ComparisonRequest:
    known = {
        "format": REQUEST_FORMAT,
        "round_id": RoundId("demo-0000000001"),
        "manifest_hash": "0" * 64,
        "party": RIVERSIDE,
        "other": COLLEGE,
        "pairs": 8,
        "rows": "1" * 64,
        "other_rows": "4" * 64,
        "submission": "2" * 64,
        "other_submission": "3" * 64,
    }
    return ComparisonRequest(**{**known, **changes})  # type: ignore[arg-type]  # wrong ones on purpose


def test_lists_of_both_requests_are_the_same_and_change_with_each_of_their_parts() -> None:
    turned = {"rows": "4", "other_rows": "1", "submission": "3", "other_submission": "2"}
    whole = lists_digest(_request(), left=True)
    others = [lists_digest(_request(**{part: "5" * 64}), left=True) for part in turned]

    assert lists_digest(_request(**{part: digit * 64 for part, digit in turned.items()}), left=False) == whole
    assert len({whole, lists_digest(_request(), left=False), *others}) == 6


def _kind() -> Kind:
    shares = (np.full(len(LEVELS[field].names), 1 / len(LEVELS[field].names)) for field in FIELDS)
    return Kind(share=0.001, shares=tuple(shares))


def _answers(**changes: object) -> ComparisonAnswers:
    known = {
        "format": ANSWERS_FORMAT,
        "round_id": RoundId("demo-0000000001"),
        "party": RIVERSIDE,
        "other": COLLEGE,
        "request": "0" * 64,
        "pairs": 8,
        "answer_bytes": 200,
        "chunk_count": 1,
        "digest": "1" * 64,
        "near_misses": near_misses_to_wire([_kind()], FIELDS),
    }
    return ComparisonAnswers(**{**known, **changes})  # type: ignore[arg-type]  # wrong ones on purpose


def test_documents_survive_their_canonical_bytes() -> None:
    assert request_from_bytes(_request().to_bytes()) == _request()
    assert answers_from_bytes(_answers().to_bytes()) == _answers()


@pytest.mark.parametrize("changes", [{"pairs": 0}, {"other": RIVERSIDE}, {"rows": "x"}])
def test_request_for_nothing_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedDocument):
        request_from_bytes(_request(**changes).to_bytes())


def test_documents_of_another_version_are_refused() -> None:
    with pytest.raises(UnsupportedVersion):
        request_from_bytes(_request(format="isthmus/comparison-request/2").to_bytes())
    with pytest.raises(UnsupportedVersion):
        answers_from_bytes(_answers(format="isthmus/comparison-answers/2").to_bytes())


@pytest.mark.parametrize(
    "changes",
    [
        {"pairs": 0},
        {"answer_bytes": 0},
        {"answer_bytes": 2**20 + 1},
        {"chunk_count": 2},
        {"planted": (4, 7, 4)},
        {"planted": tuple(range(1001))},
        {"near_misses": near_misses_to_wire([_kind()] * (MOST_NEAR_MISSES + 1), FIELDS)},
        {"near_misses": near_misses_to_wire([replace(_kind(), share=1.0)], FIELDS)},
        {"near_misses": near_misses_to_wire([replace(_kind(), shares=_kind().shares[::-1])], FIELDS)},
    ],
)
def test_declaration_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedDocument):
        answers_from_bytes(_answers(**changes).to_bytes())


def test_declaration_of_the_most_that_can_be_planted_is_short_enough() -> None:
    kind = Kind(share=0.0012, shares=tuple(np.full(len(one.names), 1 / len(one.names)) for one in LEVELS.values()))
    near = near_misses_to_wire([kind] * MOST_NEAR_MISSES, list(LEVELS))
    declared = _answers(near_misses=near, planted=tuple(range(19_999_000, 20_000_000)))

    assert answers_from_bytes(declared.to_bytes()).planted[-1] == 19_999_999


def test_rows_of_planted_people_that_fit_are_taken() -> None:
    assert planted_problem((9, 0, 4), people=3, rows=10) is None
    assert planted_problem((), people=0, rows=10) is None


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ((1, 2), "as many planted people"),
        ((1, 2, 3, 4), "as many planted people"),
        ((1, 2, 1), "one row for two"),
        ((1, 2, 10), "did not send"),
        ((1, 2, -1), "did not send"),
    ],
)
def test_rows_that_cannot_be_planted_people_are_refused(planted: tuple[int, ...], said: str) -> None:
    assert said in (planted_problem(planted, people=3, rows=10) or "")


def test_near_misses_with_an_unknown_field_or_shares_that_are_none_are_refused() -> None:
    kind = near_misses_to_wire([_kind()], FIELDS)[0]
    for levels in ({"shoe_size": (1.0,)}, {"dob": (1.0, 0, 0, 0, 0, 0, 0)}, {"dob": (0.2,) * 7}):
        with pytest.raises(MalformedDocument, match="near misses"):
            answers_from_bytes(_answers(near_misses=(msgspec.structs.replace(kind, levels=levels),)).to_bytes())


def test_document_that_is_too_long_is_refused() -> None:
    with pytest.raises(MalformedDocument, match="65536"):
        answers_from_bytes(b" " * (2**16 + 1))


def test_near_misses_are_read_for_the_fields_that_two_providers_share() -> None:
    (kind,) = near_misses_from_wire(near_misses_to_wire([_kind()], FIELDS), ("dob",))

    assert kind.share == 0.001
    assert len(kind.shares) == 1
    assert np.array_equal(kind.shares[0], _kind().shares[1])


def test_near_misses_that_lack_a_shared_field_are_refused() -> None:
    with pytest.raises(MalformedDocument, match="lack a field"):
        near_misses_from_wire(near_misses_to_wire([_kind()], FIELDS), ("dob", "zip"))


def test_chunks_hold_whole_answers() -> None:
    assert answers_per_chunk(220) == 4766
    assert answer_chunks(pairs=4766, answer_bytes=220) == 1
    assert answer_chunks(pairs=4767, answer_bytes=220) == 2


@given(st.lists(st.integers(0, 2**32 - 1), max_size=50))
def test_row_numbers_survive_the_wire(numbers: list[int]) -> None:
    rows = np.array(numbers, np.uint32)
    data = pack_row_numbers(rows)

    assert np.array_equal(unpack_row_numbers(data), rows)
    assert rows_digest([data[:3], data[3:]]) == rows_digest([data])


def test_cut_off_row_number_is_refused() -> None:
    with pytest.raises(MalformedDocument, match="cut off"):
        unpack_row_numbers(bytes(5))


def test_even_rows_within_the_budget_are_answered_for() -> None:
    rows = np.array([0, 1, 2] * 4, np.uint32)

    assert budget_problem(rows, own_rows=3, other_rows=2, slots=4) is None
    assert budget_problem(rows[:-1], own_rows=3, other_rows=2, slots=4) is None
    assert budget_problem(np.array([0, 1] * 6, np.uint32), own_rows=2, other_rows=3, slots=4) is None


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([0, 1, 2] * 5, "more pairs than the project grants"),
        ([0, 1, 3], "did not send"),
        ([0] * 3, "more often"),
        ([0, 1, 2, 0, 0], "more often"),
    ],
)
def test_what_no_node_answers_for_is_said(rows: list[int], said: str) -> None:
    problem = budget_problem(np.array(rows, np.uint32), own_rows=3, other_rows=3, slots=4)

    assert problem is not None
    assert said in problem
