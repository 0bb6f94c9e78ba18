"""Reading a data set with consent: the rows that take part, and who is left out by now."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from pathlib import Path
from typing import Final

import msgspec

from isthmus.contract.ids import ProjectId
from isthmus.node.config import DatasetConfig
from isthmus.node.consent.days import local_day
from isthmus.node.consent.opt_outs import Exclusions, exclusions
from isthmus.node.consent.rules import Kept, keep_rows
from isthmus.node.consent.settings import columns_needed
from isthmus.node.consent.store import open_opt_outs
from isthmus.node.records import Records
from isthmus.node.sources.open_source import open_source

_ASKED: Final = "consent:"
"""What stands before a rule's column among the standard fields, none of which has a colon."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Consenting:
    """The records of a data set that take part, in the source's order; which rows those are, and who was not found.

    `not_found` counts records of the list of opt-outs that the data set does not have: gone, or mistyped.
    """

    records: Records
    kept: Kept
    not_found: int


def read_exclusions(folder: Path, *, project: ProjectId, now: datetime) -> Exclusions:
    """Give who is left out of the project today by the list of opt-outs in the node's folder."""
    with closing(open_opt_outs(folder)) as opt_outs:
        return exclusions(opt_outs.entries(), project=project, as_of=local_day(now))


def read_consenting(
    folder: Path, dataset: DatasetConfig, fields: Sequence[str], *, exclusions: Exclusions
) -> Consenting:
    """Read the fields of a data set, and no other column but those that its rules ask for; raises as `open_source`."""
    records, kept = _read(folder, dataset, fields, exclusions)
    mask = kept.mask.tolist()
    taking_part = Records(
        record_ids=list(compress(records.record_ids, mask)),
        columns={field: list(compress(records.columns[field], mask)) for field in fields},
        source=records.source,
    )
    return Consenting(records=taking_part, kept=kept, not_found=exclusions.not_among(records.record_ids))


def left_out_records(folder: Path, dataset: DatasetConfig, *, exclusions: Exclusions) -> frozenset[str]:
    """Give the ids of the data set's records that are left out now, by its rules or by the list.

    Nothing is read where the data set has no rules: the list alone tells.
    """
    if not dataset.consent:
        return frozenset()
    records, kept = _read(folder, dataset, (), exclusions)
    return frozenset(compress(records.record_ids, (~kept.mask).tolist()))


def _read(folder: Path, dataset: DatasetConfig, fields: Sequence[str], exclusions: Exclusions) -> tuple[Records, Kept]:
    asked = {f"{_ASKED}{name}": name for name in columns_needed(dataset.consent)}
    whole = msgspec.structs.replace(dataset, columns=dataset.columns | asked)
    records = open_source(folder, whole, fields=[*fields, *asked])
    rule_columns = {name: records.columns[field] for field, name in asked.items()}
    kept = keep_rows(
        records.record_ids, rule_columns, rules=dataset.consent, exclusions=exclusions, date_order=dataset.date_order
    )
    return records, kept
