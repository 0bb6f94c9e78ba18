"""The coordinator's settings: one TOML file, read once, in the folder that holds everything the coordinator keeps.

coordinator.toml   this file
data/              database, blobs, scratch: all that matters in a backup, with authority/
authority/         the root's and the server's keys, mode 0600
operator/          the operator's identity folder
"""

import json
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from isthmus.contract.toml import TomlInvalid, read_toml, toml_text
from isthmus.party.errors import SettingsInvalid

FILE_NAME: Final = "coordinator.toml"

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Listen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to listen: an address of this machine and two ports. `host` is what parties are told, if it differs."""

    address: str = "127.0.0.1"
    host: str = ""
    service_port: Port = 7443
    enrolment_port: Port = 7444

    def public_host(self) -> str:
        """Give the name or address under which parties reach this coordinator."""
        return self.host or self.address


class Matching(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to match: the engine's name, its processes or threads, and how much it may hold (0: what suits the machine).

    `cluster` is a dask scheduler, tls://host:port, whose workers compare in place of this machine; empty for none.
    """

    engine: Literal["anonlink", "kernels"] = "kernels"
    workers: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 2
    max_pairs: Annotated[int, msgspec.Meta(ge=0)] = 0
    max_pairs_of_row: Annotated[int, msgspec.Meta(ge=0)] = 0
    memory_mib: Annotated[int, msgspec.Meta(ge=0)] = 0
    cluster: Annotated[str, msgspec.Meta(pattern=r"^(tls://\S+:\d{1,5})?$")] = ""


class CoordinatorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. `database` is a SQLAlchemy URL, empty for the embedded file; `confine` asks for Landlock."""

    listen: Listen = msgspec.field(default_factory=Listen)
    matching: Matching = msgspec.field(default_factory=Matching)
    database: str = ""
    confine: bool = True


def load_config(folder: Path) -> CoordinatorConfig:
    """Read the folder's settings; raise `SettingsInvalid`, which names the key that is wrong."""
    try:
        return read_toml(toml_text((folder / FILE_NAME).read_bytes()), CoordinatorConfig)
    except FileNotFoundError as exc:
        problem = f"there is none in {folder.name}; make one with isthmus-coordinator init"
        raise SettingsInvalid(file=FILE_NAME, problem=problem) from exc
    except TomlInvalid as exc:
        raise SettingsInvalid(file=FILE_NAME, problem=str(exc)) from exc


def config_text(*, address: str, host: str, service_port: int, enrolment_port: int) -> str:
    """Give a commented settings file."""
    return f"""# Settings of an Isthmus coordinator. docs/reference/coordinator-settings.md explains each.
confine = true            # open nothing outside this folder and the program's own files (Linux)

[listen]
address = {json.dumps(address)}     # the machine's address to listen on
host = {json.dumps(host)}           # the name or address that providers use
service_port = {service_port}
enrolment_port = {enrolment_port}

[matching]
engine = "kernels"
workers = 2
"""
