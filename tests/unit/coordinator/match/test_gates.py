"""Gates: encodings that the profile makes pass; dense, thin and repeated ones, and tags that rows share, do not."""

import tracemalloc
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.coordinator.match.match_parts import encode_rows, with_hidden

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_2, hardened_single_1
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.profile import interop_1
from isthmus.contract.profiles import AnyProfile
from isthmus.coordinator.match.encodings import TabledRows
from isthmus.coordinator.match.gates import Gates, gates_of

FIELDS = ("first_name", "last_name", "dob", "zip", "phone")
PROFILE = hardened_1(FIELDS)
ROWS = 400


def _columns(profile: AnyProfile, blank: float) -> list[list[str]]:
    """Give made-up rows of which each value is blank with that chance; many dates are damaged."""
    numbers = np.random.default_rng(7)
    return [
        ["" if numbers.random() < blank else f"{field[:2]}{row}x{numbers.integers(1000)}" for row in range(ROWS)]
        if field not in {"dob", "zip", "phone"}
        else ["" if numbers.random() < blank else f"{numbers.integers(10**8)}" for _ in range(ROWS)]
        for field in profile.fields
    ]


def _joined(rows: TabledRows) -> NDArray[np.uint8]:
    """Give rows as they are on the wire, without their handles."""
    return np.hstack([rows.clks.reshape(len(rows), -1), rows.tags.reshape(len(rows), -1)])


def _encoded(profile: HardenedProfile, blank: float = 0.0) -> NDArray[np.uint8]:
    """Give what a node sends of the made-up rows."""
    return _joined(with_hidden(encode_rows(_columns(profile, blank), profile)))


def _random(rows: int, *, seed: int, profile: HardenedProfile = PROFILE) -> TabledRows:
    """Give rows that hold everything, as diffusion makes them for strangers, with random tags."""
    numbers, tables = np.random.default_rng(seed), len(profile.tables)
    return TabledRows(
        clks=numbers.integers(0, 256, (rows, tables, profile.clk_bits // 8), np.uint8),
        tags=numbers.integers(0, 256, (rows, len(profile.match_keys), 16), np.uint8),
    )


@pytest.mark.parametrize("blank", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("profile", [PROFILE, hardened_2(FIELDS), hardened_single_1(FIELDS)], ids=lambda one: one.name)
def test_what_a_hardened_profile_makes_passes(profile: HardenedProfile, blank: float) -> None:
    assert gates_of(profile).problem([_encoded(profile, blank)]) is None


def test_random_tags_pass() -> None:
    assert gates_of(PROFILE).problem([_joined(_random(ROWS, seed=1)), _joined(_random(ROWS, seed=2))]) is None


@pytest.mark.parametrize("profile", [PROFILE, interop_1(FIELDS)], ids=lambda one: one.name)
@pytest.mark.parametrize("byte", [0x01, 0xFF, 0xEE], ids=["thin", "full", "dense"])
def test_encoding_of_a_density_that_the_profile_does_not_make_is_found(profile: AnyProfile, byte: int) -> None:
    encoded, size = np.zeros((3, profile.row_bits // 8), np.uint8), profile.clk_bits // 8
    last = encoded[1, (len(profile.table_names) - 1) * size :][:size]
    last[:] = 0 if byte == 0x01 else byte
    last[:2] |= 0x01

    assert f"table {profile.table_names[-1]}" in (gates_of(profile).problem([encoded]) or "")


# Tables and match keys of a row


def _observed(profile: HardenedProfile) -> frozenset[int]:
    """Give the patterns of real encodings of rows with every combination of missing, damaged and whole values."""
    values = {"dob": ("", "2001", "20010203"), "birth_year": ("", "2001"), "zip": ("", "90210")}
    rows = list(product(*(values.get(field, ("", f"{field}s")) for field in profile.fields)))
    made = encode_rows(list(zip(*rows, strict=True)), profile)
    inside = np.hstack([made.clks.any(axis=2), made.tags.any(axis=2)])
    return frozenset((inside @ (1 << np.arange(inside.shape[1]))).tolist())


def _row_of(pattern: int, profile: HardenedProfile) -> NDArray[np.uint8]:
    """Give one random row that is in the tables, and has the tags, that the pattern says."""
    row, tables = _random(1, seed=pattern, profile=profile), len(profile.tables)
    inside = np.array([pattern >> place & 1 for place in range(tables + len(profile.match_keys))], np.uint8)
    return _joined(TabledRows(clks=row.clks * inside[:tables, np.newaxis], tags=row.tags * inside[tables:, np.newaxis]))


@pytest.mark.parametrize(
    "profile",
    [
        hardened_1(FIELDS[:4]),
        hardened_1(FIELDS[:4], name_table=True),
        hardened_1(FIELDS[:3]),
        hardened_1(("first_name", "last_name", "birth_year", "street_number", "zip")),
        hardened_1(("last_name", "zip")),
        hardened_2(("first_name", "last_name", "dob")),
        hardened_2(("first_name", "middle_name", "last_name", "street_number", "ssn")),
        hardened_single_1(FIELDS),
    ],
    ids=["four groups", "name table", "three groups", "birth year", "no match keys", "wide", "wide, ssn", "one table"],
)
def test_rows_pass_in_exactly_those_combinations_that_the_encoder_makes(profile: HardenedProfile) -> None:
    gates, observed = gates_of(profile), _observed(profile)
    places = len(profile.tables) + len(profile.match_keys)
    near = {pattern ^ 1 << place for pattern in observed for place in range(places)} | observed

    passed = {pattern for pattern in near if gates.problem([_row_of(pattern, profile)]) is None}

    assert gates.patterns == observed
    assert passed == observed
    assert len(observed) > 1


@pytest.mark.parametrize("lacking", ["all", "person", "first-birth", "initial-birth"])
def test_row_that_leaves_out_what_it_must_have_is_found_and_what_it_has_is_named(lacking: str) -> None:
    encoded = _encoded(PROFILE)
    names = [*PROFILE.table_names, *PROFILE.match_key_names]
    ends = np.cumsum([0, *PROFILE.part_bits]) // 8
    place = names.index(lacking)
    encoded[17, ends[place] : ends[place + 1]] = 0

    problem = gates_of(PROFILE).problem([encoded])

    assert problem is not None
    assert "last-birth" in problem
    assert f" {lacking}," not in problem


# Tags that rows share


def _with_a_shared_tag(rows: TabledRows, key: str) -> TabledRows:
    """Give the rows, the last of which has the tag of the first for this match key."""
    tags, place = rows.tags.copy(), PROFILE.match_key_names.index(key)
    tags[-1, place] = tags[0, place]
    return TabledRows(clks=rows.clks, tags=tags)


@pytest.mark.parametrize("key", ["first-birth", "initial-phone"])
def test_tag_that_two_rows_have_is_found_over_pieces_and_its_match_key_named(key: str) -> None:
    encoded = _joined(_with_a_shared_tag(_random(30, seed=1), key))

    for pieces in ([encoded], [encoded[:29], encoded[29:]]):
        assert f"same tag of match key {key};" in (gates_of(PROFILE).problem(pieces) or "")


def test_people_who_share_a_part_are_found_where_their_tags_are_not_hidden() -> None:
    columns = _columns(PROFILE, 0.0)
    columns[PROFILE.fields.index("last_name")] = ["okonkwo"] * ROWS
    columns[PROFILE.fields.index("dob")] = [f"{19900101 + row // 2}" for row in range(ROWS)]
    made = encode_rows(columns, PROFILE)

    assert "match key last-birth;" in (gates_of(PROFILE).problem([_joined(made)]) or "")
    assert gates_of(PROFILE).problem([_joined(with_hidden(made))]) is None


def test_one_value_as_a_tag_of_two_match_keys_or_rows_of_two_providers_passes() -> None:
    rows = _random(30, seed=1)
    rows.tags[3, 1] = rows.tags[3, 0]

    assert [gates_of(PROFILE).problem([_joined(rows)]) for _ in range(2)] == [None, None]


def test_tag_that_two_rows_have_is_found_though_its_first_half_is_zero() -> None:
    rows = _random(30, seed=1)
    rows.tags[[3, 7], 2, :8] = 0
    rows.tags[7, 2] = rows.tags[3, 2]

    assert f"match key {PROFILE.match_key_names[2]};" in (gates_of(PROFILE).problem([_joined(rows)]) or "")


def test_message_holds_no_tag() -> None:
    rows = _with_a_shared_tag(_random(30, seed=1), "first-birth")
    problem = gates_of(PROFILE).problem([_joined(rows)]) or ""

    assert "two rows" in problem
    assert rows.tags[0, 0].tobytes().hex()[:8] not in problem


# Rows that repeat


def test_rows_that_repeat_are_found_over_pieces_and_a_few_are_let_through() -> None:
    profile = hardened_single_1(FIELDS)
    clks = _encoded(profile)

    assert gates_of(profile).problem([clks, clks[:80]]) is None
    assert "identical" in (gates_of(profile).problem([clks, clks[:120]]) or "")


def test_rows_that_repeat_are_found_whatever_their_tags() -> None:
    rows = _random(30, seed=1)
    again = TabledRows(clks=rows.clks, tags=_random(30, seed=2).tags)

    assert "identical" in (gates_of(PROFILE).problem([_joined(rows), _joined(again)]) or "")


def test_rows_that_repeat_in_one_table_are_found_though_another_tells_them_apart() -> None:
    rows, others = _random(30, seed=1), _random(30, seed=2)
    clks = others.clks.copy()
    clks[:, 0] = rows.clks[0, 0]

    assert "identical" in (gates_of(PROFILE).problem([_joined(TabledRows(clks=clks, tags=rows.tags))]) or "")


def test_rows_of_a_data_set_that_repeats_people_may_be_identical_and_must_pass_the_other_gates() -> None:
    rows, gates = _random(30, seed=1), gates_of(PROFILE, repeats=True)
    again = TabledRows(clks=rows.clks, tags=_random(30, seed=2).tags)
    dense = TabledRows(clks=rows.clks | again.clks[::-1], tags=again.tags)

    assert gates.problem([_joined(rows), _joined(again)]) is None
    assert "same tag" in (gates.problem([_joined(rows), _joined(rows)]) or "")
    assert "share of set bits" in (gates.problem([_joined(rows), _joined(dense)]) or "")


def test_empty_rows_are_not_repetitions() -> None:
    for profile in (interop_1(FIELDS), PROFILE):
        assert gates_of(profile).problem([np.zeros((50, profile.row_bits // 8), np.uint8)]) is None


def _peak(gates: Gates, pieces: int) -> int:
    """Give the most memory, in bytes, that looking at so many pieces of 1,000 rows took."""

    def made() -> Iterator[NDArray[np.uint8]]:
        return (_joined(_random(1000, seed=seed)) for seed in range(pieces))

    tracemalloc.start()
    try:
        assert gates.problem(made()) is None
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_by_a_word_for_each_row_and_for_each_row_and_match_key() -> None:
    gates, more = gates_of(PROFILE), 12_000

    grown = _peak(gates, 16) - _peak(gates, 4)

    # Beside them, some copies of the words of one match key.
    assert grown < 8 * (1 + len(PROFILE.match_keys) + 4) * more
    assert PROFILE.row_bits // 8 > 4 * 8 * (1 + len(PROFILE.match_keys) + 4)


# Keyed blocks

BLOCKS = Blocks(keys=("first-birth", "last-birth"), buckets=16, least_rows=3, most_rows=40)


def _blocked(profile: AnyProfile = PROFILE) -> NDArray[np.uint8]:
    """Give 80 rows that pass, five in each bucket of each key."""
    clks = np.random.default_rng(3).integers(0, 256, (80, profile.row_bits // 8), np.uint8)
    if profile.table_names == ("all",):
        clks &= np.random.default_rng(4).integers(0, 256, clks.shape, np.uint8)
    numbers = np.repeat(np.arange(80) % 16 + 1, 2)
    return np.hstack([clks, numbers.astype(">u4").view(np.uint8).reshape(80, 8)])


@pytest.mark.parametrize("profile", [PROFILE, interop_1(FIELDS)], ids=lambda one: one.name)
def test_rows_in_buckets_of_allowed_sizes_pass(profile: AnyProfile) -> None:
    assert gates_of(profile, blocks=BLOCKS).problem(np.array_split(_blocked(profile), 3)) is None


@pytest.mark.parametrize("profile", [PROFILE, interop_1(FIELDS)], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("rows", "number", "problem"),
    [
        (slice(0, 1), 17, "bucket numbers above 16,"),
        (slice(0, 65, 16), 2, None),
        (slice(0, 49, 16), 2, "block key last-birth has buckets of fewer than 3 rows,"),
        (slice(0, 80), 2, "block key last-birth has buckets of more than 40 rows,"),
        (slice(0, 80), 0, None),
    ],
)
def test_bucket_that_a_node_does_not_send_is_found(
    profile: AnyProfile, rows: slice, number: int, problem: str | None
) -> None:
    encoded = _blocked(profile)
    encoded[rows, -4:] = np.array([number], ">u4").view(np.uint8)

    found = gates_of(profile, blocks=BLOCKS).problem(np.array_split(encoded, 3))

    assert found is None if problem is None else problem in (found or "")


@pytest.mark.parametrize("profile", [PROFILE, interop_1(FIELDS)], ids=lambda one: one.name)
def test_row_without_encodings_is_in_no_bucket(profile: AnyProfile) -> None:
    encoded = _blocked(profile)
    encoded[7, :-8] = 0
    assert "rows without any encoding have bucket numbers" in (
        gates_of(profile, blocks=BLOCKS).problem([encoded]) or ""
    )
    encoded[7, -8:] = 0
    assert gates_of(profile, blocks=BLOCKS).problem([encoded]) is None
