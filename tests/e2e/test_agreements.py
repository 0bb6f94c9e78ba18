"""A declined, an amended and a withdrawn agreement with real processes: a coordinator and two nodes, by command."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from isthmus_local.agreement_file import agreement_file
from isthmus_local.local_round import (
    LocalProvider,
    LocalRound,
    LocalSettings,
    Timeline,
    enrol_everybody,
    serving,
    set_up,
)
from isthmus_local.processes import PROGRAMS

from isthmus.contract.clock import SystemClock

pytestmark = [pytest.mark.process, pytest.mark.slow]

NAME = "school-work"
PROJECT = f"""format = "isthmus/project/5"
id = "school-work"
title = "From school to work"
purpose = "Testing"
agreement = "{NAME}"
lead = "riverside"
reveal = "linked"
""" + "".join(
    f'[[providers]]\nparty = "{party}"\ndataset = "records"\nfields = ["first_name", "last_name", "dob"]\n'
    for party in ("riverside", "college")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The running coordinator, both nodes, and what was typed and printed."""

    local: LocalRound
    transcript: list[str] = field(default_factory=list)

    def type(self, program: str, *words: str, at: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as a person would, and note what it printed, both streams in one."""
        done = subprocess.run(
            [PROGRAMS / program, *words, "--dir", str(at)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = done.stdout.replace(str(self.local.folder), "W")
        command = shlex.join([program, *(word.replace(str(self.local.folder), "W") for word in words)])
        self.transcript.append(f"{at.name}$ {command}\n{said}[exit {done.returncode}]\n")
        return done

    def node(self, party: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command at a node."""
        return self.type("isthmus-node", *words, at=self.local.node(party))

    def operator(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command at the coordinator."""
        return self.type("isthmus-coordinator", *words, at=self.local.coordinator)

    def file(self, **changes: Any) -> str:
        """Write the agreement file; give its path."""
        path = self.local.folder / "agreement.toml"
        parties = {one.party: one.kind for one in self.local.providers}
        yesterday: date = SystemClock().now().date() - timedelta(days=1)
        path.write_text(agreement_file(NAME, providers=parties, effective=yesterday, **changes), "utf-8")
        return str(path)

    def sign_both(self) -> None:
        """Let both read and sign what is proposed."""
        for party in ("riverside", "college"):
            assert self.node(party, "agreement", "show", NAME).returncode == 0
            assert self.node(party, "agreement", "sign", NAME).returncode == 0

    def propose_round(self) -> str:
        """Propose a round; give its id."""
        done = self.operator("round", "propose", NAME)
        assert done.returncode == 0, done.stdout
        return done.stdout.splitlines()[0]

    def states(self) -> list[tuple[int, str]]:
        """Give every version and where it stands, as the operator is told."""
        listed = json.loads(self.operator("agreement", "list", "--json").stdout)
        return [(one["version"], one["state"]) for one in listed]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    people = tmp_path / "people.csv"
    people.write_text("Nr,First,Last,Born\n1,Quorim,Zylax,2001-02-03\n")
    columns = {"first_name": "First", "last_name": "Last", "dob": "Born"}
    providers = [
        LocalProvider(party=party, name=party.title(), kind=kind, file=people, id_column="Nr", columns=columns)
        for party, kind in (("riverside", "district"), ("college", "college"))
    ]
    settings = LocalSettings(project=NAME, title="Work", purpose="Testing")
    local = LocalRound(folder=tmp_path / "w", providers=providers, settings=settings, timeline=Timeline())
    set_up(local)
    (local.folder / "project.toml").write_text(PROJECT, "utf-8")
    with serving(local):
        enrol_everybody(local)
        yield Scene(local=local)


def test_declined_amended_and_withdrawn_agreements_are_held_to_at_both_ends(scene: Scene, tmp_path: Path) -> None:
    try:
        _declined(scene)
        _signed(scene)
        round_id = _round_under(scene)
        _amended(scene, round_id)
        _withdrawn(scene)
    finally:
        (tmp_path / "transcript.txt").write_text("\n".join(scene.transcript), "utf-8")


def _declined(scene: Scene) -> None:
    """The first version keeps data for a year, and college does not want that."""
    long = {"keep_days": 365, "method": "Deleted.", "destroy_by": date(2040, 1, 1)}
    checked = scene.node("riverside", "agreement", "propose", scene.file(retention=long))
    assert "the method of destruction is only a few words" in checked.stdout
    assert "destroyed 365 days after its release" in scene.node("college", "agreement", "show", NAME).stdout

    scene.node("college", "agreement", "decline", NAME, "--reason", "Our board does not keep data for a year.")

    assert "[agreement-not-in-force]" in _refused(scene.operator("project", "add", str(_project(scene))), scene)
    assert "declined: Our board does not keep data" in scene.node("riverside", "agreement", "show", NAME).stdout
    assert scene.states() == [(1, "declined")]


def _project(scene: Scene) -> Path:
    return scene.local.folder / "project.toml"


def _refused(added: subprocess.CompletedProcess[str], scene: Scene) -> str:
    """The project may be added, but no round of it is proposed."""
    assert added.returncode == 0
    proposed = scene.operator("round", "propose", NAME)
    assert proposed.returncode != 0
    return proposed.stdout


def _signed(scene: Scene) -> None:
    scene.node("riverside", "agreement", "propose", scene.file())
    unread = scene.node("college", "agreement", "sign", NAME)
    assert "[agreement-not-shown]" in unread.stdout
    scene.sign_both()
    assert scene.states() == [(1, "declined"), (1, "in-force")]


def _round_under(scene: Scene) -> str:
    """A round pins the version in force; riverside signs it, college not yet."""
    round_id = scene.propose_round()
    shown = scene.node("riverside", "round", "show", round_id)
    assert f"agreement  {NAME}, version 1" in shown.stdout
    assert scene.node("riverside", "round", "sign", round_id).returncode == 0
    assert scene.node("college", "round", "show", round_id).returncode == 0
    return round_id


def _amended(scene: Scene, round_id: str) -> None:
    amended = scene.node("riverside", "agreement", "amend", scene.file(breach_notice_hours=24))
    assert "hours until a breach is told was: 48; it is now: 24" in amended.stdout
    scene.sign_both()
    assert scene.states() == [(1, "declined"), (1, "superseded"), (2, "in-force")]

    late = scene.node("college", "round", "sign", round_id)

    assert late.returncode != 0
    assert "version 2 is in force" in late.stdout
    scene.operator("round", "cancel", round_id)
    again = scene.propose_round()
    assert f"agreement  {NAME}, version 2" in scene.node("college", "round", "show", again).stdout
    assert scene.node("college", "round", "sign", again).returncode == 0


def _withdrawn(scene: Scene) -> None:
    left = scene.node("college", "agreement", "withdraw", NAME, "--reason", "The board decided to leave.")
    assert "college withdrew" in left.stdout
    assert "college left from" in scene.node("riverside", "agreement", "show", NAME).stdout

    refused = scene.operator("round", "propose", NAME)

    assert refused.returncode != 0
    assert "college withdrew from it" in refused.stdout
