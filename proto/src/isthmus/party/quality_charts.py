"""Charts of a quality report as inline SVG: no script, no font, no picture from elsewhere. Colours are classes.

Every chart has a title and a description for those who do not see it. Classes: `up` and `down` are steps of a
waterfall, `total` its end, `line` and `own` the ladder and the round's own acceptance, `grid` and `label` the rest.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import accumulate
from typing import Final

from isthmus.contract.quality import PairQuality, Pattern, QualityReport, Rung
from isthmus.party.quality_text import WATERFALLS, waterfall_steps

_WIDTH: Final = 520
_ROW: Final = 20
_LABELS: Final = 240
_HEIGHT: Final = 150
_TOP: Final = 16
_PLOT: Final = 100
_CAPTION: Final = 30
_MARGIN: Final = 16

_STYLE: Final = (
    "text { font: 12px system-ui, sans-serif; fill: #1a212b } .caption { font-weight: 600 } "
    ".up, .own { fill: #0072b2 } .down { fill: #d55e00 } .total { fill: #566070 } "
    ".line { stroke: #0072b2; stroke-width: 2 } .grid { stroke: #aab3bf }"
)
"""Of a file. The colours are told apart with every common colour blindness (Okabe and Ito, 2008)."""


def report_charts(report: QualityReport) -> str:
    """Give all charts of a report as an SVG file: for every two providers the ladder, and the commonest waterfalls."""
    parts, end = [], _MARGIN
    for place, pair in enumerate(report.pairs):
        for caption, chart, height in _charts(f"pair{place}", pair, report.acceptance):
            parts.append(f'<text class="caption" y="{end + _TOP}">{escape(caption)}</text>')
            parts.append(f'<svg y="{end + _CAPTION}" width="{_WIDTH}" height="{height}">{chart}</svg>')
            end += height + 2 * _CAPTION
    size = (_WIDTH + 2 * _MARGIN, end)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-_MARGIN} 0 {size[0]} {size[1]}" width="{size[0]}" '
        f'height="{size[1]}"><title>{escape(f"Quality of {report.round_id}")}</title><style>{_STYLE}</style>'
        f'<rect x="{-_MARGIN}" width="{size[0]}" height="{size[1]}" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def _charts(name: str, pair: PairQuality, acceptance: float) -> Iterator[tuple[str, str, int]]:
    """Give captions, charts and their heights."""
    both = f"{pair.left} and {pair.right}"
    drawn = ladder_chart(f"{name}-ladder", pair, acceptance=acceptance)
    if not drawn:
        yield f"{both}: nothing to draw, for it is hidden or there is not enough data", "", 0
        return
    yield f"{both}: people in both, by the least probability of a link (dot: this round's)", drawn, _HEIGHT
    links = [pattern for pattern in pair.patterns if pattern.accepted and pair.weights]
    for place, pattern in enumerate(links[:WATERFALLS]):
        height = _ROW * (len(waterfall_steps(pair, pattern)) + 1)
        caption = f"{both}: why {pattern.pairs:,} pairs are links, in bits"
        yield caption, waterfall_chart(f"{name}-waterfall{place}", pair, pattern), height


def waterfall_chart(name: str, pair: PairQuality, pattern: Pattern) -> str:
    """Give a bar for each step from the odds of a random pair to those of the pattern, in bits.

    Args:
        name: makes ids of the page unique.
        pair: whose weights they are.
        pattern: one of the pair's.
    """
    steps = waterfall_steps(pair, pattern)
    ends = list(accumulate(weight for _, weight in steps))
    low, high = min(0.0, *ends), max(0.0, *ends)
    scale = (_WIDTH - _LABELS) / ((high - low) or 1.0)
    marks = [_line(_LABELS - low * scale, 0, _LABELS - low * scale, _ROW * (len(steps) + 1))]
    for row, ((label, weight), end) in enumerate(zip(steps, ends, strict=True)):
        marks += _step(row, label, (min(end, end - weight) - low) * scale, weight, scale)
    marks += _step(len(steps), "together", (min(0.0, ends[-1]) - low) * scale, ends[-1], scale, style="total")
    described = "; ".join(f"{label} {weight:+.1f}" for label, weight in steps) + f"; together {ends[-1]:+.1f} bits."
    title = f"Why {pattern.pairs:,} pairs of one pattern are judged as they are"
    return _svg("waterfall", name, (title, described), (_WIDTH, _ROW * (len(steps) + 1)), marks)


def _step(row: int, label: str, at: float, weight: float, scale: float, *, style: str = "") -> Iterator[str]:
    kind = style or ("up" if weight > 0 else "down")
    width = max(1.0, abs(weight) * scale)
    yield _label(_LABELS - 6, row * _ROW + 14, f"{label}  {weight:+.1f}", "end")
    yield f'<rect class="{kind}" x="{_LABELS + at:.1f}" y="{row * _ROW + 3}" width="{width:.1f}" height="{_ROW - 6}"/>'


def ladder_chart(name: str, pair: PairQuality, *, acceptance: float) -> str:
    """Give a line of how many people both have against the least probability of a link, and the round's own as a dot.

    Hidden counts are gaps. A pair without any shown count gives "".
    """
    shown = [(rung, rung.both) for rung in pair.ladder if rung.both is not None]
    if not shown:
        return ""
    most = max(both for _, both in shown)
    points = [(rung.acceptance * _WIDTH, _TOP + _PLOT * (1 - both / (most or 1))) for rung, both in shown]
    marks = [
        _line(0, _TOP, _WIDTH, _TOP),
        _line(0, _TOP + _PLOT, _WIDTH, _TOP + _PLOT),
        _label(_WIDTH, _TOP - 4, f"{most:,}", "end"),
        _label(0, _TOP + _PLOT + 17, "0", "start"),
        _label(_WIDTH, _TOP + _PLOT + 17, "1", "end"),
        f'<polyline class="line" fill="none" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>',
        *_own(points, [rung for rung, _ in shown], acceptance),
    ]
    described = "; ".join(f"from {rung.acceptance:g}: {both:,}" for rung, both in shown) + "."
    title = f"People in the data of {pair.left} and {pair.right}, by the least probability of a link"
    return _svg("ladder", name, (title, described), (_WIDTH, _HEIGHT), marks)


def _own(points: Sequence[tuple[float, float]], rungs: Sequence[Rung], acceptance: float) -> Iterator[str]:
    for (x, y), rung in zip(points, rungs, strict=True):
        if rung.acceptance == acceptance:
            yield f'<circle class="own" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(style: str, name: str, words: tuple[str, str], size: tuple[int, int], marks: Sequence[str]) -> str:
    title, described = words
    width, height = size
    return (
        f'<svg class="{style}" role="img" aria-labelledby="{name}-title {name}-desc" viewBox="0 0 {width} {height}">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(described)}</desc>'
        f"{''.join(marks)}</svg>"
    )
