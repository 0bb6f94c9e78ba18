"""Field comparison: what two nodes say of a pair of rows so that the coordinator can tell how far their fields differ.

A pair's answer has three kinds of parts (docs/protocol.md section 13). A *vector* shows how many of its bits differ
between the two rows, a *tag* whether two values are equal, a *band* how common a value is, and that only where the
values are equal. Everything else of an answer is a one-time pad that both nodes share and the coordinator does not.

Which parts there are follows from the fields that all providers share, so every party makes the same list. An answer is
pseudonymous personal data, as a CLK is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from isthmus.contract.standard_fields import STANDARD_FIELDS

COMPARISON_1: Final = "fields-1"

NAME_BITS, NAME_SET = 256, 40
"""Bits of the filter of a name, street or town, and how many a value inserts, before collisions."""

NUMBER_BITS, NUMBER_SET = 128, 30
DIGIT_VALUES: Final = 10
"""Bits of one decimal digit in a vector of digits: one of them is set."""

TAG_BYTES: Final = 4
TAG_PRIME: Final = 2**31 - 1
"""Tags are numbers below it."""

PRESENCE_BYTES: Final = 4
BANDS: Final = (100, 1_000, 10_000)
"""A value is of band k where at least one of so many rows has it, and of band 3 where it is rarer."""


class Form(StrEnum):
    """How a value becomes bits."""

    BIGRAMS = "bigrams"
    POSITIONAL = "positional"
    DIGITS = "digits"


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorPart:
    """Bits of one field, or of some digits of it: `bits` is its length.

    `inserted` is how many bits a value inserts; of digits, one each. `digits` are the code points [from, to) that count
    and `length` how many digits the whole value must have; both are 0 for other forms.
    """

    name: str
    field: str
    form: Form
    bits: int
    inserted: int
    digits: tuple[int, int] = (0, 0)
    length: int = 0

    @property
    def answer_bytes(self) -> int:
        """How many bytes of an answer it takes."""
        return -(-self.bits // 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPart:
    """Whether a value of the left row equals one of the right row.

    `left` and `right` name what each side takes (`Values`), of one `kind`: only values of a kind can be equal. Both are
    the same but for crossed tags, such as the first name of one row and the last name of the other.
    """

    name: str
    kind: str
    left: str
    right: str

    @property
    def answer_bytes(self) -> int:
        """How many bytes of an answer it takes."""
        return TAG_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class BandPart:
    """How common an equal value is in both files: the bands of both sides added up, where the values are equal."""

    name: str
    kind: str
    value: str

    @property
    def answer_bytes(self) -> int:
        """How many bytes of an answer it takes."""
        return 1


Part = VectorPart | TagPart | BandPart


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The parts of an answer, in order: presence bits first, then every part's bytes."""

    fields: tuple[str, ...]
    parts: tuple[Part, ...]

    @cached_property
    def answer_bytes(self) -> int:
        """How many bytes one row's answer for one pair takes."""
        return PRESENCE_BYTES + sum(part.answer_bytes for part in self.parts)

    def offsets(self) -> Iterator[tuple[Part, int]]:
        """Give each part with the place of its first byte in an answer."""
        place = PRESENCE_BYTES
        for part in self.parts:
            yield part, place
            place += part.answer_bytes


_TEXT: Final = ("first_name", "middle_name", "last_name", "street_name", "city")
_DIGITS: Final = {"zip": 5, "phone": 10, "ssn": 9}
_DATE: Final = (("dob.year", (0, 4)), ("dob.month", (4, 6)), ("dob.day", (6, 8)))


def comparison_1(fields: Sequence[str]) -> Comparison:
    """Give what `fields-1` compares of these standard fields, in whatever order they come."""
    ordered = tuple(field for field in STANDARD_FIELDS if field in fields)
    parts: tuple[Part, ...] = (*_vectors(ordered), *_tags(ordered), *_bands(ordered))
    return Comparison(fields=ordered, parts=parts)


def _vectors(fields: Sequence[str]) -> Iterator[VectorPart]:
    for field in fields:
        if field in _TEXT:
            yield VectorPart(name=field, field=field, form=Form.BIGRAMS, bits=NAME_BITS, inserted=NAME_SET)
        elif field == "street_number":
            yield VectorPart(name=field, field=field, form=Form.POSITIONAL, bits=NUMBER_BITS, inserted=NUMBER_SET)
        elif field == "dob":
            yield from (_digits(name, field, digits, length=8) for name, digits in _DATE)
        elif field == "birth_year":
            yield _digits(field, field, (0, 4), length=4)
        elif field in _DIGITS:
            yield _digits(field, field, (0, _DIGITS[field]), length=_DIGITS[field])


def _digits(name: str, field: str, digits: tuple[int, int], *, length: int) -> VectorPart:
    count = digits[1] - digits[0]
    return VectorPart(
        name=name,
        field=field,
        form=Form.DIGITS,
        bits=DIGIT_VALUES * count,
        inserted=count,
        digits=digits,
        length=length,
    )


def _tags(fields: Sequence[str]) -> Iterator[TagPart]:
    return (tag for tag in _TAGS if {tag.left.partition(".")[0], tag.right.partition(".")[0]} <= set(fields))


def _same(value: str, *, kind: str) -> TagPart:
    return TagPart(name=value, kind=kind, left=value, right=value)


def _crossed(one: str, other: str) -> tuple[TagPart, TagPart]:
    return (
        TagPart(name=f"{one}={other}", kind="name", left=one, right=other),
        TagPart(name=f"{other}={one}", kind="name", left=other, right=one),
    )


def _word(ours: int, theirs: int) -> TagPart:
    left, right = f"last_name.word{ours}", f"last_name.word{theirs}"
    return TagPart(name=f"{left}={theirs}", kind="word", left=left, right=right)


_TAGS: Final = (
    _same("sex", kind="sex"),
    _same("state", kind="state"),
    _same("first_name.initial", kind="initial"),
    _same("middle_name.initial", kind="initial"),
    _same("first_name.nickname", kind="nickname"),
    *_crossed("first_name", "last_name"),
    *_crossed("first_name", "middle_name"),
    *(_word(ours, theirs) for ours in (0, 1) for theirs in (0, 1)),
    TagPart(name="dob.swapped", kind="date", left="dob", right="dob.swapped"),
)


def _bands(fields: Sequence[str]) -> Iterator[BandPart]:
    for field in ("first_name", "last_name"):
        if field in fields:
            yield BandPart(name=f"{field}.band", kind="name", value=field)
