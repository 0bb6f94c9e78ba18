"""The estimate of memory is held against the peaks of processes, and a process that has no more than that ends well."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.process, pytest.mark.slow]

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "coordinator_memory.py"
MIB = 2**20

Case = dict[str, Any]

FEW = {"max_pairs": 50_000, "search_bytes": 16 * MIB}
ALIKE: Case = {"profile": "interop-1", "sizes": [1_200, 1_200], "alike": True, "max_pairs": 1_440_000}
TABLES: Case = {"profile": "hardened-1", "sizes": [60_000, 2_000], **FEW}
CASES: dict[str, Case] = {
    "plain": {"profile": "interop-1", "sizes": [20_000, 20_000], **FEW},
    "plain, more": {"profile": "interop-1", "sizes": [60_000, 5_000], **FEW},
    "alike": ALIKE | {"sizes": [500, 500], "search_bytes": 16 * MIB},
    "alike, more": ALIKE,
    "tables": TABLES | {"sizes": [6_000, 4_000]},
    "tables, more": TABLES,
    "compared": {"profile": "hardened-2", "sizes": [3_000, 3_000], "compared": True, **FEW},
}


def _measured(case: Case) -> dict[str, Any]:
    command = [sys.executable, str(BENCHMARK), "--case", json.dumps(case)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", CASES)
def test_matching_takes_no_more_memory_than_is_foretold(name: str) -> None:
    found = _measured(CASES[name])

    assert found["pairs"] > 400
    assert found["peak_bytes"] <= found["needed_bytes"] <= 3 * found["peak_bytes"]


def test_a_process_that_has_no_more_memory_than_foretold_gives_the_same_result() -> None:
    free = _measured(TABLES)

    limited = _measured(TABLES | {"limit_bytes": free["needed_bytes"]})

    assert (limited["pairs"], limited["digest"]) == (free["pairs"], free["digest"])


def test_a_process_that_has_less_memory_than_it_takes_dies() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        _measured(ALIKE | {"limit_bytes": 220 * MIB})
