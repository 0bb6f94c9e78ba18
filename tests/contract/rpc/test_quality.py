"""The quality report of a real round over real gRPC and mutual TLS, and the commands that show it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from field_nodes import compared, field_round
from harness import Coordinator, Enrolled
from live import live_coordinator

from isthmus.analyst import cli as analyst_cli
from isthmus.analyst.client import connect as connect_analyst
from isthmus.contract.clock import FixedClock, SystemClock
from isthmus.contract.ids import RoundId
from isthmus.contract.parties import Role
from isthmus.contract.quality import QualityReport
from isthmus.coordinator.domain.roles import Actor
from isthmus.node import cli as node_cli
from isthmus.node.client import connect
from isthmus.party.identity import Identity
from isthmus.party.quality_text import quality_text

NAMES = ("riverside", "college")
ROWS = 120
SETTINGS = '[datasets.people]\nfile = "people.csv"\nid_column = "Nr"\n[datasets.people.columns]\nfirst_name = "Name"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A released round in which fields were compared, and the folders of a node, a stranger's and an analyst's."""

    round_id: RoundId
    member: Identity
    folder: Path

    def node(self, party: str, *arguments: str) -> Result:
        """Ask for the report as a node."""
        command = ["round", "quality", self.round_id, "--dir", str(self.folder / party)]
        return CliRunner().invoke(node_cli.main, [*command, *arguments])

    def analyst(self, *arguments: str) -> Result:
        """Ask for the report as the analyst."""
        command = ["quality", self.round_id, "--dir", str(self.folder / "research")]
        return CliRunner().invoke(analyst_cli.main, [*command, *arguments])

    def report(self) -> QualityReport:
        """Fetch the report as a member."""
        with connect(self.member) as client:
            return client.fetch_quality(self.round_id)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("quality")
    with live_coordinator(folder) as live:
        member, *others = [live.enrolled(name) for name in (*NAMES, "county")]
        live.enrolled("research", Role.ANALYST)
        parties = [
            Enrolled(actor=Actor(party=one.party, role=Role.PROVIDER), signing_key=one.signing_key)
            for one in (member, *others[:-1])
        ]
        keys = live.installation.keys
        hub = Coordinator(
            context=live.installation.context,
            clock=FixedClock(SystemClock().now()),
            authority=keys.authority,
            signing_key=keys.signing_key,
            close=lambda: None,
        )
        nodes = field_round(hub, range(ROWS), range(20, ROWS + 20), parties=parties, analysts=["research"])
        hub.match()
        compared(nodes)
        hub.match()
        for party in (*NAMES, "county", "research"):
            shutil.copytree(live.parties / party, folder / party / "identity")
            (folder / party / "node.toml").write_text(SETTINGS, "utf-8")
        yield World(round_id=nodes[0].round_id, member=member, folder=folder)


def test_commands_of_members_and_analysts_print_the_report_that_is_fetched(world: World) -> None:
    member, analyst = world.node("riverside"), world.analyst()

    assert member.exit_code == analyst.exit_code == 0
    assert member.stdout == analyst.stdout == quality_text(world.report()) + "\n"
    assert f"links                 {ROWS - 20}" in member.stdout


def test_json_of_the_commands_is_the_released_document(world: World) -> None:
    documents = [json.loads(result.stdout) for result in (world.node("college", "--json"), world.analyst("--json"))]

    assert documents[0] == documents[1] == json.loads(world.report().to_bytes())


def test_client_of_an_analyst_gives_the_same_report(world: World) -> None:
    with connect_analyst(world.folder / "research") as analyst:
        assert analyst.fetch_quality(world.round_id) == world.report()


def test_charts_are_written_to_a_new_file_and_no_other_is_overwritten(world: World, tmp_path: Path) -> None:
    file = tmp_path / "quality.svg"

    written, again = (world.node("riverside", "--svg", str(file)) for _ in range(2))

    assert written.exit_code == 0
    assert ET.fromstring(file.read_text("utf-8")).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert (again.exit_code, again.stdout) == (6, "")
    assert "already-exists" in again.stderr


def test_stranger_is_told_that_the_round_is_not_its_own(world: World) -> None:
    refused = world.node("county")

    assert refused.exit_code != 0
    assert "not-a-member" in refused.stderr
