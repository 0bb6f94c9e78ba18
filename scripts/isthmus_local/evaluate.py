"""Who was linked with whom, for whoever owns all sides: joins the coordinator's entities with every node's vault.

No party of a real project can do this: the coordinator knows no record ids, and a node no other node's handles.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from isthmus.contract.ids import RoundId
from isthmus.coordinator.domain.entities import unpack_entities
from isthmus.coordinator.setup import open_installation
from isthmus.node.vault import open_vault
from isthmus_local.local_round import LocalRound

Link = tuple[str, str, str]
"""(party, record id, link id)."""


def links_of(local: LocalRound, round_id: str) -> list[Link]:
    """Give a row for each linked record of the round; equal link ids mean one person."""
    known = RoundId(round_id)
    installation = open_installation(local.coordinator)
    with installation.context.store.read() as tx:
        digest = tx.results.entities(known)
    entities = list(unpack_entities(installation.context.blobs.get(digest or b"")))
    records = [_records(local.node(provider.party) / "vault.sqlite", known) for provider in local.providers]
    numbers = {entity: str(number) for number, entity in enumerate(sorted({row.entity for row in entities}), start=1)}
    return sorted(
        (local.providers[row.dataset].party, records[row.dataset][row.handle], numbers[row.entity]) for row in entities
    )


def write_links(path: Path, links: Sequence[Link]) -> None:
    """Write `party,rec_id,link_id`, a row for each linked record."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("party", "rec_id", "link_id"))
        writer.writerows(links)


def read_truth(path: Path) -> Iterator[Link]:
    """Give the rows of a truth file: holder, record id, entity id; raise `ValueError` where it is not one."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        if not {"holder", "rec_id", "entity_id"} <= {name.strip() for name in rows.fieldnames or ()}:
            message = f"{path} is no truth file: its columns must be holder, rec_id and entity_id"
            raise ValueError(message)
        for number, row in enumerate(rows, start=2):
            if not row["holder"] or not row["rec_id"] or not row["entity_id"]:
                message = f"row {number} of {path} lacks a value"
                raise ValueError(message)
            yield row["holder"].strip(), row["rec_id"].strip(), row["entity_id"].strip()


def _records(path: Path, round_id: RoundId) -> dict[bytes, str]:
    vault = open_vault(path)
    try:
        return vault.record_ids(round_id)
    finally:
        vault.close()
