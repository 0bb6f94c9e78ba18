"""Undoing a sparse linear map: its columns are found in its outputs alone, and the inputs follow."""

import numpy as np
import pytest
from diffusion_parts import linear_map

from isthmus.node.audit.linear import gf2_rank, lightest_basis, recover_columns, undiffused
from isthmus.node.encode.diffusion import diffuse

INPUTS, OUTPUTS, TAPS = 256, 512, 8


@pytest.fixture(scope="module")
def secret() -> tuple[np.ndarray, np.ndarray, set[bytes]]:
    """Sparse filters, their diffused vectors, and the columns of the map under a key."""
    rng = np.random.default_rng(1)
    filters = np.packbits(rng.random((700, INPUTS)) < 0.28, axis=1)
    chosen = linear_map(b"a key that nobody knows", input_bits=INPUTS, output_bits=OUTPUTS, taps=TAPS)
    columns = np.zeros((INPUTS, OUTPUTS), np.uint8)
    columns[chosen.taps.T.astype(np.int64), np.arange(OUTPUTS)] = 1
    return filters, diffuse(filters, chosen), {row.tobytes() for row in np.packbits(columns, axis=1)}


def _quiet(_done: int, _total: int) -> None:
    """Take no notice."""


@pytest.mark.slow
def test_columns_are_found_in_the_outputs_alone(secret: tuple[np.ndarray, np.ndarray, set[bytes]]) -> None:
    _, diffused, columns = secret
    found = recover_columns(
        diffused, taps=TAPS, input_bits=INPUTS, rounds=200, rng=np.random.default_rng(2), progress=_quiet
    )
    right = sum(column.tobytes() in columns for column in found.columns)

    assert right > INPUTS / 2


def test_with_the_columns_filters_follow(secret: tuple[np.ndarray, np.ndarray, set[bytes]]) -> None:
    filters, diffused, columns = secret
    known = np.array([np.frombuffer(column, np.uint8) for column in sorted(columns)])
    found = np.unpackbits(undiffused(diffused, known, taps=TAPS), axis=1)[:, :INPUTS]
    wanted = np.unpackbits(filters, axis=1)

    assert sorted(map(bytes, found.T.copy())) == sorted(map(bytes, wanted.T.copy()))


def test_outputs_of_too_few_rows_hide_the_columns(secret: tuple[np.ndarray, np.ndarray, set[bytes]]) -> None:
    _, diffused, columns = secret
    found = recover_columns(
        diffused[: INPUTS // 2], taps=TAPS, input_bits=INPUTS, rounds=20, rng=np.random.default_rng(2), progress=_quiet
    )

    assert not any(column.tobytes() in columns for column in found.columns)


def test_lightest_basis_takes_no_sum_of_lighter_words() -> None:
    words = np.array([[0b111], [0b011], [0b100], [0b1000]], np.uint64)

    assert sorted(lightest_basis(words).ravel().tolist()) == [0b011, 0b100, 0b1000]


def test_rank_is_that_of_the_inputs(secret: tuple[np.ndarray, np.ndarray, set[bytes]]) -> None:
    filters, diffused, _ = secret

    # An even number of taps sends a filter and its complement to one vector, which takes one dimension.
    assert gf2_rank(diffused) == gf2_rank(filters) - 1 == INPUTS - 1
