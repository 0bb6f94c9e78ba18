"""A worker killed with SIGKILL while it compares goes on with what it had found: the same bytes as undisturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isthmus.coordinator.match.runs import RECORD

pytestmark = [pytest.mark.process, pytest.mark.slow]

KILLS = 2


def _begin(engine: str, folder: Path) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("compare_and_keep.py")
    process = subprocess.Popen([sys.executable, script, engine, folder], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def _end(process: subprocess.Popen[str]) -> list[str]:
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return said.split()


def _kept(folder: Path) -> int:
    return len(list(folder.glob("[!.]*")))


def _killed(engine: str, folder: Path, *, at: int, delay: float) -> None:
    """Begin, and kill a while after so many runs are there."""
    process = _begin(engine, folder)
    while _kept(folder) < at and process.poll() is None:
        time.sleep(0.001)
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"


@pytest.mark.parametrize("engine", ["kernels", "anonlink", "blocks"])
def test_a_comparison_killed_at_random_points_ends_in_the_same_bytes(engine: str, tmp_path: Path) -> None:
    rng, folder = random.Random(engine), tmp_path / "killed"
    before, number, wanted = _end(_begin(engine, tmp_path / "undisturbed"))
    pieces = _kept(tmp_path / "undisturbed")

    for _ in range(KILLS):
        held = _kept(folder)
        _killed(engine, folder, at=held + rng.randint(1, (pieces - held) // 3), delay=rng.uniform(0, 0.02))
    held = _kept(folder)
    compared_before, *found = _end(_begin(engine, folder))

    assert found == [number, wanted]
    assert int(number) > 10_000
    assert (before, 0 < held < pieces) == ("0", True)
    assert int(compared_before) > 0, "what was there must not be compared again"


def test_a_run_that_was_damaged_is_found_anew(tmp_path: Path) -> None:
    _, *wanted = _end(_begin("anonlink", tmp_path))
    short, long, *_ = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_size)
    altered = bytearray(long.read_bytes())
    altered[-1] ^= 1
    long.write_bytes(altered)
    short.write_bytes(short.read_bytes()[: -RECORD.itemsize // 2])

    assert _end(_begin("anonlink", tmp_path))[1:] == wanted
