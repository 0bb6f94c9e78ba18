"""Sets that others made: febrl4, pseudopeople's censuses, registry, WIC and wages, and dupehell's students.

Sources: Christen (2008) for febrl4; pseudopeople 1.3 with its own noise; dupehell 0.5, domain `education`.
"""

import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
# The benchmarks and the people are no packages.
from isthmus_people.febrl import febrl4_columns
from isthmus_people.people import DemoProvider, write_demo
from isthmus_people.students import read_students, write_students

from benchmarks.quality.people import Columns, Provider, Sources, normalised
from isthmus.node.normalise import DateOrder

NAMES: Final = ("first_name", "last_name")
MADE_ROWS, LARGE_ROWS = 12_000, 100_000
"""Rows that dupehell is asked for; about two in three are in one of the files."""

_BOTH: Final = 2
"""In place of the number of a college: the student has a row in either."""

PART: Final = 0.5
"""The part of pseudopeople's people that a set is about."""

DEMO_ROWS: Final = 5_000

_CENSUS: Final = {
    "first_name": "first_name",
    "middle_name": "middle_initial",
    "last_name": "last_name",
    "dob": "date_of_birth",
    "sex": "sex",
    "street_number": "street_number",
    "street_name": "street_name",
}
_REGISTRY: Final = {
    "first_name": "first_name",
    "middle_name": "middle_name",
    "last_name": "last_name",
    "dob": "date_of_birth",
    "sex": "sex",
    "ssn": "ssn",
}
_WAGES: Final = {
    "first_name": "first_name",
    "middle_name": "middle_initial",
    "last_name": "last_name",
    "ssn": "ssn",
    "street_number": "mailing_address_street_number",
    "street_name": "mailing_address_street_name",
}
"""Standard field -> pseudopeople's column. Town and ZIP code are left out: all people live in one town."""


def febrl4(sources: Sources) -> tuple[Provider, ...]:
    """Give the two files as they are: the seed changes nothing."""
    return _febrl4(sources, without=())


def febrl4_no_date(sources: Sources) -> tuple[Provider, ...]:
    """Give the two files without the birth date."""
    return _febrl4(sources, without=("dob",))


def febrl4_names_date(sources: Sources) -> tuple[Provider, ...]:
    """Give names and birth dates of the two files."""
    address = ("street_number", "street_name", "city", "state", "zip")
    return _febrl4(sources, without=(*address, "ssn"))


def _febrl4(sources: Sources, *, without: Sequence[str]) -> tuple[Provider, ...]:
    del sources
    return tuple(
        Provider(
            columns=normalised({name: column for name, column in file.columns.items() if name not in without}),
            entities=file.entities,
            origins=[""] * len(file.entities),
        )
        for file in febrl4_columns()
    )


def demo(sources: Sources) -> tuple[Provider, ...]:
    """Give the demo's school, registry and workforce, each two of which share other fields."""
    data = write_demo(sources.folder / "demo", seed=sources.seed)
    truth = {(row["holder"], row["rec_id"]): row["entity_id"] for row in _rows(data.truth)}
    return tuple(_demo_provider(provider, truth) for provider in data.providers)


def _demo_provider(provider: DemoProvider, truth: Mapping[tuple[str, str], str]) -> Provider:
    rows = _rows(provider.path)[:DEMO_ROWS]
    raw = {field: [row[column] for row in rows] for field, column in provider.columns.items()}
    return Provider(
        columns=normalised(raw, DateOrder(provider.date_order)),
        entities=[truth[provider.holder, row[provider.id_column]] for row in rows],
        origins=[""] * len(rows),
    )


def census_census(noise: str) -> Callable[[Sources], tuple[Provider, ...]]:
    """Give what makes the censuses of 2020 and 2030: many people have moved between them."""
    return lambda sources: _noisy(sources, noise, {"census-2020": _CENSUS, "census-2030": _CENSUS})


def census_registry(noise: str) -> Callable[[Sources], tuple[Provider, ...]]:
    """Give what makes a census and the registry, which has no addresses."""
    return lambda sources: _noisy(sources, noise, {"census-2030": _CENSUS, "registry-2030": _REGISTRY})


def registry_wages(noise: str) -> Callable[[Sources], tuple[Provider, ...]]:
    """Give what makes the registry and wages, which share names and SSN."""
    return lambda sources: _noisy(sources, noise, {"registry-2030": _REGISTRY, "wages-2030": _WAGES})


def census_wic(noise: str) -> Callable[[Sources], tuple[Provider, ...]]:
    """Give what makes a census and WIC, which has about 140 rows."""
    return lambda sources: _noisy(sources, noise, {"census-2020": _CENSUS, "wic-2020": _CENSUS}, part=1.0)


def _noisy(
    sources: Sources, noise: str, columns: Mapping[str, Mapping[str, str]], *, part: float = PART
) -> tuple[Provider, ...]:
    """Give the files about the same random part of the people, one row for each: an agency knows its own people."""
    files = sources.noisy(noise)
    rows = {name: _first_of_each(_rows(files[name])) for name in columns}
    rng = sources.rng(f"part/{noise}")
    everyone = sorted({person for one in rows.values() for person in one})
    kept = {person for person in everyone if rng.random() < part}
    return tuple(
        _noisy_provider([row for person, row in rows[name].items() if person in kept], chosen)
        for name, chosen in columns.items()
    )


def _first_of_each(rows: Iterable[dict[str, str]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["simulant_id"], row)
    return found


def _noisy_provider(rows: Sequence[Mapping[str, str]], columns: Mapping[str, str]) -> Provider:
    raw = {field: [row[column] for row in rows] for field, column in columns.items()}
    if "dob" in raw:
        raw["dob"] = [_iso(value) for value in raw["dob"]]
    return Provider(
        columns=normalised(raw),
        entities=[row["simulant_id"] for row in rows],
        origins=[row.get("race_ethnicity", "") for row in rows],
    )


def _iso(value: str) -> str:
    """Give a date as year, month and day; damaged ones keep their damage. The registry has the year first."""
    digits = value.replace("/", "")
    if "/" not in value and digits[:2] in {"18", "19", "20"}:
        return digits
    return digits[4:] + digits[:4]


def students(sources: Sources, rows: int = MADE_ROWS) -> tuple[Provider, ...]:
    """Give each of dupehell's students' first row to one college and a second to the other; further rows to nobody."""
    folder = sources.folder / f"students-{rows}"
    folder.mkdir(exist_ok=True)
    file = write_students(folder, rows=rows, seed=sources.seed)
    columns, rng = normalised(read_students(file)), sources.rng("students")
    colleges: tuple[list[int], list[int]] = ([], [])
    seen: dict[str, int] = {}
    for row in rng.sample(range(len(file.entities)), len(file.entities)):
        person = file.entities[row]
        college = 1 - seen[person] if person in seen else rng.randrange(2)
        if seen.get(person) != _BOTH:
            colleges[college].append(row)
            seen[person] = _BOTH if person in seen else college
    return tuple(_chosen(columns, file.entities, chosen) for chosen in colleges)


def _chosen(columns: Columns, entities: Sequence[str], rows: Sequence[int]) -> Provider:
    return Provider(
        columns={name: [values[row] for row in rows] for name, values in columns.items()},
        entities=[entities[row] for row in rows],
        origins=[""] * len(rows),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
