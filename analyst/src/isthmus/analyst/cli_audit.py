"""`isthmus rounds`, `manifest` and `log`: what an auditor may look at."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from isthmus.analyst.auditor import Auditor, SignedManifest, connect_auditor
from isthmus.contract.acknowledgements import Said, read_acknowledgement
from isthmus.contract.audit_log import Link, LoggedEvent, check_chain
from isthmus.contract.canonical import Label, verify
from isthmus.contract.checkpoint import read_checkpoint
from isthmus.contract.errors import REFUSED, IsthmusError, SignatureInvalid, UnsupportedVersion
from isthmus.contract.ids import PartyId, ProjectId, RoundId, parse_project_id, parse_round_id
from isthmus.contract.log_export import LogExport, export_from_bytes, export_log
from isthmus.party.commands import emit, json_option, say
from isthmus.party.folder import folder_option as folder_option_of
from isthmus.party.identity import write_private
from isthmus.party.round_text import round_data, round_text
from isthmus.party.typed_ids import typed

folder_option = folder_option_of("isthmus-analyst", "The auditor's folder.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at and what came of it, in plain words."""

    holds: bool
    says: str


@click.command()
@folder_option
@json_option
def rounds(folder: Path, as_json: bool) -> None:
    """List the rounds of the projects whose agreement names you as an auditor, and whom each waits for.

    \b
    Example: isthmus rounds
    """
    with connect_auditor(folder) as auditor:
        views = {project: auditor.list_rounds(project) for project in auditor.list_projects()}
    data = {project: [round_data(view) for view in found] for project, found in views.items()}
    lines = [line for project, found in views.items() for line in [f"project {project}:", *map(round_text, found)]]
    emit(as_json, data, lambda: "\n".join(lines) or "no project's agreement names this party as an auditor")


@click.command()
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def manifest(folder: Path, round_id: RoundId, file: Path) -> None:
    """Write the signed terms of ROUND_ID to FILE, after checking every signature on them.

    \b
    Example: isthmus manifest k12-to-work-1f0a9c2b77 terms.json
    """
    with connect_auditor(folder) as auditor:
        signed = auditor.get_manifest(round_id)
    findings = list(signature_findings(signed))
    write_private(file, signed.document)
    say(f"wrote the terms of {round_id}, hash {signed.manifest.digest().hex()}, to {file}")
    _show(findings, as_json=False)


@click.group("log")
def log_() -> None:
    """See, export and check what happened in a project whose agreement names you as an auditor."""


@log_.command("show")
@folder_option
@click.argument("project_id", callback=typed(parse_project_id))
@json_option
def log_show(folder: Path, project_id: ProjectId, as_json: bool) -> None:
    """Print what happened in PROJECT_ID, one event a line.

    \b
    Example: isthmus log show k12-to-work
    """
    with connect_auditor(folder) as auditor:
        events = [link.event for link in auditor.fetch_log(project_id).links]
    emit(as_json, [msgspec.to_builtins(one) for one in events], lambda: "\n".join(map(_event_line, events)))


@log_.command("export")
@folder_option
@click.argument("project_id", callback=typed(parse_project_id))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def log_export(folder: Path, project_id: ProjectId, file: Path) -> None:
    """Write the log of PROJECT_ID to FILE with keys and the signed end: keep it, to check the coordinator later.

    \b
    Example: isthmus log export k12-to-work k12-to-work-log.json
    """
    with connect_auditor(folder) as auditor:
        log = auditor.fetch_log(project_id)
        document = export_log(
            project_id,
            [link.data for link in log.links],
            checkpoint=log.checkpoint,
            signature=log.signature,
            coordinator_key=auditor.coordinator_key,
            identity_keys=_identity_keys(auditor, project_id),
        )
    write_private(file, document.to_bytes())
    say(f"wrote {len(document.events)} events of {project_id} to {file}; check it later with: isthmus log verify")


@log_.command("verify")
@folder_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def log_verify(folder: Path, file: Path, as_json: bool) -> None:
    """Check the log in FILE, and whether the coordinator's log of today continues it.

    FILE is one that you, a provider or the operator exported. A log that was rolled back, changed or forked is found.

    \b
    Example: isthmus log verify k12-to-work-log.json
    """
    export = export_from_bytes(file.read_bytes())
    with connect_auditor(folder) as auditor:
        findings = list(log_findings(auditor, export))
    _show(findings, as_json=as_json)


def log_findings(auditor: Auditor, export: LogExport) -> Iterator[Finding]:
    """Say what holds of an exported log and of the coordinator's log of today that should continue it."""
    project = parse_project_id(export.scope)
    try:
        links = list(check_chain([one.encode() for one in export.events], scope=project))
        yield Finding(holds=True, says=f"the file's {len(links)} events follow from one another")
        _check_end(export, links, key=auditor.coordinator_key)
        yield Finding(holds=True, says="the coordinator signed the file's end")
        links += auditor.fetch_log(project, links[-1].head).links
    except IsthmusError as exc:
        yield Finding(holds=False, says=f"{exc}; keep the file, and tell the providers of {project}")
        return
    yield Finding(holds=True, says=f"the coordinator's log of today continues it and has {len(links)} events")
    yield from _acknowledgement_findings(links, _keys_of(export))


def signature_findings(signed: SignedManifest) -> Iterator[Finding]:
    """Say of every member whether it signed a manifest with the key that the manifest pins."""
    for member in signed.manifest.members:
        signature = signed.signatures.get(member.party)
        if signature is None:
            yield Finding(holds=True, says=f"{member.party} has not signed")
            continue
        try:
            verify(bytes.fromhex(member.identity_key), Label.ROUND_MANIFEST, signed.document, signature)
        except SignatureInvalid:
            yield Finding(holds=False, says=f"the signature of {member.party} does not hold")
        else:
            yield Finding(holds=True, says=f"{member.party} signed")


def _check_end(export: LogExport, links: Sequence[Link], *, key: bytes) -> None:
    checkpoint, signature = export.checkpoint.encode(), bytes.fromhex(export.signature)
    end = read_checkpoint(checkpoint, signature, scope=export.scope, coordinator_key=key).end()
    if not links or end != links[-1].head:
        raise SignatureInvalid(document="end of the file's log")


def _acknowledgement_findings(links: Sequence[Link], keys: Mapping[PartyId, list[bytes]]) -> Iterator[Finding]:
    hashes = {link.head.sequence: link.head.hash for link in links}
    said = [read_acknowledgement(link, keys=keys, hash_at=hashes.get) for link in links]
    latest = {one.party: one for one in said if one is not None and one.said is Said.SAME}
    for one in said:
        if one is not None and one.said is Said.OTHER:
            yield Finding(holds=False, says=f"by event {one.sequence}, {one.party} was shown another history")
    for party, one in sorted(latest.items()):
        yield Finding(holds=True, says=f"{party} signed that it was shown this history up to event {one.head.sequence}")


def _identity_keys(auditor: Auditor, project: ProjectId) -> dict[str, set[bytes]]:
    """Give the keys of the members of the project's rounds, as the manifests pin them; of this program's version."""
    keys: dict[str, set[bytes]] = {}
    for view in auditor.list_rounds(project):
        try:
            members = auditor.get_manifest(view.round_id).manifest.members
        except UnsupportedVersion:
            continue
        for member in members:
            keys.setdefault(str(member.party), set()).add(bytes.fromhex(member.identity_key))
    return keys


def _keys_of(export: LogExport) -> dict[PartyId, list[bytes]]:
    return {PartyId(party): [bytes.fromhex(key) for key in keys] for party, keys in export.identity_keys.items()}


def _show(findings: Iterable[Finding], *, as_json: bool) -> None:
    found = list(findings)
    data = [{"holds": one.holds, "says": one.says} for one in found]
    emit(as_json, data, lambda: "\n".join(f"{'ok ' if one.holds else 'BAD'}  {one.says}" for one in found))
    if not all(one.holds for one in found):
        click.get_current_context().exit(REFUSED)


def _event_line(event: LoggedEvent) -> str:
    return f"{event.sequence:>5}  {event.at}  {event.actor:16} {event.action:20} {event.object}  {event.outcome}"
