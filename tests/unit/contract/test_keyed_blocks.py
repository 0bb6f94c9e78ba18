"""Keyed blocks: what a project may grant, and what it makes of the rows on the wire."""

import pytest
from project_files import project_text

from isthmus.contract.errors import InvalidProject
from isthmus.contract.keyed_blocks import TELLING_KEYS
from isthmus.contract.match_keys import match_keys_for
from isthmus.contract.project import Project, project_from_bytes, project_from_toml
from isthmus.contract.standard_fields import STANDARD_FIELDS

LAWFUL = {"keys": ["first-birth", "last-birth"], "buckets": 4096}


def _project(**changes: object) -> Project:
    return project_from_toml(project_text(providers=["riverside", "college"], blocks={**LAWFUL, **changes}))


def test_project_without_blocks_grants_none_and_its_rows_have_no_bucket_numbers() -> None:
    project = project_from_toml(project_text(providers=["riverside", "college"]))

    assert project.blocks is None
    assert project.row_bits() == project.build_profile().row_bits


def test_each_block_key_takes_32_bits_of_a_row() -> None:
    project = _project()

    assert project.row_bits() - project.build_profile().row_bits == 64


def test_block_keys_are_match_keys_in_the_order_of_the_project() -> None:
    project = _project(keys=["names-year", "first-birth"])

    assert project.blocks is not None
    assert [key.name for key in project.blocks.match_keys(project.shared_fields())] == ["names-year", "first-birth"]


def test_telling_keys_are_match_keys() -> None:
    assert {key.name for key in match_keys_for(tuple(STANDARD_FIELDS))} > TELLING_KEYS


def test_project_with_blocks_survives_its_canonical_bytes() -> None:
    assert project_from_bytes(_project().to_bytes()) == _project()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keys": []}, "1 to 16 match keys"),
        ({"keys": ["first-birth"] * 2}, "each once"),
        ({"keys": ["first-birth", "nobody"]}, "called nobody; there are: first-birth, last-birth"),
        ({"keys": ["birth-zip"]}, "no match key of the shared fields is called birth-zip"),
        ({"buckets": 15}, "buckets is not between 16 and 16777216"),
        ({"buckets": 2**24 + 1}, "buckets is not between"),
        ({"buckets": 2**23 + 1}, "of all keys are more than 16777216 together"),
        ({"least_rows": 1}, "must rise from 2"),
        ({"least_rows": 10_000}, "must rise"),
        ({"most_rows": 1_000_001}, "to 1000000"),
    ],
)
def test_unlawful_blocks_are_refused_with_the_reason(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidProject, match=said):
        _project(**changes)


def test_blocks_are_refused_where_a_data_set_repeats_people() -> None:
    with pytest.raises(InvalidProject, match="leave out repeats, or blocks"):
        project_from_toml(project_text(providers=["riverside", "college"], repeats=["college"], blocks=LAWFUL))
