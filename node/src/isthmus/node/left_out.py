"""Who of a submission is left out by now, whether it was sent or is only prepared."""

from isthmus.contract.ids import RoundId
from isthmus.contract.manifest import manifest_from_bytes
from isthmus.contract.outline import manifest_outline
from isthmus.node.chosen_rows import chosen_rows
from isthmus.node.config import DatasetConfig
from isthmus.node.consent.read import left_out_records, read_exclusions
from isthmus.node.consent.tombstones import due_tombstones
from isthmus.node.node import Node


def handles_left_out(node: Node, round_id: RoundId) -> tuple[bytes, ...]:
    """Give the handles of this node's submission, prepared or sent, whose people are left out now and still in it.

    The list of opt-outs is read anew, and the data set where it has rules. None where another version of this program
    took part: the round can only be cancelled, or is released.
    """
    signed = node.vault.signed_manifest(round_id)
    if signed is None or not manifest_outline(signed).is_current:
        return ()
    project = manifest_from_bytes(signed).project.id
    excluded = read_exclusions(node.folder, project=project, now=node.clock.now())
    dataset = dataset_of(node, round_id)
    by_rule = left_out_records(node.folder, dataset, exclusions=excluded) if dataset else frozenset()
    if not (by_rule or excluded.reasons):
        return ()  # a million handles need not be looked up for nobody
    return due_tombstones(
        node.vault.record_ids(round_id),
        left_out=lambda record_id: record_id in by_rule or excluded.reason(record_id) is not None,
        tombstoned=[handle for handle, said in node.vault.tombstones(round_id).items() if said],
    )


def dataset_of(node: Node, round_id: RoundId) -> DatasetConfig | None:
    """Give the settings of the data set that this node brought to the round, if it still has them."""
    signed = node.vault.signed_manifest(round_id)
    terms = manifest_from_bytes(signed).terms(node.identity.party) if signed else None
    dataset = node.config.datasets.get(terms.dataset) if terms else None
    return chosen_rows(dataset, terms) if dataset and terms else None
