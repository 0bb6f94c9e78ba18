"""Estimates beside the truth as plain SVG: for each two providers an interval, its estimate, and the true value.

Two panels, precision and recall of candidates. Colours follow the viewer's light or dark scheme, and shapes differ.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from math import floor
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))
# The benchmarks are no package.
from benchmarks.quality.estimated import OF_CANDIDATES, PRECISION, Figure
from benchmarks.quality.f1_chart import ATTRIBUTES

WIDTH, TOP, STEP = 900, 96, 20
TICK: Final = 0.05
COLOURS: Final = {"said": ("#0062a3", "#6cb8f0"), "true": ("#b54700", "#f59a5c")}

Said = Mapping[str, Mapping[str, Figure]]
"""Figures by the name of two providers, then by quantity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Where one quantity is drawn, from `left` to `right`, and the least value that is."""

    quantity: str
    left: int
    right: int
    low: float

    def x(self, value: float) -> float:
        """Give the place of a value; what is less than the least is drawn there."""
        return self.left + (self.right - self.left) * (max(value, self.low) - self.low) / (1 - self.low)


def chart(said: Said, *, title: str) -> str:
    """Give the chart as an SVG file; a pair of providers of which nothing is said has its true values alone."""
    bottom = TOP + STEP * len(said)
    panels = [
        Panel(quantity=quantity, left=left, right=left + 310, low=_least(said, quantity))
        for quantity, left in ((PRECISION, 210), (OF_CANDIDATES, 560))
    ]
    described = "; ".join(f"{name}: {', '.join(map(_words, figures.items()))}" for name, figures in said.items())
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 28}" {ATTRIBUTES}>',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(described)}</desc>',
        _style(),
        f'<rect class="page" width="{WIDTH}" height="{bottom + 28}" rx="8"/>',
        f'<text class="h" x="16" y="28">{escape(title)}</text>',
        *_legend(),
        *(line for panel in panels for line in _axis(panel, bottom)),
        *(line for place, name in enumerate(said) for line in _row(place, name, said[name], panels)),
        "</svg>",
        "",
    ])  # fmt: skip


def write_chart(path: Path, said: Said, *, title: str) -> None:
    """Write the chart, and beside it as JSON its title and the numbers that it is drawn from."""
    shown = {name: {panel: figures[panel] for panel in (PRECISION, OF_CANDIDATES)} for name, figures in said.items()}
    path.write_text(chart(shown, title=title), "utf-8")
    plain = {name: {of: asdict(figure) for of, figure in figures.items()} for name, figures in shown.items()}
    path.with_suffix(".json").write_text(json.dumps({"title": title, "estimates": plain}, indent=1) + "\n", "utf-8")


def _least(said: Said, quantity: str) -> float:
    figures = [of_pair[quantity] for of_pair in said.values()]
    lowest = min(min(one.true, one.low if one.told else 1.0) for one in figures)
    return max(0.0, min(1 - TICK, floor(lowest / TICK) * TICK))


def _words(named: tuple[str, Figure]) -> str:
    quantity, one = named
    told = f"{one.value:.4f} ({one.low:.4f} to {one.high:.4f})" if one.told else one.too_little
    return f"{quantity} {one.true:.4f}, estimated {told}"


def _axis(panel: Panel, bottom: int) -> Iterator[str]:
    middle = (panel.left + panel.right) / 2
    yield f'<text class="t" x="{middle}" y="{TOP - 14}" text-anchor="middle">{escape(panel.quantity)}</text>'
    for tick in range(round(panel.low / TICK), round(1 / TICK) + 1):
        x = panel.x(tick * TICK)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}"/>'
        yield f'<text class="t" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick * TICK:.2f}</text>'


def _row(place: int, name: str, figures: Mapping[str, Figure], panels: list[Panel]) -> Iterator[str]:
    y = TOP + STEP * place + STEP // 2
    yield f'<text class="t" x="200" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
    for panel in panels:
        one = figures[panel.quantity]
        if one.told:
            yield f'<line class="said" x1="{panel.x(one.low):.1f}" x2="{panel.x(one.high):.1f}" y1="{y}" y2="{y}"/>'
            yield _circle(panel.x(one.value), y)
        yield _diamond(panel.x(one.true), y)


def _circle(x: float, y: int) -> str:
    return f'<circle class="said" cx="{x:.1f}" cy="{y}" r="3.5"/>'


def _diamond(x: float, y: int) -> str:
    return f'<path class="true" d="M{x:.1f} {y - 6}l4 6l-4 6l-4 -6z"/>'


def _legend() -> Iterator[str]:
    yield '<line class="said" x1="14" x2="38" y1="52" y2="52"/>'
    yield _circle(26, 52)
    yield '<text class="t" x="46" y="56">estimate and 90 % interval</text>'
    yield _diamond(250, 52)
    yield '<text class="t" x="262" y="56">truth</text>'


def _style() -> str:
    def colours(dark: int) -> str:
        rules = (f".{name} {{ fill: {pair[dark]}; stroke: {pair[dark]} }}" for name, pair in COLOURS.items())
        return " ".join(rules)

    return (
        "<style>.page { fill: #ffffff } .h { fill: #17212b; font-size: 16px; font-weight: 600 } .t { fill: #17212b }"
        f" .grid {{ stroke: #d7dfe6 }} .said {{ stroke-width: 2 }} .true {{ stroke-width: 0 }} {colours(0)}"
        " @media (prefers-color-scheme: dark) { .page { fill: #11171d } .h, .t { fill: #e8eef3 }"
        f" .grid {{ stroke: #2b3943 }} {colours(1)} }}</style>"
    )
