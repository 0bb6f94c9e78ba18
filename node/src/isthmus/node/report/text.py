"""The report in a terminal: findings, a line a field with a small bar, and the ways to link. Plain text, no colours."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from isthmus.node.report.findings import Level, find
from isthmus.node.report.model import Bin, Count, FieldReport, Report
from isthmus.node.report.words import FIELD_NAMES, GROUP_NAMES, amount, percent, percent_of, share_of, span

BAR_CELLS: Final = 20
_WIDTH: Final = 100
_PARTS: Final = (("damaged", "▓"), ("placeholder", "▒"), ("blank", "░"))
_SOUND: Final = "█"
_MARKS: Final = {Level.ACT: "!", Level.KNOW: "-", Level.GOOD: "ok"}


def report_text(report: Report[Count]) -> str:
    """The whole report as text, without a line break at its end."""
    lines = [f"{report.dataset}: {report.rows:,} rows", *_audience(report), "", *_finding_lines(report), ""]
    lines += [*_field_lines(report), "", *_range_lines(report), *_route_lines(report), *_repeat_lines(report)]
    return "\n".join(lines)


def _audience(report: Report[Count]) -> list[str]:
    if report.shared:
        return ["for sharing: counts under 10 are hidden, all others rounded to tens"]
    return ["exact counts, for this organisation only; --for-sharing hides small ones"]


def _finding_lines(report: Report[Count]) -> Iterator[str]:
    for one in find(report):
        first, *others = wrap(one.text, _WIDTH - 4)
        yield f"{_MARKS[one.level]:<3} {first}"
        yield from (f"    {line}" for line in others)


def _field_lines(report: Report[Count]) -> Iterator[str]:
    rows = [_field_row(one, report.rows) for one in report.fields]
    head = ("field", "", "sound", "damaged", "placeholder", "missing", "distinct", "commonest")
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    yield f"{_SOUND} sound  " + "  ".join(f"{mark} {name}" for name, mark in _PARTS).replace("blank", "missing")
    for row in (head, *rows):
        cells = [f"{cell:<{width}}" for cell, width in zip(row[:2], widths[:2], strict=True)]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[2:], widths[2:], strict=True)]
        yield "  ".join(cells).rstrip()


def _field_row(one: FieldReport[Count], rows: int) -> tuple[str, ...]:
    parts = (one.sound, one.damaged, one.placeholder, one.blank)
    common = "" if one.most_common is None else percent(one.most_common)
    shown = (percent_of(part, rows) or amount(part) for part in parts)
    return (FIELD_NAMES[one.field], _bar(parts[1:], rows), *shown, amount(one.distinct), common)


def _bar(parts: Sequence[Count], rows: int) -> str:
    """A bar of `BAR_CELLS` cells; each part that is there and shown has at least one, sound rows have the rest."""
    cells = [max(1, round(BAR_CELLS * share)) if (share := share_of(part, rows) or 0) else 0 for part in parts]
    bar = "".join(mark * count for (_, mark), count in zip(_PARTS, cells, strict=True))[:BAR_CELLS]
    return _SOUND * (BAR_CELLS - len(bar)) + bar


def _range_lines(report: Report[Count]) -> Iterator[str]:
    for one in report.fields:
        if one.years:
            yield f"{FIELD_NAMES[one.field]}: years {_years_text(one.years)}"


def _years_text(years: Sequence[Bin]) -> str:
    """From when to when; what lies far off is said beside it, where its count is shown."""
    far = [one for one in years if one.count and None in {one.low, one.high}]
    near = [one for one in years if one not in far]
    beside = "".join(f"; {one.count:,} at {span(one)}" for one in far)
    return f"{span(near[0])} to {span(near[-1])}{beside}"


def _route_lines(report: Report[Count]) -> Iterator[str]:
    linkage = report.linkage
    yield f"Rows that hold too little to be linked: {_counted(linkage.unlinkable, report.rows)} under hardened-1"
    yield f"  of them with both names and nothing else: {amount(linkage.names_only)}"
    yield f"Rows that hold too little under interop-1: {_counted(linkage.too_little, report.rows)}"
    for route in linkage.routes:
        left, right = (GROUP_NAMES[name] for name in route.groups)
        yield f"  by {left} and {right}: {_counted(route.rows, report.rows)}"


def _repeat_lines(report: Report[Count]) -> Iterator[str]:
    about = "about " if report.estimated else ""
    for one in report.repeats:
        what = "all fields" if len(one.fields) == len(report.fields) else ", ".join(one.fields)
        yield f"Rows that equal another row in {what}: {about}{_counted(one.rows, report.rows)}"


def _counted(count: Count, rows: int) -> str:
    share = percent_of(count, rows)
    return f"{amount(count)} ({share})" if share else amount(count)
