"""The report as one self-contained HTML page: what to know first, then what it means, then field by field.

It holds no script and no address, and its content policy forbids both. All text goes through `html.escape`.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from isthmus.node.report.cards import PARTS, bar_of, field_card, finding_list
from isthmus.node.report.charts import Part, stacked_bar
from isthmus.node.report.findings import Finding, Level, find
from isthmus.node.report.model import MIN_CELL_COUNT, Count, FieldReport, Hidden, Report
from isthmus.node.report.style import CSS
from isthmus.node.report.words import FIELD_NAMES, GROUP_NAMES, amount, listed, percent, percent_of, share_of

_FIRST: Final = 3
"""Findings that stand at the top."""

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_TERMS: Final = {
    "Sound": "The value is what the field should hold.",
    "Damaged": "There is a value, but not one that the field can hold, such as a 31st of February. It is kept and "
    "encoded as it is, and rarely agrees with anything.",
    "Placeholder": "The value stands for no value: UNKNOWN, a row of nines, the first day of 1900. It is "
    "treated as missing.",
    "Missing": "Nothing is there.",
    "Distinct": "Different values after accents, case and punctuation are folded, as they are compared.",
    "Commonest": "How many of the filled rows hold the commonest value. The value itself is not shown.",
}


def report_page(report: Report[Count], *, columns: Mapping[str, str], made: str) -> str:
    """The whole page.

    Args:
        report: exact, or as it may leave.
        columns: the owner's own name of each field, shown beside it; empty for a page that may leave.
        made: the day on which it was made, as text.
    """
    title = f"Data quality: {report.dataset}"
    findings = find(report)
    body = [*_top(report, title, made), *_first(findings), *_fill(report, columns), *_routes(report)]
    body += [*_repeats(report), *_cards(report, findings, columns), *_end(report)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>\n<body><main>\n" + "\n".join(body) + "\n"
        "</main></body></html>\n"
    )


def _top(report: Report[Count], title: str, made: str) -> Iterator[str]:
    audience = "Exact counts, for use inside your organisation only."
    if report.shared:
        audience = f"For sharing: counts under {MIN_CELL_COUNT} are hidden and all others are rounded to tens."
    yield f'<header><h1>{escape(title)}</h1><p class="lead">{escape(made)}. {audience} '
    yield "No value of any record is on this page.</p></header>"
    yield f'<dl class="tiles">{"".join(_tiles(report))}</dl>'


def _tiles(report: Report[Count]) -> Iterator[str]:
    rows, linkage = report.rows, report.linkage
    fields = f"{len(report.fields)} fields of each"
    yield _tile("Rows", f"{'about ' if report.shared else ''}{rows:,}", fields)
    lost = share_of(linkage.unlinkable, rows)
    can = "nearly all" if lost is None else percent(1 - lost)
    yield _tile("Hold enough to be linked", can, f"{amount(linkage.unlinkable)} rows do not")
    for one in report.repeats[:1]:
        some = percent_of(one.rows, rows) or amount(one.rows)
        yield _tile("Equal another row in every field", some, f"{amount(one.rows)} rows")


def _tile(name: str, number: str, more: str) -> str:
    return (
        f'<div class="card"><dt>{escape(name)}</dt><dd><div class="number">{escape(number)}</div>'
        f'<div class="soft">{escape(more)}</div></dd></div>'
    )


def _first(findings: Sequence[Finding]) -> Iterator[str]:
    yield "<section><h2>What to know first</h2>"
    yield finding_list(findings[:_FIRST], "findings wide")
    more = sum(one.level is not Level.GOOD for one in findings[_FIRST:])
    if more:
        yield f'<p class="soft">{more} more below, beside the fields that they are about.</p>'
    yield "</section>"


def _fill(report: Report[Count], columns: Mapping[str, str]) -> Iterator[str]:
    yield '<section><h2>How full each field is</h2><p class="soft">Of all rows.</p><div class="card">'
    yield f'<ul class="legend">{"".join(_legend(name, style) for name, style, _ in PARTS)}</ul>'
    heads = "".join(f'<th scope="col" class="n">{name}</th>' for name, _, _ in PARTS)
    yield f'<div class="scroll"><table><thead><tr><th scope="col">Field</th><td></td>{heads}</tr></thead><tbody>'
    yield from (_fill_row(one, report.rows, columns) for one in report.fields)
    yield "</tbody></table></div></div></section>"


def _legend(name: str, style: str) -> str:
    mark = f'<svg aria-hidden="true" viewBox="0 0 8 8"><rect class="{style}" width="8" height="8"/></svg>'
    return f"<li>{mark}{name}</li>"


def _fill_row(one: FieldReport[Count], rows: int, columns: Mapping[str, str]) -> str:
    own = columns.get(one.field)
    below = f"<small>{escape(own)}</small>" if own else ""
    cells = "".join(f'<td class="n">{_counted(get(one), rows)}</td>' for _, _, get in PARTS)
    return (
        f'<tr><th scope="row">{FIELD_NAMES[one.field]}{below}</th>'
        f'<td class="chart">{bar_of(one, rows, f"fill-{one.field}")}</td>{cells}</tr>'
    )


def _counted(count: Count, rows: int) -> str:
    if isinstance(count, Hidden) or not count:
        return f"{escape(amount(count))}<small></small>"
    return f"{amount(count)}<small>{percent_of(count, rows)}</small>"


def _routes(report: Report[Count]) -> Iterator[str]:
    linkage, rows = report.linkage, report.rows
    yield "<section><h2>What rows can be linked by</h2>"
    yield '<p class="soft">Rows of two providers are compared by two kinds of facts at a time, and by all of them '
    yield "together. The more ways a row has, the more errors it survives. This is for a project that uses every "
    yield 'field; one that uses fewer links fewer rows.</p><div class="card scroll"><table><thead><tr>'
    yield '<th scope="col">Way</th><td></td><th scope="col" class="n">Rows</th></tr></thead><tbody>'
    for one in linkage.routes:
        yield _route_row(listed([GROUP_NAMES[name] for name in one.groups]), "-".join(one.groups), one.rows, rows)
    yield f"</tbody></table></div><p>{_poor_rows(report)}</p></section>"


def _route_row(way: str, name: str, count: Count, rows: int) -> str:
    bar = stacked_bar(f"way-{name}", f"Rows that hold {way}", [Part("sound", share_of(count, rows) or 0.0)])
    first = escape(way[:1].upper() + way[1:])
    return (
        f'<tr><th scope="row">{first}</th><td class="chart">{bar}</td><td class="n">{_counted(count, rows)}</td></tr>'
    )


def _poor_rows(report: Report[Count]) -> str:
    linkage = report.linkage
    return escape(
        f"Too poor for any way (profile hardened-1): {amount(linkage.unlinkable)} rows, of which "
        f"{amount(linkage.names_only)} hold both names and nothing else. "
        f"Too poor for the profile interop-1: {amount(linkage.too_little)} rows."
    )


def _repeats(report: Report[Count]) -> Iterator[str]:
    about = "about " if report.estimated else ""
    yield '<section><h2>Rows that repeat</h2><div class="card scroll"><table><thead><tr>'
    yield '<th scope="col">Equal in</th><th scope="col" class="n">Rows that equal another</th>'
    yield '<th scope="col" class="n">Of them, beyond the first</th></tr></thead><tbody>'
    for one in report.repeats:
        whole = len(one.fields) == len(report.fields)
        what = "every field" if whole else listed([FIELD_NAMES[name].lower() for name in one.fields])
        yield f'<tr><th scope="row">{escape(what.capitalize())}</th>'
        yield f'<td class="n">{about}{_counted(one.rows, report.rows)}</td>'
        yield f'<td class="n">{about}{_counted(one.surplus, report.rows)}</td></tr>'
    yield "</tbody></table></div></section>"


def _cards(report: Report[Count], findings: Sequence[Finding], columns: Mapping[str, str]) -> Iterator[str]:
    yield '<section><h2>Field by field</h2><div class="fields">'
    for one in report.fields:
        about = [finding for finding in findings if finding.field == one.field]
        yield field_card(one, report.rows, about, own=columns.get(one.field, ""))
    yield "</div></section>"


def _end(report: Report[Count]) -> Iterator[str]:
    terms = "".join(f"<dt>{name}</dt><dd>{meaning}</dd>" for name, meaning in _TERMS.items())
    yield f'<section><h2>What the words mean</h2><dl class="terms">{terms}</dl></section>'
    estimated = " The data set is so large that distinct values and repeated rows are estimates." * report.estimated
    yield f"<footer>Made by isthmus-node profile. Nothing was sent anywhere.{estimated}</footer>"
