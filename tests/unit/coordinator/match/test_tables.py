"""Linking by tables: which pairs are candidates, what the tables say of a group, and what makes a link."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_single_1
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.errors import TooManyCandidates
from isthmus.coordinator.match.group import group_rows
from isthmus.coordinator.match.table_candidates import RowPairs, table_candidates
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.table_score import (
    compute_excess,
    evidence_bits,
    group_disagreement,
    input_disagreement,
    score_of_bits,
)
from isthmus.coordinator.match.tables import at_least, link_tables
from isthmus.node.encode.diffusion import diffuse, draw_map
from isthmus.node.encode.hardened import RoundKeys, encode_hardened

FIELDS = ("first_name", "last_name", "dob", "street_number", "street_name", "zip")
PROFILE = hardened_1(FIELDS)
SINGLE = hardened_single_1(FIELDS)
NOT_PERSONAL = hardened_1(("last_name", "street_number", "street_name", "zip"))
KEYS = RoundKeys(encode=Secret(b"e" * 32), diffusion=Secret(b"d" * 32))
ENGINE = AnonlinkEngine(workers=1, max_pairs=100_000)

Person = tuple[str, ...]
Submission = NDArray[np.uint8]

ANA = ("ana", "whitfield", "19910228", "12", "cedar hollow lane", "97201")
ANA_MISTYPED = ("ana", "whitfeld", "19910228", "12", "cedar hollow lane", "97201")
ANA_RENAMED = ("ana", "delacroix", "19910228", "12", "cedar hollow lane", "97201")
ANA_ELSEWHERE = ("ana", "brown", "19910228", "7", "hill street", "10001")
ANA_HOMELESS = ("ana", "whitfield", "19910228", "", "", "")
BEN = ("ben", "whitfield", "19630714", "12", "cedar hollow lane", "97201")
EVE = ("evelyn", "okonkwo", "20041109", "4407", "marsh road", "98115")
EVE_MOVED = ("evelyn", "okonkwo", "20041109", "9", "summit court", "98661")
RAJ = ("rajesh", "lindqvist", "19870505", "88", "ferry street", "97035")
RAJ_MISTYPED = ("rajesh", "lindqvisst", "19870505", "88", "ferry street", "97035")
IDA = ("ida", "", "19990101", "", "", "")
NOBODY = ("", "whitfield", "", "", "", "")
ANAS = (ANA, ANA_MISTYPED, ANA_RENAMED, ANA_ELSEWHERE, ANA_HOMELESS)
PEOPLE = (*ANAS, BEN, EVE, EVE_MOVED, RAJ, RAJ_MISTYPED, IDA, NOBODY)


@cache
def encoded(profile_name: str, fields: tuple[str, ...]) -> Submission:
    """All people under one of the profiles; made once, because the keys of a table take longer than its rows."""
    profile = hardened_1(fields) if profile_name == "hardened-1" else hardened_single_1(fields)
    sent = np.zeros((len(PEOPLE), len(profile.tables), 256), np.uint8)
    columns = [[person[FIELDS.index(field)] for person in PEOPLE] for field in fields]
    names = [table.name for table in profile.tables]
    for part in encode_hardened(columns, profile=profile, keys=KEYS):
        sent[part.rows, names.index(part.table)] = part.clks
    return sent


def send(rows: Sequence[Person], profile: HardenedProfile = PROFILE) -> Submission:
    """What a node sends of these rows."""
    return encoded(profile.name, profile.fields)[[PEOPLE.index(row) for row in rows]]


def link(
    submissions: Sequence[Submission], profile: HardenedProfile = PROFILE, max_pairs: int = 1000
) -> CandidatePairs:
    """Candidates and scores."""
    return link_tables(
        submissions, rules=link_rules(profile), engine=ENGINE, max_pairs=max_pairs, progress=lambda *_: None
    )


def links(submissions: Sequence[Submission], profile: HardenedProfile = PROFILE) -> list[tuple[int, int]]:
    """The linked rows of two datasets."""
    kept = at_least(link(submissions, profile), threshold=link_rules(profile).threshold)
    return sorted(zip(kept.left_row.tolist(), kept.right_row.tolist(), strict=True))


def candidates(submissions: Sequence[Submission], *, floor: float = 0.57, k: int = 3, limit: int = 1000) -> RowPairs:
    """Candidates under one floor for all tables."""
    return table_candidates(
        submissions,
        floors=[floor] * submissions[0].shape[1],
        engine=ENGINE,
        k=k,
        max_pairs=limit,
        progress=lambda *_: None,
    )


def filters(rows: int, *, seed: int, set_bits: int = 282) -> NDArray[np.uint8]:
    """Random filters of 1024 bits, packed, each with so many bits set."""
    rng = np.random.default_rng(seed)
    bits = np.zeros((rows, 1024), np.uint8)
    bits[:, :set_bits] = 1
    return np.packbits(rng.permuted(bits, axis=1), axis=1)


# Which pairs link


def test_links_people_in_whose_records_one_part_is_damaged() -> None:
    damaged = send([RAJ_MISTYPED, ANA_RENAMED, EVE_MOVED])

    assert links([send([ANA, EVE, RAJ]), damaged]) == [(0, 1), (1, 2), (2, 0)]


def test_members_of_a_household_are_candidates_but_no_link() -> None:
    pairs = link([send([ANA, EVE]), send([BEN, RAJ])])

    assert (pairs.left_row.tolist(), pairs.right_row.tolist()) == ([0], [0])
    assert pairs.similarity[0] < link_rules(PROFILE).threshold


def test_without_a_personal_group_a_household_is_a_link() -> None:
    submissions = [send([ANA, EVE], NOT_PERSONAL), send([RAJ, BEN], NOT_PERSONAL)]

    assert links(submissions, NOT_PERSONAL) == [(0, 1)]


def test_links_by_the_one_table_of_the_single_profile() -> None:
    assert links([send([ANA, EVE], SINGLE), send([RAJ, ANA_MISTYPED], SINGLE)], SINGLE) == [(0, 1)]


def test_a_row_without_a_group_links_by_its_other_groups() -> None:
    assert links([send([ANA_HOMELESS, EVE]), send([RAJ, ANA])]) == [(0, 1)]


def test_the_more_alike_two_records_are_the_higher_they_score() -> None:
    scores = [link([send([ANA]), send([other])]).similarity[0] for other in (ANA, ANA_MISTYPED, ANA_ELSEWHERE)]

    assert scores[0] > scores[1] > scores[2]


def test_entities_over_three_providers_come_out_whole() -> None:
    submissions = [send([ANA, EVE]), send([RAJ, ANA]), send([EVE, ANA, RAJ])]
    kept = at_least(link(submissions), threshold=link_rules(PROFILE).threshold)
    groups = group_rows(kept, sizes=[2, 2, 3])
    members = list(zip(groups.dataset.tolist(), groups.row.tolist(), groups.entity.tolist(), strict=True))

    assert members == [(0, 0, 0), (1, 1, 0), (2, 1, 0), (0, 1, 1), (2, 0, 1), (1, 0, 2), (2, 2, 2)]


def test_rows_that_are_in_no_table_are_no_candidates() -> None:
    assert not send([NOBODY]).any()
    assert len(link([send([NOBODY, ANA]), send([NOBODY, EVE])])) == 0


def test_no_rows_give_no_pairs() -> None:
    assert len(link([send([ANA]), np.zeros((0, len(PROFILE.tables), 256), np.uint8)])) == 0
    assert len(link([])) == 0


def test_a_pair_exactly_on_the_threshold_is_kept() -> None:
    pairs = link([send([ANA, EVE]), send([ANA, BEN])])
    least = float(pairs.similarity[-1])

    assert len(at_least(pairs, threshold=least)) == len(pairs) == 2
    assert len(at_least(pairs, threshold=float(np.nextafter(least, 1)))) == 1


def test_scores_do_not_depend_on_the_order_of_datasets() -> None:
    forth, back = link([send([ANA, EVE]), send([BEN, ANA])]), link([send([BEN, ANA]), send([ANA, EVE])])

    assert forth.similarity.tolist() == back.similarity.tolist()
    assert forth.left_row.tolist() == back.right_row.tolist()


@pytest.mark.slow
@pytest.mark.process
def test_pairs_are_the_same_bytes_with_several_workers() -> None:
    submissions = [send(PEOPLE, SINGLE)] * 3
    pooled = AnonlinkEngine(workers=2, max_pairs=100_000, worth_a_pool=0)
    alone, together = (
        link_tables(submissions, rules=link_rules(SINGLE), engine=engine, max_pairs=1000, progress=lambda *_: None)
        for engine in (ENGINE, pooled)
    )

    assert len(alone) > 30
    assert alone.similarity.tobytes() == together.similarity.tobytes()
    assert alone.left_row.tobytes() == together.left_row.tobytes()
    assert alone.right_row.tobytes() == together.right_row.tobytes()


# Candidates


def test_equally_good_rows_beyond_the_kth_are_dropped_in_row_order() -> None:
    found = candidates([send([ANA] * 4), send([ANA] * 5)], k=3)

    # Of row 3 on the left and rows 3 and 4 on the right neither is among the first three of the other.
    dropped = {(left, right) for left in range(4) for right in range(5)} - set(
        zip(found.left_row.tolist(), found.right_row.tolist(), strict=True)
    )
    assert dropped == {(3, 3), (3, 4)}


def test_only_the_best_of_a_row_are_kept_where_neither_row_needs_the_pair() -> None:
    everybody = send([ANA] * 5)
    found = candidates([everybody, everybody], k=2)

    kept = set(zip(found.left_row.tolist(), found.right_row.tolist(), strict=True))
    assert kept == {(left, right) for left in range(5) for right in range(5) if left < 2 or right < 2}


def test_each_other_dataset_has_its_own_best() -> None:
    found = candidates([send([ANA]), send([ANA] * 2), send([ANA] * 2)], k=1)

    assert found.left_dataset.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert found.right_dataset.tolist() == [1, 1, 2, 2, 2, 2, 2]


def test_progress_never_falls_and_ends_at_the_pairs_of_all_tables() -> None:
    told: list[tuple[int, int]] = []
    # Ida is in `all` and `first-birth` alone: twice 3 x 2 pairs and four times 2 x 2.
    link_tables(
        [send([ANA, BEN, IDA]), send([ANA, RAJ])],
        rules=link_rules(PROFILE),
        engine=ENGINE,
        max_pairs=100,
        progress=lambda done, total: told.append((done, total)),
    )

    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {2 * 6 + 4 * 4}
    assert told[-1][0] == 2 * 6 + 4 * 4


def test_more_pairs_than_may_be_held_are_refused() -> None:
    with pytest.raises(TooManyCandidates) as caught:
        candidates([send([ANA] * 3), send([ANA] * 3)], limit=8)
    assert caught.value.limit == 8
    with pytest.raises(TooManyCandidates):
        link([send([ANA] * 3), send([ANA] * 3)], max_pairs=8)


@pytest.mark.parametrize(
    "submissions",
    [
        [np.zeros((1, 7, 256), np.uint8), np.zeros((1, 6, 256), np.uint8)],
        [np.zeros((1, 7, 256), np.uint16)],
        [np.zeros((1, 256), np.uint8)],
        [np.zeros((1, 7, 128), np.uint8)],
    ],
    ids=["tables", "type", "axes", "length"],
)
def test_submissions_that_do_not_fit_the_rules_are_refused(submissions: list[NDArray[np.uint8]]) -> None:
    profile = hardened_1(FIELDS, name_table=True)
    with pytest.raises(ValueError, match="submission"):
        link(submissions, profile)


def test_candidates_need_one_length_and_a_positive_k() -> None:
    short, long = np.zeros((1, 1, 8), np.uint8), np.zeros((1, 1, 16), np.uint8)
    with pytest.raises(ValueError, match="length"):
        candidates([short, long])
    with pytest.raises(ValueError, match="k must"):
        candidates([short, short], k=0)


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


def test_groups_are_told_apart_by_several_tables() -> None:
    rules = link_rules(hardened_1((*FIELDS, "ssn")))
    shares = np.array([table.shares for table in rules.tables])
    truth = np.array([[0.0, 0.3, 0.1, 0.2, 0.0], [0.1, 0.0, 0.0, 0.3, 0.0]]).T
    excess = (1 - 2 * shares @ truth) ** 8
    everybody = np.ones(truth.shape, np.bool_)

    found = group_disagreement(excess, both=everybody, one=~everybody, rules=rules)

    assert np.abs(found - truth).max() < 0.06


def test_a_group_that_no_table_speaks_for_counts_as_different() -> None:
    rules = link_rules(PROFILE)
    first_birth = [table.name for table in rules.tables].index("first-birth")
    excess = np.zeros((len(rules.tables), 1))
    excess[first_birth] = 1
    everybody = np.ones((4, 1), np.bool_)

    found = group_disagreement(excess, both=everybody, one=~everybody, rules=rules)[:, 0]

    assert found[0] < 0.05
    assert found[2] < 0.05
    assert found[1] > 0.9
    assert found[3] > 0.9


# From groups to a score


def test_evidence_of_equal_records_falls_with_the_people_whom_a_row_could_meet() -> None:
    rules = link_rules(PROFILE)
    everybody = np.ones((4, 1), np.bool_)
    total = sum(rule.agree_bits for rule in rules.groups)
    personal = sum(rule.agree_bits for rule in rules.groups if rule.personal)
    for power in (0, 10, 40):
        found = evidence_bits(np.zeros((4, 1)), everybody, rules=rules, other_rows=2**power)[0]
        others = 2.0 ** (power - total) + 2.0 ** (1 - personal)
        assert float(found) == pytest.approx(-np.log2(others))


def test_a_group_that_a_row_lacks_says_nothing() -> None:
    rules = link_rules(PROFILE)
    both = np.array([[True], [True], [True], [False]])
    same, other = (
        evidence_bits(np.array([[0.0], [0.2], [0.0], [address]]), both, rules=rules, other_rows=8)[0]
        for address in (0.0, 1.0)
    )

    assert same == other


def test_score_is_a_half_at_no_evidence_and_keeps_the_order() -> None:
    scores = score_of_bits(np.array([-200.0, -8.0, 0.0, 8.0, 70.0, 71.0])).tolist()

    assert scores[1:4] == [pytest.approx(1 / 3), 0.5, pytest.approx(2 / 3)]
    assert 0 <= scores[0] < scores[1]
    assert scores[3] < scores[4] < scores[5] <= 1


# Rules


def test_shares_of_a_full_table_add_up_to_the_same_in_every_table() -> None:
    rules = link_rules(hardened_1(FIELDS, name_table=True))
    sums = [sum(table.shares) for table in rules.tables]

    assert max(sums) - min(sums) < 1e-9
    assert all(0.4 < total < 0.5 for total in sums)


def test_tables_of_one_pair_show_which_groups_a_row_holds() -> None:
    rules = link_rules(PROFILE)

    assert [(table.name, table.pair) for table in rules.tables][:3] == [
        ("all", None),
        ("first-birth", (0, 2)),
        ("first-address", (0, 3)),
    ]
    assert link_rules(hardened_1(("first_name", "dob"))).tables[0].pair == (0, 1)


def test_fields_of_no_group_stand_apart_and_say_nothing() -> None:
    rules = link_rules(hardened_1(("first_name", "last_name", "dob", "city")))
    rest = rules.groups[-1]

    assert (rest.name, rest.agree_bits, rest.differ_bits, rest.personal) == ("rest", 0, 0, False)
    assert rules.tables[0].shares[-1] > 0
    assert all(table.shares[-1] == 0 for table in rules.tables[1:])


def test_a_birth_year_beside_a_birth_date_adds_nothing() -> None:
    date, both, year = (
        link_rules(hardened_1(("first_name", *fields))).groups[1].agree_bits
        for fields in (("dob",), ("dob", "birth_year"), ("birth_year",))
    )

    assert date == both > year > 0
