"""Families that are hard to tell apart: one address and telephone, twins, a junior, double surnames, names that change.

A person may have a `later last_name` or a `later first_name`: what a provider writes down who has met them later.
"""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
# The people live with the scripts, which are no package.
from isthmus_people.population import Marginals

Person = dict[str, str]

TWINS, JUNIOR, DOUBLE, RENAMED, ALIAS = 0.15, 0.2, 0.2, 0.25, 0.06
"""Shares of families with twins, with a son named like his father, and with a double surname; of daughters who are
filed under another last name later; and of people who are later known by their middle name."""

CHILDREN: Final = (1, 1, 2, 2, 3, 4)


def family(home: Person, marginals: Marginals, rng: Random) -> Iterator[Person]:
    """Give two parents and their children, who share what `home` has of address, telephone and last name."""
    last = home["last_name"]
    names = f"{last}-{rng.choice(marginals.last)}" if rng.random() < DOUBLE else last
    father = _named(home, "M", rng.randrange(1950, 1985), marginals, rng)
    mother = _named(home, "F", int(father["dob"][:4]) + rng.randrange(-4, 5), marginals, rng)
    yield father
    yield mother
    for number, child in enumerate(_children(home | {"last_name": names}, int(mother["dob"][:4]), marginals, rng)):
        junior = number == 0 and child["sex"] == "M" and rng.random() < JUNIOR
        named = {name: father[name] for name in ("first_name", "last_name")} if junior else {}
        yield _later(child | named, marginals, rng)


def _children(home: Person, mother_born: int, marginals: Marginals, rng: Random) -> Iterator[Person]:
    year = mother_born + rng.randrange(18, 34)
    for _ in range(rng.choice(CHILDREN)):
        child = _named(home, rng.choice("FM"), year, marginals, rng)
        yield child
        if rng.random() < TWINS:
            twin = _named(home, rng.choice("FM"), year, marginals, rng)
            yield twin | {"dob": child["dob"]}
        year += rng.randrange(1, 5)


def _named(home: Person, sex: str, year: int, marginals: Marginals, rng: Random) -> Person:
    given = rng.choice(marginals.given)
    while given[1] != sex:
        given = rng.choice(marginals.given)
    born = date(year, 1, 1) + timedelta(days=rng.randrange(365))
    first, middle = given[0], rng.choice(marginals.middle)
    return home | {"first_name": first, "middle_name": middle, "sex": sex, "dob": born.isoformat()}


def _later(child: Person, marginals: Marginals, rng: Random) -> Person:
    """Give the child with the names of later: a changed last name, one part of a double one, a middle name in use."""
    later: Person = {}
    if child["sex"] == "F" and rng.random() < RENAMED:
        later["later last_name"] = rng.choice(marginals.last)
    elif "-" in child["last_name"] and rng.random() < 0.5:
        later["later last_name"] = rng.choice(child["last_name"].split("-"))
    if rng.random() < ALIAS:
        later["later first_name"] = child["middle_name"]
    return child | later
