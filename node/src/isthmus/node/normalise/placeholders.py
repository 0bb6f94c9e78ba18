"""Values that stand for no value. Section 7 of docs/reference/normaliser.md.

A word that is also somebody's name is a name where the field is nearly always filled (Ms Null, Mr Na, Dr Blank, Nan
as short for Nancy), and a placeholder where it is often empty and programs print such words (a middle name of `NA` is
R's way to write a missing value). A real person read as a placeholder loses one field of several; a placeholder read
as a name makes thousands of strangers agree.
"""

import re
from typing import Final

from isthmus.node.normalise.text import plain

PRINTED_NOTHING: Final = frozenset(
    {"#ref!", "#value!", "#name?", "#num!", "#null!", "#div/0!", "#n/a", "#n/an/a", "#calc!", "#spill!", "#field!"}
    | {"n/a", "<na>", "<null>", "(null)", "[null]", "{null}", "\\n", "(blank)", "[blank]", "<blank>", "<none>"}
)
"""What spreadsheets and databases print for nothing, in forms that no name has; plain and without spaces."""

_FIRST_CHARACTERS: Final = frozenset(text[0] for text in PRINTED_NOTHING) | {"-"}

_MISSING_CODE: Final = re.compile(r"-(?:[0-9]{1,2}|9{3,})(?:\.0+)?")
"""A small negative number: statistics packages write missing values so. Folded, -1 would be the sex 1."""

ANYWHERE: Final = frozenset(
    {"unknown", "unk", "unkn", "none", "missing", "undefined", "testing", "donotuse", "dummy", "invalid", "deleted"}
    | {"notavailable", "notapplicable", "notknown", "notgiven", "notprovided", "notreported", "notspecified"}
    | {"notlisted", "notstated", "notdisclosed", "notselected", "nonegiven", "noneprovided", "unspecified", "tbd"}
    | {"undisclosed", "refused", "declined", "withheld", "redacted", "anonymous", "confidential", "dontknow"}
    | {"duplicate", "asdf", "qwerty", "desconocido", "desconocida", "ninguno", "ninguna"}
)
_PRINTED_NULLS: Final = frozenset({"null", "nan", "na", "nil", "blank"})
_NO_NAME: Final = frozenset({"noname", "sinnombre", "unnamed", "fnu", "lnu"})
_BABIES: Final = frozenset(
    {"babyboy", "babygirl", "babya", "babyb", "newborn", "infant", "infantboy", "infantgirl", "infantmale"}
    | {"infantfemale", "babymale", "babyfemale"}
)
_NO_ADDRESS: Final = frozenset({"homeless", "transient", "unhoused", "noaddress", "nofixedaddress", "noknownaddress"})
_NO_DAY_WORDS: Final = frozenset({"nat", "mmddyyyy", "ddmmyyyy", "yyyymmdd"})
_NO_DAYS: Final = frozenset(
    {"19000101", "19010101", "18991230", "18991231"}  # defaults and day 0 of databases and spreadsheets
    | {"00010101", "01010001", "110001"}  # the least date of .NET, in three orders
    | {"17530101", "01011753", "111753", "16010101", "01011601", "111601"}  # the least dates of SQL Server and Windows
    | {"19000100", "101900", "01001900", "00011900", "00jan1900"}  # a spreadsheet's 0 shown as a date
    | {"20991231", "29991231", "12312999", "31122999"}  # no end
)

WORDS: Final[dict[str, frozenset[str]]] = {
    "first_name": _NO_NAME | _BABIES | {"null", "nofirstname", "nofirst"},
    "middle_name": _NO_NAME | _PRINTED_NULLS | {"nomiddlename", "nomiddle", "nomiddleinitial", "nmn", "nmi"},
    "last_name": _NO_NAME | {"nolastname", "nolast"},
    "dob": _PRINTED_NULLS | _NO_DAY_WORDS | _NO_DAYS,
    "birth_year": _PRINTED_NULLS | _NO_DAY_WORDS | {"1900", "yyyy"},
    "sex": _PRINTED_NULLS | {"u", "0", "9", "99", "prefernottosay", "prefernottoanswer", "declinedtoanswer"},
    "street_number": _PRINTED_NULLS,
    "street_name": _PRINTED_NULLS | _NO_ADDRESS,
    "city": _PRINTED_NULLS | _NO_ADDRESS,
    "state": _PRINTED_NULLS | {"zz", "99", "00"},
    "zip": _PRINTED_NULLS | {"12345"},
    "phone": _PRINTED_NULLS | {"1234567890", "0123456789", "1234567"},
    "ssn": _PRINTED_NULLS | {"123456789", "987654321", "012345678", "078051120", "219099999"},
}
"""Per field, words of letters and digits, without spaces, that are a placeholder when they are the whole of the value;
beside them `ANYWHERE`. The ZIP code 12345 is one company's. Two of the social security numbers were printed in wallets
and in a leaflet (Social Security Administration, history of misused numbers), the others are typed along the keys."""

_EVERYWHERE_SHAPE: Final = "xx+|(?:test)+[0-9]*"
_OWN_SHAPES: Final[dict[str, str]] = {
    "dob": r"0+|([1-9])\1{3,}|9999[0-9]{4}|[0-9]{4}9999",
    "birth_year": r"0+|([1-9])\1{3}",
    "street_number": "0+",
    "zip": "0+|99999",
    "phone": r"([0-9])\1+|[0-9]{3}([0-9])\2{6}|(?:[0-9]{3})?5551212",
    "ssn": r"([0-9])\1+",
}
_WORD_SHAPE: Final = r"([a-z0-9])\1{2,}"
"""Per field, digits that are nobody's; `_WORD_SHAPE` for the fields that are not here. The ZIP codes 22222, 44444 and
55555 are places, and 111 or 999 are house numbers, so there only the digits that are nowhere count."""

_SHAPES: Final = {field: re.compile(f"{_EVERYWHERE_SHAPE}|{_OWN_SHAPES.get(field, _WORD_SHAPE)}") for field in WORDS}


def is_printed_nothing(raw: str) -> bool:
    """Whether a value, as it is in the file, is what a program prints for nothing, in any field."""
    first = raw[:1].lower()
    if first.isascii() and first.isalnum() and first not in _FIRST_CHARACTERS:
        return False  # the plain form begins with the same letter or digit; to make it is what costs
    text = plain(raw).replace(" ", "")
    return text in PRINTED_NOTHING or _MISSING_CODE.fullmatch(text) is not None


def is_placeholder(field: str, normal: str) -> bool:
    """Whether a normal form of the standard field `field` stands for no value."""
    together = normal.replace(" ", "")
    return together in ANYWHERE or together in WORDS[field] or _SHAPES[field].fullmatch(together) is not None
