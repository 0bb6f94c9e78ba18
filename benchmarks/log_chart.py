"""Times against rows: what was measured, the exponent that fits, a table, a file, and a chart as plain SVG.

No measuring here, and nothing but Python's own library. The chart has both axes in logarithms, so that seconds that
grow as a power of the rows are a straight line. Its colours follow the viewer's light or dark scheme.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from math import ceil, floor, log, log10
from pathlib import Path
from statistics import linear_regression
from typing import Any, Final

FITTED: Final = 4
"""So many points are fitted, those of the most rows: below, what a start costs would make the exponent too small."""

COLOURS: Final = (
    ("#0062a3", "#6cb8f0"),
    ("#b54700", "#f59a5c"),
    ("#00705a", "#3fcfa8"),
    ("#8c2f79", "#e79bd2"),
    ("#6b5900", "#e0c04a"),
    ("#4a5b69", "#a9bac7"),
)
"""Of the series in their order, in light and in dark; further series begin again."""

WIDTH: Final = 760
LEFT, RIGHT, TOP, BOTTOM = 70, 740, 56, 356
LEGEND_TOP, LEGEND_STEP = 420, 22
ATTRIBUTES: Final = 'role="img" aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="13"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One measurement: rows a side, processor seconds, and the most memory of the process, of which so much grew."""

    rows: int
    seconds: float
    peak_mib: float
    grown_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One thing that was measured, by rising rows; `peer` is another project's program, drawn dashed."""

    name: str
    peer: bool
    points: tuple[Point, ...]

    @property
    def fitted(self) -> tuple[Point, ...]:
        """The points that are fitted."""
        return self.points[-FITTED:]

    @property
    def exponent(self) -> float | None:
        """The power of the rows that the seconds grow by: least squares on logarithms; none of less than two points."""
        if len(self.fitted) < 2:
            return None
        rows, seconds = ([log(value) for value in column] for column in self._columns())
        return linear_regression(rows, seconds).slope

    def _columns(self) -> tuple[list[float], list[float]]:
        return [float(one.rows) for one in self.fitted], [one.seconds for one in self.fitted]

    def growth(self) -> str:
        """Say the exponent and the rows that it was fitted over."""
        if self.exponent is None:
            return "too few points for an exponent"
        return f"n^{self.exponent:.2f}, fitted from {self.fitted[0].rows:,} to {self.fitted[-1].rows:,}"


def read_series(path: Path) -> list[Series]:
    """Give the series that `write_series` wrote."""
    read: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return [Series(**one | {"points": tuple(Point(**point) for point in one["points"])}) for one in read]


def write_series(path: Path, series: Sequence[Series]) -> None:
    """Write the numbers of the series as JSON."""
    path.write_text(json.dumps([asdict(one) for one in series], indent=1) + "\n", "utf-8")


def table(series: Sequence[Series]) -> str:
    """Give the points of all series in columns, and the exponent of each."""
    lines = [f"{'':<34} {'rows a side':>11} {'seconds':>9} {'peak MiB':>9} {'of it grown':>11}"]
    for one in series:
        lines += [
            f"{one.name:<34} {point.rows:>11,} {point.seconds:>9.4f} {point.peak_mib:>9.0f} {point.grown_mib:>11.0f}"
            for point in one.points
        ]
        lines += [f"{one.name:<34} {one.growth()}"]
    return "\n".join(lines)


def chart(series: Sequence[Series], *, title: str) -> str:
    """Give the chart as an SVG file; every series has a point at least."""
    points = [point for one in series for point in one.points]
    scale = _Scale.around([one.rows for one in points], [one.seconds for one in points])
    height = LEGEND_TOP + LEGEND_STEP * len(series)
    described = "; ".join(f"{one.name}: {one.growth()}" for one in series)
    marks = [*_axes(scale), *(mark for place, one in enumerate(series) for mark in _line(scale, one, place))]
    marks += [mark for place, one in enumerate(series) for mark in _legend(one, place)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {ATTRIBUTES}>',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(described)}</desc>',
        _style(),
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="8"/>',
        f'<text class="h" x="{LEFT}" y="30">{escape(title)}</text>',
        *marks,
        "</svg>",
        "",
    ])  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Where numbers of rows and seconds lie: the ends of both axes."""

    rows: tuple[float, float]
    seconds: tuple[float, float]

    @classmethod
    def around(cls, rows: Sequence[int], seconds: Sequence[float]) -> "_Scale":
        """Give axes that hold everything; that of seconds begins and ends at a power of ten."""
        low, high = floor(log10(min(seconds))), ceil(log10(max(seconds)))
        return cls(rows=(min(rows) / 1.1, max(rows) * 1.1), seconds=(10.0**low, 10.0 ** max(high, low + 1)))

    def x(self, rows: float) -> float:
        """Give the place of a number of rows."""
        return LEFT + (RIGHT - LEFT) * log(rows / self.rows[0]) / log(self.rows[1] / self.rows[0])

    def y(self, seconds: float) -> float:
        """Give the place of a time."""
        return BOTTOM - (BOTTOM - TOP) * log(seconds / self.seconds[0]) / log(self.seconds[1] / self.seconds[0])

    def row_ticks(self) -> list[int]:
        """Give 1, 2 and 5 times the powers of ten that lie on the axis."""
        powers = range(floor(log10(self.rows[0])), ceil(log10(self.rows[1])))
        return [d * 10**power for power in powers for d in (1, 2, 5) if self.rows[0] <= d * 10**power <= self.rows[1]]

    def second_ticks(self) -> list[float]:
        """Give the powers of ten on the axis."""
        return [10.0**power for power in range(round(log10(self.seconds[0])), round(log10(self.seconds[1])) + 1)]


def _axes(scale: _Scale) -> Iterator[str]:
    for rows in scale.row_ticks():
        x = scale.x(rows)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{BOTTOM}"/>'
        yield f'<text class="t" x="{x:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{rows:,}</text>'
    for seconds in scale.second_ticks():
        y = scale.y(seconds)
        yield f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="t" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{seconds:g}</text>'
    yield f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>'
    middle_x, middle_y = (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2
    yield f'<text class="t" x="{middle_x}" y="{BOTTOM + 40}" text-anchor="middle">n: rows a side (logarithmic)</text>'
    yield (
        f'<text class="t" transform="translate(18 {middle_y}) rotate(-90)" text-anchor="middle">'
        "processor seconds, one core (logarithmic)</text>"
    )


def _line(scale: _Scale, series: Series, place: int) -> Iterator[str]:
    colour = f"s{place % len(COLOURS)}"
    places = [(scale.x(one.rows), scale.y(one.seconds)) for one in series.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline class="line {colour}"{_dashes(series)} points="{path}"/>'
    for x, y in places:
        yield f'<circle class="dot {colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'


def _legend(series: Series, place: int) -> Iterator[str]:
    y, colour = LEGEND_TOP + LEGEND_STEP * place, f"s{place % len(COLOURS)}"
    yield f'<line class="line {colour}"{_dashes(series)} x1="{LEFT}" x2="{LEFT + 40}" y1="{y - 4}" y2="{y - 4}"/>'
    yield f'<text class="t" x="{LEFT + 52}" y="{y}">{escape(f"{series.name}: {series.growth()}")}</text>'


def _dashes(series: Series) -> str:
    return ' stroke-dasharray="7 5"' if series.peer else ""


def _style() -> str:
    def colours(dark: int) -> str:
        return " ".join(
            f".line.s{place} {{ stroke: {pair[dark]} }} .dot.s{place} {{ fill: {pair[dark]} }}"
            for place, pair in enumerate(COLOURS)
        )

    return (
        "<style>.page { fill: #ffffff } .h { fill: #17212b; font-size: 16px; font-weight: 600 } .t { fill: #17212b }"
        " .grid { stroke: #d7dfe6 } .axis { stroke: #4a6072; fill: none } .line { fill: none; stroke-width: 2.5 }"
        f" {colours(0)} @media (prefers-color-scheme: dark) {{ .page {{ fill: #11171d }} .h, .t {{ fill: #e8eef3 }}"
        f" .grid {{ stroke: #2b3943 }} .axis {{ stroke: #8aa2b3 }} {colours(1)} }}</style>"
    )
