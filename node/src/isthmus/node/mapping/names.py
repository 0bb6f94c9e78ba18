"""Column names made comparable: words in lower case, and those apart that say whose or of what a column is."""

import re
import unicodedata
from typing import Final

_WORD_STARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_ALPHANUMERIC: Final = re.compile(r"[^a-z0-9]+")
_FILLERS: Final = frozenset({"of", "the", "and", "or"})
_OWNERS: Final = frozenset(
    {"student", "pupil", "learner", "child", "person", "participant", "client", "patient", "member", "applicant"}
    | {"employee", "worker", "youth", "stu", "std"}
)
"""Words for the people whom the records are about; they add nothing to a field's name."""

_USUAL: Final = frozenset(
    {"legal", "home", "current", "primary", "mailing", "physical", "residential", "residence", "permanent", "res"}
)
"""Words for which of several addresses or telephones it is. Columns that differ in these alone are equally good."""

OTHERS: Final = frozenset(
    {"parent", "guardian", "mother", "father", "spouse", "partner", "emergency", "contact", "school", "teacher"}
    | {"employer", "sibling", "doctor", "physician", "district", "household", "counselor", "staff", "family"}
    | {"sponsor", "caseworker", "agency", "company", "program", "course", "work", "business"}
)
"""Words for other people and things; a column named for one is not about the person of the record."""

VARIANTS: Final = frozenset(
    {"maiden", "former", "previous", "prior", "old", "alias", "preferred", "nickname", "nick", "other", "alternate"}
    | {"birthplace", "birth", "secondary"}
)
"""Words that say a value is not the one of the standard field: an earlier or other name, the city of birth."""


def plain_words(name: str) -> tuple[str, ...]:
    """The words of a column name in lower case: of `student.birthDate` and `BIRTH_DATE` alike `birth`, `date`.

    What stands before the last dot is a table's name and is left out.
    """
    last = name.strip().rpartition(".")[2] or name
    folded = unicodedata.normalize("NFKD", _WORD_STARTS.sub(" ", last)).encode("ascii", "ignore").decode("ascii")
    return tuple(_NOT_ALPHANUMERIC.sub(" ", folded.lower()).split())


def plain_name(name: str) -> str:
    """The words of a column name run together, without fillers: `Last or Surname` is `lastsurname`."""
    return "".join(word for word in plain_words(name) if word not in _FILLERS)


def bare_name(name: str) -> str:
    """As `plain_name`, without words for the person of the record or their usual place, and without a last 1.

    `Student First Name` is `firstname`, `HomeCity` is `city`, `Phone 1` is `phone`.
    """
    dropped = _FILLERS | _OWNERS | _USUAL
    return "".join(word for word in plain_words(name) if word not in dropped).removesuffix("1")
