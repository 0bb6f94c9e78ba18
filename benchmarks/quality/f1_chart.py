"""F1 by set as plain SVG: ours and the baselines as marks on a line for each set; nothing but Python's own library.

Its colours follow the viewer's light or dark scheme, and shapes differ, so that no colour is needed to read it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from math import floor
from pathlib import Path
from typing import Final

WIDTH, LEFT, RIGHT = 760, 190, 735
TOP, STEP = 84, 22
TICK: Final = 0.05
RADIUS: Final = 5
ATTRIBUTES: Final = 'role="img" aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="13"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of linking: its shape is `circle`, `square`, `diamond` or `bar`, its colours are of light and dark."""

    name: str
    shape: str
    colours: tuple[str, str]


WAYS: Final = (
    Way(name="ours balanced", shape="circle", colours=("#0062a3", "#6cb8f0")),
    Way(name="Splink best", shape="diamond", colours=("#b54700", "#f59a5c")),
    Way(name="CLK best", shape="square", colours=("#00705a", "#3fcfa8")),
    Way(name="exact key", shape="bar", colours=("#6b5900", "#e0c04a")),
)
"""What is drawn; the best thresholds are those that the truth chooses."""


def chart(f1: Mapping[str, Mapping[str, float]], *, title: str) -> str:
    """Give the chart as an SVG file of F1 by set and way; a way that a set lacks is left out of its line."""
    lowest = min(value for of_set in f1.values() for value in of_set.values())
    low = max(0.0, floor(lowest / TICK) * TICK)
    bottom = TOP + STEP * len(f1)
    marks = [*_axis(low, bottom), *(mark for place, name in enumerate(f1) for mark in _row(place, name, f1[name], low))]
    described = "; ".join(f"{name}: {_said(of_set)}" for name, of_set in f1.items())
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 40}" {ATTRIBUTES}>',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(described)}</desc>',
        _style(),
        f'<rect class="page" width="{WIDTH}" height="{bottom + 40}" rx="8"/>',
        f'<text class="h" x="16" y="28">{escape(title)}</text>',
        *_legend(),
        *marks,
        "</svg>",
        "",
    ])  # fmt: skip


def write_chart(path: Path, f1: Mapping[str, Mapping[str, float]], *, title: str) -> None:
    """Write the chart, and beside it as JSON its title and the numbers that it is drawn from."""
    drawn = {way.name for way in WAYS}
    shown = {name: {way: round(of_set[way], 4) for way in of_set if way in drawn} for name, of_set in f1.items()}
    path.write_text(chart(shown, title=title), "utf-8")
    path.with_suffix(".json").write_text(json.dumps({"title": title, "f1": shown}, indent=1) + "\n", "utf-8")


def _said(of_set: Mapping[str, float]) -> str:
    return ", ".join(f"{way.name} {of_set[way.name]:.3f}" for way in WAYS if way.name in of_set)


def _x(value: float, low: float) -> float:
    return LEFT + (RIGHT - LEFT) * (value - low) / (1 - low)


def _axis(low: float, bottom: int) -> Iterator[str]:
    for tick in range(round(low / TICK), round(1 / TICK) + 1):
        x = _x(tick * TICK, low)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}"/>'
        if (round(1 / TICK) - tick) % 2 == 0:
            yield f'<text class="t" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick * TICK:.2f}</text>'
    yield f'<text class="t" x="{(LEFT + RIGHT) / 2}" y="{bottom + 33}" text-anchor="middle">F1 of linked pairs</text>'


def _row(place: int, name: str, of_set: Mapping[str, float], low: float) -> Iterator[str]:
    y = TOP + STEP * place + STEP // 2
    yield f'<text class="t" x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
    yield f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>'
    # Ours is drawn last, on top.
    for number, way in reversed(list(enumerate(WAYS))):
        if way.name in of_set:
            yield _mark(number, _x(of_set[way.name], low), y)


def _mark(number: int, x: float, y: float) -> str:
    shape, r = WAYS[number].shape, RADIUS
    if shape == "circle":
        return f'<circle class="w{number}" cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>'
    if shape == "diamond":
        d = r + 1
        return f'<path class="w{number}" d="M{x:.1f} {y - d:.1f}l{d} {d}l-{d} {d}l-{d} -{d}z"/>'
    width = 2 * r - 2 if shape == "square" else 3
    height = width if shape == "square" else 2 * r + 4
    corner = f'x="{x - width / 2:.1f}" y="{y - height / 2:.1f}"'
    return f'<rect class="w{number}" {corner} width="{width}" height="{height}"/>'


def _legend() -> Iterator[str]:
    for number, way in enumerate(WAYS):
        x = 24 + 180 * number
        yield _mark(number, x, 52)
        yield f'<text class="t" x="{x + 12}" y="56">{escape(way.name)}</text>'


def _style() -> str:
    def colours(dark: int) -> str:
        return " ".join(f".w{number} {{ fill: {way.colours[dark]} }}" for number, way in enumerate(WAYS))

    return (
        "<style>.page { fill: #ffffff } .h { fill: #17212b; font-size: 16px; font-weight: 600 } .t { fill: #17212b }"
        f" .grid {{ stroke: #d7dfe6 }} {colours(0)} @media (prefers-color-scheme: dark) {{ .page {{ fill: #11171d }}"
        f" .h, .t {{ fill: #e8eef3 }} .grid {{ stroke: #2b3943 }} {colours(1)} }}</style>"
    )
