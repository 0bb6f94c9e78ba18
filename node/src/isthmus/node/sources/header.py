"""What a header is asked: whether its columns are there, once, and whether it is a header at all."""

import re
from collections.abc import Sequence
from typing import Final

from isthmus.contract.errors import BadInput
from isthmus.node.sources.errors import ColumnMissing, HeaderDuplicate

_HEADER_WORDS: Final = frozenset(
    {"id", "name", "first", "last", "middle", "given", "surname", "birth", "dob", "birthdate", "date", "year", "sex"}
    | {"gender", "street", "address", "city", "suburb", "state", "zip", "zipcode", "postcode", "phone", "ssn"}
)
_VALUE_LIKE: Final = re.compile(r"[\W\d_]+|.*[@\r\n].*|.{61,}", re.DOTALL)
"""A column name that may be a value: no letters, an address of mail, line breaks, or more than 60 characters."""

_WORD_STARTS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def header_is_doubtful(header: Sequence[str]) -> bool:
    """Say whether what was read as a header may be a record, whose values no message may show."""
    if any(_VALUE_LIKE.fullmatch(name) for name in header if name):
        return True
    words = {word for name in header for word in re.split(r"[^a-z]+", _WORD_STARTS.sub(" ", name).lower())}
    return not words & _HEADER_WORDS


def header_problems(header: Sequence[str], asked: Sequence[str], *, doubtful: bool) -> list[BadInput]:
    """Tell which of the columns asked for are missing, and which are there more than once."""
    wanted = list(dict.fromkeys(asked))
    missing = tuple(name for name in wanted if name not in header)
    repeated = tuple(name for name in wanted if header.count(name) > 1)
    problems: list[BadInput] = []
    if missing:
        problems.append(ColumnMissing(columns=missing, header=() if doubtful else tuple(header)))
    if repeated:
        problems.append(HeaderDuplicate(columns=repeated))
    return problems
