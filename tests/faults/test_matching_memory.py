"""The estimate of memory is held against the peaks of processes, and a process that has no more than that ends well."""

import subprocess
from dataclasses import replace

import pytest

from benchmarks.coordinator_memory import Case, measured

pytestmark = [pytest.mark.process, pytest.mark.slow]

MIB = 2**20

CASES = {
    "plain": Case(profile="interop-1", sizes=[20_000, 20_000], max_pairs=50_000, search_bytes=16 * MIB),
    "plain, more": Case(profile="interop-1", sizes=[60_000, 5_000], max_pairs=50_000, search_bytes=16 * MIB),
    "alike": Case(profile="interop-1", sizes=[500, 500], alike=True, max_pairs=250_000, search_bytes=16 * MIB),
    "alike, more": Case(profile="interop-1", sizes=[1_200, 1_200], alike=True, max_pairs=1_440_000),
    "tables": Case(profile="hardened-1", sizes=[6_000, 4_000], max_pairs=50_000, search_bytes=16 * MIB),
    "tables, more": Case(profile="hardened-1", sizes=[60_000, 2_000], max_pairs=50_000, search_bytes=16 * MIB),
}


@pytest.mark.parametrize("name", CASES)
def test_matching_takes_no_more_memory_than_is_foretold(name: str) -> None:
    found = measured(CASES[name])

    assert found.pairs > 400
    assert found.peak_bytes <= found.needed_bytes <= 3 * found.peak_bytes


def test_a_process_that_has_no_more_memory_than_foretold_gives_the_same_result() -> None:
    free = measured(CASES["tables, more"])

    limited = measured(replace(CASES["tables, more"], limit_bytes=free.needed_bytes))

    assert (limited.pairs, limited.digest) == (free.pairs, free.digest)


def test_a_process_that_has_less_memory_than_it_takes_dies() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measured(replace(CASES["alike, more"], limit_bytes=220 * MIB))
