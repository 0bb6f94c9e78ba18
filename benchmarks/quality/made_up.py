"""Sets that are made here: households with errors, names of many languages, families, and files that are odd.

All draw names and streets as often as the sample data have them (`isthmus_people.population`), but for `languages`.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
# The benchmarks and the people are no packages.
from isthmus_people.corrupt import Rates, corrupt
from isthmus_people.population import FIELDS, as_filed, people

from benchmarks.quality.families import family
from benchmarks.quality.names import ORIGINS, SEXES, Namer
from benchmarks.quality.people import ORIGIN, Member, Person, Provider, Sources, filed, overlapping

ROWS: Final = 5_000
SHARED: Final = 0.4
"""Part of a file's rows whose people are in the other files, too."""

NAMES: Final = ("first_name", "middle_name", "last_name")
ADDRESS: Final = ("street_number", "street_name", "city", "zip")
Describe = Callable[[Person, Random], Person]

DATE_DAMAGE: Final[Rates] = {"dob": {"digit_slip": 0.12, "swap_day_month": 0.08, "blank": 0.08}}
NEW_YEAR: Final = 0.08
"""Part of the rows whose birth date is known by its year alone and filed as 1 January."""

BLANKS: Final[Rates] = {
    field: {"blank": 0.03 if field in ("first_name", "last_name") else 0.4} for field in FIELDS
}  # fmt: skip


def households(sources: Sources) -> tuple[Provider, ...]:
    """Give households with every field and a few errors."""
    return _two(sources, FIELDS, _plainly(sources))


def households_address(sources: Sources) -> tuple[Provider, ...]:
    """Give households with names, address and telephone: no date, no number, and one in seven has moved."""
    return _two(sources, ("first_name", "last_name", *ADDRESS, "phone"), _plainly(sources))


def damaged_dates(sources: Sources) -> tuple[Provider, ...]:
    """Give households of which a third of the birth dates is wrong, blank, or a first of January."""

    def describe(person: Person, rng: Random) -> Person:
        damaged = corrupt(as_filed(person, sources.marginals, rng), DATE_DAMAGE, rng)
        return damaged | {"dob": f"{damaged['dob'][:4]}-01-01"} if rng.random() < NEW_YEAR else damaged

    return _two(sources, (*NAMES, "dob", "sex", "zip"), describe)


def blanks(sources: Sources) -> tuple[Provider, ...]:
    """Give households of which two in five values are blank, but for first and last names."""
    return _two(sources, FIELDS, lambda person, rng: corrupt(as_filed(person, sources.marginals, rng), BLANKS, rng))


def small(sources: Sources) -> tuple[Provider, ...]:
    """Give two files of fifty rows."""
    return _two(sources, (*NAMES, "dob", "sex", "zip"), _plainly(sources), sizes=(50, 50), shared=20)


def uneven(sources: Sources) -> tuple[Provider, ...]:
    """Give a hundred rows beside twenty thousand."""
    return _two(sources, (*NAMES, "dob", "sex", *ADDRESS), _plainly(sources), sizes=(100, 20_000), shared=60)


def repeats(sources: Sources, rows: int = ROWS) -> tuple[Provider, ...]:
    """Give households of whose rows one in seven is there once more, filed anew with other errors."""
    rng = sources.rng("twice")
    files = [
        [*file, *(member for member in file if rng.random() < 1 / 7)]
        for file in _cut(sources, (rows, rows), round(SHARED * rows))
    ]
    fields = (*NAMES, "dob", "sex", *ADDRESS)
    return tuple(
        filed(file, fields, describe=_plainly(sources), rng=sources.rng(f"filed/{place}"), repeats=True)
        for place, file in enumerate(files)
    )


def three_providers(sources: Sources, rows: int = ROWS) -> tuple[Provider, ...]:
    """Give three files: all have names and ZIP code, two of them dates, another two SSN, another two addresses."""
    own = (("street_number", "street_name", "ssn"), ("street_number", "street_name", "dob"), ("dob", "ssn"))
    files = _cut(sources, (rows, rows, rows), round(SHARED * rows))
    return tuple(
        filed(file, (*NAMES, "zip", *fields), describe=_plainly(sources), rng=sources.rng(f"filed/{place}"))
        for place, (file, fields) in enumerate(zip(files, own, strict=True))
    )


def families(sources: Sources) -> tuple[Provider, ...]:
    """Give families at one address: twins, juniors, double surnames, other names in use, surnames changed."""
    rng = sources.rng("families")
    members = [(f"e{number}", person) for number, person in enumerate(islice(_families(sources, rng), 2 * ROWS))]
    # Who is in both files is drawn person by person, so that brothers and sisters are left behind.
    rng.shuffle(members)
    files = overlapping(members, (ROWS, ROWS), shared=round(SHARED * ROWS))
    fields = (*NAMES, "dob", "sex", *ADDRESS, "phone")
    return tuple(
        filed(file, fields, describe=_in_use(sources, place), rng=sources.rng(f"filed/{place}"))
        for place, file in enumerate(files)
    )


def _families(sources: Sources, rng: Random) -> Iterator[Person]:
    homes = people(sources.marginals, rng)
    while True:
        yield from family(next(homes), sources.marginals, rng)


def _in_use(sources: Sources, place: int) -> Describe:
    """Describe people as one provider has them; the second has other names in use by then."""

    def describe(person: Person, rng: Random) -> Person:
        later = {
            name: person[f"later {name}"] for name in ("first_name", "last_name") if place and f"later {name}" in person
        }
        return as_filed(person | later, sources.marginals, rng)

    return describe


def languages(sources: Sources) -> tuple[Provider, ...]:
    """Give names of nine languages, all alike in number, with typing errors, moves and few other fields."""
    rng, namer = sources.rng("languages"), Namer(sources.seed)
    number = 2 * ROWS - round(SHARED * ROWS)
    members = [(f"e{one}", _speaker(ORIGINS[one % len(ORIGINS)], namer, sources, rng)) for one in range(number)]
    rng.shuffle(members)
    fields = ("first_name", "last_name", "dob", "sex", "street_number", "street_name", "zip")
    return tuple(
        filed(file, fields, describe=_plainly(sources), rng=sources.rng(f"filed/{place}"))
        for place, file in enumerate(overlapping(members, (ROWS, ROWS), shared=round(SHARED * ROWS)))
    )


def _speaker(origin: str, namer: Namer, sources: Sources, rng: Random) -> Person:
    sex = rng.choice(SEXES)
    born = date(1950, 1, 1) + timedelta(days=rng.randrange(60 * 365))
    return next(people(sources.marginals, rng)) | {
        ORIGIN: origin,
        "first_name": namer.given(origin, sex, rng),
        "last_name": namer.family(origin, rng),
        "sex": sex,
        "dob": born.isoformat(),
    }


def _plainly(sources: Sources) -> Describe:
    return lambda person, rng: as_filed(person, sources.marginals, rng)


def _two(
    sources: Sources,
    fields: Sequence[str],
    describe: Describe,
    *,
    sizes: tuple[int, int] = (ROWS, ROWS),
    shared: int = round(SHARED * ROWS),
) -> tuple[Provider, ...]:
    return tuple(
        filed(file, fields, describe=describe, rng=sources.rng(f"filed/{place}"))
        for place, file in enumerate(_cut(sources, sizes, shared))
    )


def _cut(sources: Sources, sizes: Sequence[int], shared: int) -> list[list[Member]]:
    """Give files of households' people, who come household by household: so whole households are shared or not."""
    drawn = islice(people(sources.marginals, sources.rng("people")), sum(sizes))
    return overlapping([(f"e{number}", person) for number, person in enumerate(drawn)], sizes, shared=shared)
