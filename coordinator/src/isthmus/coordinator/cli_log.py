"""`isthmus-coordinator log`: the logs of the coordinator's own database, a restored backup's included.

Works on the folder, so that a backup can be looked at before it serves anybody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from isthmus.contract.audit_log import LoggedEvent, check_chain
from isthmus.contract.canonical import Label, sign
from isthmus.contract.checkpoint import new_checkpoint
from isthmus.contract.clock import to_text
from isthmus.contract.errors import BAD_INPUT, MalformedDocument, NotFound
from isthmus.contract.log_export import export_log
from isthmus.party.commands import emit, json_option, say
from isthmus.party.folder import folder_option as folder_option_of
from isthmus.party.identity import write_private

if TYPE_CHECKING:
    from isthmus.coordinator.setup import Installation

folder_option = folder_option_of("isthmus-coordinator", "The coordinator's folder.")


@click.group("log")
def log_() -> None:
    """See, export and check what happened: a chain of events for each project, and one for parties."""


@log_.command("show")
@folder_option
@click.argument("scope")
@json_option
def log_show(folder: Path, scope: str, as_json: bool) -> None:
    """Print the events of SCOPE, a project or "coordinator", one a line.

    \b
    Example: isthmus-coordinator log show k12-to-work
    """
    with _opened(folder) as installation:
        events = [link.event for link in check_chain(_events(installation, scope), scope=scope)]
    emit(as_json, [msgspec.to_builtins(one) for one in events], lambda: "\n".join(map(_event_line, events)))


@log_.command("export")
@folder_option
@click.argument("scope")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def log_export(folder: Path, scope: str, file: Path) -> None:
    """Write the events of SCOPE to FILE, with their signed end and all keys: scripts/verify_log checks it without us.

    \b
    Example: isthmus-coordinator log export k12-to-work k12-to-work-log.json
    """
    with _opened(folder) as installation:
        events, context, key = _events(installation, scope), installation.context, installation.keys.signing_key
        *_, last = check_chain(events, scope=scope)
        checkpoint = new_checkpoint(scope, last.head, at=to_text(context.clock.now())).to_bytes()
        with context.store.read() as tx:
            parties = {str(one.id): [one.identity_key] for one in tx.parties.all() if one.identity_key is not None}
        document = export_log(
            scope,
            events,
            checkpoint=checkpoint,
            signature=sign(key, Label.CHECKPOINT, checkpoint),
            coordinator_key=key.public_key().public_bytes_raw(),
            identity_keys=parties,
        )
    write_private(file, document.to_bytes())
    say(f"wrote {len(events)} events of {scope} to {file}")


@log_.command("verify")
@folder_option
@json_option
def log_verify(folder: Path, as_json: bool) -> None:
    """Check every chain from its first event on. Nodes hold the ends against what they were shown before.

    \b
    Example: isthmus-coordinator log verify
    """
    with _opened(folder) as installation, installation.context.store.read() as tx:
        found = [_verified(scope, list(tx.log.events(scope))) for scope in tx.log.scopes()]
    emit(as_json, found, lambda: "\n".join(f"{'ok ' if one['holds'] else 'BAD'}  {one['says']}" for one in found))
    if not all(one["holds"] for one in found):
        click.get_current_context().exit(BAD_INPUT)


def _verified(scope: str, events: list[bytes]) -> dict[str, str | bool]:
    try:
        *_, last = check_chain(events, scope=scope)
    except MalformedDocument as exc:
        return {"scope": scope, "holds": False, "says": f"{scope}: {exc}"}
    says = f"{scope}: {len(events)} events follow from one another; the last is {last.head.hash.hex()}"
    return {"scope": scope, "holds": True, "says": says}


@contextmanager
def _opened(folder: Path) -> Iterator["Installation"]:
    from isthmus.coordinator.setup import open_installation  # noqa: PLC0415 - as in `isthmus.coordinator.cli`

    installation = open_installation(folder)
    try:
        yield installation
    finally:
        installation.close()


def _events(installation: "Installation", scope: str) -> list[bytes]:
    with installation.context.store.read() as tx:
        events = list(tx.log.events(scope))
    if not events:
        raise NotFound(kind="log of", id=scope)
    return events


def _event_line(event: LoggedEvent) -> str:
    return f"{event.sequence:>5}  {event.at}  {event.actor:16} {event.action:20} {event.object}  {event.outcome}"
