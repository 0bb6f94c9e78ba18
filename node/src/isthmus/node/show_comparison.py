"""Field comparison in plain language: what the terms of a round grant the coordinator, and how much may leave."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from isthmus.contract.comparison_terms import GRADES, ComparisonTerms
from isthmus.contract.ids import PartyId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import Project
from isthmus.contract.quality import MOST_PROVIDERS
from isthmus.party.folder import with_given_folder

_LEARNT: Final = (
    "Of each pair the coordinator learns how far the two values of each field differ: by how many digits, by how much",
    "of their letters; whether initials, nicknames, words of a last name, swapped names or dates are equal; which",
    "fields a row lacks; and, of names that are equal, how common they are. It sees no value. Over many pairs this",
    "adds up (docs/protocol.md, section 13): which rows share a name, and that a name which many have is common.",
    "Also leave: how often look-alikes among your own rows, such as families, agree in each field, as rounded shares.",
)


def comparison_lines(project: Project, party: PartyId) -> Iterator[str]:
    """Say what the project grants of field comparison, by which fields, and what the coordinator learns."""
    terms = project.comparison
    if terms is None:
        return
    yield "  compared   field by field, once all encodings are there: your node answers for pairs of your rows with"
    for one in project.providers:
        if one.party != party:
            yield f"             those of {one.party}, by {', '.join(project.fields_of_both(party, one.party))}"
    yield f"             Budget: {terms.slots} pairs for each row of the larger of two data sets. All rows of each"
    yield "             are asked about equally often, once in a round; nothing more is answered. Most of these are"
    yield "             fillers that compare nothing, so that you do not see which rows have a likely match elsewhere."
    yield from (f"             {line}" for line in (*_LEARNT, *_pinned(terms)))
    if terms.planted:
        yield f"  planted    {terms.planted:,} made-up people: every provider adds the same ones to its rows,"
        yield "             with errors of its own, to measure how many shared people are found; no result has them"


def decided_by(terms: ComparisonTerms) -> str:
    """Say when a pair of rows links."""
    return f"the probability that two rows are one person is {terms.accept.probability} or more ({terms.accept})"


def _pinned(terms: ComparisonTerms) -> Iterator[str]:
    """Say what the project pins of the model, if it does."""
    if terms.grades != GRADES:
        high, middle, low = terms.grades
        yield f"Pinned: letters that agree by {high}, {middle} and {low} % are alike, half alike and somewhat alike."
    if terms.starting:
        yield f"Pinned: what the model takes to be usual at first, for {', '.join(sorted(terms.starting))}."


def planted_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Say how many of the rows are made up; nothing where none are."""
    if report.get("planted"):  # reports of an earlier version have none
        yield f"  planted    {report['planted']:,} of these rows are made-up people, and none of your records"


def answers_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Say which columns are compared, and how many answers may leave; nothing where a round compares no fields."""
    compared = report.get("compared", {})
    if compared:
        told = ", ".join(f"{field} (your {column})" for field, column in compared.items())
        yield f"  compared   {told}, in pairs that the coordinator asks about later"
    for party, of in report.get("answers", {}).items():
        most, fewer, size = of["most"], of["most_if_smaller"], of["answer_bytes"]
        yield f"  answers    about pairs with {party}: at most {fewer:,}, {fewer * size:,} bytes, if its data set is no"
        yield f"             larger than yours; {most:,}, {most * size:,} bytes, if it is as large as the terms allow"


def quality_hint(manifest: RoundManifest) -> str:
    """Say where to read how good the links of a released round are; "" where there is no report on that."""
    project = manifest.project
    if project.comparison is None or len(project.providers) > MOST_PROVIDERS:
        return ""
    command = with_given_folder(f"isthmus-node round quality {manifest.round_id}")
    return f"how good its links are, by estimation: {command}"
