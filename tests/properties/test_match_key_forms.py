"""Forms of parts, for any names and dates: as a slow program gives them, and blind to what they fold."""

from typing import Final

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.hardened import hardened_2
from isthmus.contract.match_keys import Part, PartForm, sound_of
from isthmus.contract.secret import Secret
from isthmus.node.encode.hardened import RoundKeys
from isthmus.node.encode.match_keys import MatchKeyEncoder

LETTERS: Final = st.text("abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=12).map(str.strip).filter(bool)
NAMES: Final = st.one_of(LETTERS, st.text(st.characters(codec="utf-8"), min_size=1, max_size=8))
DATES: Final = st.dates().map(lambda day: f"{day.year:04}{day.month:02}{day.day:02}")
CLASSES: Final = {"bfpv": "1", "cgjkqsxz": "2", "dt": "3", "l": "4", "mn": "5", "r": "6"}

PROFILE: Final = hardened_2(("first_name", "last_name", "dob", "zip"))
KEYS: Final = RoundKeys(encode=Secret(b"e" * 32), diffusion=Secret(b"d" * 32), match=Secret(b"m" * 32))

calm = settings(max_examples=100, deadline=None)


def _class(letter: str) -> str:
    return next((number for letters, number in CLASSES.items() if letter in letters), "")


def _slow_sound(name: str) -> str:
    """Give the sound by the four steps of docs/protocol.md, section 5, a letter at a time."""
    left = [letter for letter in name if letter != " "]
    if not left or any(letter not in "abcdefghijklmnopqrstuvwxyz" for letter in left):
        return name
    left = [letter for place, letter in enumerate(left) if place == 0 or letter not in "hw"]
    form = left[0]
    for place in range(1, len(left)):
        number = _class(left[place])
        if number and number != _class(left[place - 1]) and len(form) < 4:
            form += number
    while len(form) < 4:
        form += "0"
    return form


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> set[str]:
    tags = MatchKeyEncoder(PROFILE, KEYS).encode([list(column) for column in zip(one, other, strict=True)])
    equal = (tags[0] == tags[1]).all(axis=1) & tags[0].any(axis=1)
    return {PROFILE.match_key_names[place] for place in np.flatnonzero(equal)}


@calm
@given(NAMES)
def test_sound_is_that_of_the_slow_program(name: str) -> None:
    assert sound_of(name) == _slow_sound(name)


@calm
@given(LETTERS)
def test_sound_of_letters_is_a_letter_and_three_digits_whatever_the_spaces(name: str) -> None:
    sound = sound_of(name)

    assert sound[0] == name[0]
    assert len(sound) == 4
    assert set(sound[1:]) <= set("0123456")
    assert sound == sound_of(" ".join(name.replace(" ", "")))


@calm
@given(NAMES)
def test_no_name_is_without_a_sound_or_an_end(name: str) -> None:
    assert sound_of(name)
    assert Part(field="first_name", form=PartForm.REVERSED, slices=((0, 3),)).of(name) == "".join(reversed(name))[:3]


@calm
@given(DATES, DATES)
def test_dates_share_the_unordered_form_exactly_where_one_is_the_other_with_month_and_day_swapped(
    one: str, other: str
) -> None:
    part = Part(field="dob", form=PartForm.UNORDERED_DATE, digits=8)

    assert part.of(one) == part.of(one[:4] + one[6:] + one[4:6])
    assert (part.of(one) == part.of(other)) == (other in {one, one[:4] + one[6:] + one[4:6]})


@calm
@given(LETTERS, LETTERS, DATES)
def test_rows_with_first_and_last_name_swapped_share_sounds_and_stems_and_initials(
    first: str, last: str, date: str
) -> None:
    shared = _shared((first, last, date, "97201"), (last, first, date, "97201"))

    assert {"sounds", "sounds-year", "sounds-month_day", "sounds-zip"} <= shared
    assert {"stems", "stems-year", "stems-zip", "initials-birth"} <= shared
