"""How each standard field is read: one function a kind of value. Section 5 of docs/reference/normaliser.md.

Each gives a `Reading`: the normal form, and whether the value is damaged. Whether a normal form is a placeholder is
decided afterwards, in `norm1`.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from isthmus.node.normalise.dates import FIRST_YEAR, LAST_YEAR, DateOrder, damaged_date, parse_date
from isthmus.node.normalise.tables import NAME_SUFFIXES, SEXES, STATES
from isthmus.node.normalise.text import fold_together, fold_words, lost_characters, number_text


class Reading(NamedTuple):
    """A value's normal form, and whether it is damaged: not what its field holds, and kept as it is."""

    normal: str
    damaged: bool


_DIGIT: Final = re.compile(r"[0-9]")
_LABEL: Final = "(?:tel|telephone|phone|home|cell|mobile|work)"
_PHONE: Final = re.compile(rf"{_LABEL}?([0-9]{{7,15}})(?:(?:x|ext|extn|extension)[0-9]{{1,6}}|{_LABEL})?")
_COUNTRY_CODE: Final = re.compile("(?:00)?1([0-9]{10})")
_MASKED_SSN: Final = re.compile("x{5}([0-9]{4})")
_ISSUED_SSN: Final = re.compile("(?!000|666)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}")
_LEADING_ZEROS: Final = re.compile("^0+(?=[0-9])")


def _without_suffixes(words: list[str]) -> list[str]:
    end = len(words)
    while end > 1 and words[end - 1] in NAME_SUFFIXES:
        end -= 1
    return words[:end]


def _join_particles(words: list[str], particles: Mapping[str, str]) -> list[str]:
    """Words in which a particle is one with the word after it; a word so made may be a particle, too."""
    groups: list[list[str]] = []
    joins = False
    for word in words:
        if not joins:
            groups.append([])
        groups[-1].append(particles.get(word, word))
        joins = word in particles or "".join(groups[-1]) in particles
    return ["".join(group) for group in groups]


def read_name(raw: str, particles: Mapping[str, str]) -> Reading:
    """A name: folded words without generational suffixes, particles joined to the word after them.

    Damaged with lost characters or with a digit in it.
    """
    words = _without_suffixes(fold_words(raw).split())
    normal = " ".join(_join_particles(words, particles))
    return Reading(normal, _DIGIT.search(normal) is not None or lost_characters(raw))


def read_text(raw: str, words: Mapping[str, str]) -> Reading:
    """A street or a city: folded words, each as the table `words` shortens it. Damaged with lost characters."""
    normal = " ".join(words.get(word, word) for word in fold_words(raw).split())
    return Reading(normal, lost_characters(raw))


def read_dob(raw: str, order: DateOrder) -> Reading:
    """A date as YYYYMMDD; damaged, its letters and digits."""
    day = parse_date(raw, order)
    return Reading(damaged_date(raw), True) if day is None else Reading(day.isoformat().replace("-", ""), False)


def read_birth_year(raw: str, order: DateOrder) -> Reading:
    """A year from 1800 to 2199 as four digits, also of a whole date; damaged, its letters and digits."""
    day = parse_date(raw, order)
    if day is not None:
        return Reading(f"{day.year}", False)
    normal = fold_together(number_text(raw))
    believed = len(normal) == 4 and normal.isdecimal() and FIRST_YEAR <= int(normal) <= LAST_YEAR
    return Reading(normal, not believed)


def read_sex(raw: str) -> Reading:
    """`m`, `f` or `x`; damaged, its letters and digits."""
    normal = fold_together(number_text(raw))
    return Reading(SEXES.get(normal, normal), normal not in SEXES)


def read_state(raw: str) -> Reading:
    """The two-letter code of a state or territory of the United States; damaged, its folded words."""
    together = fold_together(raw)
    return Reading(STATES.get(together, fold_words(raw)), together not in STATES)


def read_street_number(raw: str) -> Reading:
    """The letters and digits of a house number without leading zeros; damaged without a digit."""
    normal = _LEADING_ZEROS.sub("", fold_together(number_text(raw)))
    return Reading(normal, _DIGIT.search(normal) is None)


def read_zip(raw: str) -> Reading:
    """Five digits; damaged, its letters and digits.

    Three and four digits are a ZIP code whose leading zeros a spreadsheet dropped; seven to nine are ZIP+4, likewise.
    """
    words = fold_words(number_text(raw)).split()
    digits = "".join(words)
    if not digits.isdecimal():
        return Reading(digits, True)
    if len(words) == 2 and len(words[0]) == 5 and len(words[1]) <= 4:
        return Reading(words[0], False)
    if len(digits) not in {3, 4, 5, 7, 8, 9}:
        return Reading(digits, True)
    return Reading(digits.zfill(5 if len(digits) <= 5 else 9)[:5], False)


def read_phone(raw: str) -> Reading:
    """Ten or seven digits without label, extension and the country code 1; damaged, its letters and digits."""
    together = fold_together(number_text(raw))
    labelled = _PHONE.fullmatch(together)
    number = together if labelled is None else labelled[1]
    international = _COUNTRY_CODE.fullmatch(number)
    national = number if international is None else international[1]
    return Reading(national, not (national.isdecimal() and len(national) in {7, 10}))


def read_ssn(raw: str) -> Reading:
    """Nine digits; seven and eight lost leading zeros. Damaged: another length, or a number that is never issued.

    A number whose first five digits are masked by x is its last four, as where they are masked by punctuation.
    """
    together = fold_together(number_text(raw))
    masked = _MASKED_SSN.fullmatch(together)
    if masked is not None:
        return Reading(masked[1], True)
    number = together.zfill(9) if together.isdecimal() and len(together) in {7, 8} else together
    return Reading(number, _ISSUED_SSN.fullmatch(number) is None)
