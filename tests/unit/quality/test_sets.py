"""The kit's data sets: the same seed makes the same people, the truth is kept, and each set has what it is for."""

from collections import Counter
from itertools import combinations, islice
from random import Random

import pytest
from isthmus_people.population import FIELDS, Marginals, people

from benchmarks.quality import families, made_up, noise, published
from benchmarks.quality.names import ORIGINS, Namer
from benchmarks.quality.people import ORIGIN, DataSet, Provider, Sources, filed, overlapping
from benchmarks.quality.sets import SETS, make_set


def _as_is(person: dict[str, str], rng: Random) -> dict[str, str]:
    return person


def _shared(one: Provider, other: Provider) -> int:
    return len(set(one.entities) & set(other.entities))


def test_filed_rows_keep_their_people_whatever_their_order() -> None:
    members = [(f"e{number}", {"first_name": f"Name {number}", ORIGIN: str(number)}) for number in range(50)]

    provider = filed(members, ("first_name",), describe=_as_is, rng=Random(1))

    assert provider.entities != [entity for entity, _ in members]
    named = zip(provider.columns["first_name"], provider.entities, provider.origins, strict=True)
    assert all((name, origin) == (f"name {entity[1:]}", entity[1:]) for name, entity, origin in named)


def test_files_overlap_in_the_shared_people_alone() -> None:
    members: list[tuple[str, dict[str, str]]] = [(str(number), {}) for number in range(30)]

    files = [{entity for entity, _ in file} for file in overlapping(members, (10, 8, 12), shared=5)]

    assert [len(file) for file in files] == [10, 8, 12]
    assert all(one & other == files[0] & files[1] for one, other in combinations(files, 2))
    assert len(files[0] & files[1]) == 5


def test_files_of_too_few_people_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer people"):
        overlapping([("e", {})] * 5, (4, 4), shared=2)


def test_fields_are_those_that_the_providers_named_share() -> None:
    columns = ({"zip": ["1"], "ssn": ["1"], "last_name": ["a"]}, {"ssn": ["1"], "last_name": ["b"]}, {"zip": ["2"]})
    people_of = tuple(Provider(columns=one, entities=["e"], origins=[""]) for one in columns)

    data = DataSet(name="three", providers=people_of)

    assert data.shared_fields(0, 1) == ("last_name", "ssn")
    assert data.shared_fields(0, 2) == ("zip",)
    assert data.shared_fields() == ()


def test_numbers_of_people_are_equal_for_the_same_person_only() -> None:
    files = (["a", "b"], ["b", "c", "b"])
    data = DataSet(
        name="two", providers=tuple(Provider(columns={}, entities=file, origins=[""] * len(file)) for file in files)
    )

    left, right = data.entity_codes()

    assert left.tolist()[1] == right.tolist()[0] == right.tolist()[2]
    assert len({*left.tolist(), *right.tolist()}) == 3


def test_set_is_the_same_for_the_same_seed(sources: Sources) -> None:
    first, second = make_set("small", sources), make_set("small", sources)

    assert first == second
    assert _shared(*first.providers) == 20


def test_three_providers_share_names_and_zip_and_each_two_something_more(sources: Sources) -> None:
    data = DataSet(name="three", providers=made_up.three_providers(sources, rows=30))

    common = set(data.shared_fields())
    assert common == {"first_name", "middle_name", "last_name", "zip"}
    assert [set(data.shared_fields(*side)) - common for side in ((0, 1), (0, 2), (1, 2))] == [
        {"street_number", "street_name"},
        {"ssn"},
        {"dob"},
    ]


def test_repeats_are_second_rows_of_the_same_people(sources: Sources) -> None:
    for provider in made_up.repeats(sources, rows=140):
        rows = Counter(provider.entities)
        assert provider.repeats
        assert set(rows.values()) == {1, 2}
        assert 5 < len(provider) - len(rows) < 50


def test_family_has_one_address_and_children_of_its_parents(marginals: Marginals) -> None:
    rng = Random(3)
    home = next(people(marginals, rng))

    father, mother, *children = families.family(home, marginals, rng)

    everyone = [father, mother, *children]
    assert children
    assert {(one["street_number"], one["street_name"], one["phone"]) for one in everyone} == {
        (home["street_number"], home["street_name"], home["phone"])
    }
    assert (father["sex"], mother["sex"]) == ("M", "F")
    assert all(int(child["dob"][:4]) - int(mother["dob"][:4]) >= 18 for child in children)
    assert all(child["last_name"].split("-")[0] == father["last_name"] for child in children)


def test_families_have_twins_juniors_double_and_later_names(marginals: Marginals) -> None:
    rng = Random(1)
    homes = [list(families.family(home, marginals, rng)) for home in islice(people(marginals, rng), 300)]

    children = [home[2:] for home in homes]
    everyone = [child for home in children for child in home]
    assert any(one["dob"] == other["dob"] for home in children for one, other in combinations(home, 2))
    assert any(child["first_name"] == home[0]["first_name"] for home in homes for child in home[2:3])
    assert any("-" in child["last_name"] for child in everyone)
    assert any("later last_name" in child for child in everyone)
    assert all(child["later first_name"] == child["middle_name"] for child in everyone if "later first_name" in child)


def test_names_of_every_origin_are_drawn_by_the_seed() -> None:
    def drawn() -> list[tuple[str, str]]:
        namer, rng = Namer(1), Random(1)
        return [(namer.family(one, rng), namer.given(one, sex, rng)) for one in ORIGINS for sex in "FM"]

    assert drawn() == drawn()
    assert all(family and given for family, given in drawn())


def test_dates_of_pseudopeople_become_year_month_day() -> None:
    told = ["05/06/1994", "19191204", "12042018", ""]

    assert [published._iso(value) for value in told] == ["19940506", "19191204", "20181204", ""]


def test_heavy_noise_is_five_times_as_much_and_never_more_than_certain() -> None:
    config = {"census": {"row_noise": {}, "column_noise": {"sex": {"blank": {"cell_probability": 0.01, "other": 1}}}}}

    assert noise.heavier(config, 5)["census"]["column_noise"]["sex"]["blank"] == {"cell_probability": 0.05}
    assert noise.heavier(config, 500)["census"]["column_noise"]["sex"]["blank"] == {"cell_probability": 1.0}


def test_each_half_has_sets_and_every_field_of_a_household_can_be_blank() -> None:
    halves = Counter(recipe.half for recipe in SETS.values())

    assert halves["choose"] >= 8
    assert halves["report"] >= 8
    assert set(made_up.BLANKS) == set(FIELDS)


@pytest.mark.slow
def test_students_of_two_colleges_are_different_rows_of_the_same_people(sources: Sources) -> None:
    pytest.importorskip("dupehell")

    one, other = published.students(sources, rows=300)

    assert _shared(one, other) > 10
    assert all(len(set(college.entities)) == len(college) for college in (one, other))
    assert all(len(column) == len(one) for column in one.columns.values())
