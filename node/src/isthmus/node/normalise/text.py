"""Folding text: accents, case, punctuation and white space. Sections 2 to 4 of docs/reference/normaliser.md.

Nothing here knows a field; what a name or a date is lives beside this module.
"""

import re
import unicodedata
from typing import Final

from isthmus.node.normalise.unicode_14 import NEWER_LETTER

_READ_AS: Final[dict[str, str]] = {
    "a": "ⱥ",
    "ae": "æ",
    "b": "ɓƀ",
    "c": "ƈȼ",
    "d": "đðɖɗ",
    "e": "əǝɛɇ",
    "f": "ƒ",
    "g": "ǥɠ\u0263",
    "h": "ħ",
    "i": "ɨ\u0131\u0269",
    "j": "ȷɉ",
    "k": "ĸƙ",
    "l": "łƚɫɬ",
    "n": "ŋɲƞ",
    "o": "øɔ",
    "oe": "œ",
    "p": "ƥ",
    "r": "ɍ",
    "t": "ŧⱦƭʈ",
    "th": "þ",
    "u": "ʉʊ",
    "v": "\u028b",
    "y": "ƴɏ",
    "z": "ƶʒ",
    "\u0643": "\u06a9",
    "\u0647": "\u0629\u06c1",
    "\u064a": "\u0649\u06cc",
}
_LETTERS: Final = {letter: plain_letter for plain_letter, letters in _READ_AS.items() for letter in letters}
"""Lower-case letters that have no decomposition and are read as others.

Latin: dotless i (U+0131), iota (U+0269), gamma (U+0263), v with hook (U+028B) among them. Where ICAO Doc 9303 part 3
transliterates a letter, so do we, except that ø is o, as people type it. Arabic: letters of which keyboards offer
one or the other (teh marbuta, alef maksura, the Persian yeh, kaf and heh).
"""

_ACUTES: Final = "\u00b4\u0384\u1ffd"
"""Accents that stand alone and are typed for an apostrophe. They would decompose to a space and a mark."""

_APOSTROPHES: Final = (
    "'`\u02b9\u02ba\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u02ee\u055a\u05f3\u05f4"
    "\u2018\u2019\u201b\u2032\u2035\ua78c"
)
_REMOVED: Final = _APOSTROPHES + ".\u00b7\u2027\u0640\ufffd"
"""What stands for an apostrophe, the period, the middle dot, the Arabic tatweel and the replacement character."""

_HYPHENS: Final = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_LINE_WHITE: Final = "\t\n\v\f\r\x85"
_WHITE: Final = (
    _LINE_WHITE
    + " \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""White space by name, for `str.isspace` also counts four control characters."""

_SPECIAL: Final[dict[str, str]] = _LETTERS | dict.fromkeys(_REMOVED, "") | dict.fromkeys(_LINE_WHITE, " ")

_UNSEEN: Final = re.compile(
    "[\u0300-\u036f\u1ab0-\u1ace\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"  # accents on Latin, Greek and Cyrillic letters
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points, but not the hyphen among them (U+05BE)
    "\u064b-\u065f\u0670"  # Arabic vowel signs
    "\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"  # what shows as nothing
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


def _plain_character(character: str) -> str:
    if character in _APOSTROPHES or character == "\ufffd":
        return ""
    if character in _WHITE:
        return " "
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _HYPHENS:
        return "-"
    if category in {"Cc", "Cf", "Cs"}:
        return ""
    return character.lower() if character.isascii() else character


_PLAIN_ASCII: Final[dict[int, str]] = {code: _plain_character(chr(code)) for code in range(128)}


def _decompose(raw: str) -> str:
    for acute in _ACUTES:
        raw = raw.replace(acute, "'")
    return unicodedata.normalize("NFKD", NEWER_LETTER.sub(" ", raw))


def _fold_unicode(raw: str) -> str:
    folded = "".join(map(_fold_character, _UNSEEN.sub("", _decompose(raw)).casefold()))
    # Marks that only a removed character kept apart take their canonical order.
    return unicodedata.normalize("NFD", folded)


def fold_words(raw: str) -> str:
    """Lower-case words without accents and punctuation, one space between them, none at the ends.

    Total: any string, lone surrogates and control characters included, gives a string. Idempotent.
    """
    folded = raw.translate(_ASCII) if raw.isascii() else _fold_unicode(raw)
    return " ".join(folded.split())


def plain(raw: str) -> str:
    """`raw` with its punctuation, but digits, hyphens, spaces and ASCII letters of one kind; what is unseen is gone.

    For what is read by its punctuation: dates, decimals, and what programs print for nothing. Never raises.
    """
    text = raw.translate(_PLAIN_ASCII) if raw.isascii() else "".join(map(_plain_character, _decompose(raw)))
    return " ".join(text.split())


def number_text(raw: str) -> str:
    """The plain form of `raw`, or its whole part where a program printed a whole number as `12345.0`."""
    text = plain(raw)
    printed = _PRINTED_WHOLE_NUMBER.fullmatch(text)
    return text if printed is None else printed[1]


def fold_together(raw: str) -> str:
    """The words of `fold_words` written as one: letters and digits only."""
    return fold_words(raw).replace(" ", "")


def is_blank(raw: str) -> bool:
    """Whether `raw` is white space and nothing else."""
    return not raw.strip(_WHITE)


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
        unicodedata.normalize("NFC", raw).encode("cp1252").decode("utf-8")
    except UnicodeError:
        return False
    return True
