"""A proposed mapping for people and for programs: settings to paste, each column's reason, and masked samples."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from isthmus.node.mapping.mask import common_shapes
from isthmus.node.mapping.presets import ID_COLUMN, Preset
from isthmus.node.mapping.propose import ColumnProposal, Confidence, Proposal, propose_mapping
from isthmus.node.normalise.dates import infer_date_order
from isthmus.node.sources.open_source import SourceSettings, sample_source, source_kind
from isthmus.node.sources.table import Sample

SAMPLE_ROWS: Final = 1000
"""Rows from which shapes and the order of dates are taken."""

_SETTINGS_SHOWN: Final = (
    *("kind", "file", "encoding", "delimiter", "sheet", "header_row", "query", "connection_env", "connection_file"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedSource:
    """What is proposed for a source, beside how it was read and what its columns look like.

    `shapes` are the commonest masked values of each column, in the order of the header. `date_order` is the order under
    which most of the sampled birth dates are real dates, "" where no column for them is proposed or no date was read.
    """

    name: str
    dataset: SourceSettings
    kind: str
    findings: tuple[str, ...]
    proposal: Proposal
    shapes: tuple[tuple[str, ...], ...]
    date_order: str


def map_source(
    folder: Path,
    dataset: SourceSettings,
    *,
    name: str,
    preset: Preset | None = None,
    environ: Mapping[str, str] | None = None,
) -> MappedSource:
    """Read the first rows of a source and propose a mapping for it; `dataset` needs no columns and no id column yet.

    Where the first row may be a record and not a header, nothing is proposed and the columns go by their numbers.

    Raises:
        SettingsInvalid, BadInput: as `isthmus.node.sources.open_source.open_source` does.
    """
    sample = sample_source(folder, dataset, rows=SAMPLE_ROWS, environ=environ)
    doubt = ("the first row may be a record and not a header, so its names are not shown",)
    header = sample.header
    if sample.header_is_doubtful:
        header = tuple(f"#{number}" for number in range(1, len(header) + 1))
    proposal = propose_mapping(header, preset=preset)
    return MappedSource(
        name=name,
        dataset=dataset,
        kind=source_kind(dataset).value,
        findings=(*sample.findings, *(doubt if sample.header_is_doubtful else ())),
        proposal=proposal,
        shapes=tuple(common_shapes(values) for values in sample.columns),
        date_order=_date_order(sample, proposal),
    )


def _date_order(sample: Sample, proposal: Proposal) -> str:
    if "dob" not in proposal.fields:
        return ""
    guess = infer_date_order(sample.columns[sample.header.index(proposal.fields["dob"])])
    return guess.order.value if guess.valid[guess.order] else ""


def mapping_data(mapped: MappedSource) -> dict[str, Any]:
    """Give a mapped source as plain data, for JSON."""
    columns = [
        {
            "column": one.column,
            "targets": list(one.targets),
            "confidence": one.confidence.value,
            "reason": one.reason,
            "shapes": list(shapes),
        }
        for one, shapes in zip(mapped.proposal.columns, mapped.shapes, strict=True)
    ]
    return {
        "dataset": mapped.name,
        "kind": mapped.kind,
        "findings": list(mapped.findings),
        "id_column": mapped.proposal.id_column,
        "fields": dict(mapped.proposal.fields),
        "date_order": mapped.date_order or None,
        "columns": columns,
        "settings": settings_text(mapped),
    }


def mapping_text(mapped: MappedSource) -> str:
    """Give a mapped source as text: what was found, a line a column, then the settings to paste."""
    told = [*mapped.findings, "", *_column_lines(mapped), "", "Into node.toml, when you have checked it:", ""]
    return "\n".join([*told, settings_text(mapped)])


def _column_lines(mapped: MappedSource) -> list[str]:
    named = [(_quoted(one.column), one) for one in mapped.proposal.columns]
    width = max((len(name) for name, _ in named), default=0)
    return [
        line
        for (name, one), shapes in zip(named, mapped.shapes, strict=True)
        for line in (
            f"{name:<{width}}  {_verdict(one)}",
            f"{'':<{width}}  looks like: {' | '.join(shapes) or 'nothing but blanks'}",
        )
    ]


def _verdict(one: ColumnProposal) -> str:
    if not one.targets:
        return f"not proposed: {one.reason}"
    return f"{' + '.join(one.targets)} ({one.confidence.value}): {one.reason}"


def settings_text(mapped: MappedSource) -> str:
    """The tables of node.toml for a mapped source; what a person has to choose stands in comments."""
    proposal, name = mapped.proposal, _key(mapped.name)
    lines = [f"[datasets.{name}]", *_source_lines(mapped.dataset)]
    lines += [f"id_column = {_quoted(proposal.id_column)}"] if proposal.id_column else [*_choices(proposal, ID_COLUMN)]
    if mapped.date_order:
        lines.append(f'date_order = "{mapped.date_order}"        # a guess from the first rows; check it')
    lines += [f"[datasets.{name}.columns]"]
    lines += [f"{standard} = {_quoted(column)}" for standard, column in proposal.fields.items()]
    open_fields = {one for column in proposal.columns for one in column.targets} - {ID_COLUMN, *proposal.fields}
    for standard in sorted(open_fields):
        lines += _choices(proposal, standard)
    return "\n".join(lines) + "\n"


def _source_lines(dataset: SourceSettings) -> list[str]:
    """What is declared of the source, as it was declared; multi-line queries on one line with escapes."""
    declared = {key: getattr(dataset, key) for key in _SETTINGS_SHOWN if getattr(dataset, key)}
    return [f"{key} = {_quoted(value) if isinstance(value, str) else value}" for key, value in declared.items()]


def _choices(proposal: Proposal, target: str) -> list[str]:
    """Comment lines for a target that no column was proposed for: the columns that it may be."""
    unsure = [one for one in proposal.columns if one.confidence is Confidence.UNSURE and target in one.targets]
    if not unsure and target == ID_COLUMN:
        return ["# id_column = the column of your own row id: unique, never blank"]
    return [f"# {target} = {_quoted(one.column)}        # {one.reason}" for one in unsure]


def _key(name: str) -> str:
    """A TOML key: bare where it may be."""
    return name if name and all(c.isascii() and (c.isalnum() or c in "-_") for c in name) else _quoted(name)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON writes the same but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
