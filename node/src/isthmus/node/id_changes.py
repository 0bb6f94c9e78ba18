"""What a round changed of this node's IDs in a longitudinal project, as a file beside the ID file. It stays here.

docs/protocol.md section 15; for people: docs/guides/node.md.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from isthmus.contract.id_changes import IdChangeReason
from isthmus.contract.ids import RoundId
from isthmus.node.client import Client, FetchedChange
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.node import Node
from isthmus.party.identity import write_private

_COLUMNS: Final = ("rec_id", "before", "now", "reason")
_MEANING: Final = {
    IdChangeReason.MERGED: "two IDs turned out to be one person, and this one was given up",
    IdChangeReason.SPLIT: "one ID turned out to be several people; another kept it, and this one is new",
    IdChangeReason.MOVED: "the record turned out to be of another person whose ID was known",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesFile:
    """The file, and how many of this node's records changed for each reason."""

    path: Path
    records: Mapping[IdChangeReason, int]

    @property
    def total(self) -> int:
        """How many records have another ID than before."""
        return sum(self.records.values())


def save_id_changes(node: Node, client: Client, round_id: RoundId) -> ChangesFile:
    """Fetch what a round changed, once its IDs are here, and write it down; a file that is there is not fetched again.

    Raises:
        RefusedByPolicy: what came is not about this node's rows, or not about the IDs that they got.
        NotReady: the round is not released, or over.
    """
    path = node.ids / f"{round_id}.changes.csv"
    if not path.exists():
        changes = list(client.fetch_id_changes(round_id))
        record_ids = node.vault.record_ids(round_id)
        _check(node, round_id, changes, record_ids)
        write_private(path, _file(changes, record_ids))
    with path.open(encoding="utf-8", newline="") as file:
        counted = Counter(row["reason"] for row in csv.DictReader(file))
    return ChangesFile(path=path, records={reason: counted[reason.name.lower()] for reason in IdChangeReason})


def changes_data(changes: ChangesFile | None) -> dict[str, Any]:
    """Give the same as `changes_text` for programs."""
    if changes is None:
        return {"longitudinal": False}
    counts = {reason.name.lower(): records for reason, records in changes.records.items()}
    return {"longitudinal": True, "file": str(changes.path), **counts}


def changes_text(changes: ChangesFile | None) -> str:
    """Give for people how many records have another ID, why, and where they are listed."""
    if changes is None:
        return "this project is not longitudinal: its IDs are new in every round, so there is nothing to compare"
    if not changes.total:
        return "every record that had an ID before and has one in this round has the same"
    lines = [f"{changes.total:,} records have another ID than before; they are listed in {changes.path}"]
    lines += [
        f"  {reason.name.lower():7} {changes.records[reason]:,}: {_MEANING[reason]}"
        for reason in IdChangeReason
        if changes.records[reason]
    ]
    return "\n".join(lines)


def _check(node: Node, round_id: RoundId, changes: Sequence[FetchedChange], record_ids: Mapping[bytes, str]) -> None:
    """Return only if the changes are of this node's rows, each once, and lead to the IDs that these rows got."""
    got = {record.record_id: record.pseudonym for record in node.vault.linked_records(round_id)}
    problem = None
    if len({change.handle for change in changes}) != len(changes):
        problem = "the coordinator sent a changed row twice"
    elif any(change.handle not in record_ids for change in changes):
        problem = "the coordinator sent changes of rows not of this node"
    elif any(got.get(record_ids[change.handle]) != change.now or change.before == change.now for change in changes):
        problem = "the coordinator sent changes that do not lead to the IDs of this round"
    if problem is not None:
        raise RefusedByPolicy(round_id=round_id, problem=problem)


def _file(changes: Sequence[FetchedChange], record_ids: Mapping[bytes, str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    rows = ((record_ids[one.handle], one.before, one.now, one.reason.name.lower()) for one in changes)
    writer.writerows(sorted(rows))
    return text.getvalue().encode("utf-8")
