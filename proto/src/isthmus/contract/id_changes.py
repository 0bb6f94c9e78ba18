"""Why a row's ID is another than in an earlier round of a longitudinal project. docs/protocol.md section 15."""

from enum import IntEnum


class IdChangeReason(IntEnum):
    """The reason of a change; values are those of the wire."""

    MERGED = 1
    """Two IDs turned out to be one person; nobody bears the old one any more."""
    SPLIT = 2
    """The rows under the old ID turned out to be several people; another of them kept it, and this one is new."""
    MOVED = 3
    """The row turned out to be of another person whose ID is known; the old one is still borne by who has it."""
