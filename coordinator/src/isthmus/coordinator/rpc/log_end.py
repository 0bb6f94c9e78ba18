"""The end of a log that a caller says it knows, read from a request."""

from typing import Final

from isthmus.contract.audit_log import Head
from isthmus.contract.canonical import HASH_BYTES, check_length
from isthmus.contract.errors import MalformedMessage

_LONGEST_LOG: Final = 2**31 - 1
"""No log has more events than a database's plain whole number counts."""


def known_end(*, sequence: int, head: bytes) -> Head:
    """Give the end; raise `MalformedMessage` where it can be none."""
    if sequence > _LONGEST_LOG:
        raise MalformedMessage(field="sequence", problem=f"over {_LONGEST_LOG}")
    return Head(sequence=sequence, hash=check_length(head, HASH_BYTES, "head"))
