"""Match keys: which parts of a record are joined to a keyed tag, equal where the parts are and otherwise unlike.

A tag is 128 bits of keyed BLAKE2b (docs/protocol.md section 5), so it tells of two rows whether they share the parts
of a key, and nothing more: no near-equality, no position, no length. Each key joins parts of two or more groups, one of
which tells the people of a household apart, so that what rows share is hardly ever a family. Which keys there are, and
what they find and give away: docs/decisions/0015-match-keys.md.

A tag is pseudonymous personal data, as a CLK is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MATCH_KEY_BITS: Final = 128
"""Length of a tag: two different values share one by chance with 2^-128."""

DATE_DIGITS: Final = 8
"""Length of a whole date, YYYYMMDD; a date of another length has no year, month or day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a field's normal form goes into a tag; a row that lacks it has no tag.

    `slices` are [from, to) of code points, put together; none stand for the whole value. `digits` is how many ASCII
    digits the value must be made of, 0 for any value that is not empty.
    """

    field: str
    slices: tuple[tuple[int, int], ...] = ()
    digits: int = 0

    def of(self, value: str) -> str:
        """Give the part of a normalised value; "" where it has none."""
        if self.digits and not (len(value) == self.digits and value.isascii() and value.isdigit()):
            return ""
        return "".join(value[start:end] for start, end in self.slices) if self.slices else value


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchKey:
    """One tag a row: equal exactly for rows that have all of the parts, and equal ones."""

    name: str
    parts: tuple[Part, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that its parts come from, in order of the parts."""
        return tuple(part.field for part in self.parts)


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


def match_keys_for(fields: Sequence[str]) -> Iterator[MatchKey]:
    """Give the match keys whose fields are all among these, in a fixed order.

    The year of birth counts by itself only where there is no date.
    """
    held = set(fields) - ({"birth_year"} if "dob" in fields else set())
    return (key for key in _KEYS if held.issuperset(key.fields))
