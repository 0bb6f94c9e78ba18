"""Row handles that come back in every round of a longitudinal project. docs/protocol.md section 15.

A handle is HMAC-SHA256 of the record id under a key that never leaves the node: whoever lacks the key learns nothing of
the id from it, and two nodes' handles of one id have nothing in common.
"""

import hmac
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.ids import HANDLE_BYTES
from isthmus.contract.secret import Secret


def lasting_handles(key: Secret, record_ids: Sequence[str]) -> NDArray[np.uint8]:
    """Give the handles of records, uint8 of shape (n, 16): each follows from the record id, as UTF-8, and the key."""
    secret = key.reveal()
    made = b"".join(hmac.digest(secret, one.encode("utf-8"), "sha256")[:HANDLE_BYTES] for one in record_ids)
    return np.frombuffer(made, dtype=np.uint8).reshape(-1, HANDLE_BYTES)


def handle_key_check(key: Secret) -> bytes:
    """Give 16 bytes by which the node knows the key again, and that tell nothing else about it."""
    derived = hmac.digest(key.reveal(), b"isthmus/handle-key-check/1", "sha512")  # no handle is made with SHA-512
    return derived[:HANDLE_BYTES]
