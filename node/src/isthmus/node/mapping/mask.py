"""The shape of a value: what kind of character stands where, and not which.

    capital letter X · other letter or mark x · digit 9 · common punctuation and a space: themselves · anything else ?

`García` is `Xxxxxx`, `2001-02-03` is `9999-99-99`. Of a value longer than 12 characters only the first 12 are shown and
that there are more, since long names are rare and their length alone may tell whose they are.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Final

LONGEST_SHOWN: Final = 12
_THEMSELVES: Final = frozenset(" -'/.,:()+#@")
_MASK_OF_CATEGORY: Final = {"Lu": "X", "Lt": "X", "L": "x", "M": "x", "N": "9"}


def _mask_character(character: str) -> str:
    category = unicodedata.category(character)
    if character in _THEMSELVES:
        return character
    return _MASK_OF_CATEGORY.get(category) or _MASK_OF_CATEGORY.get(category[0], "?")


def mask_value(value: str) -> str:
    """The shape of a value, in composed Unicode form and without spaces around it; "" for a value that is not there."""
    text = unicodedata.normalize("NFC", value).strip()
    shape = "".join(map(_mask_character, text[:LONGEST_SHOWN]))
    return f"{shape} ({LONGEST_SHOWN}+)" if len(text) > LONGEST_SHOWN else shape


def common_shapes(values: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """The shapes that most values have, the commonest first; values that are not there have none."""
    shapes = Counter(shape for shape in map(mask_value, values) if shape)
    return tuple(shape for shape, _ in shapes.most_common(most))
