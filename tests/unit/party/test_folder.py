"""Commands that a message tells people to run carry the folder that somebody gave, where they take one."""

from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView, Waiting
from isthmus.coordinator.cli import main as coordinator
from isthmus.node.cli import main as node
from isthmus.party.folder import with_folder, with_given_folder
from isthmus.party.round_text import duration_text, round_text

FOLDER = Path("/srv/hub")


def _run(program: click.Command, *words: str) -> Result:
    return CliRunner().invoke(program, words)


@pytest.mark.parametrize(
    ("said", "carried"),
    [
        ("then: isthmus-node run", "then: isthmus-node run --dir /srv/hub"),
        ("isthmus-node round sign r-1 (or decline)", "isthmus-node round sign --dir /srv/hub r-1 (or decline)"),
        ("isthmus-node fingerprint --round r-1", "isthmus-node fingerprint --dir /srv/hub --round r-1"),
        ("isthmus-node fingerprint verify PARTY", "isthmus-node fingerprint verify --dir /srv/hub PARTY"),
        ("isthmus-node opt-out apply strikes it out", "isthmus-node opt-out apply --dir /srv/hub strikes it out"),
        ("isthmus-node run, isthmus-node seal", "isthmus-node run --dir /srv/hub, isthmus-node seal --dir /srv/hub"),
        ("isthmus-node run or isthmus-node map", "isthmus-node run --dir /srv/hub or isthmus-node map --dir /srv/hub"),
        ("isthmus-node run --dir other", "isthmus-node run --dir other"),
        ("isthmus-node fingerprint verify --dir other", "isthmus-node fingerprint verify --dir other"),
        ("the same version of isthmus-node at both", "the same version of isthmus-node at both"),
        ("isthmus-coordinator round retry r-1", "isthmus-coordinator round retry r-1"),
    ],
)  # fmt: skip
def test_command_in_a_message_carries_the_folder(said: str, carried: str) -> None:
    assert with_folder(said, node, FOLDER) == carried


def test_folder_with_a_space_is_quoted() -> None:
    assert with_folder("isthmus-node run", node, Path("my node")) == "isthmus-node run --dir 'my node'"


def test_message_outside_a_command_stays_as_it_is() -> None:
    assert with_given_folder("isthmus-node run") == "isthmus-node run"


def test_error_names_the_folder_that_was_given(tmp_path: Path) -> None:
    told = _run(node, "opt-out", "show", "--dir", str(tmp_path)).stderr

    assert f"isthmus-node init --dir {tmp_path}" in told


def test_error_names_no_folder_where_none_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    told = _run(node, "opt-out", "show").stderr

    assert "isthmus-node init" in told
    assert "--dir" not in told.partition("isthmus-node init")[2].partition(";")[0]


def test_each_program_carries_the_folder_into_its_own_hints(tmp_path: Path) -> None:
    hub = tmp_path / "hub"

    assert f"isthmus-coordinator init --dir {hub}" in _run(coordinator, "serve", "--dir", str(hub)).stderr
    assert f"isthmus-node enrol --dir {hub} TOKEN_FILE" in _run(node, "init", "--dir", str(hub)).stderr


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (59, "59 s"), (60, "1 min"), (61, "2 min"), (7200, "2 h 0 min"), (7260, "2 h 1 min")],
)
def test_a_time_to_come_is_rounded_up(seconds: float, said: str) -> None:
    assert duration_text(seconds) == said


@pytest.mark.parametrize(
    ("done", "pace", "said"),
    [
        (2_000, 0, "20% of 10,000 pairs compared"),
        (2_000, 1000, "20% of 10,000 pairs compared, 1,000 a second, 8 s left"),
        (10_000, 1000, "all 10,000 pairs compared; the rows are put together by person"),
    ],
)
def test_reader_of_a_round_is_told_how_far_it_is_and_how_long_it_takes(done: int, pace: int, said: str) -> None:
    view = RoundView(
        round_id=RoundId("school-0123456789"), project_id=ProjectId("school"), state=RoundState.MATCHING,
        manifest_hash=b"", pairs_done=done, pairs_total=10_000, pairs_a_second=pace,
        updated_at=datetime(2026, 1, 1, tzinfo=UTC), waiting_for=(),
    )  # fmt: skip

    assert f"matching, {said}  (since" in round_text(view)


def test_reader_of_a_round_that_compares_fields_is_told_how_many_answers_are_in() -> None:
    view = RoundView(
        round_id=RoundId("school-0123456789"), project_id=ProjectId("school"), state=RoundState.COMPARING,
        manifest_hash=b"", pairs_done=1_200, pairs_total=16_000,
        updated_at=datetime(2026, 1, 1, tzinfo=UTC), waiting_for=(),
    )  # fmt: skip

    assert "comparing, 1,200 of 16,000 answers about pairs are in  (since" in round_text(view)


def test_reader_of_a_round_is_told_what_waits_for_them() -> None:
    view = RoundView(
        round_id=RoundId("school-0123456789"), project_id=ProjectId("school"), state=RoundState.PROPOSED,
        manifest_hash=b"", pairs_done=0, pairs_total=0, updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        waiting_for=(
            Waiting(party=PartyId("riverside"), needs="sign it"), Waiting(party=PartyId("college"), needs="sign it"),
        ),
    )  # fmt: skip

    said = round_text(view, PartyId("riverside"))

    assert said.splitlines()[1:] == ["    waiting for you (riverside): sign it", "    waiting for college: sign it"]
