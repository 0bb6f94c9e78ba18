"""`isthmus-node`: the composition root of a provider's node and its commands."""

import os
import sys
from pathlib import Path
from typing import Final, TextIO

import click

from isthmus.contract.canonical import sha256
from isthmus.contract.clock import SystemClock
from isthmus.contract.errors import AlreadyExists
from isthmus.contract.ids import ProjectId, RoundId, parse_project_id, parse_round_id
from isthmus.contract.manifest import manifest_from_bytes
from isthmus.contract.outline import manifest_outline
from isthmus.contract.views import RoundView
from isthmus.node.cli_agreement import agreement
from isthmus.node.cli_keys import fingerprint, seal
from isthmus.node.cli_log import disclosures_, log_, verify
from isthmus.node.cli_opt_out import opt_out
from isthmus.node.config import FILE_NAME, config_template, find_dataset, load_config
from isthmus.node.doctor import Finding, examine
from isthmus.node.faults import typed_fault
from isthmus.node.id_changes import changes_data, changes_text, save_id_changes
from isthmus.node.log_first import keep_first, opened, warn_first
from isthmus.node.mapping.presets import Preset
from isthmus.node.mapping.show import map_source, mapping_data, mapping_text
from isthmus.node.node import Node, files_of_folder, only_one_run, open_node
from isthmus.node.options import folder_option
from isthmus.node.policy import check_manifest, read_manifest
from isthmus.node.show import manifest_text, report_text, unverified_text
from isthmus.node.signing import require_shown, sign_manifest
from isthmus.node.sources.open_source import Source, SourceSettings
from isthmus.node.verified import Verified, load_verified, name_unverified, unverified_members
from isthmus.party.commands import EXIT_SETTINGS, Commands, emit, json_option, say
from isthmus.party.enrol import Keys
from isthmus.party.enrol import enrol as enrol_party
from isthmus.party.folder import with_given_folder
from isthmus.party.identity import write_private
from isthmus.party.log import configure_logging
from isthmus.party.quality_command import show_quality, svg_option
from isthmus.party.round_text import round_data, round_text
from isthmus.party.token import read_token
from isthmus.party.typed_ids import typed

LATER: Final = {
    "audit": "isthmus.node.audit.command:audit",
    "profile": "isthmus.node.report.command:profile",
}
"""Commands that count or encode a whole data set."""


@click.group(
    "isthmus-node",
    cls=Commands,
    later=LATER,
    typed=typed_fault,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="isthmus-node")
def main() -> None:
    """Run a data provider's Isthmus node: encode records on your own premises and take part in linkage rounds.

    \b
    Example, in order:
      isthmus-node init
      isthmus-node enrol riverside.token
      isthmus-node fingerprint
      isthmus-node run
    """
    os.umask(0o077)  # whatever this program writes is for its owner alone
    configure_logging(sys.stderr)


@main.command()
@folder_option
def init(folder: Path) -> None:
    """Make a node's folder with a commented node.toml to fill in."""
    if (folder / FILE_NAME).exists():
        raise AlreadyExists(kind="node in folder", id=folder.name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / FILE_NAME, config_template().encode("utf-8"))
    say(with_given_folder(f"made {folder / FILE_NAME}; fill in your data sets, then: isthmus-node enrol TOKEN_FILE"))


@main.command()
@folder_option
@click.argument("token_file", type=click.File("r", encoding="ascii", errors="replace"))
@click.option("--new-agreement-key", is_flag=True, help="Make another agreement key; all others must compare again.")
def enrol(folder: Path, token_file: TextIO, new_agreement_key: bool) -> None:
    """Trade the one-time token in TOKEN_FILE ("-" for standard input) for a certificate. Keys are made here.

    \b
    Example: isthmus-node enrol riverside.token
    """
    keys = Keys(files=files_of_folder(folder), with_agreement_key=True, renew_agreement_key=new_agreement_key)
    record = enrol_party(folder / "identity", read_token(token_file.read()), keys=keys)
    say(
        f"enrolled as {record.party} at {record.service_address}; the keys are in {folder / 'identity'} and never leave"
    )


main.add_command(fingerprint)
main.add_command(seal)


main.add_command(opt_out)
main.add_command(agreement)


main.add_command(log_)
main.add_command(verify)
main.add_command(disclosures_)


@main.group("round")
def round_() -> None:
    """See, sign or decline rounds."""


@round_.command("list")
@folder_option
@json_option
def round_list(folder: Path, as_json: bool) -> None:
    """List this party's rounds and whom each waits for."""
    with opened(folder) as at:
        told, verified = at.client.list_rounds(), load_verified(folder)
        warn_first(at, told)
        views = [_with_own_needs(at.node, view, verified) for view in told]
        party = at.node.identity.party
    data = [round_data(view) for view in views]
    emit(as_json, data, lambda: "\n".join(round_text(view, party) for view in views) or "no rounds yet")


def _with_own_needs(node: Node, view: RoundView, verified: Verified) -> RoundView:
    signed = node.vault.signed_manifest(view.round_id)
    if signed is None or not manifest_outline(signed).is_current:
        return view
    return name_unverified(view, manifest_from_bytes(signed), verified, own=node.identity.party)


@round_.command("show")
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
@json_option
def round_show(folder: Path, round_id: RoundId, as_json: bool) -> None:
    """Say in plain language what ROUND_ID asks, of whom, and what leaves or left this node for it."""
    with opened(folder) as at:
        node = at.node
        view, data, signatures = at.client.get_round(round_id)
        warn_first(at, [view])
        manifest = read_manifest(data, view.round_id)
        left = node.what_leaves(view.round_id)
        node.vault.save_shown(view.round_id, data)
        party = node.identity.party
    unverified = unverified_members(manifest, load_verified(folder), own=party)
    found = {**round_data(view), "signed_by": sorted(signatures), "left_this_node": left, "unverified": unverified}
    terms = manifest_text(manifest, view, signatures, party) + unverified_text(manifest, unverified)
    emit(as_json, found, lambda: terms + (report_text(left) if left else ""))


@round_.command("preview")
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
@json_option
def round_preview(folder: Path, round_id: RoundId, as_json: bool) -> None:
    """Encode what ROUND_ID asks of this node and say what would leave; nothing is written or sent."""
    from isthmus.node.progress import StageProgress  # noqa: PLC0415 - as in `run`
    from isthmus.node.take_part import preview_round  # noqa: PLC0415

    with opened(folder) as at:
        manifest = read_manifest(at.client.get_round(round_id)[1], round_id)
        keep_first(at, manifest.project.id)
        check_manifest(manifest, identity=at.node.identity, config=at.node.config)
        with StageProgress() as progress:
            would_leave = preview_round(at.node, manifest, report=progress.report)
    emit(as_json, would_leave, lambda: report_text(would_leave).rstrip())


@round_.command("sign")
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
def round_sign(folder: Path, round_id: RoundId) -> None:
    """Agree to ROUND_ID with this party's identity key: to the very terms that `round show` showed here."""
    with opened(folder) as at:
        data = at.client.get_round(round_id)[1]
        manifest = read_manifest(data, round_id)
        keep_first(at, manifest.project.id)
        require_shown(at.node, round_id, data)
        signed = sign_manifest(at.node, at.client, manifest, data)
        say(round_text(signed, at.node.identity.party))


@round_.command("decline")
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
def round_decline(folder: Path, round_id: RoundId) -> None:
    """Refuse ROUND_ID, which ends it for everybody."""
    with opened(folder) as at:
        view, data, _ = at.client.get_round(round_id)
        warn_first(at, [view])
        declined = at.client.decline_round(round_id, manifest_hash=sha256(data))
        say(round_text(declined, at.node.identity.party))


@round_.command("quality")
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
@svg_option
@json_option
def round_quality(folder: Path, round_id: RoundId, svg: Path | None, as_json: bool) -> None:
    """Print how good the links of ROUND_ID are, once it is released: estimates, and why pairs are links.

    \b
    Example: isthmus-node round quality k12-to-work-1f0a9c2b77 --svg quality.svg
    """
    with opened(folder) as at:
        warn_first(at, [at.client.get_round(round_id)[0]])
        report = at.client.fetch_quality(round_id)
    show_quality(report, as_json=as_json, svg=svg)


@round_.command("changes")
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
@json_option
def round_changes(folder: Path, round_id: RoundId, as_json: bool) -> None:
    """Write down which of your records have another ID in ROUND_ID than they had before, and why.

    For projects whose IDs last over rounds. The list stays here, beside the ID file.

    \b
    Example: isthmus-node round changes k12-to-work-1f0a9c2b77
    """
    from isthmus.node.take_part import fetch_ids  # noqa: PLC0415 - as in `run`

    with opened(folder) as at:
        view, data, _ = at.client.get_round(round_id)
        warn_first(at, [view])
        manifest = read_manifest(data, round_id)
        fetch_ids(at.node, at.client, manifest)
        changes = save_id_changes(at.node, at.client, round_id) if manifest.project.longitudinal else None
    emit(as_json, changes_data(changes), lambda: changes_text(changes))


@main.command("new-handles")
@folder_option
@click.argument("project_id", callback=typed(parse_project_id))
def new_handles(folder: Path, project_id: ProjectId) -> None:
    """Accept that the handle key of PROJECT_ID is lost; the next round makes another, and no row is known again.

    \b
    Example: isthmus-node new-handles k12-to-work
    """
    with open_node(folder, clock=SystemClock()) as node:
        node.vault.save_handle_check(project_id, None)
    say(f"the next round of {project_id} takes the handle key that is in keys/ by then, or makes another")


@main.command()
@folder_option
@click.option(
    "--project", "project_id", callback=typed(parse_project_id), help="Take part in rounds of this project only."
)
@click.option(
    "--round",
    "round_id",
    callback=typed(parse_round_id),
    help="Take part in this round only, and stop when its IDs are here.",
)
@click.option("--once", is_flag=True, help="Stop when the IDs of one round are here.")
def run(folder: Path, project_id: ProjectId | None, round_id: RoundId | None, once: bool) -> None:
    """Take part in rounds until interrupted: sign what the policy allows, confirm, encode, send, fetch IDs.

    \b
    Example: isthmus-node run --once
    """
    from isthmus.node.daemon import run_rounds  # noqa: PLC0415 - needs numpy; the other commands start faster without

    with open_node(folder, clock=SystemClock()) as node, only_one_run(folder):
        run_rounds(node, project=project_id, round_id=round_id, once=once or round_id is not None)


@main.command()
@folder_option
@json_option
def doctor(folder: Path, as_json: bool) -> None:
    """Check settings, data sets, keys, certificate and connection, without sending a record.

    \b
    Example: isthmus-node doctor
    """
    found = []
    for one in examine(folder, clock=SystemClock()):
        found.append(one)
        if not as_json:
            click.echo(_finding_line(one))
    if as_json:
        emit(True, [{"what": one.what, "well": one.well, "says": one.says} for one in found], str)
    if not all(one.well for one in found):
        click.get_current_context().exit(EXIT_SETTINGS)


def _finding_line(one: Finding) -> str:
    return f"{'ok ' if one.well else 'BAD'}  {one.what}: {with_given_folder(one.says)}"


@main.command("map")
@folder_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--dataset", "name", help="A data set of node.toml, instead of a file.")
@click.option("--preset", type=click.Choice([one.value for one in Preset]), help="The data standard of the names.")
@json_option
def map_(folder: Path, file: Path | None, name: str | None, preset: str | None, as_json: bool) -> None:
    """Propose which column of FILE is which standard field, with masked samples; nothing is written.

    \b
    Example: isthmus-node map students.xlsx --preset ed-fi
    """
    mapped = map_source(
        folder,
        _source_to_map(folder, file, name),
        name=name or (file.stem if file else ""),
        preset=Preset(preset) if preset else None,
    )
    emit(as_json, mapping_data(mapped), lambda: mapping_text(mapped).rstrip())


def _source_to_map(folder: Path, file: Path | None, name: str | None) -> SourceSettings:
    if (file is None) == (name is None):
        raise click.UsageError("give a FILE or --dataset NAME, one of them")
    if file is not None:
        return Source(file=str(file.resolve()))
    return find_dataset(load_config(folder), str(name))
