"""The node's folder of round keys: its own part while members agree, then the master, until the round is over.

ROUND.part   this node's contribution, kept before it is sent, gone once the master is here
ROUND.key    the master; it is written only when every member has proved that it holds the same one
PROJECT.handles  what the row handles of a longitudinal project are made with, until the project ends

Nothing can be encoded for a round whose master is not here. docs/protocol.md section 4.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from isthmus.contract.canonical import canonical_bytes, read_canonical
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.key_agreement import KeyTerms
from isthmus.contract.secret import Secret
from isthmus.node.errors import KeyMissing
from isthmus.node.keys.agreement import Contribution, OwnKeys, kept_bytes, read_kept
from isthmus.party.identity import KEY_KINDS, KeyFiles, unfinished

MASTER_FORMAT: Final = "isthmus/round-master/1"
HANDLES_FORMAT: Final = "isthmus/handle-key/1"
PART_KIND: Final = "key contribution"
MASTER_KIND: Final = "round master"
MASTER_BYTES: Final = 32
HANDLES_KIND: Final = "handle key"
HANDLE_KEY_BYTES: Final = 32
KINDS: Final = {".part": PART_KIND, ".key": MASTER_KIND, ".handles": HANDLES_KIND}
"""What the files of each ending hold."""


class _Master(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    round_id: RoundId
    key: str

    def __repr__(self) -> str:
        return "_Master(...)"


class _HandleKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    project: ProjectId
    key: str

    def __repr__(self) -> str:
        return "_HandleKey(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFolder:
    """The folder, and how files in it are kept."""

    folder: Path
    files: KeyFiles

    def save_contribution(self, round_id: RoundId, contribution: Contribution) -> None:
        """Keep this node's part, before it is sent."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.files.write(self._part(round_id), kept_bytes(contribution), kind=PART_KIND)

    def contribution(self, round_id: RoundId, *, terms: KeyTerms, own: OwnKeys) -> Contribution | None:
        """Give the part that was kept, if one was; raises as `read_kept`."""
        if not self._part(round_id).exists():
            return None
        return read_kept(self.files.read(self._part(round_id), kind=PART_KIND), terms=terms, own=own)

    def save_master(self, round_id: RoundId, master: Secret) -> None:
        """Keep the round's master, and let go of the part that led to it."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        kept = _Master(format=MASTER_FORMAT, round_id=round_id, key=master.reveal().hex())
        self.files.write(self._master(round_id), canonical_bytes(msgspec.to_builtins(kept)), kind=MASTER_KIND)
        self._part(round_id).unlink(missing_ok=True)

    def has_master(self, round_id: RoundId) -> bool:
        """Say whether the round's master is here."""
        return self._master(round_id).exists()

    def master(self, round_id: RoundId) -> Secret:
        """Give the round's master, 32 bytes.

        Raises:
            KeyMissing: it is not here (yet).
            MalformedDocument, WrongPassphrase: its file is damaged, another round's, or does not open.
        """
        try:
            data = self.files.read(self._master(round_id), kind=MASTER_KIND)
        except FileNotFoundError as exc:
            raise KeyMissing(round_id=round_id) from exc
        return _master_from_bytes(data, round_id)

    def save_handle_key(self, project: ProjectId, key: Secret) -> None:
        """Keep what the row handles of a longitudinal project are made with, 32 bytes."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        kept = _HandleKey(format=HANDLES_FORMAT, project=project, key=key.reveal().hex())
        self.files.write(self._handles(project), canonical_bytes(msgspec.to_builtins(kept)), kind=HANDLES_KIND)

    def handle_key(self, project: ProjectId) -> Secret | None:
        """Give the handle key of a project, if there is one.

        Raises:
            MalformedDocument, WrongPassphrase: its file is damaged, another project's, or does not open.
        """
        try:
            data = self.files.read(self._handles(project), kind=HANDLES_KIND)
        except FileNotFoundError:
            return None
        kept = read_canonical(data, _HandleKey, document=HANDLES_KIND)
        if (kept.format, kept.project) != (HANDLES_FORMAT, project):
            raise MalformedDocument(document=HANDLES_KIND, problem="it is another project's or of another version")
        return _key_from_hex(kept.key, document=HANDLES_KIND, length=HANDLE_KEY_BYTES)

    def forget(self, round_id: RoundId) -> None:
        """Remove what is kept for a round."""
        for path in (self._part(round_id), self._master(round_id)):
            path.unlink(missing_ok=True)
            path.with_name(unfinished(path.name)).unlink(missing_ok=True)  # of a node that was killed while it wrote

    def _part(self, round_id: RoundId) -> Path:
        return self.folder / f"{round_id}.part"

    def _master(self, round_id: RoundId) -> Path:
        return self.folder / f"{round_id}.key"

    def _handles(self, project: ProjectId) -> Path:
        return self.folder / f"{project}.handles"


def private_files(folder: Path) -> list[tuple[Path, str]]:
    """Give the private files that are in a node's folder, of the identity and of rounds, and what each holds."""
    identity = [(folder / "identity" / name, kind) for name, kind in KEY_KINDS.items()]
    rounds = [(path, KINDS[path.suffix]) for path in sorted((folder / "keys").glob("*")) if path.suffix in KINDS]
    return [(path, kind) for path, kind in (*identity, *rounds) if path.is_file()]


def _master_from_bytes(data: bytes, round_id: RoundId) -> Secret:
    kept = read_canonical(data, _Master, document=MASTER_KIND)
    if (kept.format, kept.round_id) != (MASTER_FORMAT, round_id):
        raise MalformedDocument(document=MASTER_KIND, problem="it is another round's or of another version")
    return _key_from_hex(kept.key, document=MASTER_KIND, length=MASTER_BYTES)


def _key_from_hex(text: str, *, document: str, length: int) -> Secret:
    try:
        key = bytes.fromhex(text)
    except ValueError as exc:
        raise MalformedDocument(document=document, problem="its key is not hex") from exc
    if len(key) != length:
        raise MalformedDocument(document=document, problem=f"its key is not {length} bytes long")
    return Secret(key)
