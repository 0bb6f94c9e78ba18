"""Planted people as they are, before any provider's errors: the same at every node of a round.

Under the round key `planted`, which the coordinator lacks: it knows the lists, and nothing of who was drawn.
docs/protocol.md section 14.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import accumulate
from typing import Final

from isthmus.contract.secret import Secret
from isthmus.node.compare.pads import derived
from isthmus.node.planted.draws import WHOLE, Draws, draws_of_each
from isthmus.node.planted.lists import ORIGINS, STREET_KINDS, STREETS, TOWNS, Origin

Person = Mapping[str, str]
"""Every standard field, in standard order, in the normal form of `norm-1`; "" is missing."""

PERSON_BYTES: Final = 256
"""Bytes of the stream that a person is drawn from: more than twice what any needs."""

FIRST_BIRTH: Final = date(1940, 1, 1)
BIRTH_DAYS: Final = 25568
"""To the end of 2009."""

MIDDLE_NAMES: Final = 600
"""So many of a thousand have a middle name."""

_RUNNING: Final = tuple(accumulate(origin.parts for origin in ORIGINS))


def planted_people(key: Secret, *, count: int) -> Iterator[Person]:
    """Give persons 0 to `count` - 1; `key` is the round key `planted`."""
    return map(_person, draws_of_each(derived(key, "planted-person"), count=count, size=PERSON_BYTES))


def _person(draws: Draws) -> Person:
    origin, sex = draw_origin(draws), ("f", "m")[draws.below(2)]
    names = origin.first_names[sex]
    first_name = draws.common(names)
    middle_name = draws.common(names) if draws.happens(MIDDLE_NAMES) else ""
    last_name = draw_last_name(origin, draws)
    born = (FIRST_BIRTH + timedelta(days=draws.below(BIRTH_DAYS))).strftime("%Y%m%d")
    street, place = draw_street(draws), draw_town(draws)
    area_code = draws.common(TOWNS).area_code
    return {
        "first_name": first_name,
        "middle_name": middle_name,
        "last_name": last_name,
        "dob": born,
        "birth_year": born[:4],
        "sex": sex,
        **street,
        **place,
        "phone": area_code + draw_number(draws),
        "ssn": f"9{draws.below(100):02}{1 + draws.below(49):02}{1 + draws.below(9999):04}",
    }


def draw_origin(draws: Draws) -> Origin:
    """Give where a name is from."""
    place = draws.below(WHOLE)
    return next(origin for origin, end in zip(ORIGINS, _RUNNING, strict=True) if place < end)


def draw_last_name(origin: Origin, draws: Draws) -> str:
    """Give a last name of that origin, two where two are drawn."""
    name = draws.common(origin.last_names)
    double = origin.double and draws.happens(origin.double)
    return f"{name} {draws.common(origin.last_names)}" if double else name


def draw_street(draws: Draws) -> Person:
    """Give a street number and a street."""
    number = 1 + draws.below(10 ** (1 + draws.below(4)))
    return {"street_number": str(number), "street_name": f"{draws.common(STREETS)} {draws.common(STREET_KINDS)}"}


def draw_town(draws: Draws) -> Person:
    """Give a town, its state and one of its ZIP codes."""
    town = draws.common(TOWNS)
    return {"city": town.city, "state": town.state, "zip": f"{town.zip_prefix}{draws.below(100):02}"}


def draw_number(draws: Draws) -> str:
    """Give the seven digits of a telephone number after its area code."""
    return f"{200 + draws.below(800)}{draws.below(10000):04}"
