"""An auditor over real gRPC and mutual TLS: what it looks at, checks and finds."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from faults.rewriting import Edit, Event, rewrite_log
from live import Live, live_coordinator
from project_files import AGREEMENT, PROJECT, project_text

from isthmus.analyst.auditor import connect_auditor
from isthmus.analyst.cli import main
from isthmus.analyst.cli_audit import signature_findings
from isthmus.contract.audit_log import Head
from isthmus.contract.canonical import Label, sign
from isthmus.contract.errors import MalformedDocument, NotAMember
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.parties import Role
from isthmus.coordinator.actions.rounds import add_project, propose_round, sign_round
from isthmus.coordinator.domain.roles import Actor

OPERATOR = Actor(party=PartyId("operator"), role=Role.OPERATOR)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_coordinator(tmp_path_factory.mktemp("live")) as running:
        yield running


@pytest.fixture(scope="module")
def folder(live: Live) -> Path:
    """The folder of an enrolled auditor."""
    return enrolled(live, "court-of-audit")


@pytest.fixture(scope="module")
def round_id(live: Live, folder: Path) -> RoundId:
    """A round under an agreement that names the auditor, which one of its two providers has signed."""
    context, key = live.installation.context, live.installation.keys.signing_key
    providers = [live.enrolled(name) for name in ("riverside", "lakeside")]
    live.agree(AGREEMENT, others=providers, auditors=[folder.name])
    add_project(context, OPERATOR, text=project_text(providers=[one.party for one in providers]))
    view = propose_round(context, OPERATOR, project_id=PROJECT, coordinator_key=key.public_key().public_bytes_raw())
    with context.store.read() as tx:
        manifest = tx.rounds.get(view.round_id).manifest
    signer = Actor(party=providers[0].party, role=Role.PROVIDER)
    signature = sign(providers[0].signing_key, Label.ROUND_MANIFEST, manifest)
    sign_round(context, signer, round_id=view.round_id, manifest_hash=view.manifest_hash, signature=signature)
    return view.round_id


def enrolled(live: Live, name: str) -> Path:
    """Enrol an auditor, and give the folder with which it calls."""
    live.enrolled(name, Role.AUDITOR)
    folder = live.parties / f"{name}-folder" / name
    folder.mkdir(parents=True)
    (live.parties / name).rename(folder / "identity")
    return folder


def isthmus(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--dir", str(folder)])


def test_rounds_are_listed_to_whom_the_agreement_names_and_to_no_other(
    live: Live, folder: Path, round_id: RoundId
) -> None:
    stranger = enrolled(live, "curious")

    assert round_id in isthmus(folder, "rounds").stdout
    assert "no project's agreement names this party" in isthmus(stranger, "rounds").stdout
    with connect_auditor(stranger) as auditor, pytest.raises(NotAMember):
        auditor.fetch_log(PROJECT)


def test_manifest_is_written_and_its_signatures_are_told(folder: Path, round_id: RoundId, tmp_path: Path) -> None:
    result = isthmus(folder, "manifest", round_id, str(tmp_path / "terms.json"))

    assert result.exit_code == 0
    assert json.loads((tmp_path / "terms.json").read_bytes())["round_id"] == round_id
    assert result.stdout.splitlines() == ["ok   riverside signed", "ok   lakeside has not signed"]


def test_signature_of_another_party_does_not_hold(folder: Path, round_id: RoundId) -> None:
    with connect_auditor(folder) as auditor:
        signed = auditor.get_manifest(round_id)
    (signature,) = signed.signatures.values()

    moved = replace(signed, signatures={PartyId("lakeside"): signature})

    assert [one.holds for one in signature_findings(moved)] == [True, False]


def test_log_is_shown_event_by_event(folder: Path, round_id: RoundId) -> None:
    result = isthmus(folder, "log", "show", PROJECT)

    assert result.exit_code == 0
    assert [line.split()[3] for line in result.stdout.splitlines()] == [
        "project.add",
        "round.draft",
        "project.epoch",
        "round.advance",
        "round.sign",
    ]


def test_log_that_goes_on_holds_against_an_older_export(
    live: Live, folder: Path, round_id: RoundId, tmp_path: Path
) -> None:
    file = exported(folder, tmp_path)
    result = isthmus(folder, "log", "verify", str(file))

    assert result.exit_code == 0
    assert "BAD" not in result.stdout
    with connect_auditor(folder) as auditor:
        log = auditor.fetch_log(PROJECT)
        assert list(auditor.fetch_log(PROJECT, log.links[1].head).links) == list(log.links[2:])
        with pytest.raises(MalformedDocument):
            auditor.fetch_log(PROJECT, Head(sequence=2, hash=bytes(32)))


def without_the_last(events: list[Event]) -> list[Event]:
    return events[:-1]


def without_one(events: list[Event]) -> list[Event]:
    return [*events[:2], *events[3:]]


def with_another_outcome(events: list[Event]) -> list[Event]:
    return [{**events[0], "outcome": "something else"}, *events[1:]]


@pytest.mark.parametrize("edit", [without_the_last, without_one, with_another_outcome])
def test_log_that_was_rewritten_is_found_by_an_older_export(
    live: Live, folder: Path, round_id: RoundId, tmp_path: Path, edit: Edit
) -> None:
    file, database = exported(folder, tmp_path), live.installation.data / "coordinator.sqlite"
    before: list[Event] = []

    def changed(events: list[Event]) -> list[Event]:
        before.extend(events)
        return list(edit(events))

    rewrite_log(database, PROJECT, changed)
    result = isthmus(folder, "log", "verify", str(file))
    rewrite_log(database, PROJECT, lambda _events: before)

    assert result.exit_code == 5
    assert "BAD" in result.stdout
    assert isthmus(folder, "log", "verify", str(file)).exit_code == 0


def test_export_that_was_changed_does_not_hold(folder: Path, round_id: RoundId, tmp_path: Path) -> None:
    file = exported(folder, tmp_path)
    file.write_text(file.read_text().replace("round.sign", "round.sing"))

    result = isthmus(folder, "log", "verify", str(file))

    assert result.exit_code == 5
    assert result.stdout.splitlines()[-1].startswith("BAD")


def exported(folder: Path, tmp_path: Path) -> Path:
    file = tmp_path / "log.json"
    assert isthmus(folder, "log", "export", PROJECT, str(file)).exit_code == 0
    return file
