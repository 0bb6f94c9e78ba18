"""Striking rows out of open rounds whose people are left out by now. docs/protocol.md section 6.

What is struck out follows from the list of opt-outs and the rules of node.toml as they are now, the terms that this
node signed, and its own vault; the coordinator has no say in it.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from isthmus.contract.canonical import Label, sign
from isthmus.contract.errors import RoundStateMismatch
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.tombstones import MAX_TOMBSTONES, tombstones_document
from isthmus.contract.views import RoundView
from isthmus.node.client import Client
from isthmus.node.consent.days import local_day
from isthmus.node.consent.store import open_opt_outs
from isthmus.node.left_out import dataset_of, handles_left_out
from isthmus.node.node import Node

OPEN: Final = frozenset(
    {RoundState.COLLECTING, RoundState.SEALED, RoundState.MATCHING, RoundState.COMPARING, RoundState.FAILED}
)
"""States in which the coordinator still strikes out."""

_MADE: Final = frozenset({RoundState.REVIEW, RoundState.RELEASED})
"""States in which the result is made."""

DATABASE_ASKED_S: Final = 600
"""How often a database is asked anew whose rows rules may leave out, while a round is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StruckOut:
    """What came of one round: how many rows were struck out now, or are to be but no longer can (`too_late`)."""

    round_id: RoundId
    rows: int
    too_late: bool


def strike_out_all(node: Node, client: Client) -> Iterator[StruckOut]:
    """Strike out of every round that this node completed a submission to; give those in which there was anything."""
    for view in client.list_rounds():
        found = strike_out(node, client, view)
        if found.rows:
            yield found


def strike_out(node: Node, client: Client, view: RoundView) -> StruckOut:
    """Have the coordinator strike out of one round; after any interruption the same may be asked again.

    A round that has no result and never will is passed over.
    """
    due = due_handles(node, view.round_id) if view.state in {*OPEN, *_MADE} else ()
    too_late = view.state in _MADE
    try:
        for start in range(0, 0 if too_late else len(due), MAX_TOMBSTONES):
            _send(node, client, view.round_id, due[start : start + MAX_TOMBSTONES])
    except RoundStateMismatch:  # released since it was looked at
        too_late = True
    return StruckOut(round_id=view.round_id, rows=len(due), too_late=too_late)


def due_handles(node: Node, round_id: RoundId) -> tuple[bytes, ...]:
    """Give the handles to strike out of a round; none where this node's submission is not complete."""
    prepared = node.vault.prepared(round_id)
    return () if prepared is None or prepared.receipt is None else handles_left_out(node, round_id)


def consent_version(node: Node, round_id: RoundId) -> tuple[object, ...]:
    """Give what differs whenever more people may be left out: length of the list, day, rules, and the data set.

    Of a file its times and size stand for its content; a database tells nothing, so it counts as another every ten
    minutes.
    """
    dataset, now = dataset_of(node, round_id), node.clock.now()
    with closing(open_opt_outs(node.folder)) as opt_outs:
        listed = opt_outs.count()
    if dataset is None or not dataset.consent:
        return listed, local_day(now)
    stamp = _stamp(node.folder / dataset.file) if dataset.file else int(now.timestamp() // DATABASE_ASKED_S)
    return listed, local_day(now), dataset.consent, dataset.query, stamp


def _stamp(file: Path) -> tuple[int, ...] | None:
    if not file.exists():
        return None
    found = file.stat()
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size


def _send(node: Node, client: Client, round_id: RoundId, handles: tuple[bytes, ...]) -> None:
    document = tombstones_document(handles, round_id=round_id, party=node.identity.party)
    signature = sign(node.identity.signing_key, Label.TOMBSTONES, document)
    # Noted before it is sent: should the answer be lost, rows without an ID will surprise nobody.
    node.vault.save_tombstones(round_id, handles, acknowledged=False)
    client.tombstone_rows(round_id, handles=handles, signature=signature)
    node.vault.save_tombstones(round_id, handles, acknowledged=True)
