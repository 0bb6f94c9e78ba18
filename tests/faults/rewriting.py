"""A real coordinator process and two nodes, and what whoever owns the coordinator's database can do to its log."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import rfc8785
from click.testing import CliRunner, Result
from faults.relay import OPERATOR, SETTINGS, project
from isthmus_local.agreement_file import agreement_file
from isthmus_local.local_round import sign_as_shown
from isthmus_local.processes import free_ports, running, wait_until_said
from live import serving_here

from isthmus.contract.canonical import sha256
from isthmus.contract.clock import SystemClock
from isthmus.contract.ids import AgreementId, PartyId, ProjectId
from isthmus.contract.parties import PartyKind, Role
from isthmus.coordinator.actions import rounds
from isthmus.coordinator.actions.agreements import propose_agreement
from isthmus.coordinator.actions.enrolment import add_party, mint_token
from isthmus.coordinator.setup import make_installation, open_installation
from isthmus.node.cli import main
from isthmus.party.enrol import Keys, enrol

PROJECT = "school-to-work"
AGREED = AgreementId("agreed")
NODES = ("riverside", "college")
Event = dict[str, Any]
Edit = Callable[[list[Event]], Sequence[Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A coordinator's folder, its nodes' folders, and its ports."""

    folder: Path
    ports: tuple[int, int]
    as_process: bool = False

    @property
    def coordinator(self) -> Path:
        """The coordinator's folder."""
        return self.folder / "hub"

    @property
    def database(self) -> Path:
        """Its database."""
        return self.coordinator / "data" / "coordinator.sqlite"

    def node(self, *words: str, party: str = "riverside") -> Result:
        """Run a command at a node."""
        return CliRunner().invoke(main, [*words, "--dir", str(self.folder / party)])

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the coordinator while the block runs: as a process of its own, or in a thread of this one."""
        if not self.as_process:
            with serving_here(self.coordinator) as installation:
                yield
            installation.close()
            return
        log = self.folder / "hub.log"
        with running("isthmus-coordinator", "serve", "--dir", str(self.coordinator), log=log) as one:
            wait_until_said(one, "serving ", name="the coordinator")
            yield

    def propose(self) -> str:
        """Propose a round, as the operator would, and give its id."""
        installation = open_installation(self.coordinator)
        with closing(installation):
            key = installation.keys.signing_key.public_key().public_bytes_raw()
            return rounds.propose_round(
                installation.context, OPERATOR, project_id=ProjectId(PROJECT), coordinator_key=key
            ).round_id

    def back_up(self) -> Path:
        """Copy the database as a backup program would, and give the copy."""
        backup = self.folder / "backup.sqlite"
        with closing(sqlite3.connect(self.database)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
        return backup

    def restore(self, backup: Path) -> None:
        """Put a backup in the place of the database of a coordinator that does not run."""
        for name in ("", "-wal", "-shm"):
            self.database.with_name(self.database.name + name).unlink(missing_ok=True)
        shutil.copy(backup, self.database)

    def events(self) -> list[Event]:
        """Give the project's events as they stand in the database."""
        return read_log(self.database, PROJECT)

    def rewrite(self, edit: Edit) -> None:
        """Change the project's events and chain them anew, so that the log by itself is without fault."""
        rewrite_log(self.database, PROJECT, edit)

    def twin(self) -> "Hub":
        """Give a second coordinator of the same keys and the same past, with a folder and ports of its own."""
        other = replace(self, folder=self.folder / "twin", ports=_new_ports())
        other.folder.mkdir()
        shutil.copytree(self.coordinator, other.coordinator)
        settings = other.coordinator / "coordinator.toml"
        text = settings.read_text()
        for mine, its in zip(self.ports, other.ports, strict=True):
            text = text.replace(str(mine), str(its))
        settings.write_text(text)
        return other

    def take_over(self, party: str, other: "Hub") -> None:
        """Lead a node of another coordinator here, as whoever holds the coordinator's name can."""
        shutil.move(other.folder / party, self.folder / party)
        path = self.folder / party / "identity" / "party.json"
        path.write_text(path.read_text().replace(f":{other.ports[0]}", f":{self.ports[0]}"))


def read_log(database: Path, scope: str) -> list[Event]:
    """Give a scope's events as they stand in a database."""
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT document FROM events WHERE scope = ? ORDER BY sequence"
        return [json.loads(document) for (document,) in connection.execute(query, (scope,))]


def rewrite_log(database: Path, scope: str, edit: Edit) -> None:
    """Change a scope's events and chain them anew, so that the log by itself is without fault."""
    events, previous = edit(read_log(database, scope)), bytes(32)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM events WHERE scope = ?", (scope,))
        for sequence, event in enumerate(events, start=1):
            data = rfc8785.dumps({**event, "sequence": sequence, "previous": previous.hex()})
            previous = sha256(data)
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (scope, sequence, previous, data))


def new_hub(folder: Path) -> Hub:
    """Make a coordinator with two enrolled nodes, a project of theirs, and a round that both nodes have looked at."""
    hub = Hub(folder=folder, ports=_new_ports())
    service, enrolment = hub.ports
    make_installation(
        hub.coordinator,
        address="127.0.0.1",
        host="127.0.0.1",
        service_port=service,
        enrolment_port=enrolment,
        clock=SystemClock(),
    )
    with closing(open_installation(hub.coordinator)) as installation:
        context, authority, doors = installation.context, installation.keys.authority, installation.doors
        with hub.serving():
            for party in map(PartyId, NODES):
                add_party(context, None, party=party, name=party.title(), kind=PartyKind.DISTRICT, role=Role.PROVIDER)
                token = mint_token(context, None, party=party, authority=authority, doors=doors)[0]
                enrol(folder / party / "identity", token, keys=Keys(with_agreement_key=True))
                (folder / party / "node.toml").write_text(SETTINGS)
            yesterday = SystemClock().now().date() - timedelta(days=1)
            propose_agreement(context, OPERATOR, text=agreement_file(AGREED, providers=NODES, effective=yesterday))
            for name in NODES:
                sign_as_shown(folder / name, AGREED)
            rounds.add_project(context, OPERATOR, text=project(PROJECT, providers=NODES, more=""))
            hub.propose()
            for name in NODES:
                assert hub.node("round", "list", party=name).exit_code == 0
    return hub


def copy_of(hub: Hub, folder: Path, *, as_process: bool) -> Hub:
    """Give a copy of a coordinator that does not run, and of its nodes."""
    shutil.copytree(hub.folder, folder, dirs_exist_ok=True)
    return replace(hub, folder=folder, as_process=as_process)


def _new_ports() -> tuple[int, int]:
    service, enrolment = free_ports(2)
    return service, enrolment
