"""The normaliser `norm-1`: one fixed form for each value before it is encoded.

Every node of a round must turn the same value into the same bytes, so the rules are exact, depend on nothing but the
value, its field and the declared date order, and never change under this name; other rules are another normaliser.
The specification is docs/reference/normaliser.md; its examples are tests/vectors/norm-1.json, and a second program
that was written from the page, scripts/isthmus_vectors/verify_norm1.py, confirms them.

Here a value's reader, whether it is a placeholder and what is counted come together. Folding is in `text`, readers of
fields in `readers` and `dates`, words in `tables` and `placeholders`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Final

from isthmus.node.normalise import readers
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.placeholders import is_placeholder, is_printed_nothing
from isthmus.node.normalise.tables import CITY_WORDS, GIVEN_PARTICLES, STREET_WORDS, SURNAME_PARTICLES
from isthmus.node.normalise.text import is_blank

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
        "first_name": partial(readers.read_name, particles=GIVEN_PARTICLES),
        "middle_name": partial(readers.read_name, particles=GIVEN_PARTICLES),
        "last_name": partial(readers.read_name, particles=SURNAME_PARTICLES),
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
    if is_blank(raw):
        return "", _Outcome.BLANK
    normal, damaged = read(raw)
    if not normal or is_printed_nothing(raw) or is_placeholder(field, normal):
        return "", _Outcome.PLACEHOLDER
    return normal, _Outcome.DAMAGED if damaged else _Outcome.SOUND


class ColumnNormaliser:
    """The normal forms of one field's column, given piece by piece: what `normalise_column` gives for each piece.

    The first `kept_values` different values stay known from piece to piece, others for their piece only: bounded memory
    where new values never end, and in most files what comes early comes often.
    """

    def __init__(self, field: str, *, date_order: DateOrder = DateOrder.YMD, kept_values: int = 0) -> None:
        """Know no value yet; raise `KeyError` where `field` is not a standard field."""
        self._known = _Known(partial(_normalise, field, read=_readers(date_order)[field]))
        self._limit = kept_values

    def normalise(self, values: Sequence[str]) -> NormalisedColumn:
        """Give some more values in normal form; no value raises."""
        normal = list(map(self._known.__getitem__, values))
        missing = normal.count("")
        # Where all that is missing is empty text, as nearly always, there is no need to look for placeholders.
        said = missing - values.count("")
        column = NormalisedColumn(
            values=normal,
            missing=missing,
            placeholders=_count_in(self._known.placeholders, values) if said else 0,
            damaged=_count_in(self._known.damaged, values),
        )
        self._known.keep(self._limit)
        return column


class _Known(dict[str, str]):
    """Normal form by value; what is asked for and not known is read. Which values were no sound ones is noted."""

    def __init__(self, read: Callable[[str], tuple[str, _Outcome]]) -> None:
        super().__init__()
        self._read = read
        self.placeholders: set[str] = set()
        self.damaged: set[str] = set()

    def __missing__(self, raw: str) -> str:
        normal, outcome = self._read(raw)
        if outcome is _Outcome.PLACEHOLDER:
            self.placeholders.add(raw)
        elif outcome is _Outcome.DAMAGED:
            self.damaged.add(raw)
        self[raw] = normal
        return normal

    def keep(self, limit: int) -> None:
        """Drop the values that came last, so that no more than `limit` are left."""
        while len(self) > limit:
            raw, _ = self.popitem()
            self.placeholders.discard(raw)
            self.damaged.discard(raw)


def _count_in(some: set[str], values: Sequence[str]) -> int:
    return sum(map(some.__contains__, values)) if some else 0


def normalise_column(field: str, values: Sequence[str], *, date_order: DateOrder = DateOrder.YMD) -> NormalisedColumn:
    """The column `values` of the standard field `field` in the normal form of `norm-1`.

    Args:
        field: a key of `isthmus.contract.standard_fields.STANDARD_FIELDS`.
        values: the values as the source holds them; any strings.
        date_order: the order in which `dob` and whole dates in `birth_year` are written; other fields ignore it.

    Raises:
        KeyError: `field` is not a standard field. No value raises.
    """
    return ColumnNormaliser(field, date_order=date_order).normalise(values)
