"""The list of tombstones: its bytes, and what is no such list."""

import json
from collections.abc import Sequence

import pytest

from isthmus.contract.errors import MalformedMessage
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.tombstones import MAX_TOMBSTONES, tombstones_document

PARTY, ROUND = PartyId("riverside"), RoundId("k12-to-work-1")


def _document(handles: Sequence[bytes]) -> bytes:
    return tombstones_document(handles, round_id=ROUND, party=PARTY)


def _handle(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_document_is_canonical_and_names_round_party_and_handles() -> None:
    document = _document([_handle(1), _handle(255)])

    assert document == (
        b'{"format":"isthmus/tombstones/1","handles":["00000000000000000000000000000001",'
        b'"000000000000000000000000000000ff"],"party":"riverside","round_id":"k12-to-work-1"}'
    )


def test_longest_list_is_taken() -> None:
    handles = json.loads(_document([_handle(number) for number in range(MAX_TOMBSTONES)]))["handles"]

    assert len(handles) == 10_000


@pytest.mark.parametrize(
    "handles",
    [
        [],
        [_handle(number) for number in range(MAX_TOMBSTONES + 1)],
        [b"short"],
        [_handle(1) + b"x"],
        [_handle(2), _handle(1)],
        [_handle(1), _handle(1)],
    ],
    ids=["none", "too many", "short", "long", "falling", "twice"],
)
def test_what_is_no_list_of_handles_is_refused(handles: Sequence[bytes]) -> None:
    with pytest.raises(MalformedMessage, match="handles"):
        _document(handles)
