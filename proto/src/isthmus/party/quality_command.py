"""What the commands that show a quality report share: the text, the JSON, and the charts as a file."""

from pathlib import Path

import click
import msgspec

from isthmus.contract.errors import AlreadyExists
from isthmus.contract.quality import QualityReport
from isthmus.party.commands import emit, say
from isthmus.party.quality_charts import report_charts
from isthmus.party.quality_text import quality_text


def show_quality(report: QualityReport, *, as_json: bool, svg: Path | None) -> None:
    """Print a report, and write its charts if a file is named.

    Raises:
        AlreadyExists: there is such a file; nothing is printed.
    """
    if svg is not None:
        _write_charts(report, svg)
    emit(as_json, msgspec.to_builtins(report), lambda: quality_text(report))


def _write_charts(report: QualityReport, svg: Path) -> None:
    try:
        with svg.open("x", encoding="utf-8") as file:
            file.write(report_charts(report))
    except FileExistsError as exc:
        raise AlreadyExists(kind="file", id=str(svg)) from exc
    say(f"wrote {svg}; open it in a browser")


svg_option = click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), help="Write the report's charts to this file, as SVG."
)
