"""`isthmus-node agreement`: read, write, sign, decline, amend and leave agreements."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from isthmus.contract.agreement import Agreement, agreement_from_toml
from isthmus.contract.agreement_advice import agreement_advice
from isthmus.contract.agreement_text import agreement_changes, agreement_text
from isthmus.contract.clock import SystemClock, to_text
from isthmus.contract.ids import AgreementId, parse_agreement_id
from isthmus.node.agreement_client import AgreementClient, connect_agreements
from isthmus.node.agreements import (
    Received,
    before,
    decided_lines,
    decline_agreement,
    newest,
    propose,
    receive,
    sign_agreement,
    withdraw,
)
from isthmus.node.errors import AgreementRefused
from isthmus.node.node import Node, open_node
from isthmus.node.options import folder_option
from isthmus.party.agreement_line import agreement_data, agreement_line
from isthmus.party.commands import emit, json_option, say
from isthmus.party.folder import with_given_folder
from isthmus.party.typed_ids import typed

TEMPLATES: Final = ("three-agencies", "districts-and-hub", "city-and-programmes", "one-off-evaluation")
"""The agreement files to begin from, in the package's folder `templates`."""

_AGREEMENT: Final = click.argument("agreement_id", callback=typed(parse_agreement_id))
_FILE: Final = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group()
def agreement() -> None:
    """Read, write, sign, decline, amend and leave agreements, under which all rounds are."""


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[Node, AgreementClient]]:
    with open_node(folder, clock=SystemClock()) as node, connect_agreements(node.identity) as client:
        yield node, client


@agreement.command("new")
@click.option("--template", required=True, type=click.Choice(TEMPLATES), help="Which situation is nearest to yours.")
def new(template: str) -> None:
    """Print a commented agreement file to fill in. Nothing in it is legal advice.

    \b
    Example: isthmus-node agreement new --template districts-and-hub > agreement.toml
    """
    click.echo(template_text(template), nl=False)


@agreement.command("check")
@_FILE
@json_option
def check(file: Path, as_json: bool) -> None:
    """Say what is wrong with the agreement in FILE, and what a lawyer would ask for and is missing; call nobody.

    \b
    Example: isthmus-node agreement check agreement.toml
    """
    draft = _draft(file)
    advice = agreement_advice(draft)
    data = {"valid": True, "missing": [{"what": one.missing, "why": one.why, "write": one.write} for one in advice]}
    emit(as_json, data, lambda: agreement_text(draft) + _advice_text(draft))


@agreement.command("list")
@folder_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """List every version of this party's agreements, and whom each waits for."""
    with _opened(folder) as (_, client):
        summaries = client.list()
    data = [agreement_data(one) for one in summaries]
    emit(as_json, data, lambda: "\n".join(map(agreement_line, summaries)) or "no agreements yet")


@agreement.command("show")
@folder_option
@_AGREEMENT
@json_option
def show(folder: Path, agreement_id: AgreementId, as_json: bool) -> None:
    """Say in plain language what AGREEMENT_ID asks, what changed in it, and who signed, declined or left."""
    with _opened(folder) as (node, client):
        found = receive(node, client, agreement_id)
        one = newest(found)
        node.vault.agreements.save_shown(one.agreement, at=to_text(node.clock.now()))
        changes = _changes(found, one)
        text = "\n".join([_terms_text(one, changes), *decided_lines(one, node.identity.party)])
    data = {**agreement_data(one.view.summary), "terms": msgspec.to_builtins(one.agreement), "changes": changes}
    data["decisions"] = [
        {"party": each.party, "at": to_text(each.at), "signed": each.signature is not None, "declined": each.declined}
        for each in one.view.decisions
    ]
    data["withdrawals"] = [msgspec.to_builtins(left) for left in one.withdrawals]
    emit(as_json, data, lambda: text)


@agreement.command("propose")
@folder_option
@_FILE
def propose_(folder: Path, file: Path) -> None:
    """Put a new agreement in FILE, which this party leads, to those who have to sign it."""
    _propose(folder, file, amends=False)


@agreement.command("amend")
@folder_option
@_FILE
def amend(folder: Path, file: Path) -> None:
    """Put the next version of an agreement in force to those who have to sign it: FILE says the whole of it anew."""
    _propose(folder, file, amends=True)


@agreement.command("sign")
@folder_option
@_AGREEMENT
def sign(folder: Path, agreement_id: AgreementId) -> None:
    """Sign AGREEMENT_ID with this party's identity key: the very terms that `agreement show` showed here."""
    with _opened(folder) as (node, client):
        say(with_given_folder(agreement_line(sign_agreement(node, client, agreement_id))))


@agreement.command("decline")
@folder_option
@_AGREEMENT
@click.option("--reason", required=True, help="Why, in one line; the other parties read it.")
def decline(folder: Path, agreement_id: AgreementId, reason: str) -> None:
    """Refuse the proposed version of AGREEMENT_ID, which ends it; the version before stays in force."""
    with _opened(folder) as (node, client):
        say(with_given_folder(agreement_line(decline_agreement(node, client, agreement_id, reason=reason))))


@agreement.command("withdraw")
@folder_option
@_AGREEMENT
@click.option("--reason", required=True, help="Why, in one line; the other parties read it.")
@click.option(
    "--from", "from_day", type=click.DateTime(formats=["%Y-%m-%d"]), help="The first day without this party; today."
)
def withdraw_(folder: Path, agreement_id: AgreementId, reason: str, from_day: datetime | None) -> None:
    """Leave AGREEMENT_ID: from that day on this party is in no new round under it, and its node signs none.

    \b
    Example: isthmus-node agreement withdraw school-work --reason "Our board decided to leave."
    """
    with _opened(folder) as (node, client):
        effective = from_day.date() if from_day else node.clock.now().date()
        say(agreement_line(withdraw(node, client, agreement_id, reason=reason, effective=effective)))


def template_text(name: str) -> str:
    """Give the agreement file of a template."""
    return (files("isthmus.node") / "templates" / f"{name}.toml").read_text("utf-8")


def _propose(folder: Path, file: Path, *, amends: bool) -> None:
    draft, text = _draft(file), file.read_text("utf-8-sig")
    with _opened(folder) as (node, client):
        known = {one.agreement_id for one in client.list()}
        force = _in_force(node, client, draft.id) if draft.id in known else None
        _check_which(draft, force, amends=amends)
        made = propose(node, client, draft, text)
    if force is not None:
        click.echo(_changes_text(list(agreement_changes(force, made.agreement))))
    click.echo(_advice_text(draft))
    say(with_given_folder(agreement_line(made.view.summary)))


def _in_force(node: Node, client: AgreementClient, agreement_id: AgreementId) -> Agreement | None:
    receive(node, client, agreement_id)
    return node.vault.agreements.in_force(agreement_id)


def _check_which(draft: Agreement, force: Agreement | None, *, amends: bool) -> None:
    if amends and force is None:
        problem = "no version of it is in force that could be amended; use isthmus-node agreement propose"
        raise AgreementRefused(agreement=draft.id, problem=problem)
    if not amends and force is not None:
        problem = f"version {force.version} is in force; to change it, use isthmus-node agreement amend"
        raise AgreementRefused(agreement=draft.id, problem=problem)


def _draft(file: Path) -> Agreement:
    return agreement_from_toml(file.read_text("utf-8-sig"))


def _changes(found: tuple[Received, ...], one: Received) -> list[str] | None:
    """Give what changed, or none where it is a first version."""
    old = before(found, one)
    return None if old is None else list(agreement_changes(old, one.agreement))


def _terms_text(one: Received, changes: list[str] | None) -> str:
    return agreement_text(one.agreement).rstrip() + ("" if changes is None else f"\n{_changes_text(changes)}")


def _changes_text(changes: list[str]) -> str:
    lines = [f"    - {one}" for one in changes] or ["    nothing but its place in the chain"]
    return "\n".join(["  changed since the version before:", *lines])


def _advice_text(draft: Agreement) -> str:
    advice: list[Any] = list(agreement_advice(draft))
    if not advice:
        return "  nothing is missing that this program knows to ask for"
    return "\n".join(["  a lawyer would ask for:", *(f"  - {one}" for one in advice)])
