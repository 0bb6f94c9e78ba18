"""Files of any size: people drawn from the names and streets of the sample data, at several providers, with errors.

People live in households that share a last name, an address and a telephone, so that near misses are as common as
in life. Columns are named by standard field, beside `rec_id`. The first `overlap` share of every provider's rows
are the same people everywhere; the others are at one provider only.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import polars as pl

from .corrupt import Rates, corrupt
from .people import Person, write_rows
from .places import place_of
from .samples import read_sample

FIELDS: Final = (
    "first_name",
    "middle_name",
    "last_name",
    "dob",
    "sex",
    "street_number",
    "street_name",
    "city",
    "state",
    "zip",
    "phone",
    "ssn",
)
"""The columns of every file after `rec_id`, all standard fields."""

_TYPING: Final = {"keyboard_typo": 0.012, "transposition": 0.006, "dropped_letter": 0.006, "phonetic_spelling": 0.006}
RATES: Final[Rates] = {
    "first_name": {"nickname": 0.03, **_TYPING},
    "middle_name": {"initial_only": 0.3, "blank": 0.15},
    "last_name": {"first_part": 0.05, "suffix": 0.01, **_TYPING},
    "dob": {"digit_slip": 0.01, "swap_day_month": 0.005, "blank": 0.005},
    "sex": {"other_sex": 0.003, "blank": 0.01},
    "street_number": {"digit_slip": 0.01},
    "street_name": {"keyboard_typo": 0.03, "scanning_error": 0.02},
    "zip": {"digit_slip": 0.01, "blank": 0.01},
    "phone": {"digit_slip": 0.01, "blank": 0.1},
    "ssn": {"digit_slip": 0.01, "blank": 0.05},
}
"""What goes wrong at every provider, independently of the others."""

MOVED, RENUMBERED, RENAMED = 0.15, 0.15, 0.01
"""Share of a provider's people who have another address, telephone or last name there than elsewhere."""

_HOUSEHOLD_SIZES: Final = (1, 1, 1, 2, 2, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marginals:
    """Columns to draw from, each as frequent as in the sample data; a given name comes with sex and birth year."""

    given: tuple[tuple[str, str, int], ...]
    middle: tuple[str, ...]
    last: tuple[str, ...]
    streets: tuple[str, ...]


def read_marginals() -> Marginals:
    """Names of the registry's and streets of the census's sample data."""
    births = read_sample("social_security").filter(pl.col("event_type") == "creation")
    census = read_sample("decennial_census")
    years = births["date_of_birth"].dt.year().to_list()
    return Marginals(
        given=tuple(zip(births["first_name"], births["sex"].str.slice(0, 1), years, strict=True)),
        middle=tuple(births["middle_name"]),
        last=tuple(births["last_name"]),
        streets=tuple(census["street_name"]),
    )


def _digits(count: int, rng: Random) -> str:
    return f"{rng.randrange(1, 9)}{rng.randrange(10 ** (count - 1)):0{count - 1}d}"


def _address(marginals: Marginals, rng: Random) -> Person:
    street = rng.choice(marginals.streets)
    place = place_of(street)
    number = str(int(10 ** rng.uniform(0.5, 4.5)))
    return {"street_number": number, "street_name": street.title(), "city": place.city, "state": "WA", "zip": place.zip}


def _member(marginals: Marginals, rng: Random) -> Person:
    first_name, sex, year = rng.choice(marginals.given)
    born = date(year, 1, 1) + timedelta(days=rng.randrange(365))
    return {
        "first_name": first_name,
        "middle_name": rng.choice(marginals.middle),
        "dob": born.isoformat(),
        "sex": sex,
        "ssn": _digits(9, rng),
    }


def people(marginals: Marginals, rng: Random) -> Iterator[Person]:
    """People without end, household by household, each a dict of every field in `FIELDS`."""
    while True:
        shared = _address(marginals, rng) | {"last_name": rng.choice(marginals.last), "phone": _digits(10, rng)}
        for _ in range(rng.choice(_HOUSEHOLD_SIZES)):
            yield shared | _member(marginals, rng)


def as_filed(person: Person, marginals: Marginals, rng: Random) -> Person:
    """The person as one provider has it: perhaps moved, perhaps renamed, with the errors of `RATES`."""
    changes: Person = {}
    if rng.random() < MOVED:
        changes |= _address(marginals, rng)
    if rng.random() < RENUMBERED:
        changes["phone"] = _digits(10, rng)
    if rng.random() < RENAMED:
        changes["last_name"] = rng.choice(marginals.last)
    return corrupt(person | changes, RATES, rng)


def _write_provider(
    folder: Path, holder: str, members: list[tuple[int, Person]], marginals: Marginals, rng: Random
) -> list[tuple[str, str, str]]:
    """Write one provider's shuffled file; give its rows of the truth."""
    rng.shuffle(members)
    ids = [f"{number:012d}" for number in rng.sample(range(10**12), len(members))]
    filed = (as_filed(person, marginals, rng) for _, person in members)
    rows = ([key, *(row[field] for field in FIELDS)] for key, row in zip(ids, filed, strict=True))
    write_rows(folder / f"{holder}.csv", ("rec_id", *FIELDS), rows)
    return [(holder, key, f"e{entity}") for key, (entity, _) in zip(ids, members, strict=True)]


def write_people(folder: Path, *, rows: int, providers: int, overlap: float, seed: int) -> list[Path]:
    """Write `provider_1.csv` ... of `rows` rows each, and `truth.csv` (`holder,rec_id,entity_id`); give the paths.

    Args:
        folder: made if it is not there.
        overlap: share of every provider's rows, in [0, 1], that are people whom all providers have.
        seed: the same seed and numbers give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    marginals = read_marginals()
    common = round(rows * overlap)
    own = rows - common
    everyone = list(enumerate(islice(people(marginals, Random(f"{seed}/people")), common + providers * own)))
    holders = [f"provider_{number}" for number in range(1, providers + 1)]
    truth: list[tuple[str, str, str]] = []
    for place, holder in enumerate(holders):
        start = common + place * own
        members = everyone[:common] + everyone[start : start + own]
        truth += _write_provider(folder, holder, members, marginals, Random(f"{seed}/{holder}"))
    write_rows(folder / "truth.csv", ("holder", "rec_id", "entity_id"), truth)
    return [*(folder / f"{holder}.csv" for holder in holders), folder / "truth.csv"]


def main() -> None:
    """Write files of the size that the command line asks for, and name them on standard output."""
    parser = argparse.ArgumentParser(
        prog="scripts/make_people", description="write files of synthetic people, with the truth"
    )
    parser.add_argument("--rows", type=int, required=True, help="rows of each provider's file")
    parser.add_argument("--providers", type=int, default=3, help="number of files (default 3)")
    parser.add_argument(
        "--overlap", type=float, default=0.5, help="share of rows whom all providers have (default 0.5)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the files; made if it is not there")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same files (default 1)")
    arguments = parser.parse_args()
    if arguments.rows < 1 or arguments.providers < 1 or not 0 <= arguments.overlap <= 1:
        parser.error("rows and providers must be at least 1, and the overlap between 0 and 1")
    paths = write_people(
        arguments.out,
        rows=arguments.rows,
        providers=arguments.providers,
        overlap=arguments.overlap,
        seed=arguments.seed,
    )
    for path in paths:
        print(path)


if __name__ == "__main__":
    main()
