"""The linkage key of a project: 32 secret bytes that every provider holds and the coordinator never sees.

The lead's node makes it; the others are handed its file. Everything that is keyed derives from it with HKDF-SHA256
(RFC 5869) under a label bound to project and round, so two rounds never share a key. docs/protocol.md section 4.
"""

import base64
import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from isthmus.contract.encodings import KEY_CHECK_BYTES
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import ProjectId, RandomBytes, RoundId
from isthmus.contract.secret import Secret

LINKAGE_KEY_BYTES: Final = 32

_PREFIX: Final = "isthmus-linkage-key-1"


def new_linkage_key(random_bytes: RandomBytes) -> Secret:
    """Give a fresh key from the source of randomness."""
    return Secret(random_bytes(LINKAGE_KEY_BYTES))


def key_file_text(key: Secret, project: ProjectId) -> str:
    """Give the key's file: one line of version, project, key and a checksum against typing and copying errors."""
    body = f"{_PREFIX}:{project}:{base64.urlsafe_b64encode(key.reveal()).decode('ascii')}"
    return f"{body}:{_checksum(body)}\n"


def read_key_file(text: str, project: ProjectId) -> Secret:
    """Read a key file.

    Raises:
        MalformedDocument: it is not a key file, is damaged, or belongs to another project.
    """
    parts = text.strip().split(":")
    if len(parts) != 4 or parts[0] != _PREFIX:  # version, project, key, checksum
        raise MalformedDocument(document="linkage key file", problem="it is not a linkage key file of version 1")
    body, checksum = text.strip().rsplit(":", 1)
    if checksum != _checksum(body):
        raise MalformedDocument(
            document="linkage key file", problem="its checksum does not fit; it was cut or mistyped"
        )
    if parts[1] != project:
        raise MalformedDocument(document="linkage key file", problem="it belongs to another project")
    try:
        key = base64.b64decode(parts[2], altchars=b"-_", validate=True)
    except ValueError as exc:
        raise MalformedDocument(document="linkage key file", problem="its key is not base64") from exc
    if len(key) != LINKAGE_KEY_BYTES:
        raise MalformedDocument(document="linkage key file", problem="its key has the wrong length")
    return Secret(key)


def round_key(key: Secret, *, project: ProjectId, round_id: RoundId, label: str) -> Secret:
    """Give the 32-byte key for one use in one round: HKDF-SHA256 with info `isthmus/1|label|project|round`."""
    info = f"isthmus/1|{label}|{project}|{round_id}".encode("ascii")
    return Secret(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.reveal()))


def key_check_value(key: Secret, *, project: ProjectId, round_id: RoundId) -> bytes:
    """Give 16 bytes that are equal at two nodes exactly if their keys are, and tell nothing else about the key.

    HMAC-SHA256 under the round's `kcv` key, cut to 16 bytes. Bound to the round, so that rounds cannot be compared.
    """
    kcv_key = round_key(key, project=project, round_id=round_id, label="kcv")
    return hmac.new(kcv_key.reveal(), b"isthmus/key-check/1", hashlib.sha256).digest()[:KEY_CHECK_BYTES]


def kdf_info(project: ProjectId, round_id: RoundId) -> bytes:
    """Give the `info` of the linkage schema's own key derivation in one round (profile interop-1)."""
    return f"isthmus/interop-1|{project}|{round_id}".encode("ascii")


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8")).hexdigest()[:8]
