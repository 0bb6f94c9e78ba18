"""`isthmus-coordinator`: the composition root and the operator's commands.

`init`, `serve`, `cluster-keys`, `log` and `operator-certificate` work on the coordinator's folder; everything else is a
call to the running coordinator with the operator's certificate. What only the folder's commands need (database,
matching) is imported by them alone, so that the others start at once.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from isthmus.contract.clock import SystemClock, to_text
from isthmus.contract.convert import (
    kind_to_wire,
    role_from_wire,
    role_to_wire,
    round_from_wire,
    time_from_wire,
)
from isthmus.contract.convert_agreement import summary_from_wire
from isthmus.contract.ids import parse_party_id, parse_project_id, parse_round_id
from isthmus.contract.parties import PartyKind, Role
from isthmus.coordinator.cli_log import log_
from isthmus.coordinator.config import load_config
from isthmus.coordinator.confine import confine_if_possible
from isthmus.coordinator.operator_client import operator_calls
from isthmus.party.agreement_line import agreement_data, agreement_line
from isthmus.party.commands import Commands, emit, json_option, say
from isthmus.party.folder import folder_option as folder_option_of
from isthmus.party.folder import with_given_folder
from isthmus.party.log import configure_logging
from isthmus.party.round_text import round_data, round_text
from isthmus.party.typed_ids import typed
from isthmus.v1 import operator_pb2 as pb

folder_option = folder_option_of("isthmus-coordinator", "The coordinator's folder.")


@click.group("isthmus-coordinator", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="isthmus-coordinator")
def main() -> None:
    """Run an Isthmus coordinator: enrol parties, collect encodings, match them, release tables.

    \b
    Example:
      isthmus-coordinator init --dir hub --host hub.example.org
      isthmus-coordinator serve --dir hub
    """
    os.umask(0o077)  # whatever this program writes is for its owner alone
    configure_logging(sys.stderr)


@main.command()
@folder_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The name or address that parties use.")
@click.option("--address", default="127.0.0.1", show_default=True, help="The address of this machine to listen on.")
@click.option("--service-port", default=7443, show_default=True, type=click.IntRange(1, 65535))
@click.option("--enrolment-port", default=7444, show_default=True, type=click.IntRange(1, 65535))
def init(folder: Path, host: str, address: str, service_port: int, enrolment_port: int) -> None:
    """Make a coordinator's folder: settings, keys, database, and the operator's certificate."""
    from isthmus.coordinator.setup import make_installation  # noqa: PLC0415 - see the module's text

    make_installation(
        folder,
        address=address,
        host=host,
        service_port=service_port,
        enrolment_port=enrolment_port,
        clock=SystemClock(),
    )
    say(with_given_folder(f"made a coordinator in {folder}; start it with: isthmus-coordinator serve"))


@main.command()
@folder_option
def serve(folder: Path) -> None:
    """Run the coordinator until it is interrupted."""
    if load_config(folder).confine:
        confine_if_possible(folder, announce=say)  # before the imports below, which start threads

    from isthmus.coordinator.serve import run_coordinator  # noqa: PLC0415 - see the module's text
    from isthmus.coordinator.setup import open_installation  # noqa: PLC0415

    run_coordinator(open_installation(folder), announce=say)


@main.command("operator-certificate")
@folder_option
def operator_certificate(folder: Path) -> None:
    """Give the operator a new certificate of seven days, on the coordinator's own machine."""
    from isthmus.coordinator.setup import enrol_operator, open_installation  # noqa: PLC0415 - see the module's text

    enrol_operator(open_installation(folder))
    say("the operator has a new certificate")


@main.command("cluster-keys")
@folder_option
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def cluster_keys(folder: Path, out: Path) -> None:
    """Make keys of thirty days for a dask cluster: the coordinator's own, and in the folder OUT its machines'.

    \b
    Example: isthmus-coordinator cluster-keys cluster
    """
    from isthmus.coordinator.setup import make_cluster_keys  # noqa: PLC0415 - see the module's text

    make_cluster_keys(folder, out, clock=SystemClock())
    say(f"made keys in {out}; bring them to the scheduler and the workers by a way that you trust, and nowhere else")


main.add_command(log_)


@main.group()
def party() -> None:
    """Register, list and withdraw parties."""


@party.command("add")
@folder_option
@click.argument("party_id", callback=typed(parse_party_id))
@click.option("--name", required=True, help="The party's legal name.")
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in PartyKind]))
@click.option(
    "--role", default=Role.PROVIDER.value, show_default=True, type=click.Choice([role.value for role in Role])
)
def party_add(folder: Path, party_id: str, name: str, kind: str, role: str) -> None:
    """Register PARTY_ID, which may then enrol.

    \b
    Example: isthmus-coordinator party add riverside --name "Riverside USD" --kind district
    """
    request = pb.AddPartyRequest(
        party_id=party_id, name=name, kind=kind_to_wire(PartyKind(kind)), role=role_to_wire(Role(role))
    )
    with operator_calls(folder) as calls:
        calls.AddParty(request)
    say(with_given_folder(f"registered {party_id}; give it a token from: isthmus-coordinator token {party_id}"))


@party.command("list")
@folder_option
@json_option
def party_list(folder: Path, as_json: bool) -> None:
    """List the parties and whether they have enrolled."""
    with operator_calls(folder) as calls:
        parties = calls.ListParties(pb.ListPartiesRequest()).parties
    rows = [
        {
            "party": one.party_id,
            "name": one.name,
            "role": role_from_wire(one.role).value,
            "enrolled": bool(one.identity_key),
        }
        for one in parties
    ]
    emit(as_json, rows, lambda: "\n".join(_party_line(row) for row in rows))


@party.command("revoke")
@folder_option
@click.argument("party_id", callback=typed(parse_party_id))
def party_revoke(folder: Path, party_id: str) -> None:
    """Withdraw every certificate of PARTY_ID, effective at its next call."""
    with operator_calls(folder) as calls:
        response = calls.RevokeParty(pb.RevokePartyRequest(party_id=party_id))
    say(f"withdrew {response.certificates} certificate(s) of {party_id}; it can enrol again with a new token")


@main.command()
@folder_option
@click.argument("party_id", callback=typed(parse_party_id))
def token(folder: Path, party_id: str) -> None:
    """Mint a one-time enrolment token of one hour for PARTY_ID and print it.

    \b
    Example: isthmus-coordinator token riverside > riverside.token
    """
    with operator_calls(folder) as calls:
        response = calls.MintToken(pb.MintTokenRequest(party_id=party_id))
    click.echo(response.token)
    say(f"the token is a secret until it is used, and ends at {to_text(time_from_wire(response.expires_at))}")


@main.group()
def agreement() -> None:
    """Add agreements, and see whom they wait for."""


@agreement.command("add")
@folder_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def agreement_add(folder: Path, file: Path) -> None:
    """Put the agreement in FILE, or an amendment, to those who sign it (TOML; docs/reference/agreement-file.md).

    \b
    Example: isthmus-coordinator agreement add school-work.toml
    """
    with operator_calls(folder) as calls:
        response = calls.AddAgreement(pb.AddAgreementRequest(agreement_file=file.read_text("utf-8-sig")))
    say(agreement_line(summary_from_wire(response.agreement)))


@agreement.command("list")
@folder_option
@json_option
def agreement_list(folder: Path, as_json: bool) -> None:
    """List every version of every agreement, and whom each waits for."""
    with operator_calls(folder) as calls:
        found = calls.ListAllAgreements(pb.ListAllAgreementsRequest()).agreements
    summaries = [summary_from_wire(one) for one in found]
    data = [agreement_data(one) for one in summaries]
    emit(as_json, data, lambda: "\n".join(map(agreement_line, summaries)) or "no agreements yet")


@main.group()
def project() -> None:
    """Add projects."""


@project.command("add")
@folder_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def project_add(folder: Path, file: Path) -> None:
    """Add the project in FILE (TOML; docs/reference/project-file.md).

    \b
    Example: isthmus-coordinator project add k12-to-work.toml
    """
    with operator_calls(folder) as calls:
        response = calls.AddProject(pb.AddProjectRequest(project_file=file.read_text("utf-8")))
    say(f"project {response.project_id}, hash {response.project_hash.hex()}")


@main.group("round")
def round_() -> None:
    """Propose, watch, cancel and retry rounds."""


@round_.command("propose")
@folder_option
@click.argument("project_id", callback=typed(parse_project_id))
def round_propose(folder: Path, project_id: str) -> None:
    """Propose a round of PROJECT_ID to its providers, and print the round's id."""
    with operator_calls(folder) as calls:
        view = round_from_wire(calls.ProposeRound(pb.ProposeRoundRequest(project_id=project_id)).round)
    click.echo(view.round_id)
    say(round_text(view))


@round_.command("list")
@folder_option
@json_option
def round_list(folder: Path, as_json: bool) -> None:
    """List all rounds, the latest change first, and whom each waits for."""
    with operator_calls(folder) as calls:
        views = [round_from_wire(one) for one in calls.ListAllRounds(pb.ListAllRoundsRequest()).rounds]
    data = [round_data(view) for view in views]
    emit(as_json, data, lambda: "\n".join(round_text(view) for view in views) or "no rounds yet")


@round_.command("cancel")
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
def round_cancel(folder: Path, round_id: str) -> None:
    """End ROUND_ID before its release."""
    with operator_calls(folder) as calls:
        say(round_text(round_from_wire(calls.CancelRound(pb.CancelRoundRequest(round_id=round_id)).round)))


@round_.command("retry")
@folder_option
@click.argument("round_id", callback=typed(parse_round_id))
def round_retry(folder: Path, round_id: str) -> None:
    """Match ROUND_ID again after a fault."""
    with operator_calls(folder) as calls:
        say(round_text(round_from_wire(calls.RetryRound(pb.RetryRoundRequest(round_id=round_id)).round)))


def _party_line(row: dict[str, Any]) -> str:
    enrolled = "enrolled" if row["enrolled"] else "not enrolled yet"
    return f"{row['party']:24} {row['role']:10} {enrolled:16} {row['name']}"
