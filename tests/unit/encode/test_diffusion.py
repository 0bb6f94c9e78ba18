"""`diffusion_taps` and `diffuse`: distinct unbiased positions from the stated stream, and XORs of them."""

import hashlib
import hmac

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.node.encode import diffusion
from isthmus.node.encode.diffusion import diffuse, diffusion_taps

KEY = bytes(range(32))


def _filters(rows: int, bits: int, *, density: float = 0.28, seed: int = 1) -> NDArray[np.uint8]:
    return np.packbits(np.random.default_rng(seed).random((rows, bits)) < density, axis=1)


def _plainly(filters: NDArray[np.uint8], taps: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """XOR bit by bit."""
    bits = np.unpackbits(filters, axis=1)
    mixed = [[int(row[positions].sum()) % 2 for positions in taps.astype(int)] for row in bits]
    return np.packbits(np.array(mixed, dtype=np.uint8).reshape(len(filters), len(taps)), axis=1)


def test_taps_are_distinct_positions_inside_the_filter() -> None:
    taps = diffusion_taps(KEY, input_bits=1024, output_bits=2048, taps=8)

    assert taps.dtype == np.uint16
    assert taps.shape == (2048, 8)
    assert taps.max() < 1024
    assert (np.diff(np.sort(taps, axis=1), axis=1) > 0).all()


def test_taps_are_consecutive_numbers_of_the_stream() -> None:
    stream = b"".join(
        hmac.digest(KEY, b"isthmus/diffusion/1" + bytes([0, 0, 0, block]), hashlib.sha256) for block in range(4)
    )
    numbers = [int.from_bytes(stream[at : at + 2], "little") % 1024 for at in range(0, len(stream), 2)]
    taps = diffusion_taps(KEY, input_bits=1024, output_bits=8, taps=8)

    assert len(set(numbers)) < len(numbers)
    drawn = iter(numbers)
    for row in taps.tolist():
        expected: list[int] = []
        while len(expected) < 8:
            number = next(drawn)
            if number not in expected:
                expected.append(number)
        assert row == expected


def test_taps_skip_numbers_that_would_make_a_position_likelier() -> None:
    # 65,536 = 40,000 + 25,536: taken modulo 40,000, positions under 25,536 would come up twice as often.
    taps = diffusion_taps(KEY, input_bits=40_000, output_bits=4_000, taps=1)
    low = float((taps < 25_536).mean())

    assert abs(low - 25_536 / 40_000) < 0.03


def test_taps_use_every_position_about_equally() -> None:
    uses = np.bincount(diffusion_taps(KEY, input_bits=64, output_bits=8_000, taps=8).ravel(), minlength=64)

    assert np.abs(uses / 1000 - 1).max() < 0.15


def test_as_many_taps_as_positions_are_a_permutation() -> None:
    taps = diffusion_taps(KEY, input_bits=64, output_bits=3, taps=64)

    assert (np.sort(taps, axis=1) == np.arange(64)).all()


def test_another_key_gives_other_taps() -> None:
    shape = {"input_bits": 1024, "output_bits": 64, "taps": 8}

    assert np.array_equal(diffusion_taps(KEY, **shape), diffusion_taps(KEY, **shape))
    assert not np.array_equal(diffusion_taps(KEY, **shape), diffusion_taps(KEY[::-1], **shape))


@pytest.mark.parametrize(("input_bits", "taps"), [(8, 9), (8, 0), (2**16 + 1, 8), (0, 0)])
def test_positions_that_cannot_be_drawn_are_refused(input_bits: int, taps: int) -> None:
    with pytest.raises(ValueError, match="different positions"):
        diffusion_taps(KEY, input_bits=input_bits, output_bits=8, taps=taps)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 130])
@pytest.mark.parametrize(("input_bits", "output_bits", "taps"), [(64, 64, 1), (256, 128, 5), (128, 256, 8)])
def test_diffuse_xors_the_tapped_bits(rows: int, input_bits: int, output_bits: int, taps: int) -> None:
    filters = _filters(rows, input_bits)
    chosen = diffusion_taps(KEY, input_bits=input_bits, output_bits=output_bits, taps=taps)
    diffused = diffuse(filters, chosen)

    assert diffused.shape == (rows, output_bits // 8)
    assert np.array_equal(diffused, _plainly(filters, chosen))


def test_diffuse_keeps_rows_in_order_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    taps, filters = diffusion_taps(KEY, input_bits=128, output_bits=128, taps=8), _filters(200, 128)
    whole = diffuse(filters, taps)
    monkeypatch.setattr(diffusion, "_BLOCK_ROWS", 64)

    assert np.array_equal(diffuse(filters, taps), whole)


def test_diffuse_leaves_its_input_alone() -> None:
    filters = _filters(64, 64)
    before = filters.copy()
    diffuse(filters, diffusion_taps(KEY, input_bits=64, output_bits=64, taps=8))

    assert np.array_equal(filters, before)


def test_single_taps_in_order_change_nothing() -> None:
    filters = _filters(70, 128)

    assert np.array_equal(diffuse(filters, np.arange(128, dtype=np.uint16)[:, None]), filters)


def test_even_taps_lose_the_complement_and_nothing_that_sparse_filters_need() -> None:
    filters = _filters(10, 256)
    taps = diffusion_taps(KEY, input_bits=256, output_bits=512, taps=8)
    diffused = diffuse(filters, taps)

    assert np.array_equal(diffuse(~filters, taps), diffused)
    assert len(np.unique(diffused, axis=0)) == 10


@pytest.mark.parametrize(("input_bits", "outputs"), [(40, 64), (64, 40)])
def test_lengths_that_are_not_whole_words_are_refused(input_bits: int, outputs: int) -> None:
    with pytest.raises(ValueError, match="whole 64-bit words"):
        diffuse(_filters(3, input_bits), diffusion_taps(KEY, input_bits=input_bits, output_bits=outputs, taps=2))


def test_taps_outside_the_filter_are_refused() -> None:
    with pytest.raises(ValueError, match="taps inside"):
        diffuse(_filters(3, 64), np.full((64, 1), 64, dtype=np.uint16))
