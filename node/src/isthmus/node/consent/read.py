"""Reading a data set with consent: the rows that take part, and who is left out by now."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, compress
from pathlib import Path
from typing import Any, Final

import msgspec

from isthmus.contract.ids import ProjectId
from isthmus.node.config import DatasetConfig
from isthmus.node.consent.days import clock_is_behind, local_day
from isthmus.node.consent.opt_outs import Exclusions, exclusions
from isthmus.node.consent.rules import Ground, Kept, in_order, keep_rows
from isthmus.node.consent.store import open_opt_outs
from isthmus.node.consent_settings import columns_needed
from isthmus.node.errors import NobodyTakesPart
from isthmus.node.records import Piece, RecordStream, SourceDescription
from isthmus.node.sources.open_source import open_source

_ASKED: Final = "consent:"
"""What stands before a rule's column among the standard fields, none of which has a colon."""


class Consenting:
    """The records of a data set that take part, in the source's order, in pieces; and who does not, once they ended."""

    def __init__(
        self, pieces: RecordStream, dataset: DatasetConfig, fields: Sequence[str], exclusions: Exclusions
    ) -> None:
        """Take the records with the columns that the rules ask for."""
        self._all, self._dataset, self._fields, self._exclusions = pieces, dataset, tuple(fields), exclusions
        self._counts: Counter[Ground] = Counter()
        self._found: set[str] = set()
        self.stream = RecordStream(self._taking_part())

    def notes(self) -> dict[str, Any]:
        """Give what the node's own people are told: a sentence a ground, and how many of the list were not found."""
        return {
            "left_out": self._sentences(),
            "not_found": self._exclusions.not_among(self._found),
        }

    def _taking_part(self) -> Generator[Piece, None, SourceDescription]:
        some = False
        for piece in self._all.pieces():
            kept = _judge(piece, self._dataset, self._exclusions)
            self._counts.update(kept.counts)
            if self._exclusions.reasons:
                self._found.update(one for one in piece.record_ids if self._exclusions.reason(one) is not None)
            mask = kept.mask.tolist()
            if any(mask):
                some = True
                yield self._kept(piece, mask)
        if not some:
            raise NobodyTakesPart(grounds=tuple(self._sentences()))
        return self._all.source

    def _kept(self, piece: Piece, mask: list[bool]) -> Piece:
        columns = {field: piece.columns[field] for field in self._fields}
        if all(mask):
            return Piece(record_ids=piece.record_ids, columns=columns, expected_rows=piece.expected_rows)
        return Piece(
            record_ids=list(compress(piece.record_ids, mask)),
            columns={field: list(compress(values, mask)) for field, values in columns.items()},
            expected_rows=piece.expected_rows,
        )

    def _sentences(self) -> list[str]:
        clock = [] if self._exclusions.latest is None else [clock_is_behind(self._exclusions.latest)]
        return [*(ground.sentence(rows) for ground, rows in in_order(self._counts).items()), *clock]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakingPart:
    """How many of a data set's rows take part in a project, and why the others do not: a sentence a ground."""

    project: ProjectId | None
    rows: int
    taking_part: int
    left_out: tuple[str, ...]


def read_exclusions(folder: Path, *, project: ProjectId | None, now: datetime) -> Exclusions:
    """Give who is left out of the project today by the list of opt-outs in the node's folder.

    The list remembers the latest day on which it was asked. Where the clock went back since, whoever was left out on
    that day stays left out.
    """
    today = local_day(now)
    with closing(open_opt_outs(folder)) as opt_outs:
        latest = opt_outs.asked_on(today)
        return exclusions(opt_outs.entries(), project=project, as_of=today, latest=latest)


def open_consenting(
    folder: Path, dataset: DatasetConfig, fields: Sequence[str], *, exclusions: Exclusions
) -> Consenting:
    """Open the fields of a data set, and no other column but those that its rules ask for; raises as `open_source`.

    Its stream raises `NobodyTakesPart` at its end where nobody does.
    """
    return Consenting(_open(folder, dataset, fields), dataset, fields, exclusions)


def left_out_records(folder: Path, dataset: DatasetConfig, *, exclusions: Exclusions) -> frozenset[str]:
    """Give the ids of the data set's records that are left out now, by its rules or by the list.

    Nothing is read where the data set has no rules: the list alone tells.
    """
    if not dataset.consent:
        return frozenset()
    left_out = (
        compress(piece.record_ids, (~_judge(piece, dataset, exclusions).mask).tolist())
        for piece in _open(folder, dataset, ()).pieces()
    )
    return frozenset(chain.from_iterable(left_out))


def count_taking_part(folder: Path, dataset: DatasetConfig, *, now: datetime) -> list[TakingPart]:
    """Count who takes part: in a project that nothing names, then in each that a rule or an entry of the list names.

    Nothing is read, and nothing given, where there is neither a rule nor an entry.
    """
    with closing(open_opt_outs(folder)) as opt_outs:
        entries = opt_outs.entries()
    if not (entries or dataset.consent):
        return []
    named = {ProjectId(project) for rule in dataset.consent for project in rule.projects}
    named |= {entry.project for entry in entries if entry.project is not None}
    asked = [read_exclusions(folder, project=project, now=now) for project in (None, *sorted(named))]
    rows, counts = 0, [Counter[Ground]() for _ in asked]
    for piece in _open(folder, dataset, ()).pieces():
        rows += len(piece.record_ids)
        for excluded, count in zip(asked, counts, strict=True):
            count.update(_judge(piece, dataset, excluded).counts)
    return [_taking_part(one, rows, count) for one, count in zip(asked, counts, strict=True)]


def _taking_part(excluded: Exclusions, rows: int, counts: Counter[Ground]) -> TakingPart:
    sentences = tuple(ground.sentence(count) for ground, count in in_order(counts).items())
    return TakingPart(project=excluded.project, rows=rows, taking_part=rows - counts.total(), left_out=sentences)


def _open(folder: Path, dataset: DatasetConfig, fields: Sequence[str]) -> RecordStream:
    asked = _asked(dataset)
    whole = msgspec.structs.replace(dataset, columns=dataset.columns | asked)
    return open_source(folder, whole, fields=[*fields, *asked])


def _asked(dataset: DatasetConfig) -> dict[str, str]:
    return {f"{_ASKED}{name}": name for name in columns_needed(dataset.consent)}


def _judge(piece: Piece, dataset: DatasetConfig, exclusions: Exclusions) -> Kept:
    rule_columns = {name: piece.columns[field] for field, name in _asked(dataset).items()}
    return keep_rows(
        piece.record_ids, rule_columns, rules=dataset.consent, exclusions=exclusions, date_order=dataset.date_order
    )
