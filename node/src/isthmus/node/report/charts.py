"""Charts as inline SVG, drawn here: no script, no font, no picture from elsewhere. Colours are classes of `style`.

Every chart has a title and a description for those who do not see it; the page puts its numbers in a table beside it.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from isthmus.node.report.model import Bin
from isthmus.node.report.words import percent, span

_BAR_WIDTH: Final = 320
_BAR_HEIGHT: Final = 14
_CHART_WIDTH: Final = 480
_CHART_HEIGHT: Final = 132
_PLOT_HEIGHT: Final = 96
_TOP: Final = 14


class Part(NamedTuple):
    """A piece of a bar: its class and its share of the bar, in [0, 1]."""

    style: str
    share: float


def stacked_bar(name: str, title: str, parts: Sequence[Part]) -> str:
    """A bar that is parted; a part that is there is at least two units wide, so that it can be seen."""
    pieces, at = [], 0.0
    widths = _visible([part.share * _BAR_WIDTH for part in parts])
    for part, width in zip(parts, widths, strict=True):
        if width:
            pieces.append(f'<rect class="{part.style}" x="{at:.1f}" y="0" width="{width:.1f}" height="{_BAR_HEIGHT}"/>')
        at += width
    track = f'<rect class="track" x="0" y="0" width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}"/>'
    return _svg("bar", name, title, "", (_BAR_WIDTH, _BAR_HEIGHT), [track, *pieces], stretched=True)


def _visible(widths: list[float]) -> list[float]:
    """Widths with the small ones widened, at the cost of the widest."""
    wide = [max(2.0, width) if width else 0.0 for width in widths]
    excess = sum(wide) - sum(widths)
    widest = wide.index(max(wide)) if wide else 0
    return [width - excess if place == widest else width for place, width in enumerate(wide)]


def histogram(name: str, title: str, bins: Sequence[Bin]) -> str:
    """Bars over a common base, each as high as its share is of the greatest, with both ends and the peak named.

    `bins` are one or more. Joined bars are as wide as the others: what they stand for is in the table.
    """
    peak = max(bins, key=lambda one: one.share)
    step = _CHART_WIDTH / len(bins)
    marks = [*_grid(peak.share), *_bars(bins, step, peak.share), *_axis(bins)]
    described = f"From {span(bins[0])} to {span(bins[-1])}; the most, {percent(peak.share)}, at {span(peak)}."
    return _svg("histogram", name, title, described, (_CHART_WIDTH, _CHART_HEIGHT), marks)


def _bars(bins: Sequence[Bin], step: float, peak: float) -> Iterator[str]:
    width = max(0.5, min(36.0, step - min(3.0, step * 0.18)))
    for place, one in enumerate(bins):
        if one.share:
            height = max(1.0, one.share / peak * _PLOT_HEIGHT)
            yield (
                f'<rect class="column" x="{place * step + (step - width) / 2:.1f}" '
                f'y="{_TOP + _PLOT_HEIGHT - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
                f'rx="{min(2.0, step / 6):.1f}"/>'
            )


def _grid(peak: float) -> Iterator[str]:
    base, middle = _TOP + _PLOT_HEIGHT, _TOP + _PLOT_HEIGHT / 2
    yield f'<line class="grid" x1="0" x2="{_CHART_WIDTH}" y1="{_TOP}" y2="{_TOP}"/>'
    yield f'<line class="grid" x1="0" x2="{_CHART_WIDTH}" y1="{middle}" y2="{middle}"/>'
    yield f'<line class="base" x1="0" x2="{_CHART_WIDTH}" y1="{base}" y2="{base}"/>'
    yield _label(_CHART_WIDTH, _TOP - 4, percent(peak), "end")


def _axis(bins: Sequence[Bin]) -> Iterator[str]:
    below = _TOP + _PLOT_HEIGHT + 17
    yield _label(0, below, span(bins[0]), "start")
    if len(bins) > 6:
        middle = len(bins) // 2
        yield _label((middle + 0.5) * _CHART_WIDTH / len(bins), below, span(bins[middle]), "middle")
    if len(bins) > 1:
        yield _label(_CHART_WIDTH, below, span(bins[-1]), "end")


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(
    style: str, name: str, title: str, text: str, size: tuple[int, int], marks: list[str], *, stretched: bool = False
) -> str:
    width, height = size
    described = f'<desc id="{name}-desc">{escape(text)}</desc>' if text else ""
    ids = f"{name}-title {name}-desc" if text else f"{name}-title"
    ratio = ' preserveAspectRatio="none"' if stretched else ""
    return (
        f'<svg class="{style}" role="img" aria-labelledby="{ids}" viewBox="0 0 {width} {height}"{ratio}>'
        f'<title id="{name}-title">{escape(title)}</title>{described}{"".join(marks)}</svg>'
    )
