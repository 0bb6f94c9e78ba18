"""`isthmus-node profile`: count a data set of node.toml and show what that means for linkage. Nothing is sent."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import click

from isthmus.contract.clock import Clock, SystemClock
from isthmus.contract.ids import RandomBytes
from isthmus.node.config import DatasetConfig, find_dataset, load_config
from isthmus.node.options import folder_option
from isthmus.node.report.data import report_data
from isthmus.node.report.errors import PageExists, PageUnwritable
from isthmus.node.report.model import Count, Report
from isthmus.node.report.outgoing import outgoing
from isthmus.node.report.page import report_page
from isthmus.node.report.tally import new_tally
from isthmus.node.report.text import report_text
from isthmus.node.sources.open_source import open_source
from isthmus.party.commands import emit, json_option, say
from isthmus.party.identity import write_private

Told = Callable[[str, int, int], None]


def profile_dataset(
    folder: Path, name: str, dataset: DatasetConfig, *, random_bytes: RandomBytes, clock: Clock, progress: Told
) -> Report[int]:
    """Count a data set, every field that its settings map and no other column.

    Raises:
        SettingsInvalid, BadInput: as `isthmus.node.sources.open_source.open_source` does.
    """
    tally = new_tally(tuple(dataset.columns), date_order=dataset.date_order, random_bytes=random_bytes)
    for piece in open_source(folder, dataset).pieces():
        tally.add(piece.columns, piece.record_ids)
        progress("counting", tally.rows, max(piece.expected_rows, tally.rows + 1))
    progress("counting", tally.rows, tally.rows)
    return tally.report(name, year=clock.now().year)


@click.command()
@folder_option
@click.option("--dataset", "name", required=True, help="The data set of node.toml.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with charts there.")
@click.option("--force", is_flag=True, help="Overwrite the page if it is there.")
@click.option("--for-sharing", "for_sharing", is_flag=True, help="Hide small counts and round the others.")
@json_option
def profile(folder: Path, name: str, page: Path | None, force: bool, for_sharing: bool, as_json: bool) -> None:
    """Count how full, sound and repetitive a data set is, and what that does to linkage. No value is shown.

    \b
    Example: isthmus-node profile --dataset students --html report.html
    """
    from isthmus.node.progress import StageProgress  # noqa: PLC0415 - loads rich; the other commands start faster without

    if page is not None:
        _check_page(page, force=force)
    dataset, clock = find_dataset(load_config(folder), name), SystemClock()
    with StageProgress() as progress:
        exact = profile_dataset(
            folder, name, dataset, random_bytes=secrets.token_bytes, clock=clock, progress=progress.report
        )
    report: Report[Count] = outgoing(exact) if for_sharing else exact
    if page is not None:
        own = {} if for_sharing else dataset.columns
        made = f"{clock.now():%d %B %Y}".removeprefix("0")
        _write_page(page, report_page(report, columns=own, made=made))
    emit(as_json, report_data(report), lambda: report_text(report))


def _check_page(page: Path, *, force: bool) -> None:
    """Return only if the page may be written; asked before the counting, which can take minutes.

    Raises:
        PageExists: there is such a file, and it is not to be overwritten.
        PageUnwritable: its folder is not there or not ours to write to.
    """
    if not page.parent.is_dir():
        raise PageUnwritable(file=str(page), problem="there is no such folder")
    if not os.access(page.parent, os.W_OK):
        raise PageUnwritable(file=str(page), problem="you may not write to that folder")
    if page.exists() and not force:
        raise PageExists(file=str(page))


def _write_page(page: Path, text: str) -> None:
    try:
        write_private(page, text.encode("utf-8"))
    except OSError as exc:
        raise PageUnwritable(file=str(page), problem=str(exc.strerror or "the disk refused it").lower()) from exc
    say(f"wrote {page}; open it in a browser")
