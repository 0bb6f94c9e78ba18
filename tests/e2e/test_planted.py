"""A whole round with planted people over real gRPC: they are looked for, and nobody is given anything of them."""

import csv
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from harness import small_engine
from live import Live, live_coordinator
from project_files import AGREEMENT, project_text

from isthmus.contract.clock import SystemClock
from isthmus.contract.encodings import submission_from_bytes
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.quality import Interval, QualityReport
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.enrolment import add_party
from isthmus.coordinator.actions.matching import claim_round, match_round
from isthmus.coordinator.actions.rounds import add_project, propose_round
from isthmus.coordinator.domain.roles import Actor
from isthmus.node.client import Client, connect
from isthmus.node.node import Node, open_node
from isthmus.node.policy import read_manifest
from isthmus.node.signing import sign_manifest
from isthmus.node.take_part import take_step
from isthmus.party.enrol import Keys, enrol

pytestmark = pytest.mark.slow

OPERATOR = Actor(party=PartyId("operator"), role=Role.OPERATOR)
ROWS, SHARED, PLANTED = 150, 90, 80
PROJECT, SIDES = ProjectId("planting"), ("left", "right")
Side = tuple[Node, Client]
SETTINGS = """
[datasets.people]
file = "people.csv"
id_column = "Nr"
columns = { first_name = "First", last_name = "Last", dob = "Born" }
"""


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Report nothing."""


def _write_people(folder: Path, *, first: int) -> None:
    """Write people `first` to `first + ROWS`, the same wherever their number is."""
    lines = ["Nr,First,Last,Born"]
    for number in range(first, first + ROWS):
        chance = random.Random(number)
        name, family = ("".join(chance.choices("abcdefghiklmnoprstuvw", k=7)) for _ in range(2))
        lines.append(f"REC-{number:04},{name},{family},{chance.randint(1950, 2009)}-{chance.randint(1, 12):02}-11")
    (folder / "people.csv").write_text("\n".join(lines) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A released round: who took part, what each was given, the table, and the log."""

    nodes: tuple[Node, Node]
    round_id: RoundId
    ids: tuple[dict[str, str], dict[str, str]]
    table: dict[str, Any]
    events: list[dict[str, Any]]
    quality: QualityReport


@pytest.fixture(scope="module", params=["linked", "spine"])
def finished(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Finished]:
    """Take a round of two providers, who share 90 of 150 people and plant 80, to its end."""
    folders = [tmp_path_factory.mktemp("parties") / side for side in SIDES]
    with live_coordinator(tmp_path_factory.mktemp("live")) as live, ExitStack() as stack:
        for folder, first in zip(folders, (0, ROWS - SHARED), strict=True):
            folder.mkdir()
            _write_people(folder, first=first)
            _enrol(live, folder)
        round_id = _propose(live, folders, reveal=request.param)
        nodes = [stack.enter_context(open_node(folder, clock=SystemClock())) for folder in folders]
        sides = [(node, stack.enter_context(connect(node.identity))) for node in nodes]
        yield _finish(live.installation.context, sides, round_id)


def _enrol(live: Live, folder: Path) -> None:
    (folder / "node.toml").write_text(SETTINGS)
    party, context = PartyId(folder.name), live.installation.context
    add_party(context, None, party=party, name=party, kind=PartyKind.DISTRICT, role=Role.PROVIDER)
    enrol(folder / "identity", live.token(party), keys=Keys(with_agreement_key=True))


def _propose(live: Live, folders: Sequence[Path], *, reveal: str) -> RoundId:
    text = project_text(
        providers=list(SIDES),
        id=PROJECT,
        reveal=reveal,
        profile="hardened-1",
        require_verified=False,
        comparison={"planted": PLANTED},
    )
    live.agree_in(AGREEMENT, *folders)
    context = live.installation.context
    add_project(context, OPERATOR, text=text)
    key = live.installation.keys.signing_key.public_key().public_bytes_raw()
    return propose_round(context, OPERATOR, project_id=PROJECT, coordinator_key=key).round_id


def _finish(context: Context, sides: Sequence[Side], round_id: RoundId) -> Finished:
    for node, client in sides:
        data = client.get_round(round_id)[1]
        sign_manifest(node, client, read_manifest(data, round_id), data)
    for state in (RoundState.SEALED, RoundState.MATCHING):  # once all rows are there, and once all answers are
        _until(state, sides, round_id)
        assert claim_round(context) == round_id
        match_round(context, round_id, engine=small_engine(), should_stop=lambda: False)
    left, right = (_ids(node, client, round_id) for node, client in sides)
    quality = sides[0][1].fetch_quality(round_id)
    with context.store.read() as tx:
        return Finished(
            nodes=(sides[0][0], sides[1][0]),
            round_id=round_id,
            ids=(left, right),
            table=msgspec.json.decode(tx.results.releases()[0].document),
            events=[msgspec.json.decode(one) for one in tx.events(PROJECT)],
            quality=quality,
        )


def _until(state: RoundState, sides: Sequence[Side], round_id: RoundId) -> None:
    for _ in range(8):
        for node, client in sides:
            if client.get_round(round_id)[0].state is state:
                return
            take_step(node, client, round_id, report=_silent)
    raise AssertionError(f"the round did not come to {state}")


def _ids(node: Node, client: Client, round_id: RoundId) -> dict[str, str]:
    step = take_step(node, client, round_id, report=_silent)
    assert step.id_file is not None
    with step.id_file.open(newline="") as file:
        return {row["rec_id"]: row["pseudonym"] for row in csv.DictReader(file)}


def test_planted_rows_were_sent_with_the_others(finished: Finished) -> None:
    for node in finished.nodes:
        prepared = node.vault.prepared(finished.round_id)
        assert prepared is not None
        assert submission_from_bytes(prepared.document).rows == ROWS + PLANTED


def test_ids_are_of_records_alone(finished: Finished) -> None:
    shared = {f"REC-{number:04}" for number in range(ROWS - SHARED, ROWS)}
    spine = len(finished.ids[0]) == ROWS

    for ids, first in zip(finished.ids, (0, ROWS - SHARED), strict=True):
        everybody = {f"REC-{number:04}" for number in range(first, first + ROWS)}
        assert set(ids) == (everybody if spine else shared)


def test_table_counts_records_alone(finished: Finished) -> None:
    counts = {tuple(row["key"]): row["count"] for row in finished.table["rows"]}

    assert counts == {
        ("all rows of", "left"): ROWS,
        ("all rows of", "right"): ROWS,
        ("in the data of exactly", "left"): ROWS - SHARED,
        ("in the data of exactly", "right"): ROWS - SHARED,
        ("in the data of exactly", "left + right"): SHARED,
    }


def test_log_says_how_many_planted_people_were_found(finished: Finished) -> None:
    (outcome,) = [event["outcome"] for event in finished.events if event["action"] == "planted.find"]
    found, people = (int(word) for word in outcome.split(": ")[1].split(",")[0].split(" of "))

    assert people == PLANTED
    assert 0.7 * PLANTED < found < PLANTED  # names and dates alone, with the published errors


def test_quality_report_gives_the_recall_that_planted_people_show(finished: Finished) -> None:
    (pair,) = finished.quality.pairs

    (outcome,) = [event["outcome"] for event in finished.events if event["action"] == "planted.find"]
    assert f": {pair.planted.found} of {pair.planted.planted}," in outcome
    assert isinstance(pair.planted.recall, Interval)
    assert pair.planted.recall.value == pair.planted.found / PLANTED
    assert (pair.rows, pair.accepted) == ((ROWS, ROWS), SHARED)
