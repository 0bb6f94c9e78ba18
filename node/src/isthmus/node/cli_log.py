"""`isthmus-node log`, `verify` and `disclosures`: what happened in this party's projects, and whether it is true."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
import msgspec

from isthmus.contract.audit_log import LoggedEvent, check_chain
from isthmus.contract.clock import SystemClock, to_text
from isthmus.contract.errors import REFUSED, NotFound
from isthmus.contract.ids import ProjectId, RoundId, parse_project_id
from isthmus.contract.log_export import export_log
from isthmus.contract.outline import terms_outline
from isthmus.contract.views import RoundView
from isthmus.node.client import connect
from isthmus.node.disclosures import (
    RoundTerms,
    disclosures,
    disclosures_csv,
    disclosures_data,
    disclosures_text,
    round_terms,
)
from isthmus.node.kept_log import KeptLog, Refusal, Side, open_kept_log
from isthmus.node.log_first import Opened, warn_first
from isthmus.node.log_verify import Holds, LogFinding, known_keys, signed_terms, verify_project
from isthmus.node.node import Node, open_node
from isthmus.node.options import folder_option
from isthmus.party.commands import emit, json_option, say
from isthmus.party.identity import write_private
from isthmus.party.typed_ids import typed

project_option = click.option(
    "--project",
    "project_id",
    callback=typed(parse_project_id),
    help="This project only; needed where there are several.",
)
offline_option = click.option("--offline", is_flag=True, help="Ask nobody; use what was kept here before.")


@click.group("log")
def log_() -> None:
    """See, export or accept the log of a project: what happened, by whom, as the coordinator showed it here."""


@log_.command("show")
@folder_option
@project_option
@offline_option
@json_option
def log_show(folder: Path, project_id: ProjectId | None, offline: bool, as_json: bool) -> None:
    """Print what happened in a project, one event a line.

    \b
    Example: isthmus-node log show --project k12-to-work
    """
    with _kept(folder, offline=offline) as (_, log):
        project = _one_project(log, project_id)
        events = [link.event for link in check_chain(log.events(project), scope=project)]
        refusals = log.refusals(project)
    data = {"project": project, "events": [msgspec.to_builtins(one) for one in events]}
    data["refusals"] = [asdict(one) for one in refusals]
    emit(as_json, data, lambda: "\n".join([*map(_event_line, events), *map(_refusal_line, refusals)]))


@log_.command("export")
@folder_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@project_option
@click.option("--refused", is_flag=True, help="The history that this node refused, instead of the one that it keeps.")
@offline_option
def log_export(folder: Path, file: Path, project_id: ProjectId | None, refused: bool, offline: bool) -> None:
    """Write the log of a project to FILE, with keys and the signed end: scripts/verify_log checks it without us.

    \b
    Example: isthmus-node log export k12-to-work-log.json --project k12-to-work
    """
    with _kept(folder, offline=offline or refused) as (node, log):
        project = _one_project(log, project_id)
        events, end = (log.events(project), log.end(project))
        if refused:
            events, end = log.history(_latest_refusal(log, project), Side.SHOWN)
        keys = known_keys(node, signed_terms(node, project).values())
        document = export_log(
            project,
            events,
            checkpoint=end.checkpoint,
            signature=end.signature,
            coordinator_key=end.coordinator_key,
            identity_keys={str(party): sorted(found) for party, found in keys.items()},
        )
    write_private(file, document.to_bytes())
    say(f"wrote {len(document.events)} events of {project} to {file}")


@log_.command("accept")
@folder_option
@project_option
@click.option("--reason", required=True, help="Why the other history is the true one; kept with both histories.")
def log_accept(folder: Path, project_id: ProjectId | None, reason: str) -> None:
    """Take the history that this node refused for the true one, and go on from it. Both histories stay here.

    \b
    Example: isthmus-node log accept --project k12-to-work --reason "hub restored its backup of 3 March; told by phone"
    """
    with open_kept_log(folder) as log:
        project = _one_project(log, project_id)
        refusal = log.standing_refusal(project)
        if refusal is None:
            raise NotFound(kind="refused history of project", id=project)
        if not reason.strip():
            raise click.BadParameter("say why", param_hint="--reason")
        log.accept(refusal, at=to_text(SystemClock().now()), reason=reason.strip())
    say(f"accepted; the log of {project} is fetched anew at the next connection")


@click.command()
@folder_option
@project_option
@offline_option
@json_option
def verify(folder: Path, project_id: ProjectId | None, offline: bool, as_json: bool) -> None:
    """Check the kept logs from their first event on: the chain, its signed end, and what the others were shown.

    \b
    Example: isthmus-node verify
    """
    with open_node(folder, clock=SystemClock()) as node, open_kept_log(folder) as log:
        views = None if offline else _fresh(node, log, warn=lambda _warning: None)  # a finding below says it
        projects = [project_id] if project_id else log.projects()
        found = [one for project in projects for one in _verified(node, log, project, views)]
    data = [asdict(one) for one in found]
    emit(as_json, data, lambda: "\n".join(map(_finding_line, found)) or "this node has seen no project yet")
    if any(one.holds is Holds.BAD for one in found):
        click.get_current_context().exit(REFUSED)


@click.command("disclosures")
@folder_option
@project_option
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the list there as CSV.")
@offline_option
@json_option
def disclosures_(
    folder: Path, project_id: ProjectId | None, csv_file: Path | None, offline: bool, as_json: bool
) -> None:
    """List who received what of this party's rows, when, and for which purpose: the record of disclosures.

    \b
    Example: isthmus-node disclosures --csv disclosures.csv
    """
    with _kept(folder, offline=offline) as (node, log):
        rounds, own = _round_terms(node), node.identity.party
        projects = [project_id] if project_id else log.projects()
        events = [_events(log, project) for project in projects]
    found = [one for some in events for one in disclosures(some, own=own, rounds=rounds)]
    if csv_file is not None:
        write_private(csv_file, disclosures_csv(found).encode("utf-8"))
        say(f"wrote {len(found)} disclosures to {csv_file}")
    emit(as_json, disclosures_data(found), lambda: disclosures_text(found))


@contextmanager
def _kept(folder: Path, *, offline: bool) -> Iterator[tuple[Node, KeptLog]]:
    """Open what was kept, brought up to date first unless `offline`; what stands against it is said."""
    with open_node(folder, clock=SystemClock()) as node, open_kept_log(folder) as log:
        if not offline:
            _fresh(node, log)
        yield node, log


def _fresh(node: Node, log: KeptLog, warn: Callable[[str], None] = say) -> list[RoundView]:
    """Bring all kept logs up to date; give the rounds as the coordinator told of them before that."""
    with connect(node.identity) as client:
        views = client.list_rounds()
        warn_first(Opened(node, log, client), views, warn=warn)
    return views


def _verified(node: Node, log: KeptLog, project: ProjectId, views: Sequence[RoundView] | None) -> list[LogFinding]:
    own = None if views is None else [view for view in views if view.project_id == project]
    return list(verify_project(node, log, project, views=own))


def _one_project(log: KeptLog, wanted: ProjectId | None) -> ProjectId:
    known = log.projects()
    if wanted is not None:
        if wanted not in known:
            raise NotFound(kind="kept log of project", id=wanted)
        return wanted
    if len(known) != 1:
        raise click.UsageError(f"name one with --project: {', '.join(known) or 'there is none yet'}")
    return known[0]


def _latest_refusal(log: KeptLog, project: ProjectId) -> Refusal:
    refusals = log.refusals(project)
    if not refusals:
        raise NotFound(kind="refused history of project", id=project)
    return refusals[-1]


def _events(log: KeptLog, project: ProjectId) -> list[LoggedEvent]:
    return [link.event for link in check_chain(log.events(project), scope=project)]


def _round_terms(node: Node) -> dict[RoundId, RoundTerms]:
    """Give the terms that this node signed, of any version, as the record of disclosures needs them."""
    vault = node.vault
    return {
        one.round_id: round_terms(
            one,
            planted=len(vault.planted_rows(one.round_id)),
            struck_out=sum(vault.tombstones(one.round_id).values()),
        )
        for one in map(terms_outline, vault.signed_manifests())
    }


def _event_line(event: LoggedEvent) -> str:
    return f"{event.sequence:>5}  {event.at}  {event.actor:16} {event.action:20} {event.object}  {event.outcome}"


def _refusal_line(one: Refusal) -> str:
    end = f"accepted at {one.accepted_at}, because: {one.reason}" if one.accepted_at else "NOT ACCEPTED"
    return f"refused at {one.at}: {one.problem}; {end}"


def _finding_line(one: LogFinding) -> str:
    return f"{one.holds.value:4}  {one.project}, {one.what}: {one.says}"
