"""The engine `kernels`: parts, threads, limits, interruption, and processors other than this one."""

import os
import platform
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

from isthmus.contract.ids import PartyId
from isthmus.coordinator.confine import can_confine
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.errors import TooManyCandidates
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.kernels.comparison import LEFT_BLOCKS, RIGHT_BLOCKS
from isthmus.coordinator.match.kernels.processors import KERNELS
from isthmus.coordinator.match.runs import MemoryRuns


def _dataset(rows: int, *, clk_bytes: int = 16, seed: int = 1) -> Dataset:
    bits = np.random.default_rng(seed).random((rows, clk_bytes * 8)) < 0.4
    return Dataset(party=PartyId("city"), clks=np.packbits(bits, axis=1))


def _silent(done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.mark.slow
def test_rows_of_later_parts_keep_their_numbers() -> None:
    datasets = [_dataset(8 * LEFT_BLOCKS + 7), _dataset(8 * RIGHT_BLOCKS + 9)]
    told: list[int] = []

    pairs = KernelEngine(workers=1, max_pairs=10**6, piece_pairs=1).candidate_pairs(
        datasets, threshold=0.95, progress=lambda done, _: told.append(done)
    )

    left, right = datasets[0].clks[pairs.left_row], datasets[1].clks[pairs.right_row]
    common = np.bitwise_count(left & right).sum(axis=1, dtype=np.int64)
    both = sum(np.bitwise_count(side).sum(axis=1, dtype=np.int64) for side in (left, right))
    assert np.array_equal(2 * common / both, pairs.similarity)
    # The same seed begins both files with the same rows.
    assert set(pairs.left_row[pairs.similarity == 1].tolist()) == set(range(datasets[0].rows))
    assert len(told) == 5


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_result_is_the_same_bytes_for_any_number_of_threads_and_any_kernel(kernel: object) -> None:
    datasets = [_dataset(500), _dataset(700, seed=2), _dataset(300)]
    alone, pooled = (
        engine.candidate_pairs(datasets, threshold=0.6, progress=_silent)
        for engine in (
            KernelEngine(workers=1, max_pairs=10**6),
            KernelEngine(workers=3, max_pairs=10**6, kernel=kernel),  # type: ignore[arg-type] # a Kernel of the list
        )
    )
    assert len(alone) > 300
    assert alone.similarity.tobytes() == pooled.similarity.tobytes()
    assert alone.left_row.tobytes() == pooled.left_row.tobytes()
    assert alone.right_row.tobytes() == pooled.right_row.tobytes()


@pytest.mark.parametrize("workers", [1, 2])
def test_more_pairs_than_the_limit_are_counted_to_the_end_and_not_held(workers: int) -> None:
    ones = Dataset(party=PartyId("city"), clks=np.full((3000, 16), 255, np.uint8))
    runs = MemoryRuns()
    with pytest.raises(TooManyCandidates) as caught:
        KernelEngine(workers=workers, max_pairs=5, memory_bytes=1, piece_pairs=1).candidate_pairs(
            [ones, ones], threshold=0.9, progress=_silent, runs=runs
        )
    assert (caught.value.found, caught.value.fits) == (3000 * 3000, "no threshold")
    assert not runs.names()


def test_threads_are_gone_after_an_interruption() -> None:
    def interrupt(done: int, total: int) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        KernelEngine(workers=2, max_pairs=10**6).candidate_pairs(
            [_dataset(50, seed=seed) for seed in range(9)], threshold=0.9, progress=interrupt
        )
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("compare")]


def _run(script: str, **environment: str) -> list[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")} | environment
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


COMPARE = """
import hashlib
import numpy as np
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.kernels import sift
rng = np.random.default_rng(1)
bits = rng.random((60, 2112)) < 0.4
sides = [Dataset(party="city", clks=np.packbits(bits ^ (rng.random(bits.shape) < 0.05), axis=1)) for _ in range(2)]
engine = KernelEngine(workers=1, max_pairs=10**6)
pairs = engine.candidate_pairs(sides, threshold=0.5, progress=lambda *_: None)
code = next(iter(sift.sift.inspect_asm().values()))
seen = [word for word in ("zmm", "ymm", "vpopcntq", "vpshufb") if word in code]
print(len(pairs), hashlib.sha256(pairs.similarity.tobytes() + pairs.right_row.tobytes()).hexdigest())
print(engine.kernel.name, *seen)
"""


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other instructions")
@pytest.mark.parametrize(
    ("processor", "features", "used"),
    [
        ("haswell", "+avx2,+popcnt", ["avx2", "ymm", "vpshufb"]),
        ("x86-64", "+sse2", ["plain"]),
    ],
)
def test_other_processors_find_the_same_pairs_with_what_they_have(
    processor: str, features: str, used: list[str], tmp_path: Path
) -> None:
    wanted = _run(COMPARE.replace("code =", "code = '' #"))

    found = _run(COMPARE, NUMBA_CPU_NAME=processor, NUMBA_CPU_FEATURES=features, NUMBA_CACHE_DIR=str(tmp_path))

    assert int(found[0]) >= 60
    assert found[:2] == wanted[:2]
    assert found[2:] == used


LOADED = """
import sys
from isthmus.coordinator.match import ENGINES, engine_facts
ENGINES[sys.argv[1]](workers=1, max_pairs=1)
engine_facts(sys.argv[1])
print(*({"numba", "anonlink", "pkg_resources", "distributed", "sqlalchemy", "grpc"} & set(sys.modules)))
"""


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize(("engine", "loaded"), [("kernels", {"numba"}), ("anonlink", {"anonlink", "pkg_resources"})])
def test_making_an_engine_loads_what_it_needs_and_not_what_the_other_does(engine: str, loaded: set[str]) -> None:
    assert set(_run(LOADED.replace("sys.argv[1]", repr(engine)))) == loaded


FACTS = """
from isthmus.coordinator.match import ENGINES, engine_facts
kernel = ENGINES["kernels"](workers=1, max_pairs=1).kernel
facts = engine_facts("kernels")
assert facts["kernel"] == kernel.name and facts["unit"] == str(kernel.unit.dtype)
print(*facts.values(), sep="; ")
"""


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other instructions")
@pytest.mark.parametrize(
    ("features", "facts"),
    [
        ("+avx512vpopcntdq,+avx2", "kernels; avx512; uint64; avx512vpopcntdq, avx2"),
        ("+avx2,+popcnt", "kernels; avx2; uint8; avx2"),
        ("+sse2,-avx2", "kernels; plain; uint8; plain"),
    ],
)
def test_facts_are_those_of_the_kernel_that_the_engine_takes(features: str, facts: str) -> None:
    assert " ".join(_run(FACTS, NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES=features)) == facts


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.skipif(not can_confine(), reason="this machine offers no Landlock")
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "made anew"])
def test_a_confined_process_compares_whether_or_not_compiled_code_can_be_kept(kept: bool, tmp_path: Path) -> None:
    confined = "from pathlib import Path\nfrom isthmus.coordinator.confine import confine\n"
    script = f"{confined}confine(Path({str(tmp_path)!r}))\n{COMPARE.replace('code =', 'code = chr(0) #')}"
    where = {"NUMBA_CACHE_DIR": str(tmp_path / "data" / "kernels")} if kept else {}

    found = _run(script, **where)

    assert int(found[0]) >= 60
    assert bool(list(tmp_path.rglob("*.nbc"))) == kept
