"""Linking by tables and match keys: which pairs are candidates, and what makes a link."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.coordinator.match.match_parts import (
    ABE,
    ANA,
    ANA_ELSEWHERE,
    ANA_HOMELESS,
    ANA_MISTYPED,
    ANA_RENAMED,
    BEN,
    ENGINE,
    EVE,
    EVE_MISDATED,
    EVE_MOVED,
    FIELDS,
    IDA,
    LODGER,
    NOBODY,
    PEOPLE,
    RAJ,
    RAJ_AS_RUNE,
    RAJ_MISTYPED,
    Person,
    encode_rows,
    send,
)

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_single_1
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.crowding import most_candidates
from isthmus.coordinator.match.encodings import TabledRows
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.errors import TooManyBestPairs
from isthmus.coordinator.match.group import group_rows
from isthmus.coordinator.match.key_candidates import equal_tags, key_candidates
from isthmus.coordinator.match.table_candidates import RowPairs, table_candidates
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.table_score import evidence_bits, score_of_bits
from isthmus.coordinator.match.tables import at_least, link_tables

PROFILE = hardened_1(FIELDS)
SINGLE = hardened_single_1(FIELDS)
NOT_PERSONAL = hardened_1(("last_name", "street_number", "street_name", "zip"))


def sent(rows: Sequence[Person], profile: HardenedProfile = PROFILE) -> TabledRows:
    """What a node sends of these rows."""
    return send(rows, profile)


def link(
    submissions: Sequence[TabledRows], profile: HardenedProfile = PROFILE, max_pairs: int = 1000
) -> CandidatePairs:
    """Candidates and scores."""
    return link_tables(
        submissions, rules=link_rules(profile), engine=ENGINE, max_pairs=max_pairs, progress=lambda *_: None
    )


def links(submissions: Sequence[TabledRows], profile: HardenedProfile = PROFILE) -> list[tuple[int, int]]:
    """The linked rows of two datasets."""
    kept = at_least(link(submissions, profile), threshold=link_rules(profile).threshold)
    return sorted(zip(kept.left_row.tolist(), kept.right_row.tolist(), strict=True))


def candidates(submissions: Sequence[TabledRows], *, floor: float = 0.57, k: int = 3, limit: int = 1000) -> RowPairs:
    """Candidates by tables, under one floor for all of them."""
    clks = [one.clks for one in submissions]
    return table_candidates(
        clks, floors=[floor] * clks[0].shape[1], engine=ENGINE, k=k, max_pairs=limit, progress=lambda *_: None
    )


def shared_keys(left: Person, right: Person) -> set[str]:
    """The match keys that two people share."""
    equal = equal_tags(sent([left]).tags, sent([right]).tags)
    return {name for name, (shared,) in zip(PROFILE.match_key_names, equal, strict=True) if shared}


# Which pairs link


def test_links_people_in_whose_records_one_part_is_damaged() -> None:
    damaged = sent([RAJ_MISTYPED, ANA_RENAMED, EVE_MOVED])

    assert links([sent([ANA, EVE, RAJ]), damaged]) == [(0, 1), (1, 2), (2, 0)]


@pytest.mark.parametrize(
    ("left", "right", "whole"),
    [
        (ANA_ELSEWHERE, ANA_RENAMED, {"first-birth", "initial-birth"}),
        (EVE, EVE_MISDATED, {"names-year"}),
        (RAJ, RAJ_AS_RUNE, {"last-birth", "initial-birth", "last_initial-birth"}),
    ],
    ids=["last name and address", "date and address", "first name and address"],
)
def test_links_people_by_what_is_whole_where_no_table_pairs_them(left: Person, right: Person, whole: set[str]) -> None:
    assert len(candidates([sent([left]), sent([right])])) == 0
    assert shared_keys(left, right) == whole

    assert links([sent([BEN, left]), sent([right, LODGER])]) == [(1, 0)]


def test_rows_whose_tags_are_hidden_link_by_their_tables() -> None:
    submissions = [sent([EVE, ANA, ANA]), sent([ANA_MISTYPED])]

    assert len(key_candidates([one.tags for one in submissions])) == 0
    assert links(submissions) == [(1, 0), (2, 0)]


def test_members_of_a_household_are_candidates_but_no_link() -> None:
    pairs = link([sent([ANA, EVE]), sent([ABE, RAJ])])

    assert shared_keys(ANA, ABE) == {"initial-number-zip", "initial-number-street", "initial-last-zip"}
    assert (pairs.left_row.tolist(), pairs.right_row.tolist()) == ([0], [0])
    assert pairs.similarity[0] < link_rules(PROFILE).threshold


def test_without_a_personal_group_a_household_is_a_link() -> None:
    submissions = [sent([ANA, EVE], NOT_PERSONAL), sent([RAJ, BEN], NOT_PERSONAL)]

    assert links(submissions, NOT_PERSONAL) == [(0, 1)]


def test_links_by_the_one_table_of_the_single_profile() -> None:
    assert links([sent([ANA, EVE], SINGLE), sent([RAJ, ANA_MISTYPED], SINGLE)], SINGLE) == [(0, 1)]


def test_a_row_without_a_group_links_by_its_other_groups() -> None:
    assert links([sent([ANA_HOMELESS, EVE]), sent([RAJ, ANA])]) == [(0, 1)]


def test_a_group_that_one_row_lacks_is_left_out_of_the_score() -> None:
    rules = link_rules(PROFILE)
    # First name, last name and birth date are whole, as shared tags say; there is an address on one side alone.
    assert shared_keys(ANA, ANA_HOMELESS) >= {"first-birth", "last-birth"}
    held = np.array([[True], [True], [True], [False]])
    expected = score_of_bits(evidence_bits(np.zeros((4, 1)), held, rules=rules, other_rows=1))[0]

    assert link([sent([ANA]), sent([ANA_HOMELESS])]).similarity[0] == pytest.approx(expected, abs=1e-8)


def test_rows_of_names_alone_link_where_the_table_of_names_is_granted() -> None:
    names = [[value] for value in ("ana", "whitfield", "", "", "", "")]
    for profile, expected in ((PROFILE, []), (hardened_1(FIELDS, name_table=True), [(0, 0)])):
        submissions = [encode_rows(names, profile), encode_rows(names, profile)]
        assert not submissions[0].tags.any()
        assert links(submissions, profile) == expected


def test_the_more_alike_two_records_are_the_higher_they_score() -> None:
    scores = [link([sent([ANA]), sent([other])]).similarity[0] for other in (ANA, ANA_MISTYPED, ANA_ELSEWHERE)]

    assert scores[0] > scores[1] > scores[2]


def test_a_shared_tag_never_lowers_a_score() -> None:
    left, right = sent([ANA]), sent([ANA_MISTYPED])
    untold = TabledRows(clks=right.clks, tags=sent([ANA_MISTYPED, ANA_MISTYPED]).tags[:1])

    assert not equal_tags(left.tags, untold.tags).any()
    assert link([left, untold]).similarity[0] < link([left, right]).similarity[0]


def test_entities_over_three_providers_come_out_whole() -> None:
    submissions = [sent([ANA, EVE]), sent([RAJ, ANA]), sent([EVE, ANA, RAJ])]
    kept = at_least(link(submissions), threshold=link_rules(PROFILE).threshold)
    groups = group_rows(kept, sizes=[2, 2, 3])
    members = list(zip(groups.dataset.tolist(), groups.row.tolist(), groups.entity.tolist(), strict=True))

    assert members == [(0, 0, 0), (1, 1, 0), (2, 1, 0), (0, 1, 1), (2, 0, 1), (1, 0, 2), (2, 2, 2)]


def test_rows_that_are_in_no_table_and_have_no_tag_are_no_candidates() -> None:
    nobody = sent([NOBODY])

    assert not nobody.clks.any()
    assert not nobody.tags.any()
    assert len(link([sent([NOBODY, ANA]), sent([NOBODY, EVE])])) == 0


def test_no_rows_give_no_pairs() -> None:
    none = sent([])

    assert (len(none), none.tags.shape[1]) == (0, len(PROFILE.match_keys))
    assert len(link([sent([ANA]), none])) == 0
    assert len(link([])) == 0


def test_a_pair_exactly_on_the_threshold_is_kept() -> None:
    pairs = link([sent([ANA, EVE]), sent([ANA, EVE_MISDATED])])
    least = float(pairs.similarity[-1])

    assert len(at_least(pairs, threshold=least)) == len(pairs) == 2
    assert len(at_least(pairs, threshold=float(np.nextafter(least, 1)))) == 1


def test_scores_do_not_depend_on_the_order_of_datasets() -> None:
    one, other = sent([ANA, EVE]), sent([EVE_MISDATED, ANA])

    forth, back = link([one, other]), link([other, one])

    assert len(forth) == 2
    assert forth.similarity.tolist() == back.similarity.tolist()
    assert forth.left_row.tolist() == back.right_row.tolist()


@pytest.mark.slow
@pytest.mark.process
def test_pairs_are_the_same_bytes_with_several_workers() -> None:
    submissions = [sent(PEOPLE)] * 3
    pooled = AnonlinkEngine(workers=2, max_pairs=100_000, worth_a_pool=0)
    alone, together = (
        link_tables(submissions, rules=link_rules(PROFILE), engine=engine, max_pairs=1000, progress=lambda *_: None)
        for engine in (ENGINE, pooled)
    )

    assert len(alone) > 30
    assert alone.similarity.tobytes() == together.similarity.tobytes()
    assert alone.left_row.tobytes() == together.left_row.tobytes()
    assert alone.right_row.tobytes() == together.right_row.tobytes()


# Candidates


def test_equally_good_rows_beyond_the_kth_are_dropped_in_row_order() -> None:
    found = candidates([sent([ANA] * 4), sent([ANA] * 5)], k=3)

    # Of row 3 on the left and rows 3 and 4 on the right neither is among the first three of the other.
    dropped = {(left, right) for left in range(4) for right in range(5)} - set(
        zip(found.left_row.tolist(), found.right_row.tolist(), strict=True)
    )
    assert dropped == {(3, 3), (3, 4)}


def test_only_the_best_of_a_row_are_kept_where_neither_row_needs_the_pair() -> None:
    everybody = sent([ANA] * 5)
    found = candidates([everybody, everybody], k=2)

    kept = set(zip(found.left_row.tolist(), found.right_row.tolist(), strict=True))
    assert kept == {(left, right) for left in range(5) for right in range(5) if left < 2 or right < 2}


def test_each_other_dataset_has_its_own_best() -> None:
    found = candidates([sent([ANA]), sent([ANA] * 2), sent([ANA] * 2)], k=1)

    assert found.left_dataset.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert found.right_dataset.tolist() == [1, 1, 2, 2, 2, 2, 2]


def test_a_pair_that_tables_and_several_match_keys_find_comes_once() -> None:
    assert len(shared_keys(ANA, ANA_MISTYPED)) > 3
    assert len(candidates([sent([ANA]), sent([ANA_MISTYPED])])) == 1
    assert len(link([sent([ANA]), sent([ANA_MISTYPED])])) == 1


def test_progress_never_falls_and_ends_at_the_pairs_of_all_tables() -> None:
    told: list[tuple[int, int]] = []
    # The lodger has no last name and no birth date, so nothing in `person`: blank rows count as compared as well.
    link_tables(
        [sent([ANA, IDA, LODGER]), sent([ANA, RAJ])],
        rules=link_rules(PROFILE),
        engine=ENGINE,
        max_pairs=100,
        progress=lambda done, total: told.append((done, total)),
    )

    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {6 + 6}
    assert told[-1][0] == 6 + 6


def test_more_pairs_than_may_be_held_are_refused_with_a_limit_that_is_enough() -> None:
    with pytest.raises(TooManyBestPairs) as caught:
        candidates([sent([ANA] * 3), sent([ANA] * 3)], limit=8)
    assert caught.value.limit == 8
    assert len(candidates([sent([ANA] * 3), sent([ANA] * 3)], limit=caught.value.enough)) == 9
    with pytest.raises(TooManyBestPairs):
        link([sent([ANA] * 3), sent([ANA] * 3)], max_pairs=8)


def test_pairs_of_match_keys_count_among_those_that_may_be_held() -> None:
    submissions = [sent([ANA_ELSEWHERE, EVE, RAJ]), sent([ANA_RENAMED, EVE_MISDATED, RAJ_AS_RUNE])]

    assert len(candidates(submissions)) == 0
    assert len(link(submissions, max_pairs=3)) == 3
    with pytest.raises(TooManyBestPairs) as caught:
        link(submissions, max_pairs=2)
    assert caught.value.limit == 2


@pytest.mark.parametrize("sizes", [(5, 40), (30, 30), (2, 0, 7)], ids=str)
def test_no_files_have_more_candidates_than_are_said_to_be_enough(sizes: tuple[int, ...]) -> None:
    rows = [[ANA] * size for size in sizes]
    enough = most_candidates(sizes, best_of_row=3, tables=2, match_keys=13)
    assert len(link([sent(people) for people in rows], max_pairs=enough)) <= enough


def tabled(rows: int = 1, *, tables: int = 2, clk_bytes: int = 256, keys: int = 13) -> TabledRows:
    """Empty rows of a shape; that of the profile unless said."""
    return TabledRows(clks=np.zeros((rows, tables, clk_bytes), np.uint8), tags=np.zeros((rows, keys, 16), np.uint8))


@pytest.mark.parametrize(
    "odd", [tabled(tables=1), tabled(clk_bytes=128), tabled(keys=10)], ids=["tables", "length", "match keys"]
)
def test_submissions_that_do_not_fit_the_rules_are_refused(odd: TabledRows) -> None:
    assert len(link([tabled(), tabled(2)])) == 0
    with pytest.raises(ValueError, match="submission"):
        link([tabled(), odd])


@pytest.mark.parametrize(
    ("clks", "tags"),
    [
        (np.zeros((1, 2, 256), np.uint16), np.zeros((1, 10, 16), np.uint8)),
        (np.zeros((1, 512), np.uint8), np.zeros((1, 10, 16), np.uint8)),
        (np.zeros((1, 2, 256), np.uint8), np.zeros((1, 10, 16), np.int8)),
        (np.zeros((1, 2, 256), np.uint8), np.zeros((1, 160), np.uint8)),
        (np.zeros((1, 2, 256), np.uint8), np.zeros((1, 20, 8), np.uint8)),
        (np.zeros((1, 2, 256), np.uint8), np.zeros((2, 10, 16), np.uint8)),
    ],
    ids=["type of CLKs", "axes of CLKs", "type of tags", "axes of tags", "length of tags", "rows"],
)
def test_rows_of_another_type_or_shape_are_refused(clks: NDArray[np.uint8], tags: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="must be"):
        TabledRows(clks=clks, tags=tags)


def test_candidates_need_one_length_and_a_positive_k() -> None:
    short, long = tabled(tables=1, clk_bytes=8), tabled(tables=1, clk_bytes=16)
    with pytest.raises(ValueError, match="length"):
        candidates([short, long])
    with pytest.raises(ValueError, match="k must"):
        candidates([short, short], k=0)
