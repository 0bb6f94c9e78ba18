"""`scripts/demo`: three providers, one coordinator, one round; and what left whom, who got what, and how good it is."""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
from isthmus_people.people import DemoData, write_demo
from isthmus_people.score import score_links, score_table
from rich.console import Console
from rich.table import Table

from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.errors import IsthmusError
from isthmus.contract.profiles import DEFAULT_COMPARED
from isthmus_local.evaluate import links_of, read_truth
from isthmus_local.local_round import (
    LocalProvider,
    LocalRound,
    LocalSettings,
    Timeline,
    enrol_everybody,
    fetch_table,
    id_file,
    left_node,
    propose,
    quality_of,
    run_nodes,
    serving,
    set_up,
    with_planted,
)
from isthmus_local.processes import CommandFailed, end_on_signals
from isthmus_local.watch import watching

SETTINGS: Final = LocalSettings(
    project="school-to-work",
    title="From school to work",
    purpose="Describe how young people of the district reach the labour market, for the state's annual report",
    profile=DEFAULT_COMPARED,
    comparison=ComparisonTerms(),
)
NAMES: Final = {
    "school": ("school-district", "Riverside school district", "district"),
    "registry": ("state-registry", "State registry", "state-agency"),
    "workforce": ("workforce-agency", "State workforce agency", "workforce"),
}

MARKER: Final = ".isthmus-demo"

WHAT_A_CLK_IS: Final = (
    "A CLK (an encoded record) is pseudonymous personal data. The coordinator sees which rows are nearly equal in a\n"
    "table, and who knows some of the people can recognise some others (docs/threat-model.md, section 2)."
)

_PROBE: Final = """
import sys
from pathlib import Path
from isthmus.coordinator.confine import can_confine, confine
if not can_confine():
    sys.exit("this machine offers no Landlock, so nothing but the operator's care keeps the coordinator from the key")
confine(Path(sys.argv[1]))
try:
    Path(sys.argv[2]).read_bytes()
except PermissionError:
    sys.exit(0)
sys.exit("the key could be read")
"""
"""Confines itself as the coordinator does, then tries to read the private key that parts of a round's key open with."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("demo-out"), show_default=True)
@click.option("--seed", default=1, show_default=True, help="Same seed, same people and same errors in their records.")
def main(out: Path, seed: int) -> None:
    """Run the demonstration: three providers with synthetic people, a coordinator, an analyst, one round."""
    began = time.monotonic()
    end_on_signals()
    try:
        _demo(out, seed)
    except IsthmusError as exc:
        click.echo(f"isthmus: {exc} [{exc.code}]", err=True)
        sys.exit(exc.spec.exit_code)
    except KeyboardInterrupt:
        click.echo("isthmus: interrupted; run it again to start afresh", err=True)
        sys.exit(130)
    except CommandFailed as exc:
        click.echo(f"isthmus: {exc}", err=True)
        sys.exit(1)
    click.echo(f"\nAll of it took {time.monotonic() - began:.0f} s. Everything is in {out}; delete it when you like.")


def _demo(out: Path, seed: int) -> None:
    console = Console(width=118, highlight=False)
    _make_folder(out)
    data = write_demo(out / "people", seed=seed)
    providers = _providers(data)
    settings = with_planted(SETTINGS, providers)
    local = LocalRound(folder=out, providers=providers, settings=settings, timeline=Timeline())
    local.timeline.note("setting up and enrolling")
    _say_people(console, data)
    with watching() as report:
        set_up(local, report=report)
        with serving(local) as coordinator:
            enrol_everybody(local, report=report)
            round_id = propose(local, report=report)
            run_nodes(local, round_id, coordinator=coordinator, report=report)
            table, quality = fetch_table(local, round_id), quality_of(local, round_id)
            lefts = [left_node(local, provider.party, round_id) for provider in local.providers]
    _say_left(console, local, lefts)
    _say_key(console, local)
    _say_ids(console, local, round_id)
    console.rule("What the analyst gets", align="left")
    console.print(table, markup=False)
    console.rule("How good the links are, as everybody can see without the truth", align="left")
    console.print(quality, markup=False)
    _say_quality(console, local, data, round_id)
    _say_times(console, local)


def _make_folder(out: Path) -> None:
    """Make an empty folder; an earlier demo's is removed, and nothing that is not one."""
    if (out / MARKER).exists():
        shutil.rmtree(out)
    if out.exists() and any(out.iterdir()):
        raise CommandFailed(f"{out} holds something that is not a demo; choose another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).write_text("made by scripts/demo, which may remove this folder\n", "utf-8")


def _providers(data: DemoData) -> list[LocalProvider]:
    return [
        LocalProvider(
            party=NAMES[one.holder][0],
            name=NAMES[one.holder][1],
            kind=NAMES[one.holder][2],
            file=one.path,
            id_column=one.id_column,
            columns=one.columns,
            rows=one.rows,
            date_order=one.date_order,
        )
        for one in data.providers
    ]


def _say_people(console: Console, data: DemoData) -> None:
    console.rule("Three providers, synthetic people", align="left")
    for one in data.providers:
        party, name, _ = NAMES[one.holder]
        console.print(f"{party:18} {name:28} {one.rows:>7,} records  {one.path}")


def _say_left(console: Console, local: LocalRound, lefts: Sequence[dict[str, Any]]) -> None:
    console.rule("What left each node, and what did not", align="left")
    table = Table(box=None, pad_edge=False)
    for heading in ("node", "left: rows", "bytes", "as", "made from", "stayed"):
        table.add_column(heading, overflow="fold", justify="right" if heading in {"left: rows", "bytes"} else "left")
    for provider, left in zip(local.providers, lefts, strict=True):
        encoded, stayed, tables = left["encoded"], left["stayed"], left["tables"]
        table.add_row(
            provider.party,
            f"{left['rows']:,}",
            f"{left['bytes']:,}",
            f"{left['clk_bits']}-bit CLKs in {len(tables)} tables ({', '.join(tables)}) under random handles, shuffled",
            ", ".join(encoded.values()) if isinstance(encoded, dict) else "",
            ", ".join(stayed) + ", all not named here" if isinstance(stayed, list) else "",
        )
    console.print(table)
    console.print(
        "Asked about pairs of rows, each node also answered how far these fields differ, and told no value of them:"
    )
    for provider, left in zip(local.providers, lefts, strict=True):
        console.print(f"{provider.party:18} {', '.join(left['compared'].values())}")
    console.print(_who_is_planted(local.settings))
    console.print(WHAT_A_CLK_IS)


def _who_is_planted(settings: LocalSettings) -> str:
    planted = settings.comparison.planted if settings.comparison else 0
    return (
        f"Among the rows of each are {planted} planted people, made up, whom all nodes add with errors of their own,\n"
        "to measure how many shared people are found; no result has anything of them."
    )


def _say_key(console: Console, local: LocalRound) -> None:
    key = local.node(local.providers[0].party) / "identity" / "agreement.key"
    probe = [sys.executable, "-c", _PROBE, str(local.coordinator), str(key.resolve())]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    verdict = "permission denied" if done.returncode == 0 else done.stderr.strip()
    console.print(
        "The nodes agreed on the round's key through the coordinator, which can open none of its parts.\n"
        f"A process confined as the coordinator's is, to its own folder, opens a node's agreement key: {verdict}."
    )


def _say_ids(console: Console, local: LocalRound, round_id: str) -> None:
    console.rule("What each provider gets: pseudonymous IDs of its own rows that linked", align="left")
    for provider in local.providers:
        path = id_file(local, provider.party, round_id)
        rows = len(path.read_text("utf-8").splitlines()) - 1
        console.print(f"{provider.party:18} {rows:>7,} linked rows  {path}", soft_wrap=True)


def _say_quality(console: Console, local: LocalRound, data: DemoData, round_id: str) -> None:
    console.rule("How good the links are, against the truth that the demo kept aside", align="left")
    holders = {NAMES[one.holder][0]: one.holder for one in data.providers}
    links = [(holders[party], record, link) for party, record, link in links_of(local, round_id)]
    console.print(score_table(score_links(links, read_truth(data.truth))), markup=False)
    console.print("precision: how many of the links are right; recall: how many of the true ones were found; at most 1")


def _say_times(console: Console, local: LocalRound) -> None:
    console.rule("How long each stage took", align="left")
    for name, seconds in local.timeline.spans():
        console.print(f"{name:26} {seconds:6.1f} s")


if __name__ == "__main__":
    main(prog_name="scripts/demo")
