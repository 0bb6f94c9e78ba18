"""The node's settings: one TOML file in the node's folder.

node.toml      this file
identity/      keys and certificate (isthmus.party.identity)
keys/          the keys of rounds under way, mode 0600, sealed where `[keys]` says so
verified.json  whose fingerprints somebody here compared
log.sqlite     the projects' logs as the coordinator showed them
vault.sqlite   which handle is which record
consent.sqlite the list of opt-outs
outbox/        prepared submissions until their receipt is in
ids/           the fetched ID files, one a round
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.contract.toml import TomlInvalid, read_toml, toml_text
from isthmus.node.consent_settings import ConsentRule, consent_problems
from isthmus.node.errors import DatasetUnknown
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.sources.open_source import source_kind
from isthmus.party.errors import SettingsInvalid

FILE_NAME: Final = "node.toml"


ProjectHash = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9a-f]{64}\\Z",
        description="the hash of a project, 64 digits and letters from a to f, as isthmus-node round show prints it",
    ),
]


class CohortConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cohort that projects may name: the rows whose value in the column is one of these."""

    column: str
    values: tuple[str, ...]


class DatasetConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a data set is and which of its columns is which standard field (docs/reference/node-settings.md).

    `kind` follows from the ending of `file` where it is empty. `file` is relative to the node's folder; `encoding` and
    `delimiter` of a CSV file are detected, and shown, where they are empty. A database needs `query`, one plain SELECT,
    and its connection string in the environment variable `connection_env` or the file `connection_file`. Projects may
    name years, which `year_column` holds, and one of the `cohorts`.
    """

    id_column: str
    columns: dict[str, str]
    kind: Literal["", "csv", "excel", "parquet", "postgres", "sqlserver", "odbc"] = ""
    file: str = ""
    date_order: DateOrder = DateOrder.YMD
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: Annotated[int, msgspec.Meta(ge=0)] = 0
    query: str = ""
    connection_env: str = ""
    connection_file: str = ""
    consent: tuple[ConsentRule, ...] = ()
    year_column: str = ""
    cohorts: dict[str, CohortConfig] = msgspec.field(default_factory=dict)


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this node agrees to without asking: rounds of these very projects, by the SHA-256 of their terms in hex.

    A hash and not a name, because the coordinator could change the terms under the same name.
    """

    sign_automatically: tuple[ProjectHash, ...] = ()


class KeysConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How private keys lie on disk: as they are, or sealed under a passphrase or a systemd credential."""

    sealed_by: Literal["none", "passphrase", "credential"] = "none"


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. `encoder` is our own (`isthmus`) or the field's reference (`clkhash`): the same bytes, slower."""

    datasets: dict[str, DatasetConfig] = msgspec.field(default_factory=dict)
    policy: Policy = msgspec.field(default_factory=Policy)
    keys: KeysConfig = msgspec.field(default_factory=KeysConfig)
    encoder: Literal["isthmus", "clkhash"] = "isthmus"


def load_config(folder: Path) -> NodeConfig:
    """Read the folder's settings; raise `SettingsInvalid` or `SourceKindUnknown`, which name what is wrong."""
    try:
        config = read_toml(toml_text((folder / FILE_NAME).read_bytes()), NodeConfig)
    except FileNotFoundError as exc:
        problem = f"there is none in {folder.name}; make one with isthmus-node init"
        raise SettingsInvalid(file=FILE_NAME, problem=problem) from exc
    except TomlInvalid as exc:
        raise SettingsInvalid(file=FILE_NAME, problem=str(exc)) from exc
    _check_columns(config)
    for dataset in config.datasets.values():
        source_kind(dataset)
    return config


def find_dataset(config: NodeConfig, name: str) -> DatasetConfig:
    """Give a data set by its name in the settings; raise `DatasetUnknown`, which tells the names that there are."""
    if name not in config.datasets:
        raise DatasetUnknown(dataset=name[:60], known=", ".join(config.datasets) or "none yet")
    return config.datasets[name]


def config_template() -> str:
    """Give a commented settings file to start from."""
    fields = ", ".join(STANDARD_FIELDS)
    return f"""# Settings of an Isthmus node. docs/reference/node-settings.md explains each.
encoder = "isthmus"

[policy]
# Rounds of exactly these projects, by the hash that "isthmus-node round show" prints, are signed without asking;
# all others wait for a person: isthmus-node round sign
sign_automatically = []

[keys]
# How private keys lie on disk: "none" (mode 0600), or sealed by a "passphrase" or a systemd "credential".
sealed_by = "none"

# One table for each data set that a project names. On the left of each column the standard field, one of:
# {fields}
# on the right the name of your own column. Columns that are not listed are never read.
#
# [datasets.students]
# file = "students.csv"
# id_column = "StudentId"
# date_order = "YMD"        # or "MDY", "DMY"
# [datasets.students.columns]
# first_name = "FirstName"
# last_name = "LastSurname"
# dob = "BirthDate"
# [[datasets.students.consent]]           # whom to leave out: docs/guides/consent.md
# column = "DirectoryOptOut"
# exclude_if = ["Y"]
"""


def _check_columns(config: NodeConfig) -> None:
    problems = [
        f"datasets.{name}.columns.{field} is not a standard field"
        for name, dataset in config.datasets.items()
        for field in dataset.columns
        if field not in STANDARD_FIELDS
    ]
    for name, dataset in config.datasets.items():
        problems += consent_problems(dataset.consent, dataset=name)
        problems += [
            f"datasets.{name}.cohorts.{cohort} needs a column and one value at least"
            for cohort, chosen in dataset.cohorts.items()
            if not (chosen.column.strip() and any(value.strip() for value in chosen.values))
        ]
    if problems:
        raise SettingsInvalid(file=FILE_NAME, problem="; ".join(problems))
