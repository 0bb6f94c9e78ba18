"""What derives from the master of a round: the key of each use, and the value that shows it to be the same everywhere.

HKDF-SHA256 (RFC 5869) under a label bound to project and round, so no two uses and no two rounds share a key.
docs/protocol.md section 4.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from isthmus.contract.encodings import KEY_CHECK_BYTES
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.secret import Secret


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
