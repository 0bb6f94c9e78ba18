"""How private keys lie on a node's disk: as they are, or sealed under what the settings name.

A passphrase comes from the file that `ISTHMUS_NODE_PASSPHRASE_FILE` names, a credential of 32 bytes from systemd's
`CREDENTIALS_DIRECTORY`. Neither is in the settings. docs/reference/node-settings.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import RandomBytes
from isthmus.contract.secret import Secret
from isthmus.node.keys.sealed import Credential, Opener, Passphrase, ScryptCost, seal, unseal
from isthmus.party.errors import SettingsInvalid
from isthmus.party.identity import PLAIN, KeyFiles, is_sealed, write_private

SealedBy = Literal["none", "passphrase", "credential"]

PASSPHRASE_FILE: Final = "ISTHMUS_NODE_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
CREDENTIAL_NAME: Final = "isthmus-node-key"
_LINE_ENDS: Final = b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SealedFiles:
    """`KeyFiles` that are sealed, each with a salt of its own."""

    opener: Opener
    random_bytes: RandomBytes

    def read(self, path: Path, *, kind: str) -> bytes:
        """Give the content.

        Raises:
            FileNotFoundError: there is no such file.
            MalformedDocument: it is not sealed, is damaged, or holds another kind of key.
            WrongPassphrase: passphrase or credential do not fit, or it was altered.
        """
        data = path.read_bytes()
        if not is_sealed(data):
            problem = "its file is not sealed, though the settings say so; seal it with: isthmus-node seal"
            raise MalformedDocument(document=kind, problem=problem)
        return unseal(data, kind=kind, opener=self.opener).reveal()

    def write(self, path: Path, content: bytes, *, kind: str) -> None:
        """Seal the content and keep it, mode 0600, whole or not at all."""
        write_private(path, seal(Secret(content), kind=kind, opener=self.opener, random_bytes=self.random_bytes))


def key_files(
    sealed_by: SealedBy, *, environ: Mapping[str, str], random_bytes: RandomBytes, cost: ScryptCost | None = None
) -> KeyFiles:
    """Give how keys are kept.

    Raises:
        SettingsInvalid: the environment names no passphrase or credential, there is none where it says, or everybody on
            the machine may read the passphrase.
        WeakSecret: the passphrase is shorter than 12 bytes, or the credential has another length than 32.
    """
    if sealed_by == "none":
        return PLAIN
    if sealed_by == "credential":
        key = _content(environ, CREDENTIALS, sealed_by, below=CREDENTIAL_NAME)
        return SealedFiles(opener=Credential(key=Secret(key)), random_bytes=random_bytes)
    text = Secret(_content(environ, PASSPHRASE_FILE, sealed_by).rstrip(_LINE_ENDS))
    return SealedFiles(opener=Passphrase(text=text, cost=cost or ScryptCost()), random_bytes=random_bytes)


def _content(environ: Mapping[str, str], variable: str, sealed_by: SealedBy, *, below: str = "") -> bytes:
    named = environ.get(variable)
    if not named:
        problem = f'keys.sealed_by is "{sealed_by}", and the environment variable {variable} is not set'
        raise SettingsInvalid(file="node.toml", problem=problem)
    path = Path(named) / below if below else Path(named)
    try:
        if not below and path.stat().st_mode & 0o007:  # systemd's own folder is closed
            problem = f"the passphrase file {path} is open to everybody on this machine; close it: chmod 600 {path}"
            raise SettingsInvalid(file="node.toml", problem=problem)
        return path.read_bytes()
    except OSError as exc:
        problem = f'keys.sealed_by is "{sealed_by}", and what {variable} names cannot be read'
        raise SettingsInvalid(file="node.toml", problem=problem) from exc
