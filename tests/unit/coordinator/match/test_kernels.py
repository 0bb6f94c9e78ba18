"""The parts of the comparison kernels: blocks, limits, stages, chunks, the test on head words, processors."""

import hashlib
import threading
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from llvmlite import binding, ir
from numba.core import types
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels import comparison as comparison_module
from isthmus.coordinator.match.kernels import lanes
from isthmus.coordinator.match.kernels.best import best_pairs
from isthmus.coordinator.match.kernels.blocks import Blocks, block_rows, count_heads
from isthmus.coordinator.match.kernels.comparison import CHUNK_PAIRS, LEFT_BLOCKS, Comparison, Part, join, parts, plan
from isthmus.coordinator.match.kernels.exchangeable import cut, head_limits, largest_distance
from isthmus.coordinator.match.kernels.limits import NEVER, exact_limits, windows
from isthmus.coordinator.match.kernels.processors import (
    KERNELS,
    choose_kernel,
    host_features,
    host_kernel,
    kernel_facts,
)
from isthmus.coordinator.match.kernels.sift import ENTRIES, LANES_DIGEST

Packed = NDArray[np.uint8]


def _clks(rows: int, *, clk_bytes: int = 128, density: float = 0.4, seed: int = 1) -> Packed:
    bits = np.random.default_rng(seed).random((rows, 8 * clk_bytes)) < density
    return np.packbits(bits, axis=1)


def _plan(left: Packed, right: Packed, threshold: float = 0.8, **more: object) -> Comparison:
    return plan(block_rows(left), block_rows(right), threshold=threshold, kernel=host_kernel(), **more)  # type: ignore[arg-type] # what a test wants to set


def _found(comparison: Comparison) -> set[tuple[int, int]]:
    return {
        pair
        for part in parts(comparison)
        for chunk in join(comparison, part)
        for pair in zip(chunk.left_row.tolist(), chunk.right_row.tolist(), strict=True)
    }


def test_blocks_hold_every_row_with_bits_by_rising_number_of_them() -> None:
    clks = _clks(21, clk_bytes=12)
    clks[[3, 8]] = 0

    blocks = block_rows(clks)

    assert blocks.words.shape == (3, 2, 8)
    assert blocks.words.ctypes.data % lanes.ALIGNMENT == 0
    rows = blocks.words.transpose(0, 2, 1).reshape(24, 2)[:19].copy().view(np.uint8)[:, :12]
    assert np.array_equal(rows, clks[blocks.rows[:19]])
    assert sorted(blocks.rows[:19].tolist()) == sorted(set(range(21)) - {3, 8})
    assert np.array_equal(blocks.counts[:19], np.sort(np.bitwise_count(clks).sum(axis=1))[2:])
    assert not blocks.counts[19:].any()


def test_no_rows_make_no_blocks() -> None:
    assert (block_rows(_clks(0)).blocks, block_rows(np.zeros((5, 128), np.uint8)).blocks) == (0, 0)


def test_limits_after_all_words_are_what_the_exact_score_needs() -> None:
    blocks = block_rows(_clks(9))

    near, far = exact_limits(blocks, words=16, threshold=0.7)

    assert np.array_equal(near, far)
    assert np.array_equal(near[:9], np.floor(0.35 * blocks.counts[:9]))
    assert (near[9:] == NEVER).all()


def test_windows_leave_out_only_blocks_that_cannot_qualify() -> None:
    rng = np.random.default_rng(2)
    left, right = (block_rows(np.packbits(rng.random((200, 512)) < rng.random((200, 1)), axis=1)) for _ in range(2))

    first, last = windows(left, right, threshold=0.9)

    fewer = np.minimum(left.counts[:, None], right.counts)
    possible = (2 * fewer >= 0.9 * (left.counts[:, None] + right.counts)) & (fewer > 0)
    by_block = possible.reshape(left.counts.size // 4, 4, right.blocks, 8).any(axis=(1, 3))
    inside = (np.arange(right.blocks) >= first[:, None]) & (np.arange(right.blocks) < last[:, None])
    assert not (by_block & ~inside).any()
    assert inside.sum() < inside.size / 2


@pytest.mark.parametrize(
    ("more", "problem"),
    [({"threshold": 0.0}, "threshold"), ({"threshold": 1.01}, "threshold"), ({"miss": 1e-12}, "miss")],
)
def test_numbers_out_of_range_are_refused(more: dict[str, float], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        _plan(_clks(1), _clks(1), **more)


def test_sides_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        _plan(_clks(1, clk_bytes=64), _clks(1, clk_bytes=128))


def test_parts_hold_every_pair_of_blocks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison_module, "LEFT_BLOCKS", 2)
    monkeypatch.setattr(comparison_module, "RIGHT_BLOCKS", 3)
    seen = np.zeros((5, 7), int)

    for part in parts(_plan(_clks(40), _clks(50))):
        seen[part.first_left : part.last_left, part.first_right : part.last_right] += 1

    assert (seen == 1).all()


def test_more_pairs_than_a_chunk_come_in_chunks_and_each_once() -> None:
    clks = np.repeat(_clks(1), 400, axis=0)
    compared = _plan(clks, clks)

    chunks = [chunk for part in parts(compared) for chunk in join(compared, part)]

    assert len(chunks) > 2
    assert max(map(len, chunks)) <= CHUNK_PAIRS
    assert CHUNK_PAIRS >= 8 * ENTRIES
    assert sum(map(len, chunks)) == 400 * 400 == len(_found(compared))


def test_best_pairs_need_a_positive_number() -> None:
    comparison = _plan(_clks(1), _clks(1))
    with pytest.raises(ValueError, match="positive"):
        best_pairs(comparison, parts(comparison)[0], k=0, left_starts=[0, 1], right_starts=[0, 1])


def _on_the_floor(rows: int, *, floor: float, seed: int) -> tuple[Packed, Packed]:
    """Rows of 2,048 bits, half of them set, and for each a partner that just reaches the floor, its bits anywhere."""
    rng = np.random.default_rng(seed)
    left = rng.permuted(np.tile(np.arange(2048) < 1024, (rows, 1)), axis=1)
    moved = largest_distance(2048, threshold=floor) // 2
    right = left.copy()
    for row in right:
        gone, new = (
            rng.choice(np.flatnonzero(row), moved, replace=False),
            rng.choice(np.flatnonzero(~row), moved, False),
        )
        row[gone], row[new] = False, True
    return np.packbits(left, axis=1), np.packbits(right, axis=1)


def test_the_test_on_head_words_misses_as_rarely_as_it_says() -> None:
    left, right = _on_the_floor(2000, floor=0.57, seed=3)
    twins = {(row, row) for row in range(2000)}

    often, rarely = (_plan(left, right, 0.57, miss=miss, heads=(16, 32)) for miss in (0.1, 1e-6))

    missed = len(twins - _found(often)) / 2000
    # A deviation by chance is 0.0067. A pair is counted by blocks of eight, so some that fail alone stay.
    assert 0.03 < missed < 0.1 + 3 * 0.0067
    assert twins <= _found(rarely)


def test_limits_of_a_head_are_never_above_the_cut_of_a_pair_and_hardly_below() -> None:
    rng = np.random.default_rng(5)
    bits = rng.random((2, 24, 2048)) < np.linspace(0.46, 0.54, 24)[:, None]
    left, right = (block_rows(np.packbits(side, axis=1)) for side in bits)

    limits = head_limits(left, right, words=16, threshold=0.57, miss=1e-6)

    heads = [count_heads(side, words=16) for side in (left, right)]
    for i, j in product(range(24), repeat=2):
        farthest = largest_distance(int(left.counts[i] + right.counts[j]), threshold=0.57)
        most = cut(bits=2048, head_bits=1024, differing=farthest, miss=1e-6)
        needed = (heads[0][i] + heads[1][j] - most) / 2
        assert needed - 3 < limits[0][0, i] + limits[1][0, j] <= needed


def test_the_test_on_head_words_drops_most_entries_and_adds_no_pair() -> None:
    left, right = _on_the_floor(300, floor=0.57, seed=4)
    exact, tested = (_plan(left, right, 0.57, miss=miss, heads=(24, 32)) for miss in (0.0, 1e-6))

    assert _found(tested) <= _found(exact)
    # Exact limits after 24 words keep all; the cut is above what unrelated rows have in common, 384 of 768.
    limits = [side[0, 0][:8].mean() * 2 for side in (exact.left_limits, tested.left_limits)]
    assert limits[0] > limits[1] > 384


@pytest.mark.parametrize(
    ("features", "triple", "name"),
    [
        ({"avx2", "avx512f", "avx512vpopcntdq"}, "x86_64-unknown-linux-gnu", "avx512"),
        ({"avx2", "avx512f"}, "x86_64-unknown-linux-gnu", "avx2"),
        ({"ssse3"}, "x86_64-unknown-linux-gnu", "plain"),
        (set(), "arm64-apple-darwin24", "neon"),
        ({"neon"}, "aarch64-unknown-linux-gnu", "neon"),
    ],
)
def test_a_processor_gets_the_kernel_that_suits_it(features: set[str], triple: str, name: str) -> None:
    assert choose_kernel(features, triple=triple) is KERNELS[name]


@pytest.mark.parametrize(
    ("features", "triple", "facts"),
    [
        ({"avx2", "avx512f", "avx512vpopcntdq"}, "x86_64-linux", ("avx512", "uint64", "avx512vpopcntdq, avx2")),
        ({"avx2", "avx512f"}, "x86_64-linux", ("avx2", "uint8", "avx2")),
        ({"sse2"}, "x86_64-linux", ("plain", "uint8", "plain")),
        (set(), "aarch64-linux", ("neon", "uint8", "neon")),
    ],
)
def test_facts_name_the_kernel_and_the_features_that_decided(
    features: set[str], triple: str, facts: tuple[str, str, str]
) -> None:
    assert tuple(kernel_facts(features, triple=triple).values()) == facts


def test_this_processor_has_features_and_a_kernel() -> None:
    assert host_kernel() is choose_kernel(host_features(), triple=binding.get_process_triple())


def _assembly(unit: types.Integer, triple: str, features: str) -> str:
    """The operation `count` as another processor's machine code."""
    vector = ir.VectorType(ir.IntType(64), 8)
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(vector, [vector] * 3), "count")
    builder = ir.IRBuilder(function.append_basic_block())
    signature, emit = lanes.count._defn(None, unit, *[lanes._LANES] * 3)  # type: ignore[attr-defined] # numba's own
    builder.ret(emit(None, builder, signature, (None, *function.args)))
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    machine = binding.Target.from_triple(triple).create_target_machine(features=features, opt=3)
    return str(machine.emit_assembly(binding.parse_assembly(str(module))))


def test_neon_counts_sixteen_bytes_at_a_time() -> None:
    assembly = _assembly(types.uint8, "aarch64-unknown-linux-gnu", "+neon")

    assert assembly.count("cnt\tv") == 4
    assert "addlp" not in assembly


def test_avx512_counts_eight_words_at_a_time() -> None:
    assembly = _assembly(types.uint64, "x86_64-unknown-linux-gnu", "+avx512f,+avx512vpopcntdq")

    assert assembly.count("vpopcntq") == 1
    assert "zmm" in assembly


def test_avx2_looks_counts_up() -> None:
    assembly = _assembly(types.uint8, "x86_64-unknown-linux-gnu", "+avx2")

    assert assembly.count("vpshufb") == 4
    assert "zmm" not in assembly


def test_compiled_code_is_made_anew_when_the_operations_change() -> None:
    # numba keeps the code of sift.py by that file alone: whoever changes lanes.py writes its new digest there.
    assert hashlib.sha256(Path(lanes.__file__).read_bytes()).hexdigest() == LANES_DIGEST


def test_counting_heads_counts_the_first_words() -> None:
    blocks: Blocks = block_rows(np.packbits(np.arange(1024)[None, :] % 128 < 64, axis=1))

    assert [int(count_heads(blocks, words=words)[0]) for words in (0, 1, 2, 3, 16)] == [0, 64, 64, 128, 512]


def test_threads_find_what_one_finds() -> None:
    compared = _plan(_clks(600), _clks(700), 0.5)
    found: list[set[tuple[int, int]]] = []

    threads = [threading.Thread(target=lambda: found.append(_found(compared))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [_found(compared)] * 4


def test_comparing_holds_no_lock_of_the_interpreter() -> None:
    compared = _plan(
        _clks(8 * LEFT_BLOCKS, clk_bytes=256, density=0.5), _clks(8192, clk_bytes=256, density=0.5), 0.9, heads=(32,)
    )
    [part] = parts(compared)
    list(join(_plan(_clks(1), _clks(1)), Part(first_left=0, last_left=1, first_right=0, last_right=1)))

    comparing = threading.Thread(target=lambda: list(join(compared, part)))
    comparing.start()
    turns = 0
    while comparing.is_alive():
        comparing.join(0.001)
        turns += 1

    # Some hundred milliseconds in one call: with the lock held, this thread would have a turn before and one after.
    assert turns > 10


@pytest.mark.parametrize(("threshold", "density"), [(0.95, 0.4), (0.6, 0.3)])
def test_stages_are_chosen_so_that_few_entries_outlast_the_first(threshold: float, density: float) -> None:
    left, right = (_clks(400, density=density, seed=seed) for seed in (1, 2))

    heads = _plan(left, right, threshold).heads

    assert list(heads) == sorted(set(heads))
    assert heads[-1] == 16
    common = np.bitwise_count(left.view(np.uint64)[:, None, : heads[0]] & right.view(np.uint64)[:, : heads[0]])
    counts = np.bitwise_count(left).sum(axis=1, dtype=int)[:, None], np.bitwise_count(right).sum(axis=1, dtype=int)
    tails = counts[1] - np.bitwise_count(right.view(np.uint64)[:, : heads[0]]).sum(axis=1, dtype=int)
    outlasts = common.sum(axis=2, dtype=int) + tails >= threshold / 2 * (counts[0] + counts[1])
    assert 1 < heads[0] < 16
    assert outlasts.mean() < 0.02


def test_rows_of_one_word_are_read_at_once() -> None:
    assert _plan(_clks(9, clk_bytes=8), _clks(9, clk_bytes=8)).heads == (1,)
