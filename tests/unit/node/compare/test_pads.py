"""Pads: two sides that share them keep their distance and nothing else; no two pairs have the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.contract.comparison import TAG_PRIME, Form, VectorPart, comparison_1
from isthmus.contract.ids import PartyId
from isthmus.contract.secret import Secret
from isthmus.node.compare.pads import PadKeys, consecutive, line_values, lines_of, padded_vectors, stream

KEY = Secret(b"k" * 32)
PAIRS = 4
PAIR_WITH_A_TIE = 62147
"""Under `KEY` two sort numbers of this pair are equal, in a vector of 256 bits; in the first four pairs none are."""


def _part(bits: int) -> VectorPart:
    return VectorPart(name="x", field="x", form=Form.DIGITS, bits=bits, inserted=bits // 10)


def _distances(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> list[int]:
    differing: list[int] = np.bitwise_count(one ^ other).sum(axis=1, dtype=int).tolist()
    return differing


@st.composite
def _two_sides(draw: st.DrawFn) -> tuple[int, NDArray[np.uint8], NDArray[np.uint8]]:
    bits = draw(st.sampled_from([10, 20, 40, 90, 100, 128, 256]))
    size = -(-bits // 8)
    sides = []
    for _ in range(2):
        drawn = np.frombuffer(draw(st.binary(min_size=PAIRS * size, max_size=PAIRS * size)), np.uint8)
        cells = np.unpackbits(drawn.reshape(PAIRS, size), axis=1, count=bits)
        sides.append(np.packbits(cells, axis=1))
    return bits, sides[0], sides[1]


@given(_two_sides())
@settings(max_examples=60, deadline=None)
def test_padded_vectors_differ_in_exactly_as_many_bits_as_the_vectors(
    sides: tuple[int, NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    bits, left, right = sides

    padded = [padded_vectors(side, _part(bits), KEY, numbers=consecutive(0, len(side))) for side in (left, right)]

    assert _distances(*padded) == _distances(left, right)


def test_equal_sort_numbers_put_a_zero_before_a_one() -> None:
    size = 4 * 256 + 32
    line = stream(KEY, first=PAIR_WITH_A_TIE, count=1, size=size)[0]
    numbers = (line[:1024].copy().view("<u4") >> 1).tolist()
    tied = next(place for place, number in enumerate(numbers) if numbers.index(number) != place)
    earlier = numbers.index(numbers[tied])
    one_at = [np.packbits(np.arange(256) == place) for place in (earlier, tied)]

    padded = padded_vectors(
        np.array(one_at), _part(256), KEY, numbers=consecutive(PAIR_WITH_A_TIE, len(np.array(one_at)))
    )[0]
    twin = padded_vectors(
        np.array(one_at[1:]), _part(256), KEY, numbers=consecutive(PAIR_WITH_A_TIE, len(np.array(one_at[1:])))
    )[0]

    assert len(set(numbers)) == 255
    # The vectors differ in two bits, but these two go to the same places: the difference is lost.
    assert padded.tolist() == twin.tolist()
    moved = np.unpackbits(padded ^ line[1024:])
    assert np.flatnonzero(moved).tolist() == [sorted(numbers).index(numbers[tied]) + 1]


def test_same_pair_number_moves_and_pads_alike_and_another_does_not() -> None:
    vector = np.packbits(np.arange(256) % 5 == 0)
    repeated = np.array([vector] * 50)

    padded = padded_vectors(repeated, _part(256), KEY, numbers=consecutive(7, len(repeated)))

    assert padded.tolist() == padded_vectors(repeated, _part(256), KEY, numbers=consecutive(7, len(repeated))).tolist()
    assert len({row.tobytes() for row in padded}) == 50


def test_pair_reads_its_own_part_of_the_stream_wherever_a_node_begins() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.integers(0, 256, (9, 32), np.uint8)
    numbers = rng.integers(0, TAG_PRIME, 9, np.uint64)
    lines = stream(KEY, first=0, count=9, size=48)

    for first in (1, 4, 8):
        assert stream(KEY, first=first, count=9 - first, size=48).tolist() == lines[first:].tolist()
        tail = padded_vectors(vectors[first:], _part(256), KEY, numbers=consecutive(first, len(vectors[first:])))
        assert (
            tail.tolist()
            == padded_vectors(vectors, _part(256), KEY, numbers=consecutive(0, len(vectors)))[first:].tolist()
        )
        values = line_values(numbers[first:], KEY, numbers=consecutive(first, len(numbers[first:])))
        assert values.tolist() == line_values(numbers, KEY, numbers=consecutive(0, len(numbers)))[first:].tolist()


@pytest.mark.parametrize("first", [0, 5, 2**40])
def test_lines_are_those_of_the_stream_whatever_numbers_are_left_out(first: int) -> None:
    whole = stream(KEY, first=first, count=12, size=48)
    taken = np.array([0, 3, 4, 11])

    lines = lines_of(KEY, consecutive(first, 12)[taken], size=48)

    assert lines.tolist() == whole[taken].tolist()
    assert lines_of(KEY, consecutive(first, 0), size=48).shape == (0, 48)


@pytest.mark.parametrize("size", [1, 8, 15, 17, 40])
def test_stream_refuses_pairs_that_end_inside_a_block(size: int) -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        stream(KEY, first=0, count=1, size=size)
    with pytest.raises(ValueError, match="whole blocks"):
        lines_of(KEY, consecutive(0, 1), size=size)


@given(st.lists(st.tuples(st.integers(0, TAG_PRIME - 1), st.integers(0, TAG_PRIME - 1)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_line_values_are_equal_exactly_where_numbers_are(pairs: list[tuple[int, int]]) -> None:
    left, right = (np.array(side, np.uint64) for side in zip(*pairs, strict=True))

    values = [line_values(side, KEY, numbers=consecutive(11, len(side))) for side in (left, right)]

    assert (values[0] == values[1]).tolist() == (left == right).tolist()
    assert max(value.max() for value in values) < TAG_PRIME


def test_line_values_are_those_of_a_line_computed_with_whole_numbers() -> None:
    numbers = [0, 1, 12345, TAG_PRIME - 1]
    lines = stream(KEY, first=5, count=4, size=16)
    expected = []
    for number, line in zip(numbers, lines.tolist(), strict=True):
        slope = int.from_bytes(bytes(line[:8]), "little") % (TAG_PRIME - 1) + 1
        expected.append((slope * number + int.from_bytes(bytes(line[8:]), "little")) % TAG_PRIME)

    assert (
        line_values(
            np.array(numbers, np.uint64), KEY, numbers=consecutive(5, len(np.array(numbers, np.uint64)))
        ).tolist()
        == expected
    )


def test_every_part_and_every_two_providers_have_a_key_of_their_own() -> None:
    names = [part.name for part in comparison_1(("first_name", "last_name", "dob", "zip")).parts]
    parties = [(PartyId("a1"), PartyId("b1")), (PartyId("a1"), PartyId("c1")), (PartyId("b1"), PartyId("c1"))]
    both = [PadKeys(pad=KEY, left=left, right=right) for left, right in parties]

    streams = {keys.stream(name).reveal() for keys in both for name in names}

    assert len(streams) == 3 * len(names)
