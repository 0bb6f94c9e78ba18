"""One card a field, and what cards and page have in common: the parted bar and lists of findings."""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

from isthmus.node.report.charts import Part, histogram, stacked_bar
from isthmus.node.report.findings import Finding, Level
from isthmus.node.report.model import Bin, Count, FieldReport, Hidden
from isthmus.node.report.words import FIELD_NAMES, amount, percent, percent_of, share_of, span

PARTS: Final[tuple[tuple[str, str, Callable[[FieldReport[Count]], Count]], ...]] = (
    ("Sound", "sound", lambda one: one.sound),
    ("Damaged", "damaged", lambda one: one.damaged),
    ("Placeholder", "placeholder", lambda one: one.placeholder),
    ("Missing", "missing", lambda one: one.blank),
)
"""The parts of a field's rows: name, class, and where the count is."""

_TAGS: Final = {Level.ACT: "Act", Level.KNOW: "Know", Level.GOOD: "Good"}


def finding_list(findings: Sequence[Finding], style: str) -> str:
    """Findings as a list; the level is a word, never a colour alone."""
    items = "".join(
        f'<li class="{one.level.value}"><span class="tag">{_TAGS[one.level]}</span><span>{escape(one.text)}</span></li>'
        for one in findings
    )
    return f'<ul class="{style}">{items}</ul>' if items else ""


def bar_of(one: FieldReport[Count], rows: int, name: str) -> str:
    """The parted bar of a field. Where sound rows are not shown, they are drawn as what the shown parts leave over."""
    shares = [share_of(get(one), rows) or 0.0 for _, _, get in PARTS]
    if isinstance(one.sound, Hidden):
        shares[0] = max(0.0, 1 - sum(shares[1:]))
    said = ", ".join(f"{part.lower()} {percent_of(get(one), rows) or amount(get(one))}" for part, _, get in PARTS)
    parts = [Part(style, share) for (_, style, _), share in zip(PARTS, shares, strict=True)]
    return stacked_bar(name, f"{FIELD_NAMES[one.field]}: {said}", parts)


def field_card(one: FieldReport[Count], rows: int, findings: Sequence[Finding], *, own: str) -> str:
    """The card of a field: bar, facts, findings, and charts with their tables. `own` is the owner's column name."""
    name = FIELD_NAMES[one.field]
    beside = f'<span class="soft">{escape(own)}</span>' if own else ""
    pieces = [
        f'<article class="card field"><header><h3>{name}</h3>{beside}</header>',
        bar_of(one, rows, f"card-{one.field}"),
        f'<dl class="facts">{"".join(_facts(one, rows))}</dl>',
        finding_list(findings, "findings"),
        *_chart(f"years-{one.field}", f"{name}: years", "Years", one.years),
        *_chart(f"lengths-{one.field}", f"{name}: length in characters", "Length in characters", one.lengths),
        *_characters(one, rows),
        "</article>",
    ]
    return "".join(pieces)


def _facts(one: FieldReport[Count], rows: int) -> Iterator[str]:
    common = "not shown" if one.most_common is None else percent(one.most_common)
    facts = {
        "Sound": percent_of(one.sound, rows) or amount(one.sound),
        "Distinct": amount(one.distinct),
        "Commonest": common,
    }
    return (f"<div><dt>{name}</dt><dd>{escape(fact)}</dd></div>" for name, fact in facts.items())


def _chart(name: str, title: str, heading: str, bins: Sequence[Bin]) -> Iterator[str]:
    if len(bins) > 1:
        yield f"<h4>{heading}</h4>{histogram(name, title, bins)}"
        yield from _table(title, ("Value" if heading == "Length in characters" else "Year"), bins)


def _table(title: str, what: str, bins: Sequence[Bin]) -> Iterator[str]:
    counted = bins[0].count is not None
    yield '<details><summary>Numbers</summary><div class="scroll"><table>'
    yield f'<caption class="soft">{escape(title)}</caption>'
    rows_head = '<th scope="col" class="n">Rows</th>' if counted else ""
    yield f'<thead><tr><th scope="col">{what}</th>{rows_head}<th scope="col" class="n">Share</th></tr></thead><tbody>'
    for one in bins:
        rows = f'<td class="n">{one.count:,}</td>' if counted else ""
        yield f'<tr><th scope="row">{span(one)}</th>{rows}<td class="n">{percent(one.share)}</td></tr>'
    yield "</tbody></table></div></details>"


def _characters(one: FieldReport[Count], rows: int) -> Iterator[str]:
    held = [(kind, count) for kind, count in one.characters.items() if count]
    if not held:
        return
    yield "<h4>Rows whose value has</h4><table><tbody>"
    for kind, count in held:
        share = percent_of(count, rows)
        bar = stacked_bar(
            f"{kind.name.lower()}-{one.field}", f"{kind.value}: {share or amount(count)}", [_part(count, rows)]
        )
        yield f'<tr><th scope="row">{kind.value.capitalize()}</th><td class="chart">{bar}</td>'
        yield f'<td class="n">{escape(amount(count))}<small>{share}</small></td></tr>'
    yield "</tbody></table>"


def _part(count: Count, rows: int) -> Part:
    return Part("sound", share_of(count, rows) or 0.0)
