"""What values look like: their length and the kinds of characters in them.

A value is first turned into its shape, one letter a character, so that thousands of values are a handful of shapes.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Final

from isthmus.node.normalise.text import lost_characters
from isthmus.node.report.model import Characters

LONGEST: Final = 40
"""Values of this length and longer share the last place of a count of lengths."""

_LETTER: Final = dict(zip(Characters, "laodjs.x", strict=True))
_KIND: Final = {letter: kind for kind, letter in _LETTER.items()}
_JOINERS: Final = "'`\u00b4\u2018\u2019\u02bb\u02bc-\u2010\u2011\u2012\u2013"


def kind_of(character: str) -> Characters:
    """The kind of one character. Lost characters are found in whole values, not here."""
    if character in _JOINERS:
        return Characters.JOINERS
    category = unicodedata.category(character)
    if category[0] in "LM":
        return _kind_of_letter(character)
    if category == "Nd":
        return Characters.DIGITS
    return Characters.SPACES if character.isspace() else Characters.SIGNS


def _kind_of_letter(character: str) -> Characters:
    if character.isascii():
        return Characters.LETTERS
    name = unicodedata.name(character, "")
    return Characters.ACCENTED if name.startswith(("LATIN", "COMBINING")) else Characters.OTHER_SCRIPTS


class ShapeTable(dict[int, str]):
    """A table for `str.translate` that learns each character when it first sees it."""

    def __missing__(self, code: int) -> str:
        """Learn a character."""
        letter = self[code] = _LETTER[kind_of(chr(code))]
        return letter


def count_shapes(times: Mapping[str, int], table: ShapeTable) -> Counter[str]:
    """How often each shape occurs among values that occur so many times; lost characters are an `x` at the end."""
    shapes: Counter[str] = Counter()
    for value, count in times.items():
        plain = value.isascii() and value.isprintable()
        lost = "" if plain or not lost_characters(value) else _LETTER[Characters.LOST]
        shapes[value.translate(table) + lost] += count
    return shapes


def lengths_of(shapes: Mapping[str, int]) -> Counter[int]:
    """How often each length in characters occurs; `LONGEST` stands for itself and all above it."""
    lengths: Counter[int] = Counter()
    for shape, count in shapes.items():
        lengths[min(LONGEST, len(shape) - shape.endswith(_LETTER[Characters.LOST]))] += count
    return lengths


def kinds_of(shapes: Mapping[str, int]) -> Counter[Characters]:
    """In how many values each kind of character occurs."""
    kinds: Counter[Characters] = Counter()
    for shape, count in shapes.items():
        for letter in set(shape):
            kinds[_KIND[letter]] += count
    return kinds
