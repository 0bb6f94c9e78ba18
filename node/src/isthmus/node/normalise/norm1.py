r"""The normaliser `norm-1`: one fixed form for each value before it is encoded. This docstring is its specification.

Every node of a round must turn the same value into the same bytes, so the rules are exact, depend on nothing but the
value, its field and the declared date order, and never change under this name; other rules are another normaliser.

**Folding**, for every field:

1. Letters, marks, numbers and format characters that Unicode gained after version 14.0 (`unicode_14`) are a space;
   then NFKD, after an acute accent that stands alone (U+00B4) became an apostrophe.
2. Accents are removed: combining marks for Latin, Greek and Cyrillic letters, Hebrew points, Arabic vowel signs, by
   the ranges of `text`. The marks of other scripts stay: there they are vowels or make another consonant.
3. Full case folding (Unicode `C + F`): ß is ss.
4. Latin letters without a decomposition, by the table of `text`: æ ae, œ oe, ø o, đ and ð d, ł l, þ th, ə e ...
5. Apostrophes and what stands for them, periods, middle dots, the Arabic tatweel, control and format characters, lone
   surrogates and U+FFFD are removed; tab and line breaks are a space.
6. Decimal digits of any script are 0 to 9. Other letters, marks and numbers stay: names keep their script.
7. All else is a space; NFD again; runs of spaces are one, none at either end. "Together" below means: and then no
   spaces at all.

A whole number printed as `12345.0` loses its `.0` in dob, birth_year, sex, street_number, zip, phone and ssn.

**Fields** (8):

- first_name, middle_name: folded words. Hyphens are spaces, so that both parts of a double name are words.
- last_name: likewise; then jr, jnr, junior, sr, snr, senior, ii, iii, iv, 2nd, 3rd and 4th are removed from the end
  while another word remains (`v` stays: it is more often an initial), and the words o, d, mc and mac are joined to the
  word after them.
- street_name: folded words; street types and directions as in `tables.STREET_WORDS` (street st, avenue ave, north n),
  in any place. city: folded words as in `tables.CITY_WORDS` (directions, saint st, fort ft, mount mt).
- dob: `YYYYMMDD`. Separators are - / . and space, or none with all eight digits written. A year of four digits that
  comes first is read as YMD whatever was declared, since such a value is a date in no other order (`dates` shows why);
  a year that comes last needs the declared order MDY or DMY; an English month name (01MAR1985, March 1, 1985) needs
  none. Times of day are cut. Years of two digits are refused. What is no real day from 1800 to 2199 is damaged: its
  letters and digits together.
- birth_year: four digits, 1800 to 2199; of a whole date, its year.
- sex: m, f, x by `tables.SEXES`. state: the two-letter code by `tables.STATES`.
- street_number: together.
- zip: together; 3 or 4 digits are padded to 5 with leading zeros, 7 or 8 to 9; of 9 digits the first 5 stay.
- phone: together; an extension (x, ext) after 7 or more digits is cut, and of 11 digits a leading 1.
- ssn: together; 7 or 8 digits are padded to 9 with leading zeros.

**Placeholders** (9) are missing: what prints as nothing (`n/a`, `<NA>`, `#N/A`, `\N`), what is not blank but folds to
nothing, and what has a normal form that `placeholders` lists for its field.

**Damage** (10) is counted, and the value kept in the form that the rules above give: lost characters (names, streets,
cities), a digit in a name, a state, sex, date, year, ZIP code, phone or social security number that is not one, a
house number without a digit.

The normal form of a value that is not damaged is its own normal form.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Final

from isthmus.node.normalise import readers
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.placeholders import is_placeholder, is_printed_nothing
from isthmus.node.normalise.tables import CITY_WORDS, STREET_WORDS

NORMALISER_VERSION: Final = "norm-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisedColumn:
    """A column in normal form, and what its profile report says of it.

    `values` has one string for each value given, in their order; "" is missing. `missing` counts the "", `placeholders`
    those of them that were not blank, `damaged` the values that are not what the field holds and were kept as they are.
    """

    values: list[str]
    missing: int
    placeholders: int
    damaged: int


class _Outcome(Enum):
    BLANK = auto()
    PLACEHOLDER = auto()
    DAMAGED = auto()
    SOUND = auto()


_Reader = Callable[[str], readers.Reading]


def _readers(order: DateOrder) -> dict[str, _Reader]:
    """The reader of each standard field, for dates written in `order`."""
    return {
        "first_name": readers.read_name,
        "middle_name": readers.read_name,
        "last_name": readers.read_last_name,
        "dob": partial(readers.read_dob, order=order),
        "birth_year": partial(readers.read_birth_year, order=order),
        "sex": readers.read_sex,
        "street_number": readers.read_street_number,
        "street_name": partial(readers.read_text, words=STREET_WORDS),
        "city": partial(readers.read_text, words=CITY_WORDS),
        "state": readers.read_state,
        "zip": readers.read_zip,
        "phone": readers.read_phone,
        "ssn": readers.read_ssn,
    }


def _normalise(field: str, raw: str, read: _Reader) -> tuple[str, _Outcome]:
    if not raw.strip():
        return "", _Outcome.BLANK
    normal, damaged = read(raw)
    if not normal or is_printed_nothing(raw) or is_placeholder(field, normal):
        return "", _Outcome.PLACEHOLDER
    return normal, _Outcome.DAMAGED if damaged else _Outcome.SOUND


def normalise_column(field: str, values: Sequence[str], *, date_order: DateOrder = DateOrder.YMD) -> NormalisedColumn:
    """The column `values` of the standard field `field` in the normal form of `norm-1`.

    Args:
        field: a key of `isthmus.contract.standard_fields.STANDARD_FIELDS`.
        values: the values as the source holds them; any strings.
        date_order: the order in which `dob` and whole dates in `birth_year` are written; other fields ignore it.

    Raises:
        KeyError: `field` is not a standard field. No value raises.
    """
    read = _readers(date_order)[field]
    times = Counter(values)
    normal = {raw: _normalise(field, raw, read) for raw in times}
    outcomes: Counter[_Outcome] = Counter()
    for raw, (_, outcome) in normal.items():
        outcomes[outcome] += times[raw]
    return NormalisedColumn(
        values=[normal[raw][0] for raw in values],
        missing=outcomes[_Outcome.BLANK] + outcomes[_Outcome.PLACEHOLDER],
        placeholders=outcomes[_Outcome.PLACEHOLDER],
        damaged=outcomes[_Outcome.DAMAGED],
    )
