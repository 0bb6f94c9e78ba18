"""Terms of field comparison: what a project may grant, and what it makes of fields that differ between providers."""

import pytest
from project_files import project_text

from isthmus.contract.comparison_terms import Accept
from isthmus.contract.errors import InvalidProject
from isthmus.contract.ids import PartyId
from isthmus.contract.levels import LEVELS
from isthmus.contract.project import Project, ProviderTerms, project_from_bytes, project_from_toml

DATES = [900, 40, 10, 20, 10, 10, 10]
RIVERSIDE, COLLEGE, AGENCY = PartyId("riverside"), PartyId("college"), PartyId("agency")


def _project(**comparison: object) -> Project:
    return project_from_toml(project_text(providers=["riverside", "college"], comparison=comparison))


def _with_fields(**fields: tuple[str, ...]) -> Project:
    project = project_from_toml(project_text(providers=list(fields)))
    providers = tuple(
        ProviderTerms(party=PartyId(who), dataset="rows", fields=brought) for who, brought in fields.items()
    )
    return Project(**{**{key: getattr(project, key) for key in project.__struct_fields__}, "providers": providers})


def test_empty_table_grants_the_declared_defaults() -> None:
    terms = _project().comparison

    assert terms is not None
    assert (terms.name, terms.accept, terms.slots, terms.grades) == ("fields-1", Accept.BALANCED, 8, (72, 50, 30))
    assert terms.starting_shares() == {field: levels.starting for field, levels in LEVELS.items()}


def test_nobody_is_planted_unless_the_project_says_so() -> None:
    terms, planting = _project().comparison, _project(planted=1000).comparison

    assert terms is not None
    assert planting is not None
    assert (terms.planted, planting.planted) == (0, 1000)


def test_acceptances_are_probabilities() -> None:
    assert [accept.probability for accept in Accept] == [0.1, 0.5]


def test_pinned_starting_shares_replace_those_of_their_field_alone() -> None:
    terms = _project(starting={"dob": DATES}).comparison

    assert terms is not None
    assert terms.starting_shares()["dob"] == (0.9, 0.04, 0.01, 0.02, 0.01, 0.01, 0.01)
    assert terms.starting_shares()["last_name"] == LEVELS["last_name"].starting


def test_terms_survive_canonical_bytes() -> None:
    project = _project(accept="strict", slots=16, grades=[80, 60, 40], starting={"dob": DATES})

    assert project_from_bytes(project.to_bytes()) == project


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"name": "fields-2"}, r"that this version offers \(fields-1\)"),
        ({"slots": 1}, "slots is not between 2 and 64"),
        ({"slots": 65}, "slots is not between"),
        ({"planted": -1}, "planted is not between 0 and 1000"),
        ({"planted": 1001}, "planted is not between"),
        ({"grades": [50, 50, 30]}, "three falling percentages"),
        ({"grades": [100, 50, 30]}, "three falling percentages"),
        ({"grades": [72, 50, 0]}, "three falling percentages"),
        ({"starting": {"shoe_size": [1000]}}, "shoe_size, which no provider brings"),
        ({"starting": {"dob": [1000]}}, "starting.dob needs 7 numbers"),
        ({"starting": {"dob": [900, 40, 10, 20, 10, 10, 11]}}, "does not add up to 1000"),
        ({"starting": {"dob": [1010, -10, 0, 0, 0, 0, 0]}}, "does not add up to 1000"),
    ],
)
def test_terms_that_nobody_could_work_by_are_refused(terms: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidProject, match=said):
        _project(**terms)


def test_threshold_beside_a_comparison_is_refused() -> None:
    with pytest.raises(InvalidProject, match="only one can decide"):
        project_from_toml(project_text(providers=["riverside", "college"], comparison={}, threshold="0.8"))


def test_two_providers_compare_what_both_bring_whatever_a_third_brings() -> None:
    names = ("first_name", "last_name")
    project = _with_fields(
        riverside=(*names, "dob", "ssn"), college=("dob", *names, "zip"), agency=(*names, "ssn", "phone")
    )

    assert project.shared_fields() == names
    assert project.fields_of_both(RIVERSIDE, COLLEGE) == (*names, "dob")
    assert project.fields_of_both(AGENCY, RIVERSIDE) == (*names, "ssn")
    assert project.comparison_of(COLLEGE, AGENCY).fields == names
    assert project.comparable_fields(RIVERSIDE) == (*names, "dob", "ssn")
    assert project.comparable_fields(COLLEGE) == (*names, "dob")
