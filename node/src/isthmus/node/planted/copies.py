"""A provider's own copy of planted people: the same people with errors, drawn anew for each provider.

The errors and how often each happens are `planted-1`, published in docs/protocol.md section 14. They are those that
files of people are known for, at rates that are stated and not measured in anybody's data.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from string import ascii_lowercase, digits
from types import MappingProxyType
from typing import Final

from isthmus.contract.ids import PartyId
from isthmus.contract.secret import Secret
from isthmus.node.compare.nicknames import NICKNAME_SETS
from isthmus.node.compare.pads import derived
from isthmus.node.planted.draws import Draws, draws_of_each
from isthmus.node.planted.lists import TOWNS
from isthmus.node.planted.people import (
    Person,
    draw_last_name,
    draw_number,
    draw_origin,
    draw_street,
    draw_town,
    planted_people,
)

COPY_BYTES: Final = 1024
"""Bytes of the stream that a copy's errors are drawn from: more than any copy needs."""

ADDRESS: Final = ("street_number", "street_name", "city", "state", "zip")

_Copy = MutableMapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldErrors:
    """How often in a thousand a field is missing, and else has an error, and what that does to a value."""

    missing: int
    error: int
    damaged: Callable[[str, Draws], str]


def _mistyped(value: str, draws: Draws) -> str:
    """Give a text with one typing error: a letter replaced, left out, put in, or exchanged with the next."""
    kind = draws.below(4) if len(value) > 1 else 0
    if kind == 0:
        return _replaced(value, ascii_lowercase, draws)
    place = draws.below((0, len(value), len(value) + 1, len(value) - 1)[kind])
    if kind == 1:
        typed = value[:place] + value[place + 1 :]
    elif kind == 2:
        typed = value[:place] + ascii_lowercase[draws.below(26)] + value[place:]
    else:
        typed = _exchanged(value, place)
    return " ".join(typed.split())


def _misread(value: str, draws: Draws) -> str:
    """Give digits with one error: one replaced, or two that follow each other exchanged."""
    if len(value) > 1 and draws.below(2):
        return _exchanged(value, draws.below(len(value) - 1))
    return _replaced(value, digits, draws)


def _replaced(value: str, characters: str, draws: Draws) -> str:
    """Give the value with one character replaced by another one of some; a space counts as the first of them."""
    place = draws.below(len(value))
    now = max(characters.find(value[place]), 0)
    other = characters[(now + 1 + draws.below(len(characters) - 1)) % len(characters)]
    return value[:place] + other + value[place + 1 :]


def _exchanged(value: str, place: int) -> str:
    return value[:place] + value[place + 1] + value[place] + value[place + 2 :]


def _other_sex(value: str, _draws: Draws) -> str:
    return {"f": "m", "m": "f"}[value]


def _other_state(_value: str, draws: Draws) -> str:
    return draws.common(TOWNS).state


FIELD_ERRORS: Final[Mapping[str, FieldErrors]] = MappingProxyType(
    {
        "first_name": FieldErrors(missing=2, error=20, damaged=_mistyped),
        "middle_name": FieldErrors(missing=150, error=20, damaged=_mistyped),
        "last_name": FieldErrors(missing=2, error=25, damaged=_mistyped),
        "dob": FieldErrors(missing=10, error=12, damaged=_misread),
        "birth_year": FieldErrors(missing=10, error=8, damaged=_misread),
        "sex": FieldErrors(missing=15, error=3, damaged=_other_sex),
        "street_number": FieldErrors(missing=20, error=15, damaged=_misread),
        "street_name": FieldErrors(missing=20, error=30, damaged=_mistyped),
        "city": FieldErrors(missing=15, error=15, damaged=_mistyped),
        "state": FieldErrors(missing=15, error=3, damaged=_other_state),
        "zip": FieldErrors(missing=20, error=10, damaged=_misread),
        "phone": FieldErrors(missing=200, error=15, damaged=_misread),
        "ssn": FieldErrors(missing=80, error=10, damaged=_misread),
    }
)

SECOND_ERROR: Final = 100
"""So many of a thousand values with an error have a second one."""


def planted_copies(key: Secret, *, party: PartyId, count: int) -> Iterator[Person]:
    """Give a provider's copies of persons 0 to `count` - 1; `key` is the round key `planted`.

    A copy has every standard field, whichever the provider brings, so what it brings changes no other field.
    """
    errors = draws_of_each(derived(key, f"planted-copy|{party}"), count=count, size=COPY_BYTES)
    return map(copy_of, planted_people(key, count=count), errors)


def copy_of(person: Person, draws: Draws) -> Person:
    """Give the person after what the draws let happen."""
    copy = dict(person)
    for change in _CHANGES:
        change(copy, draws)
    return {field: _with_errors(copy[field], errors, draws) for field, errors in FIELD_ERRORS.items()}


def _with_errors(value: str, errors: FieldErrors, draws: Draws) -> str:
    if not value or draws.happens(errors.missing):
        return ""
    if not draws.happens(errors.error):
        return value
    once = errors.damaged(value, draws)
    return errors.damaged(once, draws) if once and draws.happens(SECOND_ERROR) else once


def _move(copy: _Copy, draws: Draws) -> None:
    if draws.happens(MOVED):
        copy.update(draw_street(draws))
        if draws.happens(MOVED_FAR):
            copy.update(draw_town(draws))


def _change_number(copy: _Copy, draws: Draws) -> None:
    if draws.happens(OTHER_PHONE):
        copy["phone"] = copy["phone"][:3] + draw_number(draws)


def _change_last_name(copy: _Copy, draws: Draws) -> None:
    if draws.happens(OTHER_LAST_NAME[copy["sex"]]):
        copy["last_name"] = draw_last_name(draw_origin(draws), draws)


def _shorten_last_name(copy: _Copy, draws: Draws) -> None:
    words = copy["last_name"].split(" ")
    if len(words) > 1 and draws.happens(ONE_LAST_NAME):
        copy["last_name"] = words[draws.below(2)]


def _use_nickname(copy: _Copy, draws: Draws) -> None:
    names = next((names for names in NICKNAME_SETS if copy["first_name"] in names), ())
    if names and draws.happens(NICKNAME):
        place = names.index(copy["first_name"]) + 1 + draws.below(len(names) - 1)
        copy["first_name"] = names[place % len(names)]


def _swap_names(copy: _Copy, draws: Draws) -> None:
    if draws.happens(SWAPPED_NAMES):
        copy["first_name"], copy["last_name"] = copy["last_name"], copy["first_name"]


def _use_initial(copy: _Copy, draws: Draws) -> None:
    if copy["middle_name"] and draws.happens(INITIAL):
        copy["middle_name"] = copy["middle_name"][:1]


def _drop_street_kind(copy: _Copy, draws: Draws) -> None:
    if draws.happens(NO_STREET_KIND):
        copy["street_name"] = copy["street_name"].split(" ")[0]


def _swap_day_and_month(copy: _Copy, draws: Draws) -> None:
    if draws.happens(SWAPPED_DATE):
        copy["dob"] = copy["dob"][:4] + copy["dob"][6:] + copy["dob"][4:6]


def _drop_address(copy: _Copy, draws: Draws) -> None:
    if draws.happens(NO_ADDRESS):
        copy.update(dict.fromkeys(ADDRESS, ""))


MOVED, MOVED_FAR, OTHER_PHONE = 80, 500, 100
OTHER_LAST_NAME: Final = MappingProxyType({"f": 30, "m": 5})
ONE_LAST_NAME, NICKNAME, SWAPPED_NAMES, INITIAL = 150, 50, 5, 300
NO_STREET_KIND, SWAPPED_DATE, NO_ADDRESS = 50, 5, 20

_CHANGES: Final = (
    *(_move, _change_number, _change_last_name, _shorten_last_name, _use_nickname, _swap_names),
    *(_use_initial, _drop_street_kind, _swap_day_and_month, _drop_address),
)
"""What happens to whole records, in the order in which it is drawn."""
