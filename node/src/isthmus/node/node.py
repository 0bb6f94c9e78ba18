"""A node's folder, opened: settings, identity, vault and linkage keys."""

import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.contract.clock import Clock
from isthmus.contract.errors import AlreadyExists
from isthmus.contract.ids import ProjectId, RandomBytes, RoundId
from isthmus.contract.secret import Secret
from isthmus.node.config import NodeConfig, load_config
from isthmus.node.errors import AlreadyRunning, KeyMissing
from isthmus.node.keys.linkage_key import key_file_text, new_linkage_key, read_key_file
from isthmus.node.vault import Vault, open_vault
from isthmus.party.identity import Identity, load_identity, write_private


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An opened node folder."""

    folder: Path
    config: NodeConfig
    identity: Identity
    vault: Vault
    random_bytes: RandomBytes
    clock: Clock

    @property
    def outbox(self) -> Path:
        """Where prepared submissions wait for their receipts."""
        return self.folder / "outbox"

    @property
    def ids(self) -> Path:
        """Where the fetched ID files go."""
        return self.folder / "ids"

    def what_leaves(self, round_id: RoundId) -> dict[str, Any] | None:
        """Give the report of what this node prepared for a round, if it did (docs/data-flow.md)."""
        prepared = self.vault.prepared(round_id)
        return json.loads(prepared.report) if prepared else None

    def linkage_key(self, project: ProjectId) -> Secret:
        """Give the project's linkage key; raise `KeyMissing` or `MalformedDocument`."""
        return load_linkage_key(self.folder, project)


@contextmanager
def open_node(folder: Path, *, clock: Clock) -> Iterator[Node]:
    """Open a node's folder; raises as `load_config` and `load_identity`."""
    config = load_config(folder)
    identity = load_identity(folder / "identity", now=clock.now())
    vault = open_vault(folder / "vault.sqlite")
    try:
        yield Node(
            folder=folder,
            config=config,
            identity=identity,
            vault=vault,
            random_bytes=secrets.token_bytes,
            clock=clock,
        )
    finally:
        vault.close()


@contextmanager
def only_one_run(folder: Path) -> Iterator[None]:
    """Keep the folder for one run at a time; raise `AlreadyRunning` where another process has it.

    Two runs would prepare two submissions for one round, of which the coordinator takes the first to come.
    """
    with (folder / ".run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise AlreadyRunning(folder=folder.name) from exc
        yield


def key_path(folder: Path, project: ProjectId) -> Path:
    """Give where a project's linkage key is kept."""
    return folder / "keys" / f"{project}.key"


def load_linkage_key(folder: Path, project: ProjectId) -> Secret:
    """Give the project's linkage key; raise `KeyMissing` or `MalformedDocument`."""
    try:
        return read_key_file(key_path(folder, project).read_text("ascii", errors="replace"), project)
    except FileNotFoundError as exc:
        raise KeyMissing(project=project) from exc


def make_linkage_key(folder: Path, project: ProjectId, *, random_bytes: RandomBytes) -> str:
    """Make and keep a project's linkage key, unless there is one; give its file's text for the other providers."""
    path = key_path(folder, project)
    if not path.exists():
        _save_key(path, key_file_text(new_linkage_key(random_bytes), project))
    return path.read_text("ascii")


def import_linkage_key(folder: Path, project: ProjectId, text: str, *, replace: bool = False) -> None:
    """Keep the key that the lead handed over.

    Raises:
        MalformedDocument: the text is no key file of the project.
        AlreadyExists: the node holds another key for it, which only `replace` lets go: nobody has a copy for certain.
    """
    new, path = key_file_text(read_key_file(text, project), project), key_path(folder, project)
    if path.exists() and path.read_text("ascii") != new and not replace:
        raise AlreadyExists(kind="another linkage key (--replace lets it go) for project", id=project)
    _save_key(path, new)


def _save_key(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, text.encode("ascii"))
