"""Diffusion, tables and tags, for any input: linear, as the slow way, deterministic, keyed, balanced, all different."""

from collections import Counter
from itertools import combinations_with_replacement, pairwise
from random import Random

import numpy as np
from diffusion_parts import diffused_plainly, without_boxes
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.contract.encodings import tag_words
from isthmus.contract.hardened import hardened_1, hardened_single_1
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.encode.diffusion import diffuse, draw_map
from isthmus.node.encode.hardened import RoundKeys, encode_hardened, table_key
from isthmus.node.encode.interop import encode_interop
from isthmus.node.encode.match_keys import MatchKeyEncoder
from isthmus.node.encode.repeated_tags import hide_repeated, repeated_words

Packed = NDArray[np.uint8]

calm = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**32)
WORDS = st.sampled_from(["", "", "ana", "anna", "o", "de la cruz", "19910228", "2025550101", "Ωμέγα"])
DATES = st.sampled_from(["", "19910228", "19910228", "19910328", "19920228", "1991", "1991022x", "١٩٩١٠٢٢٨"])
FIELDS = ("first_name", "middle_name", "last_name", "dob", "phone")
PEOPLE = st.lists(st.tuples(WORDS, WORDS, WORDS, DATES, WORDS), min_size=1, max_size=12)
TAGS = st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=30)
"""The numbers of rows' tags under three match keys; 0 stands for none."""

PROFILE = hardened_1(FIELDS)
SINGLE = hardened_single_1(FIELDS)
MAP = draw_map(b"k", input_bits=1024, output_bits=2048, taps=4)


def _keys(number: int) -> RoundKeys:
    encode, diffusion, match = (Secret(bytes([number + place]) * 32) for place in range(3))
    return RoundKeys(encode=encode, diffusion=diffusion, match=match)


def _random_filters(seed: int, rows: int, *, bits: int = 1024, set_bits: int = 280) -> Packed:
    """Give filters with this many bits set at random."""
    order = np.random.default_rng(seed).random((rows, bits)).argsort(axis=1)
    return np.packbits(order < set_bits, axis=1)


def _dice(left: Packed, right: Packed) -> NDArray[np.float64]:
    shared = np.bitwise_count(left & right).sum(axis=1, dtype=np.int64)
    both = np.bitwise_count(left).sum(axis=1, dtype=np.int64) + np.bitwise_count(right).sum(axis=1, dtype=np.int64)
    result: NDArray[np.float64] = 2 * shared / both
    return result


def _enters(person: dict[str, str], pairs: tuple[tuple[str, str], ...]) -> bool:
    anchors = {"first": ("first_name",), "last": ("last_name",), "birth": ("dob",), "phone": ("phone",)}
    held = {group for group, fields in anchors.items() if any(person[field] for field in fields)}
    return any({*pair} <= held for pair in pairs)


@calm
@given(seed=seeds, rows=st.integers(1, 140))
def test_taps_alone_are_linear_over_xor_and_boxes_are_not(seed: int, rows: int) -> None:
    left, right, taps = _random_filters(seed, rows), _random_filters(seed + 1, rows), without_boxes(MAP)

    assert np.array_equal(diffuse(left ^ right, taps), diffuse(left, taps) ^ diffuse(right, taps))
    assert not np.array_equal(diffuse(left ^ right, MAP), diffuse(left, MAP) ^ diffuse(right, MAP))


@calm
@given(
    key=st.binary(max_size=40),
    seed=seeds,
    rows=st.integers(0, 70),
    shape=st.tuples(st.sampled_from([64, 128, 192]), st.sampled_from([64, 256]), st.integers(1, 20)),
)
def test_fast_diffusion_is_the_slow_one(key: bytes, seed: int, rows: int, shape: tuple[int, int, int]) -> None:
    input_bits, output_bits, taps = shape
    chosen = draw_map(key, input_bits=input_bits, output_bits=output_bits, taps=taps)
    filters = _random_filters(seed, rows, bits=input_bits, set_bits=input_bits // 3)

    assert np.array_equal(diffuse(filters, chosen), diffused_plainly(filters, chosen))


@settings(max_examples=12, deadline=None)
@given(people=st.lists(st.tuples(*[WORDS] * len(FIELDS)), min_size=1, max_size=6))
def test_encoding_is_that_of_plain_filters_diffused_for_rows_that_hold_a_pair(people: list[tuple[str, ...]]) -> None:
    columns, keys = [list(column) for column in zip(*people, strict=True)], _keys(5)
    found = {each.table: each for each in encode_hardened(columns, profile=SINGLE, keys=keys)}
    for table in SINGLE.tables:
        secret, diffusion = (
            table_key(key, profile=SINGLE.name, table=table.name).reveal() for key in (keys.encode, keys.diffusion)
        )
        filters = encode_interop(columns, schema=parse_linkage_schema(table.linkage_schema), secret=secret)
        chosen = draw_map(diffusion, input_bits=1024, output_bits=2048, taps=4)
        rows = [i for i, row in enumerate(people) if _enters(dict(zip(FIELDS, row, strict=True)), table.pairs)]

        assert found[table.name].rows.tolist() == rows
        assert np.array_equal(found[table.name].clks, diffuse(filters, chosen)[rows])


@settings(max_examples=8, deadline=None)
@given(people=st.lists(st.tuples(*[WORDS] * len(FIELDS)), min_size=2, max_size=6))
def test_encoding_is_deterministic_and_knows_no_other_rows(people: list[tuple[str, ...]]) -> None:
    columns, keys = [list(column) for column in zip(*people, strict=True)], _keys(5)
    (together,) = encode_hardened(columns, profile=SINGLE, keys=keys)
    (alone,) = encode_hardened([column[:1] for column in columns], profile=SINGLE, keys=keys)

    assert np.array_equal(together.clks[together.rows == 0], alone.clks)


def test_every_table_and_every_key_gives_other_bits() -> None:
    columns = [["ana"], [""], ["cruz"], ["19910228"], ["2025550101"]]
    clks = [
        found.clks
        for number in (1, 9)
        for profile in (PROFILE, SINGLE)
        for found in encode_hardened(columns, profile=profile, keys=_keys(number))
    ]
    likeness = [float(_dice(left, right)[0]) for at, left in enumerate(clks) for right in clks[:at]]

    assert len(clks) == 2 * (len(PROFILE.tables) + 1)
    assert all(abs(each - 0.5) < 0.07 for each in likeness)


@calm
@given(seed=seeds)
def test_unrelated_filters_come_out_half_full_and_half_alike(seed: int) -> None:
    clks = diffuse(_random_filters(seed, 400), MAP)
    density = np.bitwise_count(clks).sum(axis=1) / 2048

    assert abs(density.mean() - 0.4995) < 0.005
    assert density.min() > 0.44
    assert density.max() < 0.56
    likeness = _dice(clks[:200], clks[200:])
    assert abs(likeness.mean() - 0.499) < 0.006
    assert likeness.max() < 0.57


@calm
@given(seed=seeds)
def test_likeness_falls_with_the_number_of_input_bits_that_differ(seed: int) -> None:
    filters = _random_filters(seed, 40)
    clks = [diffuse(filters ^ _random_filters(seed + 1, 1, set_bits=flipped), MAP) for flipped in (0, 10, 40, 160)]
    means = [float(_dice(clks[0], changed).mean()) for changed in clks]

    assert means[0] == 1.0
    assert all(left > right + 0.02 for left, right in pairwise(means))


def test_every_standard_field_changes_the_whole_table() -> None:
    profile = hardened_single_1(tuple(STANDARD_FIELDS))
    plain = [["19910228"] for _ in profile.fields]
    (base,) = encode_hardened(plain, profile=profile, keys=_keys(3))
    for place in range(len(profile.fields)):
        changed = [[""] if at == place else column for at, column in enumerate(plain)]
        (other,) = encode_hardened(changed, profile=profile, keys=_keys(3))
        assert 0.5 < float(_dice(base.clks, other.clks)[0]) < 1


def _tags(people: list[tuple[str, ...]], *, key: int = 5) -> Packed:
    columns = [list(column) for column in zip(*people, strict=True)]
    return MatchKeyEncoder(PROFILE, _keys(key)).encode(columns)


def _hidden(numbers: list[tuple[int, ...]], *, seed: int, slab: int) -> tuple[Packed, list[int]]:
    """Give tags, shape (rows, 3, 16), without the repeated ones, found and hidden slab by slab; and how many."""
    tags = np.repeat(np.array(numbers, np.uint8)[:, :, None], 16, axis=2)
    slabs = [tags[start : start + slab] for start in range(0, len(tags), slab)]
    repeated = [repeated_words(words) for words in zip(*map(tag_words, slabs), strict=True)]
    draw = Random(seed).randbytes
    counts = [hide_repeated(each, repeated, random_bytes=draw) for each in slabs]
    return tags, [sum(count) for count in zip(*counts, strict=True)]


@calm
@given(people=PEOPLE)
def test_tags_are_equal_exactly_where_all_parts_are_there_and_equal(people: list[tuple[str, ...]]) -> None:
    tags = _tags(people)
    for place, match_key in enumerate(PROFILE.match_keys):
        parts = [[part.of(row[FIELDS.index(part.field)]) for part in match_key.parts] for row in people]
        assert [tag.any() for tag in tags[:, place]] == [all(each) for each in parts]
        for left, right in combinations_with_replacement(range(len(people)), 2):
            alike = np.array_equal(tags[left, place], tags[right, place]) and bool(tags[left, place].any())
            assert alike == (parts[left] == parts[right] and all(parts[left]))


@calm
@given(people=PEOPLE, slab=st.integers(1, 12))
def test_tags_do_not_depend_on_the_pieces(people: list[tuple[str, ...]], slab: int) -> None:
    pieces = [_tags(people[start : start + slab]) for start in range(0, len(people), slab)]

    assert np.array_equal(np.concatenate(pieces), _tags(people))


@calm
@given(people=PEOPLE, keys=st.lists(st.integers(0, 250), min_size=2, max_size=2, unique=True))
def test_another_key_gives_another_tag_and_none_to_the_same_rows(
    people: list[tuple[str, ...]], keys: list[int]
) -> None:
    one, other = (_tags(people, key=key) for key in keys)

    assert np.array_equal(one.any(axis=2), other.any(axis=2))
    assert (one != other).any(axis=2)[one.any(axis=2)].all()


@calm
@given(people=PEOPLE)
def test_no_tag_of_a_match_key_is_one_of_another(people: list[tuple[str, ...]]) -> None:
    tags = _tags(people)
    by_key = [{tag.tobytes() for tag in tags[:, place] if tag.any()} for place in range(tags.shape[1])]

    assert len(set().union(*by_key)) == sum(map(len, by_key))


@calm
@given(numbers=TAGS, seed=seeds, slab=st.integers(1, 30))
def test_what_leaves_of_a_file_are_tags_that_are_all_different_and_none_where_there_was_none(
    numbers: list[tuple[int, ...]], seed: int, slab: int
) -> None:
    tags, hidden = _hidden(numbers, seed=seed, slab=slab)
    for key, before in enumerate(zip(*numbers, strict=True)):
        rows, left = Counter(before), [tag.tobytes() for tag in tags[:, key]]
        leaving = [tag for tag in left if any(tag)]
        assert len(set(leaving)) == len(leaving)
        assert hidden[key] == sum(count for number, count in rows.items() if number and count > 1)
        for number, tag in zip(before, left, strict=True):
            assert (tag == bytes([number]) * 16) == (number == 0 or rows[number] == 1)


@calm
@given(numbers=TAGS, seed=seeds, slab=st.integers(1, 30))
def test_which_tags_stay_does_not_depend_on_the_pieces_or_on_chance(
    numbers: list[tuple[int, ...]], seed: int, slab: int
) -> None:
    whole, hidden = _hidden(numbers, seed=seed, slab=len(numbers))
    pieces, again = _hidden(numbers, seed=seed + 1, slab=1 + slab % len(numbers))

    assert hidden == again
    assert int((whole != pieces).any(axis=2).sum()) == sum(hidden)
