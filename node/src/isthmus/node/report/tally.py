"""Counting a data set, piece by piece: memory does not grow with its rows. The pieces make no difference to the report.

What is kept between pieces are counts, digests under a key of this run, and shapes of values; no value.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.ids import RandomBytes
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.norm1 import normalise_column
from isthmus.node.normalise.readers import Reading, read_birth_year, read_dob
from isthmus.node.report.bins import bins_of
from isthmus.node.report.characters import ShapeTable, count_shapes, kinds_of, lengths_of
from isthmus.node.report.digests import DEFAULT_CAP, DigestCounter, Digests, digest_column, digest_rows
from isthmus.node.report.linkage import expected_linkage
from isthmus.node.report.model import OLDEST, Characters, FieldReport, Repeats, Report

_READ_DATE: Final[dict[str, Callable[[str, DateOrder], Reading]]] = {"dob": read_dob, "birth_year": read_birth_year}


@dataclass(slots=True, kw_only=True)
class FieldTally:
    """The counts of one field so far."""

    name: str
    date_order: DateOrder
    distinct: DigestCounter
    sound: int = 0
    damaged: int = 0
    placeholder: int = 0
    blank: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    years: Counter[int] = field(default_factory=Counter)
    kinds: Counter[Characters] = field(default_factory=Counter)

    def add(self, values: Sequence[str], *, key: bytes, table: ShapeTable) -> Digests:
        """Count some more values; give the digests of their normal forms, 0 where there is none."""
        column = normalise_column(self.name, values, date_order=self.date_order)
        self.damaged += column.damaged
        self.placeholder += column.placeholders
        self.blank += column.missing - column.placeholders
        self.sound += len(values) - column.missing - column.damaged
        filled = Counter(raw for raw, normal in zip(values, column.values, strict=True) if normal)
        shapes = count_shapes(filled, table)
        self.lengths += lengths_of(shapes)
        self.kinds += kinds_of(shapes)
        self._add_years(filled)
        digests = digest_column(column.values, key)
        self.distinct.add(digests[digests != 0])
        return digests

    def _add_years(self, filled: Mapping[str, int]) -> None:
        read = _READ_DATE.get(self.name)
        for raw, count in filled.items() if read else ():
            normal, damaged = read(raw, self.date_order)  # type: ignore[misc] # the loop is empty without a reader
            if not damaged:
                self.years[int(normal[:4])] += count

    def report(self, year: int) -> FieldReport[int]:
        """What was counted, for a report of that year."""
        tally, filled = self.distinct.tally(), self.sound + self.damaged
        sensible = range(year - OLDEST, year + 1)
        return FieldReport(
            field=self.name,
            sound=self.sound,
            damaged=self.damaged,
            placeholder=self.placeholder,
            blank=self.blank,
            distinct=tally.distinct,
            most_common=tally.largest / filled if filled and tally.largest is not None else None,
            lengths=bins_of(self.lengths),
            years=bins_of(self.years, sensible=sensible),
            odd_years=sum(count for born, count in self.years.items() if born not in sensible),
            characters={kind: self.kinds[kind] for kind in Characters},
        )


@dataclass(slots=True, kw_only=True)
class DatasetTally:
    """The counts of a data set so far. Make one with `new_tally`."""

    key: bytes
    fields: tuple[FieldTally, ...]
    repeats: dict[tuple[str, ...], DigestCounter]
    patterns: NDArray[np.int64]
    table: ShapeTable
    rows: int = 0

    def add(self, columns: Mapping[str, Sequence[str]], record_ids: Sequence[str]) -> None:
        """Count some more rows: for each field one value a record, "" where there is none."""
        rows = len(record_ids)
        digests = {
            one.name: one.add(columns[one.name], key=self.key, table=self.table) if rows else np.empty(0, np.uint64)
            for one in self.fields
        }
        pattern = np.zeros(rows, dtype=np.int64)
        for place, column in enumerate(digests.values()):
            pattern |= (column != 0).astype(np.int64) << place
        self.patterns += np.bincount(pattern, minlength=len(self.patterns))
        for fields, counter in self.repeats.items():
            chosen = [digests[name] for name in fields]
            counter.add(digest_rows(chosen, self.key)[_comparable(chosen, whole=len(fields) < len(self.fields))])
        self.rows += rows

    def report(self, dataset: str, *, year: int) -> Report[int]:
        """What was counted, exactly, for the owner of the data."""
        counters = [*(one.distinct for one in self.fields), *self.repeats.values()]
        return Report(
            dataset=dataset,
            year=year,
            rows=self.rows,
            shared=False,
            estimated=any(counter.tally().estimated for counter in counters),
            fields=tuple(one.report(year) for one in self.fields),
            repeats=tuple(_repeats(fields, counter) for fields, counter in self.repeats.items()),
            linkage=expected_linkage([one.name for one in self.fields], self.patterns),
        )


def new_tally(
    fields: Sequence[str], *, date_order: DateOrder, random_bytes: RandomBytes, cap: int = DEFAULT_CAP
) -> DatasetTally:
    """An empty tally of these standard fields, in whatever order they come.

    Args:
        fields: the fields of the data set, one or more.
        date_order: the order in which its dates are written.
        random_bytes: where the key of the digests comes from.
        cap: distinct values that are kept of each field; beyond it counts of them are estimates.
    """
    ordered = tuple(name for name in STANDARD_FIELDS if name in fields)
    return DatasetTally(
        key=random_bytes(32),
        fields=tuple(FieldTally(name=name, date_order=date_order, distinct=DigestCounter(cap=cap)) for name in ordered),
        repeats={compared: DigestCounter(cap=cap) for compared in _compared(ordered)},
        patterns=np.zeros(1 << len(ordered), dtype=np.int64),
        table=ShapeTable(),
    )


def _compared(fields: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The sets of fields in which rows are compared with each other: all of them, and name with birth date."""
    born = next((name for name in ("dob", "birth_year") if name in fields), None)
    name_and_birth = tuple(name for name in ("first_name", "last_name", born) if name in fields)
    return [fields, *([name_and_birth] if len(name_and_birth) == 3 and name_and_birth != fields else [])]


def _comparable(columns: Sequence[Digests], *, whole: bool) -> NDArray[np.bool_]:
    """Rows that say something: those with any of the columns, or with the whole of them."""
    present = np.array([column != 0 for column in columns])
    return np.asarray(present.all(axis=0) if whole else present.any(axis=0))


def _repeats(fields: tuple[str, ...], counter: DigestCounter) -> Repeats[int]:
    tally = counter.tally()
    return Repeats(fields=fields, rows=tally.repeated, surplus=max(0, counter.added - tally.distinct))
