"""What makes a project unlawful: ids, providers, settings, and parts that do not go together.

docs/protocol.md section 3; docs/reference/project-file.md.
"""

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from isthmus.contract.encodings import MAX_ROWS
from isthmus.contract.errors import InvalidProfile, MalformedMessage
from isthmus.contract.hardened import HARDENED_2
from isthmus.contract.ids import parse_agreement_id, parse_party_id, parse_project_id
from isthmus.contract.profiles import PROFILE_NAMES
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.contract.text import is_plain_line

if TYPE_CHECKING:  # it imports this module
    from isthmus.contract.project import Project, ProviderTerms

MAX_PROVIDERS: Final = 200
SMALLEST_MIN_CELL_COUNT: Final = 3
LARGEST_MIN_CELL_COUNT: Final = 1_000_000
LOWEST_THRESHOLD: Final = Decimal("0.1")
"""Unrelated encodings score far above this; a lower threshold would make every pair of rows a candidate."""

LONGEST_NAME: Final = 200
LONGEST_PURPOSE: Final = 1000
LONGEST_DATASET: Final = 60
MOST_QUESTIONS: Final = 50
MOST_YEARS: Final = 100
LONGEST_YEAR: Final = 20

_THRESHOLD = re.compile(r"0\.[0-9]{1,4}|1\.0{1,4}")


def project_problems(project: "Project") -> list[str]:
    """Say all that is wrong with it; nothing where all is well."""
    problems = [*_id_problems(project), *_provider_problems(project), *_setting_problems(project)]
    return problems or _profile_problems(project)


def _id_problems(project: "Project") -> list[str]:
    problems = []
    try:
        parse_project_id(project.id)
    except MalformedMessage as exc:
        problems.append(f"its id is {exc.problem}")
    try:
        parse_agreement_id(project.agreement)
    except MalformedMessage as exc:
        problems.append(f"its agreement is {exc.problem}")
    for party in {*project.provider_ids(), *project.analysts, project.lead}:
        try:
            parse_party_id(party)
        except MalformedMessage as exc:
            problems.append(f"a party's id is {exc.problem}")
    return problems


def _provider_problems(project: "Project") -> list[str]:
    problems = []
    providers = project.provider_ids()
    if not 2 <= len(providers) <= MAX_PROVIDERS:
        return [f"it needs between 2 and {MAX_PROVIDERS} providers"]
    if len(set(providers)) != len(providers):
        problems.append("a provider is listed twice")
    if project.lead not in providers:
        problems.append("its lead is not one of its providers")
    if set(project.analysts) & set(providers):
        problems.append("a provider is also listed as an analyst")
    for terms in project.providers:
        unknown = sorted(set(terms.fields) - set(STANDARD_FIELDS))
        if unknown:
            problems.append(f"{terms.party} brings fields that are not standard: {', '.join(unknown)[:200]}")
        if len(set(terms.fields)) != len(terms.fields):
            problems.append(f"{terms.party} lists a field twice")
        if not 1 <= terms.max_rows <= MAX_ROWS:
            problems.append(f"the max_rows of {terms.party} is not between 1 and {MAX_ROWS}")
        problems += _chosen_rows_problems(terms)
    if len(project.shared_fields()) < 2:
        problems.append("its providers share fewer than two fields")
    return problems


def _chosen_rows_problems(terms: "ProviderTerms") -> list[str]:
    problems = []
    years = terms.years
    if (
        len(years) > MOST_YEARS
        or len(set(years)) != len(years)
        or not all(is_plain_line(y, LONGEST_YEAR) for y in years)
    ):
        problems.append(f"the years of {terms.party} are not at most {MOST_YEARS} different short texts")
    if terms.cohort is not None and not is_plain_line(terms.cohort, LONGEST_DATASET):
        problems.append(f"the cohort of {terms.party} is not one line of at most {LONGEST_DATASET} characters")
    return problems


def _setting_problems(project: "Project") -> list[str]:
    problems = []
    if not is_plain_line(project.title, LONGEST_NAME) or not is_plain_line(project.purpose, LONGEST_PURPOSE):
        problems.append(
            f"it needs a title of at most {LONGEST_NAME} and a purpose of at most {LONGEST_PURPOSE} characters,"
            " each one printable line"
        )
    if not all(is_plain_line(terms.dataset, LONGEST_DATASET) for terms in project.providers):
        problems.append(f"a data set's name is not one printable line of at most {LONGEST_DATASET} characters")
    if len(project.questions) > MOST_QUESTIONS or not all(is_plain_line(q, LONGEST_PURPOSE) for q in project.questions):
        problems.append(
            f"its questions are not at most {MOST_QUESTIONS}, each one line of {LONGEST_PURPOSE} characters"
        )
    if project.profile not in PROFILE_NAMES:
        problems.append(f"its profile is not one that this version offers ({', '.join(PROFILE_NAMES)})")
    if project.threshold is not None and (
        _THRESHOLD.fullmatch(project.threshold) is None or Decimal(project.threshold) < LOWEST_THRESHOLD
    ):
        problems.append(f'its threshold must be decimal text from {LOWEST_THRESHOLD} to 1, such as "0.85"')
    if project.audit_limit_percent is not None and not 1 <= project.audit_limit_percent <= 100:
        problems.append("its audit_limit_percent is not between 1 and 100")
    if not SMALLEST_MIN_CELL_COUNT <= project.min_cell_count <= LARGEST_MIN_CELL_COUNT:
        problems.append(f"its min_cell_count is not between {SMALLEST_MIN_CELL_COUNT} and {LARGEST_MIN_CELL_COUNT}")
    return [*problems, *_comparison_problems(project), *_blocks_problems(project)]


_UNCOMPARED: Final = (
    "hardened-2 is for projects that compare fields, because its wide match keys find pairs that one score cannot"
    " judge: add [comparison], or choose hardened-1"
)


def _comparison_problems(project: "Project") -> list[str]:
    if project.comparison is None:
        return [_UNCOMPARED] if project.profile == HARDENED_2 else []
    problems = list(project.comparison.problems([field for terms in project.providers for field in terms.fields]))
    if project.threshold is not None:
        problems.append("it has both a threshold and a comparison, of which only one can decide: leave out threshold")
    return problems


def _blocks_problems(project: "Project") -> list[str]:
    if project.blocks is None:
        return []
    problems = list(project.blocks.problems(project.shared_fields()))
    if any(terms.repeats for terms in project.providers):
        problems.append(
            "it grants keyed blocks, which find no rows of one person in one data set: leave out repeats, or blocks"
        )
    return problems


def _profile_problems(project: "Project") -> list[str]:
    try:
        project.build_profile()
    except InvalidProfile as exc:
        return [f"{project.profile} cannot be built from the fields that all providers bring: {exc.problem}"]
    return []
