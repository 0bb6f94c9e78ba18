"""What of a report may leave the node: no count of 1 to 9 rows, nor one that leaves 1 to 9 over, and no exact number.

1. A count is "<10", "all but <10" of the rows, or itself; 0 and all rows are themselves. The rows of a field are parted
   into sound, damaged, placeholder and blank. Sound rows are shown only if each of the others is, so these four give
   no way to compute a hidden one: another number from 1 to 9 in its place would be shown the same.
2. If the parts that are shown leave 1 to 19 rows over, none of them is shown.
3. What is left is rounded to tens, against the difference of two reports. Counts that cross fields (rows too poor to
   link, repeats) and kinds of characters are hidden and rounded the same way; that all of them together never narrow
   a hidden count is not claimed.
4. Bars of histograms are joined until each holds ten rows and half a percent, have open ends, and are shares: no least
   and no greatest value of a single person is in them.

The rule of ten follows the profile `edu-default` of tables, minimum cell count 10.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from isthmus.node.report.errors import TooFewRows
from isthmus.node.report.model import (
    MIN_CELL_COUNT,
    Bin,
    Count,
    FieldReport,
    Gap,
    Hidden,
    Linkage,
    Repeats,
    Report,
    Route,
    SharedReport,
)

MIN_ROWS: Final = 10 * MIN_CELL_COUNT
"""A report over fewer rows is not shared at all."""

_LEAST_REST: Final = 2 * MIN_CELL_COUNT


def outgoing(report: Report[int]) -> SharedReport:
    """What of an exact report may leave the node.

    Raises:
        TooFewRows: the data set has fewer than `MIN_ROWS` rows.
    """
    if report.rows < MIN_ROWS:
        raise TooFewRows(least=MIN_ROWS)
    return SharedReport(
        Report(
            dataset=report.dataset,
            year=report.year,
            rows=_tens(report.rows),
            shared=True,
            estimated=report.estimated,
            fields=tuple(_field(one, report.rows) for one in report.fields),
            repeats=tuple(_repeats(one, report.rows) for one in report.repeats),
            linkage=_linkage(report),
        )
    )


def coarse(count: int, total: int) -> Count:
    """A count of `total` rows as it may leave: hidden where it or what it leaves over is 1 to 9, else in tens."""
    hidden = _hidden(count, total)
    return _tens(count) if hidden is None else hidden


def _hidden(count: int, total: int) -> Hidden | None:
    if 0 < count < MIN_CELL_COUNT:
        return Hidden.FEW
    return Hidden.NEARLY_ALL if 0 < total - count < MIN_CELL_COUNT else None


def _tens(count: int) -> int:
    return (count + MIN_CELL_COUNT // 2) // MIN_CELL_COUNT * MIN_CELL_COUNT


def coarse_parts(parts: Sequence[int], total: int) -> tuple[tuple[Count, ...], Count]:
    """Some parts of `total` rows as they may leave, and the rest of the rows.

    The decision what to hide is made from numbers that are shown alone; one that looked at a hidden count would give
    it away where it tips.
    """
    rest = total - sum(part for part in parts if _hidden(part, total) is None)
    if 0 < rest < _LEAST_REST:
        return tuple(Hidden.WITHHELD if part >= MIN_CELL_COUNT else coarse(part, total) for part in parts), (
            Hidden.WITHHELD
        )
    shown = tuple(coarse(part, total) for part in parts)
    return shown, Hidden.WITHHELD if any(isinstance(part, Hidden) for part in shown) else _tens(rest)


def _field(one: FieldReport[int], rows: int) -> FieldReport[Count]:
    (damaged, placeholder, blank), sound = coarse_parts((one.damaged, one.placeholder, one.blank), rows)
    return FieldReport(
        field=one.field,
        sound=sound,
        damaged=damaged,
        placeholder=placeholder,
        blank=blank,
        distinct=coarse(one.distinct, rows),
        most_common=_share(one.most_common, one.sound + one.damaged),
        lengths=coarse_bins(one.lengths),
        years=coarse_bins(one.years),
        odd_years=coarse(one.odd_years, rows),
        characters={kind: coarse(count, rows) for kind, count in one.characters.items()},
    )


def _share(share: float | None, total: int) -> float | None:
    """A share of `total` rows in whole percent; None if it is of 1 to 9 rows, leaves 1 to 9 over, or rounds to 0."""
    if share is None or _hidden(round(share * total), total) is not None or total < MIN_ROWS:
        return None
    if share in {0.0, 1.0}:
        return share
    return min(round(share, 2), 0.99) or None


def coarse_bins(bins: Sequence[Bin]) -> tuple[Bin, ...]:
    """The bars of an exact histogram as they may leave; none where they would be a single one."""
    total = sum(one.count or 0 for one in bins)
    joined = list(_joined(bins, least=max(MIN_CELL_COUNT, math.ceil(total / 200))))
    if len(joined) < 2:
        return ()
    digits = 3 if total >= 1000 * MIN_CELL_COUNT else 2
    shown = [replace(one, share=round((one.count or 0) / total, digits), count=None) for one in joined]
    return (replace(shown[0], low=None), *shown[1:-1], replace(shown[-1], high=None))


def _joined(bins: Sequence[Bin], *, least: int) -> Iterator[Bin]:
    """The bars with neighbours joined until each holds `least`; what is left over goes to the last."""
    ready: Bin | None = None
    open_bin: Bin | None = None
    for one in bins:
        open_bin = one if open_bin is None else _join(open_bin, one)
        if (open_bin.count or 0) >= least:
            if ready is not None:
                yield ready
            ready, open_bin = open_bin, None
    if ready is not None:
        yield ready if open_bin is None else _join(ready, open_bin)


def _join(left: Bin, right: Bin) -> Bin:
    return replace(left, high=right.high, count=(left.count or 0) + (right.count or 0))


def _repeats(one: Repeats[int], rows: int) -> Repeats[Count]:
    return Repeats(fields=one.fields, rows=coarse(one.rows, rows), surplus=coarse(one.surplus, rows))


def _linkage(report: Report[int]) -> Linkage[Count]:
    linkage, rows = report.linkage, report.rows
    return Linkage(
        unlinkable=coarse(linkage.unlinkable, rows),
        names_only=coarse(linkage.names_only, rows),
        too_little=coarse(linkage.too_little, rows),
        routes=tuple(Route(groups=one.groups, rows=coarse(one.rows, rows)) for one in linkage.routes),
        gaps=tuple(_gap(gap, one, rows) for gap, one in zip(linkage.gaps, report.fields, strict=True)),
    )


def _gap(gap: Gap[int], one: FieldReport[int], rows: int) -> Gap[Count]:
    linkable = _share(gap.linkable, gap.missing)
    by = gap.by if linkable is not None else ()
    return Gap(field=gap.field, missing=_missing((one.placeholder, one.blank), rows), linkable=linkable, by=by)


def _missing(parts: Sequence[int], rows: int) -> Count:
    """Rows that lack a field, from the larger part alone where the other is hidden: their sum would narrow that."""
    if sum(parts) == rows:
        return _tens(rows)
    shown = [part for part in parts if part and _hidden(part, rows) is None]
    hidden = [mark for part in parts if (mark := _hidden(part, rows)) is not None]
    if shown:
        return coarse(sum(shown), rows)
    if len(hidden) > 1:
        return Hidden.WITHHELD
    return hidden[0] if hidden else 0
