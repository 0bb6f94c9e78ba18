"""The README's steps by hand work as they stand: they are taken from the page and run in a shell."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from docs.pages import ROOT, fenced, read
from isthmus_local.processes import free_ports

SERVE: Final = "isthmus-coordinator serve --dir $W/hub\n"
START: Final = """isthmus-coordinator serve --dir $W/hub > $W/hub.log 2>&1 &
hub=$!
trap 'kill $hub' EXIT
until grep -q '^serving' $W/hub.log; do kill -0 $hub; sleep 0.1; done
"""
CHANGED: Final = {
    "scripts/env\n": "",  # the tests run in that environment already
    "export W=/tmp/isthmus-by-hand\n": "",
    "--once &\n": "--once & second=$!\n",
    "wait\n": "wait $second\n",  # the coordinator is a background job here and would be waited for too
}


def _steps() -> str:
    section = read(ROOT / "README.md").partition("\n## By hand\n")[2].partition("\n## ")[0]
    return "".join(fenced(section, ""))


def _script(steps: str) -> str:
    """The steps with the coordinator in the background, on ports that are free."""
    service, enrolment = free_ports(2)
    init = "isthmus-coordinator init --dir $W/hub"
    replaced = {**CHANGED, SERVE: START, init: f"{init} --service-port {service} --enrolment-port {enrolment}"}
    for before, after in replaced.items():
        assert steps.count(before) == 1, f"the README no longer says {before!r}"
        steps = steps.replace(before, after)
    return f"set -euo pipefail\n{steps}"


def test_readme_has_the_steps_of_all_four_programs() -> None:
    steps = _steps()

    for words in (
        "isthmus-coordinator round propose",
        "isthmus-node fingerprint verify",
        "isthmus-node run",
        "isthmus tables",
    ):
        assert words in steps


@pytest.mark.slow
@pytest.mark.process
def test_readme_steps_give_pseudonyms_and_a_table(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "W": str(tmp_path), "PATH": path}

    with subprocess.Popen(
        ["bash", "-c", _script(_steps())], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as done:  # fmt: skip
        try:
            stdout, stderr = done.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            os.killpg(done.pid, signal.SIGTERM)  # the nodes and the coordinator that it started, too
            raise

    assert done.returncode == 0, stderr[-2000:]
    assert "rec_id,pseudonym\n" in stdout
    assert "riverside + workforce-agency" in stdout
    assert "released" in stdout
