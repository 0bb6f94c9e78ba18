"""Charts of a quality report as inline SVG: no script, no font, no picture from elsewhere. Colours are classes.

Every chart has a title and a description for those who do not see it. Classes: `up` and `down` are steps of a
waterfall, `total` its end, `line` and `own` the ladder and the round's own acceptance, `grid` and `label` the rest.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import accumulate
from typing import Final

from isthmus.contract.quality import PairQuality, Pattern, Rung
from isthmus.party.quality_text import waterfall_steps

_WIDTH: Final = 520
_ROW: Final = 20
_LABELS: Final = 240
_HEIGHT: Final = 150
_TOP: Final = 16
_PLOT: Final = 100


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
