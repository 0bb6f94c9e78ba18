"""The commands around keys: fingerprints, comparing them, and sealing what lies on disk."""

import sys
from pathlib import Path
from typing import Any, Final

import click

from isthmus.contract.clock import SystemClock, to_text
from isthmus.contract.ids import PartyId, RoundId, parse_party_id, parse_round_id
from isthmus.contract.key_agreement import KeyMember
from isthmus.contract.manifest import RoundManifest
from isthmus.node.agree import own_keys
from isthmus.node.client import connect
from isthmus.node.config import load_config
from isthmus.node.kept_log import open_kept_log
from isthmus.node.keys.fingerprint import GROUPS, fingerprint_groups, shown
from isthmus.node.keys.folder import KINDS, private_files
from isthmus.node.log_first import Opened, warn_first
from isthmus.node.node import Node, files_of, only_one_run, open_node
from isthmus.node.options import folder_option
from isthmus.node.policy import read_manifest
from isthmus.node.qr import qr_lines
from isthmus.node.verified import Verified, check_not_own, load_verified, other_member, save_verified
from isthmus.party.commands import emit, json_option, say
from isthmus.party.errors import SettingsInvalid
from isthmus.party.identity import KEY_KINDS, KeyFiles, is_sealed, unfinished
from isthmus.party.typed_ids import typed

_NOT_SEALED: Final = (
    'keys.sealed_by is "none", so there is nothing to seal the keys with; write sealed_by = "passphrase" (or'
    ' "credential") under [keys], and name the passphrase\'s file in ISTHMUS_NODE_PASSPHRASE_FILE'
)


@click.group(invoke_without_command=True)
@folder_option
@click.option(
    "--round",
    "round_id",
    callback=typed(parse_round_id),
    help="Those of all members of this round, instead of this party's own.",
)
@json_option
@click.pass_context
def fingerprint(ctx: click.Context, folder: Path, round_id: RoundId | None, as_json: bool) -> None:
    """Show the fingerprint of this party's keys, to be compared with others by telephone or in person.

    \b
    Example:
      isthmus-node fingerprint
      isthmus-node fingerprint --round k12-to-work-0123456789
      isthmus-node fingerprint verify college --round k12-to-work-0123456789
    """
    if ctx.invoked_subcommand is not None:
        return
    with open_node(folder, clock=SystemClock()) as node:
        if round_id is None:
            own = own_keys(node).member()
            lines = shown(own, qr_lines=qr_lines if sys.stdout.isatty() else None)
            emit(as_json, _data(own), lambda: "\n".join(lines))
            return
        members, verified = _manifest(node, round_id).key_terms().members, load_verified(folder)
        found = [_data(one) | {"state": _state(one, node.identity.party, verified)} for one in members]
    texts = [_member_text(one, str(data["state"])) for one, data in zip(members, found, strict=True)]
    emit(as_json, found, lambda: "\n".join(texts))


@fingerprint.command("verify")
@folder_option
@click.argument("party_id", callback=typed(parse_party_id))
@click.option(
    "--round",
    "round_id",
    required=True,
    callback=typed(parse_round_id),
    help="A round that lists the party's keys.",
)
@click.option("--digits", help="The 60 digits that the party read to you; asked for if not given.")
@click.option("--replace", is_flag=True, help="Let go of other keys of the party that were verified before.")
def verify(folder: Path, party_id: PartyId, round_id: RoundId, digits: str | None, replace: bool) -> None:
    """Record that PARTY_ID's keys are its own: you heard these digits from the party, not over the coordinator.

    \b
    Example: isthmus-node fingerprint verify college --round k12-to-work-0123456789
    """
    with open_node(folder, clock=SystemClock()) as node:
        manifest, own = _manifest(node, round_id), node.identity.party
    member = other_member(manifest, party_id, own=own)
    heard = digits or click.prompt(f"The 60 digits that {party_id} reads to you", err=True)
    read = sum(character.isdigit() for character in heard)
    if read != 5 * GROUPS:
        raise click.BadParameter(f"these are {read} digits, and a fingerprint has {5 * GROUPS}", param_hint="--digits")
    check_not_own(heard, manifest, own=own)
    save_verified(folder, member, digits=heard, now=to_text(SystemClock().now()), replace=replace)
    say(f"verified: the keys that the round lists for {party_id} are those that it read to you")


@click.command()
@folder_option
def seal(folder: Path) -> None:
    """Encrypt this node's private keys on disk, by the passphrase or credential that node.toml names under [keys].

    Needed once, after `sealed_by` was changed; keys that are made later are sealed by themselves.

    \b
    Example: ISTHMUS_NODE_PASSPHRASE_FILE=/run/secrets/isthmus isthmus-node seal
    """
    config = load_config(folder)
    if config.keys.sealed_by == "none":
        raise SettingsInvalid(file="node.toml", problem=_NOT_SEALED)
    files = files_of(config)
    with only_one_run(folder):
        removed = _remove_unfinished(folder)
        sealed = _seal_all(files, private_files(folder))
    say(sealed_text(sealed))
    if removed:
        say(f"removed {removed} unfinished file(s) of a program that was killed while it wrote a key")


def sealed_text(files: int) -> str:
    """Say what `seal` did, and what it cannot do."""
    if not files:
        return "nothing to do: every private key in this folder is sealed already, or there is none yet"
    one = files == 1
    return (
        f"sealed {files} private key file{'' if one else 's'}. Copies from before, such as backups, still hold"
        f" {'it' if one else 'them'} unsealed: destroy those. Without the passphrase or credential the keys are lost,"
        " so keep it where this machine's disk is not"
    )


def _seal_all(files: KeyFiles, found: list[tuple[Path, str]]) -> int:
    contents = [(path, kind, path.read_bytes()) for path, kind in found]
    as_they_are = [one for one in contents if not is_sealed(one[2])]
    for path, kind, content in as_they_are:
        files.write(path, content, kind=kind)
    return len(as_they_are)


def _remove_unfinished(folder: Path) -> int:
    """Remove what a killed program left of private keys that it wrote: it may be unsealed, and nothing reads it."""
    identity = [folder / "identity" / unfinished(name) for name in KEY_KINDS]
    rounds = [path for path in (folder / "keys").glob(unfinished("*")) if Path(path.stem).suffix in KINDS]
    found = [path for path in (*identity, *rounds) if path.is_file()]
    for path in found:
        path.unlink()
    return len(found)


def _manifest(node: Node, round_id: RoundId) -> RoundManifest:
    with connect(node.identity) as client, open_kept_log(node.folder) as log:
        view, data, _ = client.get_round(round_id)
        warn_first(Opened(node, log, client), [view])
        return read_manifest(data, round_id)


def _data(member: KeyMember) -> dict[str, Any]:
    return {"party": member.party, "digits": " ".join(fingerprint_groups(member))}


def _state(member: KeyMember, own: PartyId, verified: Verified) -> str:
    if member.party == own:
        return "this party"
    if member.party not in verified:
        return "not verified"
    return "verified" if verified[member.party] == member else "OTHER KEYS THAN VERIFIED"


def _member_text(member: KeyMember, state: str) -> str:
    party, *digits = shown(member)
    return "\n    ".join([f"{party}: {state}", *digits])
