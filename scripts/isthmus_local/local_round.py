"""Set up coordinator, nodes and analyst in folders of their own, and run one round."""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from isthmus.contract.clock import SystemClock, to_text
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.convert import round_from_wire
from isthmus.contract.ids import AgreementId, RoundId
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.manifest import manifest_from_bytes
from isthmus.contract.quality import QualityReport
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView
from isthmus.coordinator.match.compare.estimates import FEWEST_PLANTED
from isthmus.coordinator.operator_client import operator_calls
from isthmus.node.agreement_client import connect_agreements
from isthmus.node.agreements import newest, receive, sign_agreement
from isthmus.node.node import open_node
from isthmus.node.vault import open_vault
from isthmus.node.verified import save_verified
from isthmus.party.quality_text import quality_summary
from isthmus.v1.operator_pb2 import ListAllRoundsRequest
from isthmus.v1.operator_pb2_grpc import OperatorServiceStub
from isthmus_local.agreement_file import agreement_file
from isthmus_local.processes import CommandFailed, Running, free_ports, run, running, wait_until_said

COORDINATOR: Final = "isthmus-coordinator"
NODE: Final = "isthmus-node"
ANALYST: Final = "research-office"
DATASET: Final = "records"
AGREEMENT: Final = AgreementId("local-agreement")
POLL_S: Final = 0.25
ROWS_A_PLANTED_PERSON: Final = 20
"""One planted person for so many rows of the smallest file, as decision 0028 says."""

MOST_PLANTED: Final = 500
"""So many give recall to within 1.6 % either way."""

_NAMED_STAGE: Final = re.compile(r"^(\w[\w ]*) \.\.\.$", re.MULTILINE)
"""How a node that nobody looks at names a stage that it begins."""

Report = Callable[[str, int, int], None]
"""(what is done now, how much of it, of how much in all; 0 where nobody knows)."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalProvider:
    """One provider: its id, what people call it, its file and how many rows it has, and which column is which field."""

    party: str
    name: str
    kind: str
    file: Path
    id_column: str
    columns: Mapping[str, str]
    rows: int = 0
    date_order: str = "YMD"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """What the round is to be; `blocks` as granted.

    `threshold` is decimal text, or none for the profile's own rule; it decides where there is no `comparison`.
    """

    project: str
    title: str
    purpose: str
    reveal: str = "linked"
    profile: str = "hardened-1"
    threshold: str | None = None
    min_cell_count: int = 10
    encoder: str = "isthmus"
    blocks: Blocks | None = None
    comparison: ComparisonTerms | None = None
    longitudinal: bool = False


def with_planted(settings: LocalSettings, providers: Sequence[LocalProvider]) -> LocalSettings:
    """Give the settings with as many planted people as the smallest file bears, if so few say anything of recall."""
    if settings.comparison is None:
        return settings
    planted = min(min(one.rows for one in providers) // ROWS_A_PLANTED_PERSON, MOST_PLANTED)
    bears = planted if planted >= FEWEST_PLANTED else 0
    return replace(settings, comparison=msgspec.structs.replace(settings.comparison, planted=bears))


@dataclass(slots=True)
class Timeline:
    """When the round was first seen in each state, in seconds since the clock began."""

    began: float = field(default_factory=time.monotonic)
    seen: dict[str, float] = field(default_factory=dict)

    def note(self, name: str) -> None:
        """Note that something is so now, if it was not before."""
        self.seen.setdefault(name, time.monotonic() - self.began)

    def spans(self) -> list[tuple[str, float]]:
        """Give each noted thing with the seconds until the next one."""
        names = list(self.seen)
        return [(name, self.seen[after] - self.seen[name]) for name, after in pairwise(names)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRound:
    """Where everything of a local round is."""

    folder: Path
    providers: Sequence[LocalProvider]
    settings: LocalSettings
    timeline: Timeline

    @property
    def coordinator(self) -> Path:
        """The coordinator's folder."""
        return self.folder / "coordinator"

    @property
    def analyst(self) -> Path:
        """The analyst's folder."""
        return self.folder / "analyst"

    def node(self, party: str) -> Path:
        """Give a provider's node folder."""
        return self.folder / "nodes" / party


def set_up(local: LocalRound, *, report: Report = silent) -> None:
    """Make the coordinator's folder and each node's, with its settings; nothing runs yet."""
    report("making the coordinator", 0, 0)
    service, enrolment = free_ports(2)
    local.folder.mkdir(parents=True, exist_ok=True)
    ports = ("--service-port", str(service), "--enrolment-port", str(enrolment))
    run(COORDINATOR, "init", "--dir", str(local.coordinator), *ports)
    for number, provider in enumerate(local.providers):
        report("making nodes", number, len(local.providers))
        folder = local.node(provider.party)
        run(NODE, "init", "--dir", str(folder))
        (folder / "node.toml").write_text(_node_settings(local, provider), "utf-8")


@contextmanager
def serving(local: LocalRound) -> Iterator[Running]:
    """Run the coordinator while the block runs."""
    with running(COORDINATOR, "serve", "--dir", str(local.coordinator), log=local.folder / "coordinator.log") as one:
        wait_until_said(one, "serving ", name="the coordinator")
        yield one


def enrol_everybody(local: LocalRound, *, report: Report = silent) -> None:
    """Register and enrol all parties."""
    for number, provider in enumerate(local.providers):
        report("enrolling nodes", number, len(local.providers))
        _register(local, provider.party, provider.name, provider.kind, "provider")
        _enrol(local, NODE, provider.party, local.node(provider.party))
    report("enrolling the analyst", 0, 0)
    _register(local, ANALYST, "Research office", "analyst", "analyst")
    _enrol(local, "isthmus", ANALYST, local.analyst)


def propose(local: LocalRound, *, report: Report = silent) -> str:
    """Agree, add the project, propose a round, let every provider sign it and verify the others; give its id."""
    agree(local, report=report)
    path = local.folder / "project.toml"
    path.write_text(_project_file(local), "utf-8")
    run(COORDINATOR, "project", "add", "--dir", str(local.coordinator), str(path))
    round_id = run(COORDINATOR, "round", "propose", "--dir", str(local.coordinator), local.settings.project).strip()
    local.timeline.note("proposed")
    for number, provider in enumerate(local.providers):
        report("signing", number, len(local.providers))
        run(NODE, "round", "show", "--dir", str(local.node(provider.party)), round_id)
        run(NODE, "round", "sign", "--dir", str(local.node(provider.party)), round_id)
    verify_everybody(local, round_id, report=report)
    return round_id


def agree(local: LocalRound, *, report: Report = silent) -> None:
    """Bring an agreement of all parties in force, unless it is; what people do with `isthmus-node agreement`.

    Without a process for each step at each node.
    """
    if (path := local.folder / "agreement.toml").exists():
        return
    kinds = {provider.party: provider.kind for provider in local.providers}
    yesterday = SystemClock().now().date() - timedelta(days=1)
    path.write_text(agreement_file(AGREEMENT, providers=kinds, analysts=[ANALYST], effective=yesterday), "utf-8")
    run(COORDINATOR, "agreement", "add", "--dir", str(local.coordinator), str(path))
    for number, provider in enumerate(local.providers):
        report("signing the agreement", number, len(local.providers))
        sign_as_shown(local.node(provider.party), AGREEMENT)


def sign_as_shown(folder: Path, agreement: AgreementId) -> None:
    """Sign a proposed agreement at a node as somebody does who was shown it."""
    with open_node(folder, clock=SystemClock()) as node, connect_agreements(node.identity) as client:
        shown = newest(receive(node, client, agreement))
        node.vault.agreements.save_shown(shown.agreement, at=to_text(node.clock.now()))
        sign_agreement(node, client, agreement)


def verify_everybody(local: LocalRound, round_id: str, *, report: Report = silent) -> None:
    """Ask each node for its own fingerprint and compare it at all others, as people would by telephone.

    What `isthmus-node fingerprint verify` does, without a process for each pair of nodes.
    """
    for number, provider in enumerate(local.providers):
        report("comparing fingerprints", number, len(local.providers))
        told = json.loads(run(NODE, "fingerprint", "--dir", str(local.node(provider.party)), "--json"))
        for other in local.providers:
            if other.party != provider.party:
                _verify_at(local.node(other.party), round_id, provider.party, told["digits"])


def _verify_at(folder: Path, round_id: str, party: str, digits: str) -> None:
    """Compare digits with the keys that the node signed for."""
    with closing(open_vault(folder / "vault.sqlite")) as vault:
        signed = vault.signed_manifest(RoundId(round_id))
    member = manifest_from_bytes(signed or b"").key_terms().member(party)
    if member is None:
        raise CommandFailed(f"{party} is no member of round {round_id}")
    save_verified(folder, member, digits=digits, now=to_text(SystemClock().now()))


def run_nodes(local: LocalRound, round_id: str, *, coordinator: Running, report: Report) -> None:
    """Run one process for each node until all have fetched their IDs; raise `CommandFailed` if one stops."""
    with ExitStack() as stack:
        calls = stack.enter_context(operator_calls(local.coordinator))
        nodes = {
            provider.party: stack.enter_context(_running_node(local, provider.party, round_id))
            for provider in local.providers
        }
        while any(node.process.poll() is None for node in nodes.values()):
            coordinator.require_success("the coordinator")
            for party, node in nodes.items():
                node.require_success(f"the node of {party}")
            _observe(local, calls, round_id, report, nodes.values())
            time.sleep(POLL_S)
        for party, node in nodes.items():
            node.require_success(f"the node of {party}")
    local.timeline.note("IDs fetched")


def fetch_table(local: LocalRound, round_id: str, *options: str) -> str:
    """Fetch the round's overlap table as the analyst."""
    return run("isthmus", "tables", "fetch", "--dir", str(local.analyst), f"{round_id}-overlap", *options)


def quality_of(local: LocalRound, round_id: str) -> str:
    """Say in short, as the analyst, how good the links are by estimation; "" where no fields were compared."""
    if local.settings.comparison is None:
        return ""
    report = run("isthmus", "quality", "--dir", str(local.analyst), round_id, "--json")
    return quality_summary(msgspec.convert(json.loads(report), QualityReport))


def left_node(local: LocalRound, party: str, round_id: str) -> dict[str, Any]:
    """Give a node's own report of what left it."""
    shown = json.loads(run(NODE, "round", "show", "--dir", str(local.node(party)), round_id, "--json"))
    left: dict[str, Any] = shown["left_this_node"]
    return left


def id_file(local: LocalRound, party: str, round_id: str) -> Path:
    """Give where a node put its fetched IDs."""
    return local.node(party) / "ids" / f"{round_id}.csv"


def _running_node(local: LocalRound, party: str, round_id: str) -> Any:
    folder = local.node(party)
    return running(NODE, "run", "--dir", str(folder), "--round", round_id, log=folder / "run.log")


def _observe(
    local: LocalRound, calls: OperatorServiceStub, round_id: str, report: Report, nodes: Iterable[Running]
) -> None:
    views = [round_from_wire(one) for one in calls.ListAllRounds(ListAllRoundsRequest()).rounds]
    here = next(view for view in views if view.round_id == round_id)
    local.timeline.note(here.state.value)
    doing = stage_text(here, [node.said() for node in nodes])
    report(doing, here.pairs_done, here.pairs_total)
    if here.state is RoundState.FAILED:
        raise CommandFailed("matching failed; the coordinator's log says why")


def stage_text(view: RoundView, said: Sequence[str]) -> str:
    """Say what goes on in a state that lasts: the stages that nodes named last, or which part of matching it is."""
    stages: set[str] = set()
    if view.state in {RoundState.COLLECTING, RoundState.COMPARING}:
        stages = {named[-1] for text in said if (named := _NAMED_STAGE.findall(text))}
    elif view.state is RoundState.MATCHING:
        whole = view.pairs_done == view.pairs_total
        stages = {("grouping" if view.pairs_total else "reading") if whole else "comparing"}
    return ", ".join([view.state.value, *sorted(stages)])


def _register(local: LocalRound, party: str, name: str, kind: str, role: str) -> None:
    what = ("--name", name, "--kind", kind, "--role", role)
    run(COORDINATOR, "party", "add", "--dir", str(local.coordinator), party, *what)


def _enrol(local: LocalRound, program: str, party: str, folder: Path) -> None:
    token = run(COORDINATOR, "token", "--dir", str(local.coordinator), party)
    run(program, "enrol", "--dir", str(folder), "-", given=token)


def _node_settings(local: LocalRound, provider: LocalProvider) -> str:
    columns = "\n".join(f"{name} = {json.dumps(column)}" for name, column in provider.columns.items())
    return f"""encoder = {json.dumps(local.settings.encoder)}

[datasets.{DATASET}]
file = {json.dumps(str(provider.file.resolve()))}
id_column = {json.dumps(provider.id_column)}
date_order = {json.dumps(provider.date_order)}
[datasets.{DATASET}.columns]
{columns}
"""


def _project_file(local: LocalRound) -> str:
    settings = local.settings
    lines = [
        'format = "isthmus/project/5"',
        f"agreement = {json.dumps(AGREEMENT)}",
        f"id = {json.dumps(settings.project)}",
        f"title = {json.dumps(settings.title)}",
        f"purpose = {json.dumps(settings.purpose)}",
        f"lead = {json.dumps(local.providers[0].party)}",
        f"reveal = {json.dumps(settings.reveal)}",
        f"profile = {json.dumps(settings.profile)}",
        f"min_cell_count = {settings.min_cell_count}",
        f"analysts = [{json.dumps(ANALYST)}]",
    ]
    lines += ["longitudinal = true"] if settings.longitudinal else []
    lines += [f"threshold = {json.dumps(settings.threshold)}"] if settings.threshold else []
    for provider in local.providers:
        fields = ", ".join(json.dumps(name) for name in provider.columns)
        lines += ["", "[[providers]]", f"party = {json.dumps(provider.party)}", f'dataset = "{DATASET}"']
        lines += [f"fields = [{fields}]"]
    return "\n".join([*lines, *_blocks_of_file(settings.blocks), *_comparison_of_file(settings.comparison)]) + "\n"


def _blocks_of_file(blocks: Blocks | None) -> list[str]:
    if blocks is None:
        return []
    numbers = [f"{name} = {getattr(blocks, name)}" for name in ("buckets", "least_rows", "most_rows")]
    return ["", "[blocks]", f"keys = {json.dumps(list(blocks.keys))}", *numbers]


def _comparison_of_file(terms: ComparisonTerms | None) -> list[str]:
    if terms is None:
        return []
    numbers = [f"{name} = {getattr(terms, name)}" for name in ("slots", "planted")]
    return ["", "[comparison]", f"accept = {json.dumps(terms.accept.value)}", *numbers]
