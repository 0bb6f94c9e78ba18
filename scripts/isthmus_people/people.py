"""The demo's people: three providers' files about an overlapping population, and the truth apart from them.

A school district (teenagers of the census of 2020), a state registry (persons alive at the end of 2020) and a workforce
agency (each person's latest wage record of 2021-2026, by then often at another address). What a column is called
and how it goes wrong stands in `providers`. Ids are random, rows are shuffled, and the same seed gives the same
bytes.

`simulant_id` of the sample data is the truth; it goes to the truth file only.
"""

import argparse
import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Final

import polars as pl

from .corrupt import corrupt
from .places import place_of
from .providers import COHORTS, GRADES, REGISTRY, SCHOOL, WAGE_BANDS, WORKFORCE, ProviderStyle
from .samples import read_sample

Person = dict[str, str]
"""Standard field -> value as written, beside `entity_id` and the provider's category columns."""

REGISTRY_DAY: Final = datetime(2021, 1, 1)  # noqa: DTZ001 - a day of the sample data, which knows no zone
SCHOOL_DAY: Final = date(2020, 9, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoProvider:
    """One provider's file: `columns` maps standard field -> column, `attributes` category column -> categories."""

    holder: str
    path: Path
    id_column: str
    columns: Mapping[str, str]
    date_order: str
    attributes: Mapping[str, tuple[str, ...]]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoData:
    """The demo's files: the providers' and the truth (`holder,rec_id,entity_id`)."""

    providers: tuple[DemoProvider, ...]
    truth: Path


def _band(value: int, starts: Sequence[int], names: Sequence[str]) -> str:
    """Give the name of the band that holds the value; band i + 1 starts at `starts[i]`, inclusive."""
    return names[sum(value >= start for start in starts)]


def _born(row: Mapping[str, object]) -> date:
    born = row["date_of_birth"]
    if not isinstance(born, datetime):
        raise TypeError("the sample data hold a birth date that is no date")
    return born.date()


def _text(row: Mapping[str, object], column: str) -> str:
    value = row[column]
    return "" if value is None else str(value)


def _named(row: Mapping[str, object], *, middle: str) -> Person:
    return {
        "entity_id": _text(row, "simulant_id"),
        "first_name": _text(row, "first_name"),
        "middle_name": _text(row, middle),
        "last_name": _text(row, "last_name"),
        "dob": _born(row).isoformat(),
    }


def _housed(row: Mapping[str, object], *, prefix: str = "") -> Person:
    street = _text(row, f"{prefix}street_name")
    place = place_of(street)
    return {
        "street_number": _text(row, f"{prefix}street_number"),
        "street_name": street.title(),
        "city": place.city if street else "",
        "state": _text(row, f"{prefix}state"),
        "zip": place.zip if street else "",
    }


def _grade(born: date) -> str:
    """Give the grade of a teenager who entered grade 1 at six; who is past grade 12 stays in it."""
    age = SCHOOL_DAY.year - born.year - ((SCHOOL_DAY.month, SCHOOL_DAY.day) < (born.month, born.day))
    return _band(age, (14, 15, 16, 17), GRADES)


def _students() -> list[Person]:
    teenagers = read_sample("decennial_census", (pl.col("year") == 2020) & pl.col("age").is_between(13, 19))
    return [
        _named(row, middle="middle_initial")
        | _housed(row)
        | {"sex": _text(row, "sex"), "GradeLevel": _grade(_born(row))}
        for row in teenagers.iter_rows(named=True)
    ]


def _registered() -> list[Person]:
    events = read_sample("social_security", pl.col("event_date") < REGISTRY_DAY)
    died = events.filter(pl.col("event_type") == "death").select("simulant_id")
    alive = events.filter(pl.col("event_type") == "creation").join(
        died, on="simulant_id", how="anti", maintain_order="left"
    )
    return [
        _named(row, middle="middle_name")
        | {
            "sex": _text(row, "sex"),
            "ssn": _text(row, "ssn"),
            "BIRTH_COHORT": _band(_born(row).year, (1946, 1965, 1981, 1997), COHORTS),
        }
        for row in alive.iter_rows(named=True)
    ]


def _employed() -> list[Person]:
    wages = read_sample("taxes_w2_and_1099", pl.col("tax_year").is_between(2021, 2026))
    latest = wages.sort("tax_year", maintain_order=True).unique("simulant_id", keep="last", maintain_order=True)
    return [
        _named(row, middle="middle_initial")
        | _housed(row, prefix="mailing_address_")
        | {
            "ssn": _text(row, "ssn"),
            "wage_band": _band(int(row["wages"]), (10_000, 25_000, 50_000, 100_000), WAGE_BANDS),
        }
        for row in latest.iter_rows(named=True)
    ]


def _written_date(value: str, date_format: str) -> str:
    """Give a possibly impossible ISO date in the provider's format, part by part; other values stay."""
    parts = value.split("-")
    if len(parts) != 3:
        return value
    year, month, day = parts
    return date_format.replace("%Y", year).replace("%m", month).replace("%d", day)


def _renamed(person: Person, style: ProviderStyle, last_names: Sequence[str], rng: Random) -> Person:
    """Give the person, if born before 2006, by chance under another last name."""
    if person["dob"] < "2006" and rng.random() < style.renamed:
        return person | {"last_name": rng.choice(last_names)}
    return person


def _as_filed(person: Person, style: ProviderStyle, rng: Random) -> Person:
    """Give the person as this provider writes it down, errors included."""
    coded = person | {"sex": style.sexes.get(person.get("sex", ""), "")}
    filed = corrupt(coded, style.rates, rng)
    return filed | {"dob": _written_date(filed["dob"], style.date_format)}


def _ids(count: int, prefix: str, rng: Random) -> list[str]:
    return [f"{prefix}{number:08d}" for number in rng.sample(range(10**8), count)]


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file, UTF-8, lines ended by a newline."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_provider(
    folder: Path, style: ProviderStyle, people: list[Person], rng: Random
) -> tuple[DemoProvider, list[tuple[str, str, str]]]:
    """Write one provider's file; give what it is and its rows of the truth."""
    last_names = [person["last_name"] for person in people]
    rng.shuffle(people)
    ids = _ids(len(people), style.id_prefix, rng)
    fields = [*style.columns, *style.attributes]
    filed = [_as_filed(_renamed(person, style, last_names, rng), style, rng) for person in people]
    path = folder / style.file_name
    header = [style.id_column, *style.columns.values(), *style.attributes]
    write_rows(path, header, ([key, *(row[field] for field in fields)] for key, row in zip(ids, filed, strict=True)))
    provider = DemoProvider(
        holder=style.holder,
        path=path,
        id_column=style.id_column,
        columns=dict(style.columns),
        date_order=style.date_order,
        attributes=dict(style.attributes),
        rows=len(people),
    )
    return provider, [(style.holder, key, person["entity_id"]) for key, person in zip(ids, people, strict=True)]


def write_demo(folder: Path, *, seed: int) -> DemoData:
    """Write the three providers' files and the truth into a folder, which is made if it is not there.

    The same seed gives the same bytes. Truth rows come provider by provider, in the order of the provider's file.

    Raises:
        FileNotFoundError: the pseudopeople wheel is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = ((SCHOOL, _students()), (REGISTRY, _registered()), (WORKFORCE, _employed()))
    written = [_write_provider(folder, style, people, Random(f"{seed}/{style.holder}")) for style, people in sources]
    truth = folder / "truth.csv"
    write_rows(truth, ("holder", "rec_id", "entity_id"), (row for _, rows in written for row in rows))
    return DemoData(providers=tuple(provider for provider, _ in written), truth=truth)


def main() -> None:
    """Write the demo's files as the command line asks, and name them on standard output."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo_data", description="write the demo's three provider files and the truth"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the files; made if it is not there")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same files (default 1)")
    arguments = parser.parse_args()
    demo = write_demo(arguments.out, seed=arguments.seed)
    for provider in demo.providers:
        print(f"{provider.path}  {provider.rows} rows")
    print(demo.truth)


if __name__ == "__main__":
    main()
