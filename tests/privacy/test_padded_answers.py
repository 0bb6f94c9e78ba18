"""What the coordinator holds of a pair follows from distances, equalities, bands and presence alone.

A simulator is given no more than these and draws everything else at random. What it makes cannot be told from real
answers by shares of bits, by where differing bits are, or by what repeats. Tests of that kind can find a fault, not
prove that there is none; the argument is in docs/protocol.md section 13.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.node.compare.answer_parts import answer, columns_of

from isthmus.contract.comparison import TAG_PRIME, BandPart, Part, TagPart, VectorPart, comparison_1
from isthmus.contract.differences import Differences
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.node.compare.answers import Side

Bytes = NDArray[np.uint8]

FIELDS = ("first_name", "last_name", "dob", "zip")
COMPARISON = comparison_1(FIELDS)
PARTS = {part.name: (part, start) for part, start in COMPARISON.offsets()}
LEFT = ("maria", "oneill", "19910228", "97201")
RIGHT = ("maria", "oneil", "19910822", "97210")
PAIRS = 4_000
FAR = 5.0
"""So many standard deviations from what is expected count as a difference; one in 1.7 million by chance."""


def _answers(seed: int) -> tuple[Bytes, Bytes]:
    """Give both sides' answers of the same two rows for many pair numbers."""
    rng = np.random.default_rng(seed)
    left, right = (
        answer(columns_of(FIELDS, [values]), COMPARISON, [0] * PAIRS, side=side, first=100, random_bytes=rng.bytes)
        for values, side in ((LEFT, Side.LEFT), (RIGHT, Side.RIGHT))
    )
    return left, right


LEFT_ANSWERS, RIGHT_ANSWERS = _answers(1)
# Of the same rows, the left side's under other pads: what a coordinator has of places that compare nothing.
APART = answer(columns_of(FIELDS, [LEFT]), COMPARISON, [0] * PAIRS, side=Side.LEFT, first=100 + PAIRS)
TOLD = read_differences(LEFT_ANSWERS, RIGHT_ANSWERS, COMPARISON)


def _tag_bytes(values: NDArray[np.uint64]) -> Bytes:
    return values.astype("<u4").view(np.uint8).reshape(-1, 4)


def _simulated_part(part: Part, told: NDArray[np.int16], rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Draw both sides' bytes of a part for pairs of which only `told` is known."""
    if isinstance(part, TagPart):
        one, step = (rng.integers(low, TAG_PRIME, PAIRS, np.uint64) for low in (0, 1))
        other = np.where(told == 1, one, (one + step) % np.uint64(TAG_PRIME))
        return _tag_bytes(one), _tag_bytes(other)
    left = rng.integers(0, 256, (PAIRS, part.answer_bytes), np.uint8)
    if isinstance(part, BandPart):
        return left, left - told.astype(np.uint8)[:, None]
    # As many differing bits as are told, anywhere in the vector.
    differing = rng.random((PAIRS, part.bits)).argsort(axis=1) < told[:, None]
    return left, left ^ np.packbits(differing, axis=1)


def _simulated(told: Differences) -> tuple[Bytes, Bytes]:
    rng = np.random.default_rng(2)
    sides = (np.zeros_like(LEFT_ANSWERS), np.zeros_like(LEFT_ANSWERS))
    for place, (part, start) in enumerate(PARTS.values()):
        made = _simulated_part(part, told.of(part.name), rng)
        for side, content, real in zip(sides, made, (LEFT_ANSWERS, RIGHT_ANSWERS), strict=True):
            # Presence is known. It is the same in every pair, which are all of one row of each side.
            side[:, :4] = real[:, :4]
            there = real[0, place // 8] >> (place % 8) & 1
            noise = rng.integers(0, 256, content.shape, np.uint8)
            side[:, start : start + part.answer_bytes] = content if there else noise
    return sides


SIMULATED = _simulated(TOLD)


def _bits(answers: Bytes) -> NDArray[np.uint8]:
    return np.unpackbits(answers[:, 4:], axis=1)


@pytest.mark.parametrize("side", [0, 1])
def test_every_bit_of_a_side_is_one_as_often_as_in_simulated_answers(side: int) -> None:
    real, made = (_bits(answers[side]).mean(axis=0) for answers in ((LEFT_ANSWERS, RIGHT_ANSWERS), SIMULATED))

    # The highest bit of a tag is always 0 where the value is there, in both.
    assert (np.abs(real - made) <= FAR * np.sqrt(2 * 0.25 / PAIRS)).all()
    assert ((real == 0) == (made == 0)).all()
    assert (np.abs(real[real > 0] - 0.5) <= FAR * np.sqrt(0.25 / PAIRS)).all()


def test_every_bit_differs_between_the_sides_as_often_as_in_simulated_answers() -> None:
    real, made = (_bits(left ^ right).mean(axis=0) for left, right in ((LEFT_ANSWERS, RIGHT_ANSWERS), SIMULATED))

    assert (np.abs(real - made) <= FAR * np.sqrt(2 * 0.25 / PAIRS)).all()


def _differing(name: str, sides: tuple[Bytes, Bytes]) -> NDArray[np.uint8]:
    part, start = PARTS[name]
    assert isinstance(part, VectorPart)
    inside = slice(start, start + part.answer_bytes)
    return np.unpackbits(sides[0][:, inside] ^ sides[1][:, inside], axis=1, count=part.bits)


def _far_from_even(counts: NDArray[np.intp], *, spread: float = 1.0) -> float:
    """Give how many standard deviations a chi-square of even counts is from what chance gives."""
    expected = counts.sum() / counts.size
    freedom = counts.size - 1
    found = float((np.square(counts - expected) / expected).sum()) / spread
    return (found - freedom) / float(np.sqrt(2 * freedom))


@pytest.mark.parametrize("name", ["last_name", "zip", "dob.month", "dob.day"])
def test_differing_bits_are_anywhere_with_the_same_chance(name: str) -> None:
    differing = _differing(name, (LEFT_ANSWERS, RIGHT_ANSWERS))

    counts = differing.sum(axis=0, dtype=np.intp)

    # Places of one pair are drawn without putting back, so that counts vary less by the share of places that are left.
    spread = (1 - differing.mean()) * differing.shape[1] / (differing.shape[1] - 1)
    assert counts.sum() > 0
    assert abs(_far_from_even(counts, spread=float(spread))) < FAR


@pytest.mark.parametrize("name", ["dob.month", "dob.day", "zip"])
def test_two_places_differ_together_with_the_same_chance_whichever_they_are(name: str) -> None:
    differing = _differing(name, (LEFT_ANSWERS, RIGHT_ANSWERS)).astype(np.intp)

    together = (differing.T @ differing)[np.triu_indices(differing.shape[1], 1)]

    assert abs(_far_from_even(together)) < FAR


@pytest.mark.parametrize("name", ["last_name", "zip", "dob.month", "dob.day"])
def test_bit_that_differs_is_a_one_on_either_side_with_the_same_chance(name: str) -> None:
    part, start = PARTS[name]
    inside = slice(start, start + part.answer_bytes)
    differing = _differing(name, (LEFT_ANSWERS, RIGHT_ANSWERS))
    ours = np.unpackbits(LEFT_ANSWERS[:, inside], axis=1, count=differing.shape[1])

    ones = int((differing & ours).sum())

    assert abs(ones - differing.sum() / 2) < FAR * np.sqrt(differing.sum() / 4)


def test_same_values_under_other_pair_numbers_repeat_nothing() -> None:
    for answers in (LEFT_ANSWERS, RIGHT_ANSWERS):
        assert {row[:4].tobytes() for row in answers} == {answers[0, :4].tobytes()}
        for part, start in PARTS.values():
            if part.answer_bytes > 4:
                contents = {row[start : start + part.answer_bytes].tobytes() for row in answers}
                assert len(contents) == PAIRS


def test_same_values_under_other_pair_numbers_tell_the_same_differences() -> None:
    for part, _ in PARTS.values():
        told = TOLD.of(part.name)
        equal = not isinstance(part, BandPart) or LEFT[FIELDS.index(part.value)] == RIGHT[FIELDS.index(part.value)]
        assert (len(set(told.tolist())) == 1) == equal


def test_band_of_unequal_names_is_even() -> None:
    told = TOLD.of("last_name.band").astype(np.intp) % 256

    assert abs(_far_from_even(np.bincount(told, minlength=256))) < FAR


def test_unequal_tags_differ_by_anything_with_the_same_chance() -> None:
    _, start = PARTS["first_name=last_name"]
    left, right = (
        np.ascontiguousarray(answers[:, start : start + 4]).view("<u4")[:, 0].astype(np.int64)
        for answers in (LEFT_ANSWERS, RIGHT_ANSWERS)
    )

    counts = np.bincount((left - right) % TAG_PRIME * 64 // TAG_PRIME, minlength=64)

    assert (left != right).all()
    assert abs(_far_from_even(counts)) < FAR


def test_missing_value_answers_like_any_other_that_is_unequal() -> None:
    rng = np.random.default_rng(4)
    missing = answer(
        columns_of(FIELDS, [("",) * len(FIELDS)]),
        COMPARISON,
        [0] * PAIRS,
        side=Side.LEFT,
        first=100,
        random_bytes=rng.bytes,
    )

    assert not missing[:, :4].any()
    assert (np.abs(_bits(missing).mean(axis=0) - 0.5) <= FAR * np.sqrt(0.25 / PAIRS)).all()
    assert (np.abs(_bits(missing ^ RIGHT_ANSWERS).mean(axis=0) - 0.5) <= FAR * np.sqrt(0.25 / PAIRS)).all()


@pytest.mark.parametrize("name", [name for name, (part, _) in PARTS.items() if isinstance(part, VectorPart)])
def test_two_answers_under_different_pads_differ_as_random_bytes_do(name: str) -> None:
    part, start = PARTS[name]
    inside = slice(start, start + part.answer_bytes)

    differing = np.bitwise_count(APART[:, inside] ^ RIGHT_ANSWERS[:, inside]).sum(axis=1, dtype=np.int64)

    bits = 8 * part.answer_bytes
    assert abs(differing.mean() - bits / 2) < FAR * np.sqrt(bits / 4 / PAIRS)
    assert abs(differing.var() / (bits / 4) - 1) < FAR * np.sqrt(2 / PAIRS)


def test_equal_values_under_different_pads_have_different_tags_and_any_band() -> None:
    told = read_differences(APART, RIGHT_ANSWERS, COMPARISON)

    assert not told.of("first_name.initial").any()
    assert len(np.unique(told.of("first_name.band"))) == 256
