"""Which rows of a submission that already left are to be struck out, because their record is left out now. Pure."""

from collections.abc import Callable, Collection, Mapping


def due_tombstones(
    record_of_handle: Mapping[bytes, str], *, left_out: Callable[[str], bool], tombstoned: Collection[bytes]
) -> tuple[bytes, ...]:
    """Give the handles to strike out, sorted, which tells nothing of the order of the records.

    Args:
        record_of_handle: handle (16 bytes) to record id, of the rows that were sent; `Vault.record_ids` gives it.
        left_out: says whether a record is left out now, by the list of opt-outs or by a rule.
        tombstoned: handles that were struck out before.
    """
    due = (handle for handle, record_id in record_of_handle.items() if left_out(record_id))
    return tuple(sorted(set(due).difference(tombstoned)))
