"""Candidates for field comparison: more than linking asks for, under every profile, and never too many."""

from collections.abc import Sequence

import numpy as np
import pytest
from unit.coordinator.match.match_parts import ANA, ENGINE, EVE, FIELDS, PEOPLE, RAJ, encode_rows, send, with_hidden

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_2, hardened_single_1
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.match_keys import MATCH_KEY_BITS
from isthmus.contract.profile import interop_1
from isthmus.contract.profiles import AnyProfile
from isthmus.coordinator.match.encodings import TabledRows
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.errors import TooManyBestPairs
from isthmus.coordinator.match.field_candidates import (
    BEST_FOR_FIELDS,
    CLK_FLOOR,
    Reach,
    candidates_within,
    field_candidates,
    field_rules,
    reach_for,
)
from isthmus.coordinator.match.memory import Demand
from isthmus.coordinator.match.table_rules import BEST_OF_ROW, FLOOR, link_rules
from isthmus.coordinator.match.tables import link_tables
from isthmus.node.encode.interop import encode_interop

HARDENED, WIDE, SINGLE = hardened_1(FIELDS), hardened_2(FIELDS), hardened_single_1(FIELDS)
INTEROP = interop_1(FIELDS)
LEFT, RIGHT = PEOPLE[:9], PEOPLE[4:]


def candidates(
    submissions: Sequence[TabledRows], profile: AnyProfile = HARDENED, max_pairs: int = 10_000
) -> CandidatePairs:
    """What field comparison would be asked for."""
    return field_candidates(submissions, profile=profile, engine=ENGINE, max_pairs=max_pairs, progress=lambda *_: None)


def scores(pairs: CandidatePairs) -> dict[tuple[int, int], float]:
    """Similarity by rows."""
    rows = zip(pairs.left_row.tolist(), pairs.right_row.tolist(), strict=True)
    return dict(zip(rows, pairs.similarity.tolist(), strict=True))


def plain(clks: np.ndarray, *, repeats: bool = False) -> TabledRows:
    """Rows of one vector without tags."""
    return TabledRows(
        clks=clks[:, np.newaxis], tags=np.zeros((len(clks), 0, MATCH_KEY_BITS // 8), np.uint8), repeats=repeats
    )


def interop_rows(people: Sequence[tuple[str, ...]]) -> TabledRows:
    """What a node sends of these people under `interop-1`."""
    columns = [[person[FIELDS.index(field)] for person in people] for field in INTEROP.fields]
    return plain(encode_interop(columns, schema=parse_linkage_schema(INTEROP.linkage_schema), secret=b"s" * 32))


def sent(people: Sequence[tuple[str, ...]], profile: AnyProfile) -> TabledRows:
    """What a node sends of these people under any of the three profiles."""
    return send(people, profile) if isinstance(profile, HardenedProfile) else interop_rows(people)


def alike(share: float, *, rows: int = 40, clk_bytes: int = 256) -> list[TabledRows]:
    """Two files of random vectors whose rows of one number differ in that share of their bits."""
    rng = np.random.default_rng(5)
    left = rng.integers(0, 256, (rows, clk_bytes), np.uint8)
    flips = np.packbits(rng.random((rows, 8 * clk_bytes)) < share, axis=1)
    return [plain(left), plain(left ^ flips)]


@pytest.mark.parametrize("profile", [HARDENED, WIDE, SINGLE], ids=lambda profile: str(profile.name))
def test_candidates_by_tables_are_those_of_linking_with_the_same_scores(profile: HardenedProfile) -> None:
    submissions = [send(LEFT, profile), send(RIGHT, profile)]
    rules = link_rules(profile)
    linked = scores(link_tables(submissions, rules=rules, engine=ENGINE, max_pairs=10_000, progress=lambda *_: None))

    assert scores(candidates(submissions, profile)) == linked


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("evelyn", "okonkwo", "", "", "", ""), ("okonkwo", "evelin", "19500101", "", "", "10001")),
        (("evelyn", "okonkwo", "", "", "", ""), ("avelyn", "ikonkwo", "", "", "", "")),
        (("evelyn", "okonkwo", "20041109", "", "", ""), ("eve", "smith", "20040911", "3", "hill road", "60601")),
    ],
    ids=["swapped and misspelt", "beginnings lost", "day for month"],
)
def test_wide_keys_find_what_tables_and_other_keys_do_not(left: tuple[str, ...], right: tuple[str, ...]) -> None:
    found = {}
    for profile in (HARDENED, WIDE):
        rows = [with_hidden(encode_rows([[value] for value in person], profile)) for person in (left, right)]
        found[profile.name] = len(candidates(rows, profile))

    assert found == {"hardened-1": 0, "hardened-2": 1}


def test_wide_tag_that_rows_of_a_file_share_pairs_nobody() -> None:
    namesakes = [("evelyn", "okonkwo", "", "", "", "")] * 2
    rows = [with_hidden(encode_rows(list(zip(*people, strict=True)), WIDE)) for people in (namesakes, namesakes[:1])]

    assert len(candidates(rows, WIDE)) == 0


def test_a_lower_floor_that_is_asked_for_finds_pairs_too_unlike_for_linking() -> None:
    # Dice 0.55: of no use to linking by score, and far above what strangers have.
    submissions = alike(0.45)
    linked = scores(candidates(submissions, SINGLE))

    found = scores(
        candidates_within(
            Reach(best_of_row=4, floor=0.53),
            submissions,
            profile=SINGLE,
            engine=ENGINE,
            max_pairs=10_000,
            progress=lambda *_: None,
        )
    )

    assert sum(left == right for left, right in linked) < 10
    assert sum(left == right for left, right in found) > 35


def test_plain_clks_below_the_threshold_of_linking_are_candidates() -> None:
    pairs = scores(candidates([interop_rows(LEFT), interop_rows(RIGHT)], INTEROP))

    assert pairs[4, 0] == 1.0
    assert CLK_FLOOR <= min(pairs.values()) < 0.6


@pytest.mark.parametrize("profile", [HARDENED, SINGLE, INTEROP], ids=lambda profile: str(profile.name))
def test_a_row_keeps_that_many_of_equally_good_ones(profile: AnyProfile) -> None:
    pairs = candidates([sent([ANA], profile), sent([ANA] * 9, profile)], profile)

    # The one row on the left is among the best of every row on the right, and has its own best besides.
    assert len(pairs) == 9
    crowd = candidates([sent([ANA] * 9, profile), sent([ANA] * 9, profile)], profile)
    last = (crowd.left_row >= BEST_FOR_FIELDS) & (crowd.right_row >= BEST_FOR_FIELDS)
    kept = BEST_OF_ROW if isinstance(profile, HardenedProfile) else BEST_FOR_FIELDS
    assert len(crowd) == 81 - (9 - kept) ** 2
    assert not last.any()


def test_members_of_a_file_are_candidates_only_where_it_repeats_people() -> None:
    (rows,) = alike(0.0, rows=3)[:1]
    twice = np.concatenate([rows.clks[:, 0], rows.clks[:, 0]])

    for repeats, inside in ((False, 0), (True, 3)):
        pairs = candidates([plain(twice, repeats=repeats), plain(twice[:1])], SINGLE)
        same = (pairs.left_dataset == pairs.right_dataset) & (pairs.similarity > 0.5)
        assert np.count_nonzero(same) == inside


def test_no_rows_give_no_candidates() -> None:
    assert len(candidates([send([], HARDENED), send([ANA, EVE], HARDENED)])) == 0
    assert len(candidates([plain(np.zeros((0, 128), np.uint8)), interop_rows([ANA])], INTEROP)) == 0


@pytest.mark.parametrize("profile", [HARDENED, INTEROP], ids=lambda profile: str(profile.name))
def test_rows_that_do_not_fit_the_profile_are_refused(profile: AnyProfile) -> None:
    with pytest.raises(ValueError, match="must hold"):
        candidates(alike(0.1, clk_bytes=64), profile)


# How many


def test_fewer_of_a_row_are_kept_where_more_might_not_fit() -> None:
    def reach(max_pairs: int) -> Reach:
        return reach_for(INTEROP, [1000, 500], repeating=(), max_pairs=max_pairs)

    assert reach(6000) == Reach(best_of_row=4, floor=CLK_FLOOR)
    assert reach(5999) == Reach(best_of_row=3, floor=CLK_FLOOR)
    assert reach(1500) == Reach(best_of_row=1, floor=CLK_FLOOR)


def test_tables_are_asked_for_what_linking_asks_for() -> None:
    assert reach_for(SINGLE, [1000, 500], repeating=(), max_pairs=1) == Reach(best_of_row=BEST_OF_ROW, floor=FLOOR)


def test_plain_clks_that_do_not_fit_are_asked_for_the_threshold_of_linking() -> None:
    assert reach_for(INTEROP, [1000, 500], repeating=(), max_pairs=1500) == Reach(best_of_row=1, floor=CLK_FLOOR)
    assert reach_for(INTEROP, [1000, 500], repeating=(), max_pairs=1499).floor > 0.6


def test_the_reach_changes_what_is_a_candidate_and_nothing_else() -> None:
    rules, reached = link_rules(HARDENED), field_rules(HARDENED, Reach(best_of_row=2, floor=0.55))

    assert (reached.best_of_row, {table.floor for table in reached.tables}) == (2, {0.55})
    assert field_rules(HARDENED, Reach(best_of_row=rules.best_of_row, floor=FLOOR)) == rules


@pytest.mark.parametrize("profile", [HARDENED, INTEROP], ids=lambda profile: str(profile.name))
def test_there_are_never_more_than_the_estimate_of_memory_counts(profile: AnyProfile) -> None:
    submissions = [sent(LEFT, profile), sent(RIGHT, profile)]
    demand = Demand(
        sizes=[len(LEFT), len(RIGHT)],
        row_bytes=256,
        clk_bytes=256,
        tables=len(profile.table_names),
        match_keys=submissions[0].tags.shape[1],
        best_of_row=BEST_FOR_FIELDS,
        spine=False,
    )

    assert len(LEFT) < len(candidates(submissions, profile)) <= demand.most_pairs()


def test_more_than_may_be_held_are_refused_with_a_number_that_is_enough() -> None:
    submissions = [interop_rows([ANA, EVE, RAJ] * 2)] * 2
    with pytest.raises(TooManyBestPairs) as caught:
        candidates(submissions, INTEROP, max_pairs=5)

    assert len(candidates(submissions, INTEROP, max_pairs=caught.value.enough)) > 5
