"""scripts/verify_log: what it confirms, and what it finds; run as the program that it is."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docs.pages import ROOT, read
from isthmus_vectors.make_log import log_vectors

VECTORS = log_vectors()


def _export(**changes: Any) -> dict[str, Any]:
    return {
        "format": "isthmus/log-export/1",
        "scope": "demo",
        "coordinator_key": VECTORS["coordinator_key"],
        "checkpoint": VECTORS["checkpoint"]["bytes"],
        "signature": VECTORS["checkpoint"]["signature"],
        "identity_keys": {"riverside": [VECTORS["identity_key"]]},
        "events": [one["bytes"] for one in VECTORS["events"]],
        **changes,
    }


def _run(folder: Path, *exports: dict[str, Any], more: tuple[str, ...] = ()) -> tuple[int, str]:
    paths = []
    for number, one in enumerate(exports):
        paths.append(folder / f"{number}.json")
        paths[-1].write_text(json.dumps(one), "utf-8")
    command = [sys.executable, str(ROOT / "scripts" / "verify_log"), *map(str, paths), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_program_imports_nothing_of_ours() -> None:
    assert "import isthmus" not in read(ROOT / "scripts" / "verify_log")
    assert "from isthmus" not in read(ROOT / "scripts" / "verify_log")


def test_true_log_is_confirmed(tmp_path: Path) -> None:
    code, said = _run(tmp_path, _export())

    assert code == 0, said
    assert "4 events follow from one another" in said
    assert "checkpoint of 2026-01-15T13:00:00Z holds" in said
    assert "acknowledged 1 times by riverside (signed)" in said


def _changed(events: list[str]) -> list[str]:
    return [events[0].replace("operator", "somebody"), *events[1:]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: {"events": _changed(one["events"])}, "event 2 does not follow"),
        (lambda one: {"events": one["events"][:2] + one["events"][3:]}, "event 3 does not follow"),
        (lambda one: {"events": one["events"][:-1]}, "the checkpoint is of another log, or of another end"),
        (lambda one: {"events": [" " + one["events"][0], *one["events"][1:]]}, "event 1 is not in canonical form"),
        (lambda one: {"signature": "00" * 64}, "did not sign the checkpoint"),
        (lambda one: {"format": "isthmus/log-export/2"}, "of a version that this program knows"),
    ],
    ids=["changed", "removed", "cut", "not canonical", "not signed", "other version"],
)
def test_log_that_is_not_true_is_found(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], said: str
) -> None:
    code, told = _run(tmp_path, _export(**change(_export())))

    assert code == 1
    assert said in told


@pytest.mark.slow
def test_keys_that_are_given_count_instead_of_those_of_the_file(tmp_path: Path) -> None:
    other = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

    wrong_hub = _run(tmp_path, _export(), more=("--coordinator-key", other))
    wrong_party = _run(tmp_path, _export(), more=("--identity-key", f"riverside={other}"))

    assert wrong_hub[0] == 1
    assert wrong_party[0] == 0
    assert "NOT PROVEN: no known key signed it" in wrong_party[1]


@pytest.mark.slow
def test_two_files_of_one_history_agree_and_of_two_do_not(tmp_path: Path) -> None:
    shorter = _export(events=_export()["events"][:2], checkpoint="", signature="")
    other = _export(events=[_changed(_export()["events"])[0]], checkpoint="", signature="")

    assert _run(tmp_path, shorter, _export())[0] == 0
    code, said = _run(tmp_path, _export(), other)

    assert code == 1
    assert "the files tell two histories of demo: they part at event 1" in said
