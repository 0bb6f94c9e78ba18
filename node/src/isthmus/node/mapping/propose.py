"""Proposing standard fields from column names alone: a pure function of the header, never two columns for a field.

A name is certain if it is ours or the chosen preset's, likely if it is a known synonym. Of the columns for a field the
surest is proposed; where several are equally sure none is, and a person chooses. A column that holds several fields
together is shown and never proposed, since nothing here parts values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.mapping.names import OTHERS, VARIANTS, bare_name, plain_name, plain_words
from isthmus.node.mapping.presets import ID_COLUMN, PRESETS, STANDARD_NAMES, SYNONYMS, Preset, Targets


class Confidence(StrEnum):
    """How sure a proposal is. Only `certain` and `likely` are proposed; `unsure` waits for a person."""

    CERTAIN = "certain"
    LIKELY = "likely"
    UNSURE = "unsure"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProposal:
    """What one column is thought to be, how surely, and why. `targets` are standard fields, or `id_column`."""

    column: str
    targets: Targets
    confidence: Confidence
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed for a header: its columns in order, and what follows for the settings.

    `fields` are standard field to column, in the order of the standard fields; `id_column` is None where none or more
    than one column may be it.
    """

    columns: tuple[ColumnProposal, ...]
    fields: Mapping[str, str]
    id_column: str | None


_PROPOSED: Final = frozenset({Confidence.CERTAIN, Confidence.LIKELY})
_PRESET_NAMES: Final = {Preset.ED_FI: "Ed-Fi", Preset.CEDS: "CEDS"}


def _plain(names: Mapping[str, Targets]) -> dict[str, Targets]:
    return {plain_name(name): targets for name, targets in names.items()}


_STANDARD: Final = _plain(STANDARD_NAMES)
_OF_PRESET: Final = {preset: _plain(names) for preset, names in PRESETS.items()}
_KNOWN: Final = {**_plain(SYNONYMS), **_OF_PRESET[Preset.CEDS], **_OF_PRESET[Preset.ED_FI], **_STANDARD}


def _judge(column: str, preset: Preset | None) -> ColumnProposal:
    """What one column is by its own name, whatever the others are called."""
    plain = plain_name(column)
    if preset is not None and (targets := _OF_PRESET[preset].get(plain)):
        return _judged(column, targets, Confidence.CERTAIN, f"{_PRESET_NAMES[preset]} names it so")
    if targets := _STANDARD.get(plain):
        return _judged(column, targets, Confidence.CERTAIN, "it is the standard name")
    if targets := _KNOWN.get(plain):
        return _judged(column, targets, Confidence.LIKELY, "a common name for it")
    if targets := _KNOWN.get(bare_name(column)):
        return _judged(column, targets, Confidence.LIKELY, "a common name for it, with a word more")
    if others := sorted((OTHERS | VARIANTS).intersection(plain_words(column))):
        return _judged(column, (), Confidence.NONE, f'"{others[0]}" says that it is not this person\'s present value')
    return _judged(column, (), Confidence.NONE, "no name that is known")


def _judged(column: str, targets: Targets, confidence: Confidence, reason: str) -> ColumnProposal:
    if len(targets) > 1:
        reason = f"it holds {' and '.join(targets)} together; part them in the source, or in a query"
        confidence = Confidence.UNSURE
    return ColumnProposal(column=column, targets=targets, confidence=confidence, reason=reason)


def _settle(judged: Sequence[ColumnProposal], target: str) -> list[ColumnProposal]:
    """Leave at most one of the columns proposed for `target`: the surest, if it is surer than all others."""
    rivals = [one for one in judged if one.targets == (target,)]
    surest = [one for one in rivals if one.confidence is Confidence.CERTAIN] or rivals
    return [_beside(surest, one) if one in rivals else one for one in judged]


def _beside(surest: Sequence[ColumnProposal], one: ColumnProposal) -> ColumnProposal:
    """Give what is left of a proposal beside the surest of the same target."""
    if one not in surest:
        return replace(one, confidence=Confidence.NONE, reason=f"another column is a surer {one.targets[0]}")
    if len(surest) > 1:
        reason = f"{len(surest)} columns are as good for {one.targets[0]}; choose one"
        return replace(one, confidence=Confidence.UNSURE, reason=reason)
    return one


def propose_mapping(header: Sequence[str], *, preset: Preset | None = None) -> Proposal:
    """Propose which column of a header is which standard field, and which one is the source's own id.

    Args:
        header: the names of the columns; names may repeat, and repeated ones are not proposed.
        preset: the data standard whose element names the source uses, if it uses one.
    """
    judged = [_judge(column, preset) for column in header]
    for target in (ID_COLUMN, *STANDARD_FIELDS):
        judged = _settle(judged, target)
    chosen = {one.targets[0]: one.column for one in judged if one.confidence in _PROPOSED}
    return Proposal(
        columns=tuple(judged),
        fields={name: chosen[name] for name in STANDARD_FIELDS if name in chosen},
        id_column=chosen.get(ID_COLUMN),
    )
