"""A whole round with field comparison, by the programs that a project runs: time, processor, memory, bytes and F1.

    .venv/bin/python benchmarks/rounds.py
    .venv/bin/python benchmarks/rounds.py --rows 100000 --json rounds.json
    .venv/bin/python benchmarks/rounds.py --no-comparison

Two files of made-up people (`scripts/make_people`), 70 % of them in both, with the errors of typing, moving and
marrying that it makes, go from CSV to linked IDs: a coordinator and two nodes, each a process, over mutual TLS on the
loopback address. Each node dials a relay that counts bytes and reads none.

Stages are told apart by what the programs log, looked at every tenth of a second; a stage of both nodes ends with the
slower one. A program that waits looks for news every half second, which is in the wall seconds of small rounds. CPU and
memory are of each process with those that it started; the coordinator is new, so it compiles its kernels. `content` is
what a node declared and the coordinator took in, `wire` all that the relay counted, calls and TLS included. Disk is of
a program's whole folder: the most of it that was seen, and what is left at the end. Linux: it reads /proc.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.encodings import row_bytes, submission_from_bytes
from isthmus.contract.field_answers import ROW_NUMBER_BYTES, answers_from_bytes
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.profiles import DEFAULT_COMPARED, PROFILE_NAMES
from isthmus.coordinator.setup import open_installation
from isthmus.party.identity import PartyRecord

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
# The people and the local round live with the scripts, which are no packages.
from isthmus_local.evaluate import links_of
from isthmus_local.local_round import (
    LocalProvider,
    LocalRound,
    LocalSettings,
    Report,
    Timeline,
    enrol_everybody,
    propose,
    run_nodes,
    serving,
    set_up,
)
from isthmus_local.processes import end_on_signals
from isthmus_local.relay import Relay, relaying
from isthmus_local.usage import Watch
from isthmus_local.watch import watching
from isthmus_people.population import write_people
from isthmus_people.score import PairCounts, score_links

FIELDS: Final = ("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "city", "zip")
SHARED: Final = 0.7
MB: Final = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: seconds by the clock, and of CPU by process."""

    name: str
    wall_s: float
    cpu_s: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process and its folder, from its start to its end; memory and disk in bytes."""

    name: str
    cpu_s: float
    peak_bytes: int
    disk_most_bytes: int
    disk_left_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Bytes of one node: `encodings` and `answers` that it sent, `requests` that it got, and all on the wire."""

    party: str
    rows: int
    encodings: int
    requests: int
    answers: int
    pairs: int
    wire_sent: int
    wire_received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of a round; precision and recall are of pairs of rows of both files."""

    profile: str
    compared: bool
    rows: int
    stages: list[Stage]
    programs: list[Program]
    traffic: list[Traffic]
    precision: float
    recall: float
    f1: float


@dataclass(slots=True)
class Disk:
    """The most that the folders of programs were seen to hold, in bytes, by the folder's name."""

    folders: Sequence[Path]
    most: dict[str, int] = field(default_factory=dict)

    def look(self) -> None:
        """Look once."""
        for folder in self.folders:
            self.most[folder.name] = max(self.most.get(folder.name, 0), size_of(folder))


def size_of(folder: Path) -> int:
    """Give the bytes of all files of a folder; one that goes away meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def local_round(folder: Path, files: Sequence[Path], settings: LocalSettings) -> LocalRound:
    """Give the round of two providers."""
    providers = [
        LocalProvider(
            party=path.stem.replace("_", "-"),
            name=path.stem,
            kind="district",
            file=path,
            id_column="rec_id",
            columns=dict(zip(FIELDS, FIELDS, strict=True)),
        )
        for path in files
    ]
    return LocalRound(folder=folder, providers=providers, settings=settings, timeline=Timeline())


def settings_of(profile: str, *, compared: bool) -> LocalSettings:
    """Give what the project says."""
    return LocalSettings(
        project="rounds",
        title="A benchmark",
        purpose="To see what a round takes.",
        profile=profile,
        comparison=ComparisonTerms() if compared else None,
    )


@contextmanager
def relayed(local: LocalRound) -> Iterator[Mapping[str, Relay]]:
    """Let every node dial a relay of its own while the block runs."""
    with ExitStack() as stack:
        relays = {}
        for provider in local.providers:
            path = local.node(provider.party) / "identity" / "party.json"
            record = msgspec.json.decode(path.read_bytes(), type=PartyRecord)
            host, _, port = record.service_address.rpartition(":")
            relay = relays[provider.party] = stack.enter_context(relaying((host, int(port))))
            through = msgspec.structs.replace(record, service_address=f"{host}:{relay.port}")
            path.write_bytes(msgspec.json.encode(through))
        yield relays


def run_round(local: LocalRound, watch: Watch, disk: Disk, report: Report) -> tuple[str, Mapping[str, Relay]]:
    """Run the round through; give its id and the relays with their counts."""

    def told(doing: str, done: int, total: int) -> None:
        disk.look()
        report(doing, done, total)

    set_up(local, report=report)
    with serving(local) as coordinator:
        enrol_everybody(local, report=report)
        round_id = propose(local, report=report)
        with relayed(local) as relays, watch.running():
            run_nodes(local, round_id, coordinator=coordinator, report=told)
            disk.look()
    return round_id, relays


def marks_of(watch: Watch, *, compared: bool) -> list[tuple[str, float]]:
    """Give the stages with the times at which they began, and the end of the last one, by what the logs said."""
    nodes = [(at, line) for at, name, line in watch.lines if name != "coordinator"]

    def said(words: str) -> list[float]:
        return [at for at, line in nodes if words in line]

    matching, comparing = watch.when("matching"), watch.when("comparing")
    marks = [("prepare", min(said("encoding ..."))), ("upload of encodings", max(said("sending ...")))]
    marks += [("candidates: comparing", matching[0])]
    if not compared:
        marks += [("candidates: scoring, groups", comparing[-1])]
    else:
        asked = watch.when("candidates found; providers are asked about them")[0]
        marks += [("candidates: scoring, request lists", [at for at in comparing if at <= asked][-1])]
        marks += [("fetching requests, answering", asked), ("upload of answers", max(said("sending answers about")))]
        marks += [("reading answers", matching[1]), ("model, groups, quality", comparing[-1])]
    return [*marks, ("fetching IDs", watch.when("released")[0]), ("", max(said("IDs are in")))]


def stages_of(watch: Watch, marks: Sequence[tuple[str, float]]) -> list[Stage]:
    """Give what each stage took."""
    return [
        Stage(
            name=name,
            wall_s=end - begin,
            cpu_s={process: watch.cpu_between(process, begin, end) for process in watch.processes},
        )
        for (name, begin), (_, end) in pairwise(marks)
    ]


def programs_of(watch: Watch, disk: Disk) -> list[Program]:
    """Give what each process used, and its folder."""
    return [
        Program(
            name=folder.name,
            cpu_s=sum(watch.processes[folder.name].cpu.values()),
            peak_bytes=watch.processes[folder.name].peak,
            disk_most_bytes=disk.most[folder.name],
            disk_left_bytes=size_of(folder),
        )
        for folder in disk.folders
    ]


def traffic_of(local: LocalRound, round_id: str, relays: Mapping[str, Relay]) -> list[Traffic]:
    """Give the bytes of each node, by what the coordinator has of it and by its relay."""
    known, found = RoundId(round_id), []
    with open_installation(local.coordinator).context.store.read() as tx:
        answers = [answers_from_bytes(one.document) for one in tx.answers.of_round(known)]
        for party, relay in relays.items():
            sent = tx.submissions.find(known, PartyId(party))
            submission = submission_from_bytes(sent.document if sent else b"")
            own = [one for one in answers if one.party == party]
            pairs = sum(one.pairs for one in own)
            found.append(
                Traffic(
                    party=party,
                    rows=submission.rows,
                    encodings=submission.rows * row_bytes(submission.row_bits),
                    requests=pairs * ROW_NUMBER_BYTES,
                    answers=sum(one.pairs * one.answer_bytes for one in own),
                    pairs=pairs,
                    wire_sent=relay.sent.size,
                    wire_received=relay.received.size,
                )
            )
    return found


def scored(local: LocalRound, round_id: str, truth_file: Path) -> PairCounts:
    """Hold the links against the truth."""
    with truth_file.open(encoding="utf-8", newline="") as file:
        truth = [(row["holder"], row["rec_id"], row["entity_id"]) for row in csv.DictReader(file)]
    holders = {provider.party: provider.name for provider in local.providers}
    links = [(holders[party], record, number) for party, record, number in links_of(local, round_id)]
    return score_links(links, truth).overall


def measured(folder: Path, rows: int, seed: int, settings: LocalSettings, report: Report) -> Measured:
    """Make people, run a round of them, and give what it took."""
    report("making people", 0, 0)
    *files, truth = write_people(folder / "people", rows=rows, providers=2, overlap=SHARED, seed=seed)
    local, compared = local_round(folder / "round", files, settings), settings.comparison is not None
    watch = Watch(local.folder)
    disk = Disk([local.coordinator, *(local.node(one.party) for one in local.providers)])
    round_id, relays = run_round(local, watch, disk, report)
    counts = scored(local, round_id, truth)
    return Measured(
        profile=settings.profile,
        compared=compared,
        rows=rows,
        stages=stages_of(watch, marks_of(watch, compared=compared)),
        programs=programs_of(watch, disk),
        traffic=traffic_of(local, round_id, relays),
        precision=counts.precision,
        recall=counts.recall,
        f1=counts.f1,
    )


def tables_of(found: Measured) -> Iterator[str]:
    """Give what was measured as Markdown, line by line."""
    names = [one.name for one in found.programs]
    how = "fields compared" if found.compared else "no comparison"
    title = f"{found.profile}, {how}, {found.rows:,} rows a file"
    yield f"| {title} | wall s | {' | '.join(f'{name} CPU s' for name in names)} |"
    yield "|" + "---|" * (len(names) + 2)
    for stage in found.stages:
        yield f"| {stage.name} | {stage.wall_s:.1f} | {' | '.join(f'{stage.cpu_s[name]:.1f}' for name in names)} |"
    whole = " | ".join(f"{one.cpu_s:.1f}" for one in found.programs)
    yield f"| *all, start and end of processes too* | {sum(one.wall_s for one in found.stages):.1f} | {whole} |"
    yield from ("", "| process | CPU s | peak MB | disk, most MB | left MB |", "|---|---|---|---|---|")
    for one in found.programs:
        sizes = (one.peak_bytes, one.disk_most_bytes, one.disk_left_bytes)
        yield f"| {one.name} | {one.cpu_s:.1f} | {' | '.join(f'{size / MB:.1f}' for size in sizes)} |"
    heads = (
        "node | encodings MB | bytes a row | request list MB | answers MB | bytes a row | a pair | wire sent MB | got"
    )
    yield from ("", f"| {heads} MB |", "|" + "---|" * 9)
    yield from map(_traffic_line, found.traffic)
    yield f"\nprecision {found.precision:.4f}, recall {found.recall:.4f}, F1 {found.f1:.4f}"


def _traffic_line(one: Traffic) -> str:
    a_pair = one.answers / one.pairs if one.pairs else 0.0
    return (
        f"| {one.party} | {one.encodings / MB:.2f} | {one.encodings / one.rows:.0f} | {one.requests / MB:.2f} |"
        f" {one.answers / MB:.2f} | {one.answers / one.rows:.0f} | {a_pair:.0f} |"
        f" {one.wire_sent / MB:.2f} | {one.wire_received / MB:.2f} |"
    )


def main() -> int:
    """Measure as the command line says, and print."""
    parser = argparse.ArgumentParser(description="a whole round with field comparison")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of each file")
    parser.add_argument("--profile", choices=PROFILE_NAMES, default=DEFAULT_COMPARED)
    parser.add_argument("--no-comparison", action="store_true", help="link by the profile's threshold alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where everything goes, and stays; must not be there yet")
    parser.add_argument("--json", type=Path, help="write what was measured there too")
    arguments = parser.parse_args()
    end_on_signals()
    settings = settings_of(arguments.profile, compared=not arguments.no_comparison)
    with tempfile.TemporaryDirectory() as scratch, watching() as report:
        folder = arguments.folder or Path(scratch)
        found = measured(folder, arguments.rows, arguments.seed, settings, report)
    print("\n".join(tables_of(found)))
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
