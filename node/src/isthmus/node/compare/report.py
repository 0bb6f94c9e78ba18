"""What a node's own people are told of field comparison: which columns are compared, and how much may leave."""

from collections.abc import Mapping
from typing import Any

from isthmus.contract.field_answers import most_pairs
from isthmus.contract.ids import PartyId
from isthmus.node.compare.kept import Kept


def compared_report(kept: Kept, columns: Mapping[str, str], *, rows: int) -> dict[str, Any]:
    """Give the part of a report on what leaves that is about answers.

    Args:
        kept: terms and provider.
        columns: field to the source's column.
        rows: how many rows are sent.

    Returns:
        `compared`: field to column. `answers`: by other provider the fields that are compared with it, the bytes of an
        answer, and how many answers may leave at most, which follows from the larger of both data sets: `most` if the
        other's is as large as the project allows, `most_if_smaller` if it is no larger than this one.
    """
    return {
        "compared": {name: columns[name] for name in kept.fields},
        "answers": {
            terms.party: _answers(kept, terms.party, rows=rows, other_rows=terms.max_rows)
            for terms in kept.project.providers
            if terms.party != kept.party
        },
    }


def _answers(kept: Kept, other: PartyId, *, rows: int, other_rows: int) -> dict[str, Any]:
    comparison, slots = kept.project.comparison_of(kept.party, other), kept.terms.slots
    return {
        "fields": list(comparison.fields),
        "answer_bytes": comparison.answer_bytes,
        "most": most_pairs(slots=slots, rows=(rows, other_rows)),
        "most_if_smaller": slots * rows,
    }
