"""`draw_map` and `diffuse`: distinct unbiased positions and boxes from the stated streams; lookups and XORs of them."""

import hashlib
import hmac
from dataclasses import replace

import numpy as np
import pytest
from diffusion_parts import diffused_plainly, linear_map, without_boxes
from numpy.typing import NDArray

from isthmus.node.audit.linear import gf2_rank
from isthmus.node.encode import diffusion
from isthmus.node.encode.diffusion import diffuse, draw_map

KEY = bytes(range(32))


def _filters(rows: int, bits: int, *, density: float = 0.28, seed: int = 1) -> NDArray[np.uint8]:
    return np.packbits(np.random.default_rng(seed).random((rows, bits)) < density, axis=1)


def _taps(key: bytes = KEY, *, input_bits: int, output_bits: int, taps: int) -> NDArray[np.uint16]:
    return draw_map(key, input_bits=input_bits, output_bits=output_bits, taps=taps).taps


def test_taps_are_distinct_positions_inside_the_filter() -> None:
    taps = _taps(KEY, input_bits=1024, output_bits=2048, taps=8)

    assert taps.dtype == np.uint16
    assert taps.shape == (2048, 8)
    assert taps.max() < 1024
    assert (np.diff(np.sort(taps, axis=1), axis=1) > 0).all()


def test_taps_are_consecutive_numbers_of_the_stream() -> None:
    stream = b"".join(
        hmac.digest(KEY, b"isthmus/diffusion/2|taps" + bytes([0, 0, 0, block]), hashlib.sha256) for block in range(4)
    )
    numbers = [int.from_bytes(stream[at : at + 2], "little") % 1024 for at in range(0, len(stream), 2)]
    taps = _taps(KEY, input_bits=1024, output_bits=8, taps=8)

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
    taps = _taps(KEY, input_bits=40_000, output_bits=4_000, taps=1)
    low = float((taps < 25_536).mean())

    assert abs(low - 25_536 / 40_000) < 0.03


def test_taps_use_every_position_about_equally() -> None:
    uses = np.bincount(_taps(KEY, input_bits=64, output_bits=8_000, taps=8).ravel(), minlength=64)

    assert np.abs(uses / 1000 - 1).max() < 0.15


def test_as_many_taps_as_positions_are_a_permutation() -> None:
    taps = _taps(KEY, input_bits=64, output_bits=8, taps=64)

    assert (np.sort(taps, axis=1) == np.arange(64)).all()


def test_another_key_gives_other_taps() -> None:
    shape = {"input_bits": 1024, "output_bits": 64, "taps": 8}

    assert np.array_equal(_taps(KEY, **shape), _taps(KEY, **shape))
    assert not np.array_equal(_taps(KEY, **shape), _taps(KEY[::-1], **shape))


@pytest.mark.parametrize(("input_bits", "taps"), [(8, 9), (8, 0), (2**16 + 1, 8), (0, 0)])
def test_positions_that_cannot_be_drawn_are_refused(input_bits: int, taps: int) -> None:
    with pytest.raises(ValueError, match="different positions"):
        _taps(KEY, input_bits=input_bits, output_bits=8, taps=taps)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 130])
@pytest.mark.parametrize(("input_bits", "output_bits", "taps"), [(64, 64, 1), (256, 128, 5), (128, 256, 8)])
def test_diffuse_xors_tapped_bits_and_box_bits(rows: int, input_bits: int, output_bits: int, taps: int) -> None:
    filters = _filters(rows, input_bits)
    chosen = draw_map(KEY, input_bits=input_bits, output_bits=output_bits, taps=taps)
    diffused = diffuse(filters, chosen)

    assert diffused.shape == (rows, output_bits // 8)
    assert np.array_equal(diffused, diffused_plainly(filters, chosen))


def test_diffuse_keeps_rows_in_order_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, filters = draw_map(KEY, input_bits=128, output_bits=128, taps=8), _filters(200, 128)
    whole = diffuse(filters, chosen)
    monkeypatch.setattr(diffusion, "_BLOCK_ROWS", 64)

    assert np.array_equal(diffuse(filters, chosen), whole)


def test_diffuse_leaves_its_input_alone() -> None:
    filters = _filters(64, 64)
    before = filters.copy()
    diffuse(filters, draw_map(KEY, input_bits=64, output_bits=64, taps=8))

    assert np.array_equal(filters, before)


def test_single_taps_in_order_without_boxes_change_nothing() -> None:
    filters = _filters(70, 128)
    chosen = linear_map(KEY, input_bits=128, output_bits=128, taps=1)

    assert np.array_equal(diffuse(filters, replace(chosen, taps=np.arange(128, dtype=np.uint16)[:, None])), filters)


def test_boxes_read_every_position_once_a_round() -> None:
    positions = draw_map(KEY, input_bits=256, output_bits=512, taps=4).boxes.positions

    assert np.array_equal(np.sort(positions[:256]), np.arange(256))
    assert np.array_equal(np.sort(positions[256:]), np.arange(256))
    assert not np.array_equal(positions[:256], positions[256:])


def test_boxes_of_a_shorter_output_read_a_part_of_the_positions() -> None:
    boxes = draw_map(KEY, input_bits=256, output_bits=64, taps=4).boxes

    assert len(np.unique(boxes.positions)) == 64
    assert boxes.tables.shape == (8, 256)
    assert np.array_equal(np.sort(boxes.order), np.arange(64))


def test_tables_are_the_bytes_of_their_stream() -> None:
    tables = draw_map(KEY, input_bits=64, output_bits=64, taps=4).boxes.tables
    first = hmac.digest(KEY, b"isthmus/diffusion/2|tables" + bytes(4), hashlib.sha256)

    assert tables.tobytes()[:32] == first


def test_outputs_are_not_linear_in_the_filters() -> None:
    """2,000 rows of a linear map of 1,024 positions would span 1,024 dimensions, which is how it is undone."""
    chosen = draw_map(KEY, input_bits=256, output_bits=512, taps=4)
    filters = _filters(500, 256)

    assert gf2_rank(diffuse(filters, without_boxes(chosen))) <= 256
    assert gf2_rank(diffuse(filters, chosen)) == 500


def test_thin_filters_set_half_of_the_bits_too() -> None:
    chosen = draw_map(KEY, input_bits=1024, output_bits=2048, taps=4)
    share = np.unpackbits(diffuse(_filters(50, 1024, density=0.03), chosen), axis=1).mean(axis=1)

    assert np.abs(share - 0.5).max() < 0.08


@pytest.mark.parametrize(("input_bits", "outputs"), [(40, 64), (64, 40)])
def test_lengths_that_are_not_whole_words_are_refused(input_bits: int, outputs: int) -> None:
    with pytest.raises(ValueError, match="whole 64-bit words"):
        diffuse(_filters(3, input_bits), draw_map(KEY, input_bits=input_bits, output_bits=outputs, taps=2))


def test_taps_outside_the_filter_are_refused() -> None:
    with pytest.raises(ValueError, match="taps inside"):
        diffuse(_filters(3, 64), draw_map(KEY, input_bits=128, output_bits=64, taps=8))
