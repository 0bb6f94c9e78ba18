"""Folding text: accents, case, punctuation and white space. Rules 1 to 7 of the specification of `norm-1`.

Nothing here knows a field; what a name or a date is lives beside this module.
"""

import re
import unicodedata
from typing import Final

from isthmus.node.normalise.unicode_14 import NEWER_LETTER

_LATIN_LETTERS: Final[dict[str, str]] = {
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ɖ": "d",
    "ɗ": "d",
    "ǥ": "g",
    "ħ": "h",
    "ɨ": "i",
    "\u0131": "i",
    "ȷ": "j",
    "ĸ": "k",
    "ƙ": "k",
    "ł": "l",
    "ŋ": "n",
    "ɲ": "n",
    "ŧ": "t",
    "þ": "th",
    "ə": "e",
    "ǝ": "e",
    "ɛ": "e",
    "ɔ": "o",
    "ɓ": "b",
    "ƒ": "f",
    "\u0263": "g",
    "ʉ": "u",
    "\u028b": "v",
    "ƴ": "y",
    "ƶ": "z",
}
"""Lower-case Latin letters that have no decomposition: dotless i (U+0131), gamma (U+0263), v with hook (U+028B) among
them. Where ICAO Doc 9303 part 3 transliterates a letter, so do we, except that ø is o, as people type it."""

_APOSTROPHES: Final = (
    "'`\u00b4\u2018\u2019\u201b\u2032\u02b9\u02ba\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\ua78c"
)
_REMOVED: Final = _APOSTROPHES + ".\u00b7\u0640\ufffd"
"""What stands for an apostrophe, the period, the middle dot, the Arabic tatweel and the replacement character."""

_SPECIAL: Final[dict[str, str]] = _LATIN_LETTERS | dict.fromkeys(_REMOVED, "") | dict.fromkeys("\t\n\v\f\r\x85", " ")

_MARKS: Final = re.compile(
    "[\u0300-\u036f\u1ab0-\u1ace\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"  # accents on Latin, Greek and Cyrillic letters
    "\u0591-\u05c7"  # Hebrew points
    "\u064b-\u065f\u0670]"  # Arabic vowel signs
)
"""Marks that are dropped. Marks of other scripts are vowels or change the consonant, so they stay."""

_LOST: Final = re.compile("[\ufffd\ud800-\udfff\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_PRINTED_WHOLE_NUMBER: Final = re.compile(r"([0-9]+)\.0+")


def _fold_character(character: str) -> str:
    special = _SPECIAL.get(character)
    if special is not None:
        return special
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category[0] in "LMN":
        return character
    return "" if category in {"Cc", "Cf", "Cs"} else " "


_ASCII: Final[dict[int, str]] = {code: _fold_character(chr(code).lower()) for code in range(128)}
"""`_fold_character` for the values that are nearly all of a file: one table look-up a character."""


def _fold_unicode(raw: str) -> str:
    # The acute accent that people type for an apostrophe would decompose to a space and a mark.
    decomposed = unicodedata.normalize("NFKD", NEWER_LETTER.sub(" ", raw).replace("\u00b4", "'"))
    folded = "".join(map(_fold_character, _MARKS.sub("", decomposed).casefold()))
    # Marks that only a removed character kept apart take their canonical order.
    return unicodedata.normalize("NFD", folded)


def fold_words(raw: str) -> str:
    """Lower-case words without accents and punctuation, one space between them, none at the ends.

    Total: any string, lone surrogates and control characters included, gives a string. Idempotent.
    """
    folded = raw.translate(_ASCII) if raw.isascii() else _fold_unicode(raw)
    return " ".join(folded.split())


def fold_together(raw: str) -> str:
    """The words of `fold_words` written as one: letters and digits only."""
    return fold_words(raw).replace(" ", "")


def without_decimal_zero(raw: str) -> str:
    """`raw`, or its whole part where a program printed a whole number as `12345.0`."""
    printed = _PRINTED_WHOLE_NUMBER.fullmatch(raw.strip())
    return raw if printed is None else printed[1]


def lost_characters(raw: str) -> bool:
    """Whether characters of `raw` were lost on the way here.

    True where it holds a replacement character, a lone surrogate or a control character, or where it reads as UTF-8
    that somebody decoded as Windows-1252 (`JosÃ©`).
    """
    if _LOST.search(raw) is not None:
        return True
    if raw.isascii():
        return False
    try:
        raw.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return False
    return True
