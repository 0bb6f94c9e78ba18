"""Values that stand for no value. Rule 9 of the specification of `norm-1`.

A word that is also somebody's name is a name where the field is nearly always filled (Ms Null, Mr Na, Dr Blank, Nan
as short for Nancy), and a placeholder where it is often empty and programs print such words (a middle name of `NA` is
R's way to write a missing value). A real person read as a placeholder loses one field of several; a placeholder read
as a name makes thousands of strangers agree.
"""

import re
from typing import Final

_ERROR_VALUES: Final = frozenset({"#ref!", "#value!", "#name?", "#num!", "#null!", "#div/0!", "#n/a", "#n/a n/a"})
_MARKED_NULLS: Final = frozenset({"n/a", "<na>", "<null>", "(null)", "[null]", "{null}", "\\n"})
"""What spreadsheets and databases print for nothing, in forms that no name has; compared trimmed and in lower case."""

_ANYWHERE: Final = frozenset(
    {"unknown", "unk", "unkn", "none", "missing", "undefined", "test", "testing", "donotuse"}
    | {"notavailable", "notapplicable", "notknown", "notgiven", "notprovided", "notreported", "notspecified"}
)
_PRINTED_NULLS: Final = frozenset({"null", "nan", "na", "nil", "blank"})
_NO_NAME: Final = frozenset({"noname", "fnu", "lnu"})

_WORDS: Final[dict[str, frozenset[str]]] = {
    "first_name": _ANYWHERE | _NO_NAME | {"null", "nofirstname", "babyboy", "babygirl", "newborn"},
    "middle_name": _ANYWHERE | _NO_NAME | _PRINTED_NULLS | {"nomiddlename", "nmn", "nmi"},
    "last_name": _ANYWHERE | _NO_NAME | {"nolastname"},
    "dob": _ANYWHERE | _PRINTED_NULLS | {"nat"},
    "birth_year": _ANYWHERE | _PRINTED_NULLS | {"nat", "1900"},
    "sex": _ANYWHERE | _PRINTED_NULLS | {"u", "0", "9", "99", "declined", "refused", "prefernottosay"},
    "ssn": _ANYWHERE | _PRINTED_NULLS | {"123456789"},
    "phone": _ANYWHERE | _PRINTED_NULLS | {"1234567890"},
}
_OTHER_WORDS: Final = _ANYWHERE | _PRINTED_NULLS
"""Words of letters and digits only, without spaces, that are a placeholder when they are the whole of the value."""

_DATES: Final = frozenset(
    {"19000101", "19010101", "18991230", "18991231"}  # defaults and day 0 of databases and spreadsheets
    | {"00010101", "01010001", "110001"}  # the least date of .NET, in three orders
    | {"19000100", "101900", "01001900", "00011900", "00jan1900"}  # a spreadsheet's 0 shown as a date
)
_NO_DATE: Final = re.compile(r"0+|1{4,}|2{4,}|3{4,}|4{4,}|5{4,}|6{4,}|7{4,}|8{4,}|9{4,}|9999[0-9]{4}|[0-9]{4}9999")
_NO_YEAR: Final = re.compile(r"0+|([1-9])\1{3}")
_NO_NUMBER: Final = re.compile(r"0+|xx+")
_NO_ZIP: Final = re.compile(r"0+|99999")
_NO_PHONE_OR_SSN: Final = re.compile(r"([0-9])\1+")
_NO_WORD: Final = re.compile(r"xx+|([a-z0-9])\1{2,}")

_SHAPES: Final[dict[str, re.Pattern[str]]] = {
    "dob": _NO_DATE,
    "birth_year": _NO_YEAR,
    "street_number": _NO_NUMBER,
    "zip": _NO_ZIP,
    "phone": _NO_PHONE_OR_SSN,
    "ssn": _NO_PHONE_OR_SSN,
}
"""Per field, digits that are nobody's; `_NO_WORD` for the fields that are not here. The ZIP codes 22222, 44444 and
55555 are places, and 111 or 999 are house numbers, so there only the digits that are nowhere count."""


def is_printed_nothing(raw: str) -> bool:
    """Whether a value, as it is in the file, is what a spreadsheet or a database prints for nothing, in any field."""
    text = raw.strip().lower()
    return text in _ERROR_VALUES or text in _MARKED_NULLS


def is_placeholder(field: str, normal: str) -> bool:
    """Whether a normal form of the standard field `field` stands for no value."""
    together = normal.replace(" ", "")
    if together in _WORDS.get(field, _OTHER_WORDS) or (field == "dob" and together in _DATES):
        return True
    return _SHAPES.get(field, _NO_WORD).fullmatch(together) is not None
