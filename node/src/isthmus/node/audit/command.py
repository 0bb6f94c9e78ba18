"""`isthmus-node audit`: attack one's own encodings before anybody else can."""

import secrets
import time
from collections.abc import Iterator, Sequence
from heapq import nsmallest
from pathlib import Path
from typing import Final

import click
import numpy as np

from isthmus.contract.profiles import DEFAULT_PROFILE, PROFILE_NAMES, build_profile
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.audit.report import AuditReport, audit_encodings
from isthmus.node.audit.vectors import AnyProfile, Columns
from isthmus.node.config import DatasetConfig, find_dataset, load_config
from isthmus.node.normalise.norm1 import normalise_column
from isthmus.node.options import folder_option
from isthmus.node.progress import StageProgress
from isthmus.node.sources.open_source import open_source
from isthmus.party.commands import emit, json_option

SAMPLE_ROWS: Final = 2000


@click.command()
@folder_option
@click.option("--dataset", "name", required=True, help="A data set of node.toml.")
@click.option(
    "--profile",
    "profile_name",
    type=click.Choice(PROFILE_NAMES),
    default=DEFAULT_PROFILE,
    show_default=True,
    help="How records are encoded.",
)
@click.option(
    "--name-table", is_flag=True, help="With hardened-1 or hardened-2: also the table of first and last name."
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=SAMPLE_ROWS,
    show_default=True,
    help="Attack this many records, drawn at random.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Repeat the draw of an earlier audit.")
@json_option
def audit(
    folder: Path, name: str, profile_name: str, *, name_table: bool, sample: int, seed: int | None, as_json: bool
) -> None:
    """Attack the encodings of a data set, made under a throw-away key, and say how many people are recognised.

    Nothing is sent or written.

    \b
    Example: isthmus-node audit --dataset students --profile hardened-1
    """
    dataset = find_dataset(load_config(folder), name)
    rng = np.random.default_rng(seed)
    columns = sample_columns(folder, dataset, rows=sample, rng=rng)
    report = _attacked(columns, build_profile(profile_name, tuple(columns), name_table=name_table), rng)
    emit(as_json, report.to_data(), report.to_text)


def sample_columns(folder: Path, dataset: DatasetConfig, *, rows: int, rng: np.random.Generator) -> Columns:
    """Normalised columns of so many records of a data set, drawn at random; all of them where it has no more."""
    fields = [field for field in STANDARD_FIELDS if field in dataset.columns]
    drawn = nsmallest(rows, zip(_random_numbers(rng), _rows(folder, dataset, fields)))  # noqa: B905 - numbers never end
    return {
        field: normalise_column(field, [row[place] for _, (_, row) in drawn], date_order=dataset.date_order).values
        for place, field in enumerate(fields)
    }


def _rows(folder: Path, dataset: DatasetConfig, fields: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Number and values of each record, one after the other: a file need not fit into memory."""
    pieces = open_source(folder, dataset, fields=fields).pieces()
    return enumerate(row for piece in pieces for row in zip(*(piece.columns[one] for one in fields), strict=True))


def _random_numbers(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield float(rng.random())


def _attacked(columns: Columns, profile: AnyProfile, rng: np.random.Generator) -> AuditReport:
    with StageProgress() as progress:
        return audit_encodings(
            columns,
            profile=profile,
            random_bytes=secrets.token_bytes,
            rng=rng,
            timer=time.perf_counter,
            report=progress.report,
        )
