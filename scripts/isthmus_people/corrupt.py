"""Seeded damage to the records of synthetic people: typing errors, nicknames, scanning errors, dates and blanks.

Every corruption is a pure function of a value and a random source. How often each happens to which field is data
(`Rates`), so that a provider is described by a table and not by code. Values are as people write them: names in
title case, dates ISO (YYYY-MM-DD), numbers as digits.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

Corruption = Callable[[str, Random], str]
"""Gives the damaged value; a value that offers nothing to damage comes back as it is."""

Rates = Mapping[str, Mapping[str, float]]
"""Field -> name of a corruption -> probability in [0, 1]; each is drawn on its own."""

HEAVY_DAMAGE: Final[Rates] = {
    "first_name": {"nickname": 0.08, "keyboard_typo": 0.06, "transposition": 0.03, "dropped_letter": 0.03},
    "last_name": {"keyboard_typo": 0.06, "transposition": 0.03, "first_part": 0.05, "phonetic_spelling": 0.05},
    "dob": {"digit_slip": 0.06, "swap_day_month": 0.03, "blank": 0.02},
    "sex": {"blank": 0.05},
    "street_number": {"digit_slip": 0.05, "blank": 0.03},
    "street_name": {"keyboard_typo": 0.1, "blank": 0.03},
    "zip": {"digit_slip": 0.05, "blank": 0.05},
    "phone": {"digit_slip": 0.05, "blank": 0.2},
    "ssn": {"digit_slip": 0.05, "blank": 0.2},
}
"""Many errors in every field, for trials of what still links."""

_KEYBOARD_ROWS: Final = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")

_LOOKS_LIKE: Final = (
    ("rn", "m"), ("cl", "d"), ("vv", "w"), ("h", "b"), ("u", "v"), ("i", "l"), ("e", "c"), ("g", "q"),
    ("0", "8"), ("1", "7"), ("5", "6"), ("3", "8"),
)  # fmt: skip
_SOUNDS_LIKE: Final = (
    ("ph", "f"), ("ck", "k"), ("ie", "y"), ("ee", "ea"), ("sch", "sh"), ("tz", "z"), ("ll", "l"), ("nn", "n"),
    ("tt", "t"), ("s", "z"), ("c", "k"), ("ei", "i"), ("ou", "u"), ("x", "ks"), ("dg", "j"), ("ae", "e"),
)  # fmt: skip

NICKNAMES: Final[dict[str, tuple[str, ...]]] = {
    "alexander": ("alex", "xander"), "alexandra": ("alex", "sandra"), "alexis": ("lexi",), "allison": ("allie",),
    "amanda": ("mandy",), "andrew": ("andy", "drew"), "angela": ("angie",), "anthony": ("tony",),
    "barbara": ("barb",), "benjamin": ("ben",), "brandon": ("bran",), "cameron": ("cam",),
    "catherine": ("cathy", "kate"), "charles": ("charlie", "chuck"), "christina": ("tina", "chris"),
    "christopher": ("chris", "topher"), "cynthia": ("cindy",), "daniel": ("dan", "danny"), "david": ("dave",),
    "deborah": ("deb", "debbie"), "donald": ("don",), "dorothy": ("dot",), "edward": ("ed", "eddie"),
    "elizabeth": ("liz", "beth", "eliza"), "emily": ("em",), "evelyn": ("evie",), "gabriel": ("gabe",),
    "gregory": ("greg",), "isabella": ("bella", "izzy"), "jacob": ("jake",), "james": ("jim", "jimmy", "jamie"),
    "jeffrey": ("jeff",), "jennifer": ("jen", "jenny"), "jessica": ("jess", "jessie"), "john": ("jack", "johnny"),
    "jonathan": ("jon",), "joseph": ("joe", "joey"), "joshua": ("josh",), "katherine": ("kathy", "kate", "katie"),
    "kenneth": ("ken",), "kimberly": ("kim",), "lawrence": ("larry",), "leonard": ("len",), "linda": ("lin",),
    "madison": ("maddie",), "margaret": ("maggie", "peggy"), "matthew": ("matt",), "melissa": ("missy", "mel"),
    "michael": ("mike", "mikey"), "natalie": ("nat",), "nathan": ("nate",), "nicholas": ("nick",),
    "nicole": ("nikki",), "olivia": ("liv",), "pamela": ("pam",), "patricia": ("pat", "trish"), "patrick": ("pat",),
    "peter": ("pete",), "rachel": ("rae",), "raymond": ("ray",), "rebecca": ("becky",), "richard": ("rick", "dick"),
    "robert": ("rob", "bob", "bobby"), "ronald": ("ron",), "samantha": ("sam",), "samuel": ("sam",),
    "stephanie": ("steph",), "stephen": ("steve",), "steven": ("steve",), "susan": ("sue",),
    "theodore": ("ted", "theo"), "theresa": ("terry",), "thomas": ("tom", "tommy"), "timothy": ("tim",),
    "victoria": ("vicky", "tori"), "vincent": ("vinny",), "william": ("will", "bill", "billy"),
    "zachary": ("zach",),
}  # fmt: skip
"""Given names and short forms in use for them, lower case; made for these synthetic people, not a reference list."""


def _neighbours() -> dict[str, str]:
    return {
        key: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
        for row in _KEYBOARD_ROWS
        for place, key in enumerate(row)
    }


_NEIGHBOURS: Final = _neighbours()


def _like(letter: str, pattern: str) -> str:
    return letter.upper() if pattern.isupper() else letter


def keyboard_typo(value: str, rng: Random) -> str:
    """Give the value with one character replaced by its neighbour on a US keyboard."""
    places = [place for place, letter in enumerate(value) if letter.lower() in _NEIGHBOURS]
    if not places:
        return value
    place = rng.choice(places)
    slip = _like(rng.choice(_NEIGHBOURS[value[place].lower()]), value[place])
    return value[:place] + slip + value[place + 1 :]


def transposition(value: str, rng: Random) -> str:
    """Give the value with two different neighbours exchanged; the first character stays in place where it can."""
    places = [place for place in range(len(value) - 1) if value[place] != value[place + 1]]
    if not places:
        return value
    place = rng.choice([inner for inner in places if inner > 0] or places)
    return value[:place] + value[place + 1] + value[place] + value[place + 2 :]


def dropped_letter(value: str, rng: Random) -> str:
    """Give the value without one character; a value of one character stays."""
    if len(value) < 2:
        return value
    place = rng.randrange(len(value))
    return value[:place] + value[place + 1 :]


def doubled_letter(value: str, rng: Random) -> str:
    """Give the value with one character typed twice."""
    if not value:
        return value
    place = rng.randrange(len(value))
    return value[:place] + value[place] + value[place].lower() + value[place + 1 :]


def _exchange(value: str, rng: Random, pairs: tuple[tuple[str, str], ...]) -> str:
    lowered = value.lower()
    both_ways = [*pairs, *((second, first) for first, second in pairs)]
    present = [pair for pair in both_ways if pair[0] in lowered]
    if not present:
        return value
    old, new = rng.choice(present)
    place = lowered.index(old)
    slip = new.capitalize() if value[place].isupper() else new
    return value[:place] + slip + value[place + len(old) :]


def scanning_error(value: str, rng: Random) -> str:
    """Give the value with one group of characters read as another that looks like it."""
    return _exchange(value, rng, _LOOKS_LIKE)


def phonetic_spelling(value: str, rng: Random) -> str:
    """Give the value with one sound spelled another way."""
    return _exchange(value, rng, _SOUNDS_LIKE)


def nickname(value: str, rng: Random) -> str:
    """Give a short form in use for the given name; a name without one stays."""
    forms = NICKNAMES.get(value.lower())
    return rng.choice(forms).capitalize() if forms else value


def first_part(value: str, rng: Random) -> str:  # noqa: ARG001 - every corruption has the same shape
    """Give the first part of a compound name such as `Pena-Villareal`."""
    return value.replace("-", " ").split(" ")[0]


def initial_only(value: str, rng: Random) -> str:  # noqa: ARG001 - every corruption has the same shape
    """Give the first letter."""
    return value[:1]


def suffix(value: str, rng: Random) -> str:
    """Give the name with a generational suffix; a missing name stays missing."""
    return f"{value} {rng.choice(('Jr', 'Jr.', 'Sr', 'II', 'III'))}" if value else value


def digit_slip(value: str, rng: Random) -> str:
    """Give the value with one digit replaced by another; a date may become one that no calendar has."""
    places = [place for place, letter in enumerate(value) if letter.isdigit()]
    if not places:
        return value
    place = rng.choice(places)
    slip = rng.choice([digit for digit in "0123456789" if digit != value[place]])
    return value[:place] + slip + value[place + 1 :]


def swap_day_month(value: str, rng: Random) -> str:  # noqa: ARG001 - every corruption has the same shape
    """Give the ISO date with day and month exchanged where the result is a possible date; other values stay."""
    year, _, rest = value.partition("-")
    month, _, day = rest.partition("-")
    return f"{year}-{day}-{month}" if day.isdigit() and 1 <= int(day) <= 12 else value


def other_sex(value: str, rng: Random) -> str:  # noqa: ARG001 - every corruption has the same shape
    """Give F for M and M for F, spelled out or not; other values stay."""
    return {"M": "F", "F": "M", "MALE": "FEMALE", "FEMALE": "MALE"}.get(value, value)


def blank(value: str, rng: Random) -> str:  # noqa: ARG001 - every corruption has the same shape
    """Give the missing value."""
    return ""


CORRUPTIONS: Final[dict[str, Corruption]] = {
    corruption.__name__: corruption
    for corruption in (
        keyboard_typo,
        transposition,
        dropped_letter,
        doubled_letter,
        scanning_error,
        phonetic_spelling,
        nickname,
        first_part,
        initial_only,
        suffix,
        digit_slip,
        swap_day_month,
        other_sex,
        blank,
    )
}
"""Every corruption by the name under which `Rates` lists it."""


def corrupt(record: Mapping[str, str], rates: Rates, rng: Random) -> dict[str, str]:
    """Give a damaged copy of the record.

    Args:
        record: field -> value; fields that `rates` does not name are copied.
        rates: field -> corruption -> probability; corruptions of one field are tried in the order listed. A field that
            the record lacks is skipped.
        rng: where chance comes from.

    Raises:
        KeyError: `rates` names a corruption that is not in `CORRUPTIONS`.
    """
    damaged = dict(record)
    for field in [name for name in rates if name in record]:
        for name, rate in rates[field].items():
            if rng.random() < rate:
                damaged[field] = CORRUPTIONS[name](damaged[field], rng)
    return damaged
