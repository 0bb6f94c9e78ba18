"""The demo's files, the files of any size and febrl4: shapes, determinism, and no truth in a provider's file."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from isthmus_people.febrl import febrl4_columns
from isthmus_people.people import DemoData, write_demo
from isthmus_people.places import PLACES, place_of
from isthmus_people.population import FIELDS, write_people
from isthmus_people.samples import package_folder

from isthmus.contract.standard_fields import STANDARD_FIELDS


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoData:
    return write_demo(tmp_path_factory.mktemp("demo") / "made", seed=1)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_demo_files_have_the_columns_and_rows_that_are_said(demo: DemoData) -> None:
    for provider in demo.providers:
        rows = _rows(provider.path)
        assert list(rows[0]) == [provider.id_column, *provider.columns.values(), *provider.attributes]
        assert len(rows) == provider.rows > 1000
        assert provider.columns.keys() <= STANDARD_FIELDS.keys()


def test_demo_providers_share_names_and_birth_date(demo: DemoData) -> None:
    shared = set.intersection(*(set(provider.columns) for provider in demo.providers))

    assert shared == {"first_name", "middle_name", "last_name", "dob"}


def test_demo_truth_names_every_row_once(demo: DemoData) -> None:
    truth = Counter((row["holder"], row["rec_id"]) for row in _rows(demo.truth))

    filed = Counter(
        (provider.holder, row[provider.id_column]) for provider in demo.providers for row in _rows(provider.path)
    )
    assert truth == filed
    assert set(truth.values()) == {1}


def test_demo_truth_is_in_no_provider_file(demo: DemoData) -> None:
    entities = {row["entity_id"] for row in _rows(demo.truth)}

    for provider in demo.providers:
        values = {value for row in _rows(provider.path) for value in row.values()}
        assert not entities & values


def test_demo_populations_overlap_in_part(demo: DemoData) -> None:
    truth = _rows(demo.truth)
    people = {
        provider.holder: {row["entity_id"] for row in truth if row["holder"] == provider.holder}
        for provider in demo.providers
    }

    assert all(len(people[provider.holder]) == provider.rows for provider in demo.providers)
    assert len(people["school"] & people["registry"] & people["workforce"]) > 800
    assert people["school"] - people["registry"]
    assert people["workforce"] - people["registry"]


def test_demo_row_order_says_nothing_about_the_person(demo: DemoData) -> None:
    orders = {}
    for holder in ("registry", "workforce"):
        orders[holder] = [row["entity_id"] for row in _rows(demo.truth) if row["holder"] == holder]
    common = set(orders["registry"]) & set(orders["workforce"])

    assert [e for e in orders["registry"] if e in common] != [e for e in orders["workforce"] if e in common]


def test_demo_attributes_keep_to_their_categories(demo: DemoData) -> None:
    for provider in demo.providers:
        rows = _rows(provider.path)
        for column, categories in provider.attributes.items():
            assert {row[column] for row in rows} == set(categories)


def test_demo_dates_are_in_each_providers_order(demo: DemoData) -> None:
    patterns = {"school": "dddd-dd-dd", "registry": "dd/dd/dddd", "workforce": "dddddddd"}
    for provider in demo.providers:
        dates = [row[provider.columns["dob"]] for row in _rows(provider.path)]
        shapes = Counter("".join("d" if letter.isdigit() else letter for letter in value) for value in dates)
        assert set(shapes) <= {patterns[provider.holder], ""}
    assert [provider.date_order for provider in demo.providers] == ["YMD", "MDY", "YMD"]


@pytest.mark.slow
def test_demo_is_the_same_for_the_same_seed_only(demo: DemoData, tmp_path: Path) -> None:
    again, other = write_demo(tmp_path / "again", seed=1), write_demo(tmp_path / "other", seed=2)

    assert [p.path.read_bytes() for p in again.providers] == [p.path.read_bytes() for p in demo.providers]
    assert again.truth.read_bytes() == demo.truth.read_bytes()
    assert all(
        new.path.read_bytes() != old.path.read_bytes() for new, old in zip(other.providers, demo.providers, strict=True)
    )


def test_people_of_any_size_overlap_as_asked(tmp_path: Path) -> None:
    paths = write_people(tmp_path, rows=200, providers=3, overlap=0.25, seed=7)

    truth = _rows(paths[-1])
    by_entity = Counter(row["entity_id"] for row in truth)
    assert [len(_rows(path)) for path in paths] == [200, 200, 200, 600]
    assert list(_rows(paths[0])[0]) == ["rec_id", *FIELDS]
    assert Counter(by_entity.values()) == {3: 50, 1: 450}


def test_people_of_any_size_are_the_same_for_the_same_seed_only(tmp_path: Path) -> None:
    first, again, other = (
        write_people(tmp_path / name, rows=50, providers=2, overlap=0.5, seed=seed)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert first[0].read_bytes() != other[0].read_bytes()


def test_place_of_a_street_is_always_the_same_and_towns_differ() -> None:
    assert place_of("145th st") == place_of("145th st")
    assert len({place_of(f"{number}th st").city for number in range(200)}) > 5
    assert len({place.zip for place in PLACES}) == len(PLACES)


def test_febrl4_is_five_thousand_people_twice() -> None:
    original, damaged = febrl4_columns()

    for file in (original, damaged):
        assert len(set(file.entities)) == len(set(file.ids)) == len(file.ids) == 5000
        assert {len(values) for values in file.columns.values()} == {5000}
        assert file.columns.keys() <= STANDARD_FIELDS.keys()
    assert set(original.entities) == set(damaged.entities)
    assert original.columns["first_name"][0] == "michaela"


def test_package_folder_of_a_package_that_is_not_there_says_how_to_get_it() -> None:
    with pytest.raises(FileNotFoundError, match="scripts/env"):
        package_folder("no_such_package_anywhere")
