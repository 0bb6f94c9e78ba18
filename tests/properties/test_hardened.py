"""Diffusion and the hardened profiles, for any input: linear, as the slow way, deterministic, keyed, balanced."""

from itertools import pairwise

import numpy as np
from diffusion_parts import diffused_plainly, without_boxes
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.contract.hardened import hardened_1, hardened_single_1
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.encode.diffusion import diffuse, draw_map
from isthmus.node.encode.hardened import RoundKeys, encode_hardened, table_key
from isthmus.node.encode.interop import encode_interop

Packed = NDArray[np.uint8]

calm = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**32)
WORDS = st.sampled_from(["", "", "ana", "anna", "o", "de la cruz", "19910228", "2025550101", "Ωμέγα"])
FIELDS = ("first_name", "middle_name", "last_name", "dob", "phone")
PROFILE = hardened_1(FIELDS)
SINGLE = hardened_single_1(FIELDS)
MAP = draw_map(b"k", input_bits=1024, output_bits=2048, taps=4)


def _keys(number: int) -> RoundKeys:
    return RoundKeys(encode=Secret(bytes([number]) * 32), diffusion=Secret(bytes([number + 1]) * 32))


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
