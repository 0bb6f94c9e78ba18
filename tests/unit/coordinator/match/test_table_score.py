"""Scoring: what tables and shared tags say of a group, and what the groups say of a pair."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.coordinator.match.match_parts import FIELDS

from isthmus.contract.hardened import hardened_1
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.table_score import (
    UNKNOWN_BITS,
    compute_excess,
    evidence_bits,
    group_disagreement,
    input_disagreement,
    key_bound,
    score_of_bits,
)
from isthmus.node.encode.diffusion import diffuse, draw_map

RULES = link_rules(hardened_1(FIELDS))
ALL, PERSON = 0, 1
FIRST, LAST, BIRTH, ADDRESS = range(4)
UNKNOWN = np.array(
    [rule.gone_at * (rule.agree_bits + UNKNOWN_BITS) / (rule.agree_bits + rule.differ_bits) for rule in RULES.groups]
)


def filters(rows: int, *, seed: int, set_bits: int = 282) -> NDArray[np.uint8]:
    """Random filters of 1024 bits, packed, each with so many bits set."""
    rng = np.random.default_rng(seed)
    bits = np.zeros((rows, 1024), np.uint8)
    bits[:, :set_bits] = 1
    return np.packbits(rng.permuted(bits, axis=1), axis=1)


def excess_of(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean excess in each table, shape (tables, 1), of groups that disagree by so much, shape (groups,)."""
    differing = np.array([table.shares for table in RULES.tables]) @ truth[:, np.newaxis]
    return np.asarray((1 - 2 * differing) ** RULES.taps * (1 - differing) ** 8)


def bound_by(*names: str) -> NDArray[np.float64]:
    """How much each group of one pair can disagree that shares the tags of these match keys."""
    return key_bound(np.array([[rule.name in names] for rule in RULES.keys]), rules=RULES)


def found_by(excess: NDArray[np.float64], *names: str, one: Sequence[int] = ()) -> NDArray[np.float64]:
    """How much each group of one pair disagrees; `one` are groups that one of the rows alone holds."""
    alone = np.isin(np.arange(4), one)[:, np.newaxis]
    return group_disagreement(excess, both=~alone, one=alone, bound=bound_by(*names), rules=RULES)[:, 0]


# From bits to groups


def test_disagreement_before_diffusion_is_recovered_from_the_output() -> None:
    chosen = draw_map(b"k" * 32, input_bits=1024, output_bits=2048, taps=4)
    before = filters(300, seed=1)
    for flipped in (0, 20, 60, 100):
        after = before ^ filters(300, seed=2, set_bits=flipped)
        excess = compute_excess(diffuse(before, chosen), diffuse(after, chosen))
        found = input_disagreement(excess, taps=4)
        assert abs(float(found.mean()) - flipped / 1024) < 0.003


def test_excess_is_one_for_equal_rows_and_missing_for_empty_ones() -> None:
    row = filters(1, seed=3)
    rows = np.concatenate([row, row, np.zeros_like(row), ~row])

    excess = compute_excess(rows, np.repeat(row, 4, axis=0))

    assert excess[0] == excess[1] == 1
    assert np.isnan(excess[2])
    assert excess[3] == -1


@pytest.mark.parametrize(
    ("key", "truth"),
    [
        ("first-birth", [0.0, 0.3, 0.0, 0.5]),
        ("last-birth", [0.3, 0.0, 0.0, 0.5]),
        ("names-year", [0.0, 0.0, 0.2, 0.4]),
    ],
)
def test_groups_are_told_apart_by_tables_and_a_shared_tag(key: str, truth: list[float]) -> None:
    found = found_by(excess_of(np.array(truth)), key)

    assert np.abs(found - truth).max() < 0.02


def test_equal_tables_say_that_nothing_disagrees_without_a_tag() -> None:
    assert found_by(np.ones((2, 1))).max() < 0.01


def test_a_group_that_nothing_is_seen_of_takes_a_bit_off_the_evidence() -> None:
    # No table has both rows; the tag leaves nothing open of first name and birth, and says nothing of the others.
    found = found_by(np.full((2, 1), np.nan), "first-birth")

    assert found[[FIRST, BIRTH]].tolist() == [0, 0]
    assert found[[LAST, ADDRESS]] == pytest.approx(UNKNOWN[[LAST, ADDRESS]])


def test_a_blurred_table_takes_nothing_off_what_is_not_known() -> None:
    blurred, seen = (found_by(np.array([[excess], [np.nan]])) for excess in (0.079, 0.081))

    # Both tables show less disagreement than is taken for unknown groups, but the first shows it by chance alone.
    assert blurred == pytest.approx(UNKNOWN)
    assert (seen < blurred).all()


def test_what_the_tables_that_are_seen_leave_over_differs_elsewhere() -> None:
    # Names and birth are equal, and all fields together are not.
    excess = excess_of(np.array([0.0, 0.0, 0.0, 0.5]))

    assert found_by(np.array([excess[ALL], [1.0]]))[ADDRESS] == pytest.approx(0.5, abs=0.02)
    assert found_by(np.array([[0.0], [1.0]]))[ADDRESS] == pytest.approx(UNKNOWN[ADDRESS])


def test_a_group_of_one_side_alone_is_no_disagreement_of_the_others() -> None:
    truth = np.array([0.0, 0.0, 0.0, 0.5])
    # One side has an address, which sets half as many bits as two that differ.
    excess = excess_of(truth)

    assert found_by(excess, one=[ADDRESS])[[FIRST, LAST, BIRTH]].max() < 0.01
    assert found_by(excess)[ADDRESS] > 0.3


def test_disagreement_stays_within_what_shared_tags_leave_open() -> None:
    names = ("stems-year_month", "birth-zip")
    bound = bound_by(*names)[:, 0]

    found = found_by(np.array([[0.0], [0.05]]), *names)

    assert (found >= 0).all()
    assert (found <= bound).all()
    assert found[BIRTH] == 0


# What shared tags leave open


def test_several_tags_leave_open_the_least_of_each_group() -> None:
    bound = bound_by("stems-year_month", "first-birth", "birth-zip")[:, 0]

    assert bound == pytest.approx([0, 0.6, 0, 50 / 75])


def test_without_a_shared_tag_everything_is_open() -> None:
    assert bound_by().tolist() == [[1]] * 4
    assert key_bound(np.zeros((0, 3), np.bool_), rules=link_rules(hardened_1(("last_name", "zip")))).shape == (2, 3)


def test_tags_bound_their_own_pair_alone() -> None:
    equal = np.zeros((len(RULES.keys), 3), np.bool_)
    equal[[rule.name for rule in RULES.keys].index("first-birth"), 1] = True

    assert key_bound(equal, rules=RULES).T.tolist() == [[1, 1, 1, 1], [0, 1, 0, 1], [1, 1, 1, 1]]


# From groups to a score


def test_evidence_of_equal_records_falls_with_the_people_whom_a_row_could_meet() -> None:
    everybody = np.ones((4, 1), np.bool_)
    total = sum(rule.agree_bits for rule in RULES.groups)
    personal = sum(rule.agree_bits for rule in RULES.groups if rule.personal)
    for power in (0, 10, 40):
        found = evidence_bits(np.zeros((4, 1)), everybody, rules=RULES, other_rows=2**power)[0]
        others = 2.0 ** (power - total) + 2.0 ** (1 - personal)
        assert float(found) == pytest.approx(-np.log2(others))


def test_a_group_that_a_row_lacks_says_nothing() -> None:
    both = np.array([[True], [True], [True], [False]])
    same, other = (
        evidence_bits(np.array([[0.0], [0.2], [0.0], [address]]), both, rules=RULES, other_rows=8)[0]
        for address in (0.0, 1.0)
    )

    assert same == other


def test_score_is_a_half_at_no_evidence_and_keeps_the_order() -> None:
    scores = score_of_bits(np.array([-200.0, -8.0, 0.0, 8.0, 70.0, 71.0])).tolist()

    assert scores[1:4] == [pytest.approx(1 / 3), 0.5, pytest.approx(2 / 3)]
    assert 0 <= scores[0] < scores[1]
    assert scores[3] < scores[4] < scores[5] <= 1
