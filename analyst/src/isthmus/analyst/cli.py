"""`isthmus`: the commands of those who have no node: analysts and auditors."""

from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from isthmus.analyst.cli_audit import log_, manifest, rounds
from isthmus.analyst.client import connect
from isthmus.analyst.table import Table
from isthmus.contract.clock import to_text
from isthmus.contract.ids import RoundId, TableId, parse_round_id, parse_table_id
from isthmus.party.commands import Commands, emit, json_option, say
from isthmus.party.enrol import enrol as enrol_party
from isthmus.party.folder import folder_option as folder_option_of
from isthmus.party.quality_command import show_quality, svg_option
from isthmus.party.token import read_token
from isthmus.party.typed_ids import typed

folder_option = folder_option_of("isthmus-analyst", "The analyst's folder.")


@click.group("isthmus", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="isthmus-analyst")
def main() -> None:
    """Fetch matched aggregates, small counts hidden; as an auditor, look at what happened.

    \b
    Example:
      isthmus enrol research-office.token
      isthmus tables list
      isthmus tables fetch k12-to-work-1f0a9c2b77-overlap
      isthmus quality k12-to-work-1f0a9c2b77
      isthmus log show k12-to-work
    """


for _command in (rounds, manifest, log_):
    main.add_command(_command)


@main.command()
@folder_option
@click.argument("token_file", type=click.File("r", encoding="ascii", errors="replace"))
def enrol(folder: Path, token_file: TextIO) -> None:
    """Trade the one-time token in TOKEN_FILE ("-" for standard input) for a certificate.

    \b
    Example: isthmus enrol research-office.token
    """
    record = enrol_party(folder / "identity", read_token(token_file.read()))
    say(f"enrolled as {record.party} at {record.service_address}")


@main.group()
def tables() -> None:
    """List and fetch released tables."""


@tables.command("list")
@folder_option
@json_option
def tables_list(folder: Path, as_json: bool) -> None:
    """List the released tables of your projects, newest first."""
    with connect(folder) as analyst:
        views = analyst.list_tables()
    data = [
        {"table": view.table_id, "project": view.project_id, "title": view.title, "released": to_text(view.released_at)}
        for view in views
    ]
    emit(as_json, data, lambda: "\n".join(_table_line(row) for row in data) or "no table is released yet")


@tables.command("fetch")
@folder_option
@click.argument("table_id", callback=typed(parse_table_id))
@click.option("--csv", "as_csv", is_flag=True, help="Print the table as CSV; a hidden count is an empty field.")
@json_option
def tables_fetch(folder: Path, table_id: TableId, as_csv: bool, as_json: bool) -> None:
    """Print the released table TABLE_ID.

    \b
    Example: isthmus tables fetch k12-to-work-1f0a9c2b77-overlap --csv > overlap.csv
    """
    if as_csv and as_json:
        raise click.UsageError("choose --csv or --json, not both")
    with connect(folder) as analyst:
        table = analyst.fetch_table(table_id)
    emit(as_json, msgspec.to_builtins(table), lambda: _render(table, as_csv=as_csv))


@main.command()
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
@svg_option
@json_option
def quality(folder: Path, round_id: RoundId, svg: Path | None, as_json: bool) -> None:
    """Print how good the links of ROUND_ID are: estimates with intervals, and why pairs are links.

    \b
    Example: isthmus quality k12-to-work-1f0a9c2b77 --svg quality.svg
    """
    with connect(folder) as analyst:
        report = analyst.fetch_quality(round_id)
    show_quality(report, as_json=as_json, svg=svg)


def _render(table: Table, *, as_csv: bool) -> str:
    return table.to_csv().rstrip("\n") if as_csv else table.to_text()


def _table_line(row: dict[str, Any]) -> str:
    return f"{row['table']:48} {row['released']}  {row['title']}"
