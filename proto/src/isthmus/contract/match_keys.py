"""Match keys: which parts of a record are joined to a keyed tag, equal where the parts are and otherwise unlike.

A tag is 128 bits of keyed BLAKE2b (docs/protocol.md section 5), so it tells of two rows whether they share the parts
of a key, and nothing more: no near-equality, no position, no length. The keys of `hardened-1` join parts of two or more
groups, one of which tells the people of a household apart, so that what rows share is hardly ever a family. Wide keys,
of `hardened-2`, find what has to be compared field by field: names by sound, from behind, in each other's column. Which
keys there are, and what they find and give away: docs/decisions/0015-match-keys.md and 0029-wide-match-keys.md.

A tag is pseudonymous personal data, as a CLK is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

MATCH_KEY_BITS: Final = 128
"""Length of a tag: two different values share one by chance with 2^-128."""

DATE_DIGITS: Final = 8
"""Length of a whole date, YYYYMMDD; a date of another length has no year, month or day."""


class PartForm(StrEnum):
    """What is made of a value before it is cut; exact in docs/protocol.md section 5."""

    PLAIN = "plain"
    SOUND = "sound"
    """The code of `sound_of`, which names that sound alike have in common."""

    REVERSED = "reversed"
    """The code points from the last to the first, so that slices count from the end."""

    UNORDERED_DATE = "unordered_date"
    """The year, then month and day with the lower one first: the same where they are in each other's place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a field's normal form goes into a tag; a row that lacks it has no tag.

    `slices` are [from, to) of code points of the form, put together; none stand for all of it. `digits` is how many
    ASCII digits the value must be made of, 0 for any value that is not empty.
    """

    field: str
    form: PartForm = PartForm.PLAIN
    slices: tuple[tuple[int, int], ...] = ()
    digits: int = 0

    def of(self, value: str) -> str:
        """Give the part of a normalised value; "" where it has none."""
        if self.digits and not (len(value) == self.digits and value.isascii() and value.isdigit()):
            return ""
        formed = _formed(value, self.form)
        return "".join(formed[start:end] for start, end in self.slices) if self.slices else formed


def _formed(value: str, form: PartForm) -> str:
    match form:
        case PartForm.PLAIN:
            return value
        case PartForm.SOUND:
            return sound_of(value)
        case PartForm.REVERSED:
            return value[::-1]
        case PartForm.UNORDERED_DATE:
            return value[:4] + "".join(sorted((value[4:6], value[6:8])))


def sound_of(name: str) -> str:
    """Give a letter and three digits for a name of the letters a to z, spaces apart; another name stands for itself.

    The rules of Soundex in its American form (National Archives: The Soundex Indexing System), so that consonants
    made in the same place of the mouth are one digit. A name in another script has no such classes and is kept whole.
    """
    letters = name.replace(" ", "")
    if not (letters.isascii() and letters.isalpha() and letters.islower()):
        return name
    code, before = letters[0], _SOUNDS.get(letters[0], "")
    for letter in letters[1:].replace("h", "").replace("w", ""):
        sound = _SOUNDS.get(letter, "")
        code += sound if sound != before else ""
        before = sound
    return code[:SOUND_LENGTH].ljust(SOUND_LENGTH, "0")


SOUND_LENGTH: Final = 4

_SOUNDS: Final = MappingProxyType({
    letter: digit
    for digit, letters in (("1", "bfpv"), ("2", "cgjkqsxz"), ("3", "dt"), ("4", "l"), ("5", "mn"), ("6", "r"))
    for letter in letters
})  # fmt: skip
"""Letters that sound alike; vowels and y part what is before them from what comes after, h and w do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchKey:
    """One tag a row: equal exactly for rows that have all of the parts, and equal ones.

    `unordered` keys join their first two parts in the order of their code points, so that two rows share the tag where
    each has in one column what the other has in the other.
    """

    name: str
    parts: tuple[Part, ...]
    unordered: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that its parts come from, in order of the parts."""
        return tuple(part.field for part in self.parts)

    def joined(self, parts: Sequence[str]) -> tuple[str, ...]:
        """Give the parts of a row, in the order of the key, as they are joined."""
        return (*sorted(parts[:2]), *parts[2:]) if self.unordered else tuple(parts)


def _date(*slices: tuple[int, int]) -> Part:
    return Part(field="dob", slices=slices, digits=DATE_DIGITS)


_FIRST: Final = Part(field="first_name")
_INITIAL: Final = Part(field="first_name", slices=((0, 1),))
_FIRST_STEM: Final = Part(field="first_name", slices=((0, 3),))
_LAST: Final = Part(field="last_name")
_LAST_INITIAL: Final = Part(field="last_name", slices=((0, 1),))
_LAST_STEM: Final = Part(field="last_name", slices=((0, 3),))
_BIRTH: Final = Part(field="dob")
_YEAR: Final = _date((0, 4))
_BIRTH_YEAR: Final = Part(field="birth_year")
_NUMBER: Final = Part(field="street_number")
_STREET: Final = Part(field="street_name")
_ZIP: Final = Part(field="zip")
_PHONE: Final = Part(field="phone")
_SSN: Final = Part(field="ssn")

_KEYS: Final = (
    MatchKey(name="first-birth", parts=(_FIRST, _BIRTH)),
    MatchKey(name="last-birth", parts=(_LAST, _BIRTH)),
    MatchKey(name="initial-birth", parts=(_INITIAL, _BIRTH)),
    MatchKey(name="last_initial-birth", parts=(_LAST_INITIAL, _BIRTH)),
    MatchKey(name="stems-year_month", parts=(_FIRST_STEM, _LAST_STEM, _date((0, 6)))),
    MatchKey(name="stems-year_day", parts=(_FIRST_STEM, _LAST_STEM, _date((0, 4), (6, 8)))),
    MatchKey(name="stems-month_day", parts=(_FIRST_STEM, _LAST_STEM, _date((4, 8)))),
    MatchKey(name="names-year", parts=(_FIRST, _LAST, _YEAR)),
    MatchKey(name="names-birth_year", parts=(_FIRST, _LAST, _BIRTH_YEAR)),
    MatchKey(name="birth-zip", parts=(_BIRTH, _ZIP)),
    MatchKey(name="initial-number-zip", parts=(_INITIAL, _NUMBER, _ZIP)),
    MatchKey(name="initial-number-street", parts=(_INITIAL, _NUMBER, _STREET)),
    MatchKey(name="year-number-street", parts=(_YEAR, _NUMBER, _STREET)),
    MatchKey(name="initial-last-zip", parts=(_INITIAL, _LAST, _ZIP)),
    MatchKey(name="initial-phone", parts=(_INITIAL, _PHONE)),
    MatchKey(name="birth-phone", parts=(_BIRTH, _PHONE)),
    MatchKey(name="initial-ssn", parts=(_INITIAL, _SSN)),
    MatchKey(name="last-ssn", parts=(_LAST, _SSN)),
    MatchKey(name="year-ssn", parts=(_YEAR, _SSN)),
    MatchKey(name="ssn-zip", parts=(_SSN, _ZIP)),
    MatchKey(name="phone-ssn", parts=(_PHONE, _SSN)),
)


_FIRST_SOUND: Final = Part(field="first_name", form=PartForm.SOUND)
_LAST_SOUND: Final = Part(field="last_name", form=PartForm.SOUND)
_FIRST_END: Final = Part(field="first_name", form=PartForm.REVERSED, slices=((0, 3),))
_LAST_END: Final = Part(field="last_name", form=PartForm.REVERSED, slices=((0, 3),))
_MONTH_DAY: Final = _date((4, 8))
_UNORDERED_DATE: Final = Part(field="dob", form=PartForm.UNORDERED_DATE, digits=DATE_DIGITS)
"""From the end, for files that hold no more of it than the last four digits."""

_SOUNDS_OF_NAMES: Final = (_FIRST_SOUND, _LAST_SOUND)
_ENDS: Final = (_FIRST_END, _LAST_END)
_STEMS: Final = (_FIRST_STEM, _LAST_STEM)
_INITIALS: Final = (_INITIAL, _LAST_INITIAL)

_WIDE_KEYS: Final = (
    MatchKey(name="sounds", parts=_SOUNDS_OF_NAMES, unordered=True),
    MatchKey(name="sounds-year", parts=(*_SOUNDS_OF_NAMES, _YEAR), unordered=True),
    MatchKey(name="sounds-month_day", parts=(*_SOUNDS_OF_NAMES, _MONTH_DAY), unordered=True),
    MatchKey(name="sounds-zip", parts=(*_SOUNDS_OF_NAMES, _ZIP), unordered=True),
    MatchKey(name="ends", parts=_ENDS),
    MatchKey(name="ends-year", parts=(*_ENDS, _YEAR)),
    MatchKey(name="ends-zip", parts=(*_ENDS, _ZIP)),
    MatchKey(name="stems", parts=_STEMS, unordered=True),
    MatchKey(name="stems-year", parts=(*_STEMS, _YEAR), unordered=True),
    MatchKey(name="stems-zip", parts=(*_STEMS, _ZIP), unordered=True),
    MatchKey(name="initials-birth", parts=(*_INITIALS, _BIRTH), unordered=True),
    MatchKey(name="initial-unordered_date", parts=(_INITIAL, _UNORDERED_DATE)),
    MatchKey(name="last_initial-unordered_date", parts=(_LAST_INITIAL, _UNORDERED_DATE)),
)


def match_keys_for(fields: Sequence[str], *, wide: bool = False) -> Iterator[MatchKey]:
    """Give the match keys whose fields are all among these, in a fixed order: those of `hardened-1`, then wide ones.

    The year of birth counts by itself only where there is no date.
    """
    held = set(fields) - ({"birth_year"} if "dob" in fields else set())
    return (key for key in (*_KEYS, *(_WIDE_KEYS if wide else ())) if held.issuperset(key.fields))
