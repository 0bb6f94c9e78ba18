"""The list of tombstones: rows that a provider strikes out of a round once sent. docs/protocol.md section 6."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from isthmus.contract.canonical import canonical_bytes
from isthmus.contract.errors import MalformedMessage
from isthmus.contract.ids import HANDLE_BYTES, PartyId, RoundId

TOMBSTONES_FORMAT: Final = "isthmus/tombstones/1"
MAX_TOMBSTONES: Final = 10_000
"""Most handles of one list; a longer one is sent as several."""


def tombstones_document(handles: Sequence[bytes], *, round_id: RoundId, party: PartyId) -> bytes:
    """Give the canonical bytes that the provider signs.

    Args:
        handles: of the party's own rows, 16 bytes each, strictly rising, 1 to 10,000.
        round_id: the round that they are struck out of.
        party: whose rows they are.

    Raises:
        MalformedMessage: the handles are not such a list.
    """
    if not 1 <= len(handles) <= MAX_TOMBSTONES:
        raise MalformedMessage(field="handles", problem=f"not a list of 1 to {MAX_TOMBSTONES:,}")
    if any(len(handle) != HANDLE_BYTES for handle in handles):
        raise MalformedMessage(field="handles", problem=f"not a list of handles of {HANDLE_BYTES} bytes")
    if any(left >= right for left, right in pairwise(handles)):
        raise MalformedMessage(field="handles", problem="not in rising order, each once")
    return canonical_bytes(
        {
            "format": TOMBSTONES_FORMAT,
            "round_id": round_id,
            "party": party,
            "handles": [handle.hex() for handle in handles],
        }
    )
