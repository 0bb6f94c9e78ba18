"""How each standard field is read: one function a kind of value. Rule 8 of the specification of `norm-1`.

Each gives a `Reading`: the normal form, and whether the value is damaged. Whether a normal form is a placeholder is
decided afterwards, in `norm1`.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from isthmus.node.normalise.dates import FIRST_YEAR, LAST_YEAR, DateOrder, damaged_date, parse_date
from isthmus.node.normalise.tables import NAME_PARTICLES, NAME_SUFFIXES, SEXES, STATES
from isthmus.node.normalise.text import fold_together, fold_words, lost_characters, without_decimal_zero


class Reading(NamedTuple):
    """A value's normal form, and whether it is damaged: not what its field holds, and kept as it is."""

    normal: str
    damaged: bool


_DIGIT: Final = re.compile(r"[0-9]")
_PARTICLE: Final = re.compile(rf"(?:^|(?<= ))({'|'.join(sorted(NAME_PARTICLES))}) ")
_PHONE_EXTENSION: Final = re.compile(r"([0-9]{7,15})(?:x|ext|extension)[0-9]{1,6}")
_ISSUED_SSN: Final = re.compile(r"(?!000|666)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}")


def read_name(raw: str) -> Reading:
    """A given or middle name: folded words. Damaged with lost characters or with a digit in it."""
    normal = fold_words(raw)
    return Reading(normal, _DIGIT.search(normal) is not None or lost_characters(raw))


def _without_suffixes(words: list[str]) -> list[str]:
    end = len(words)
    while end > 1 and words[end - 1] in NAME_SUFFIXES:
        end -= 1
    return words[:end]


def read_last_name(raw: str) -> Reading:
    """A surname: folded words without generational suffixes, particles joined to the word after them."""
    words = _without_suffixes(fold_words(raw).split())
    normal = _PARTICLE.sub(r"\1", " ".join(words))
    return Reading(normal, _DIGIT.search(normal) is not None or lost_characters(raw))


def read_text(raw: str, words: Mapping[str, str]) -> Reading:
    """A street or a city: folded words, each as the table `words` shortens it. Damaged with lost characters."""
    normal = " ".join(words.get(word, word) for word in fold_words(raw).split())
    return Reading(normal, lost_characters(raw))


def read_dob(raw: str, order: DateOrder) -> Reading:
    """A date as YYYYMMDD; damaged, its letters and digits."""
    day = parse_date(raw, order)
    return Reading(damaged_date(raw), True) if day is None else Reading(f"{day:%Y%m%d}", False)


def read_birth_year(raw: str, order: DateOrder) -> Reading:
    """A year from 1800 to 2199 as four digits, also of a whole date; damaged, its letters and digits."""
    day = parse_date(raw, order)
    if day is not None:
        return Reading(f"{day.year}", False)
    normal = fold_together(without_decimal_zero(raw))
    believed = len(normal) == 4 and normal.isdecimal() and FIRST_YEAR <= int(normal) <= LAST_YEAR
    return Reading(normal, not believed)


def read_sex(raw: str) -> Reading:
    """`m`, `f` or `x`; damaged, its letters and digits."""
    normal = fold_together(without_decimal_zero(raw))
    return Reading(SEXES.get(normal, normal), normal not in SEXES)


def read_state(raw: str) -> Reading:
    """The two-letter code of a state or territory of the United States; damaged, its folded words."""
    together = fold_together(raw)
    return Reading(STATES.get(together, fold_words(raw)), together not in STATES)


def read_street_number(raw: str) -> Reading:
    """The letters and digits of a house number; damaged without a digit."""
    normal = fold_together(without_decimal_zero(raw))
    return Reading(normal, _DIGIT.search(normal) is None)


def read_zip(raw: str) -> Reading:
    """Five digits; damaged, its letters and digits.

    Three and four digits are a ZIP code whose leading zeros a spreadsheet dropped; seven to nine are ZIP+4, likewise.
    """
    digits = fold_together(without_decimal_zero(raw))
    if not digits.isdecimal() or len(digits) not in {3, 4, 5, 7, 8, 9}:
        return Reading(digits, True)
    return Reading(digits.zfill(5 if len(digits) <= 5 else 9)[:5], False)


def read_phone(raw: str) -> Reading:
    """Ten or seven digits without the country code 1 and an extension; damaged, its letters and digits."""
    together = fold_together(without_decimal_zero(raw))
    extended = _PHONE_EXTENSION.fullmatch(together)
    number = together if extended is None else extended[1]
    if len(number) == 11 and number.isdecimal() and number[0] == "1":
        number = number[1:]
    return Reading(number, not (number.isdecimal() and len(number) in {7, 10}))


def read_ssn(raw: str) -> Reading:
    """Nine digits; seven and eight lost leading zeros. Damaged: another length, or a number that is never issued."""
    together = fold_together(without_decimal_zero(raw))
    number = together.zfill(9) if together.isdecimal() and len(together) in {7, 8} else together
    return Reading(number, _ISSUED_SSN.fullmatch(number) is None)
