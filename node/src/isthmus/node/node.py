"""A node's folder, opened: settings, identity, vault and the keys of rounds."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from isthmus.contract.clock import Clock
from isthmus.contract.ids import RandomBytes, RoundId
from isthmus.contract.secret import Secret
from isthmus.node.config import FILE_NAME, NodeConfig, load_config
from isthmus.node.errors import AlreadyRunning, SettingsChanged
from isthmus.node.keys.files import key_files
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.vault import VAULT_NAME, Vault, open_vault
from isthmus.party.identity import PLAIN, Identity, KeyFiles, load_identity

_OF_A_ROUND: Final = ("*.payload", "*.fields", "*.answers", "new", "new-fields", "new-answers")
"""What names in the outbox end in, behind the round: whole files, then half written ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An opened node folder."""

    folder: Path
    config: NodeConfig
    identity: Identity
    vault: Vault
    keys: KeyFolder
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

    def round_master(self, round_id: RoundId) -> Secret:
        """Give the key that the round's members agreed on; raises as `KeyFolder.master`."""
        return self.keys.master(round_id)

    def forget_keys(self, round_id: RoundId) -> None:
        """Remove all that is kept of a round's key."""
        self.keys.forget(round_id)
        self.vault.drop_key_wraps(round_id)

    def forget_submission(self, round_id: RoundId) -> None:
        """Remove a prepared submission of which nothing was sent."""
        self.empty_outbox(round_id)
        self.vault.drop_prepared(round_id)

    def forget_round(self, round_id: RoundId) -> None:
        """Remove what is kept for a round that ended, but for the report of what left, and for IDs that are here."""
        self.forget_keys(round_id)
        self.empty_outbox(round_id)
        if not (self.ids / f"{round_id}.csv").exists():
            self.vault.drop_handles(round_id)

    def empty_outbox(self, round_id: RoundId) -> None:
        """Remove what lies in the outbox for a round, also what a node that was killed had only half written."""
        for ending in _OF_A_ROUND:
            for path in self.outbox.glob(f"{round_id}.{ending}"):
                if path.is_file():
                    path.unlink(missing_ok=True)


def files_of(config: NodeConfig) -> KeyFiles:
    """Give how private keys are kept under these settings and in this environment; raises as `key_files`."""
    return key_files(config.keys.sealed_by, environ=os.environ, random_bytes=secrets.token_bytes)


def files_of_folder(folder: Path) -> KeyFiles:
    """Give the same for a folder; one without settings keeps its keys as they are."""
    return files_of(load_config(folder)) if (folder / FILE_NAME).exists() else PLAIN


@contextmanager
def open_node(folder: Path, *, clock: Clock) -> Iterator[Node]:
    """Open a node's folder; raises as `load_config`, `key_files` and `load_identity`."""
    config = load_config(folder)
    files = files_of(config)
    identity = load_identity(folder / "identity", now=clock.now(), files=files)
    vault = open_vault(folder / VAULT_NAME)
    try:
        yield Node(
            folder=folder,
            config=config,
            identity=identity,
            vault=vault,
            keys=KeyFolder(folder=folder / "keys", files=files),
            random_bytes=secrets.token_bytes,
            clock=clock,
        )
    finally:
        vault.close()


def with_present_settings(node: Node) -> Node:
    """Give the node under node.toml as it is now: the same node where that says the same.

    Raises:
        SettingsInvalid, SourceKindUnknown: as `load_config`.
        SettingsChanged: keys are to lie on disk in another way, which takes a new start.
    """
    present = load_config(node.folder)
    if present == node.config:
        return node
    if present.keys != node.config.keys:
        raise SettingsChanged(problem="keys.sealed_by is another, so isthmus-node run has to be started anew")
    return replace(node, config=present)


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
