"""Settings of consent: rules over columns of a data set, `[[datasets.NAME.consent]]` in node.toml, and what is lawful.

A rule has either sense, by its lists. With `exclude_if` it is an opt-out: a blank keeps the row. With `include_if`
alone it asks for consent: a blank leaves the row out. Any value that neither list knows leaves the row out.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

import msgspec

from isthmus.contract.errors import MalformedMessage
from isthmus.contract.ids import parse_project_id

_YES: Final = frozenset({"y", "yes", "t", "true", "1"})
_NO: Final = frozenset({"n", "no", "f", "false", "0"})

_PRINTED_NUMBER: Final = re.compile(r"([0-9]+)\.0+")


class ConsentRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule over one column.

    `from_column` and `until_column` hold the first and the last day of the row's statement, in the data set's date
    order; `from` and `until` bound those of all rows. All days are inclusive. `projects` empty is all projects.
    A rule that `selects` is not about anybody's choice: whom it leaves out are other rows than those that are wanted.
    """

    column: str
    exclude_if: tuple[str, ...] = ()
    include_if: tuple[str, ...] = ()
    from_column: str = ""
    until_column: str = ""
    from_day: date | None = msgspec.field(default=None, name="from")
    until_day: date | None = msgspec.field(default=None, name="until")
    projects: tuple[str, ...] = ()
    selects: bool = False


def fold_word(value: str) -> str:
    """The form in which values and words of rules are compared: no spaces around, no capitals, `1.0` is `1`."""
    return whole_number(value).casefold()


def words(rule: ConsentRule) -> tuple[frozenset[str], frozenset[str]]:
    """Give the folded words that leave a row out and those that keep it.

    Where one list is missing and the other says yes or no in some of the usual ways, the opposite is known too: of a
    column that leaves out `Y`, `N` keeps.
    """
    out, kept = (frozenset(map(fold_word, one)) for one in (rule.exclude_if, rule.include_if))
    return out or _opposite(kept), kept or _opposite(out)


def columns_needed(rules: Iterable[ConsentRule]) -> tuple[str, ...]:
    """Give the columns of the source that the rules read, each once, in the order of the rules."""
    named = (name for rule in rules for name in (rule.column, rule.from_column, rule.until_column))
    return tuple(dict.fromkeys(filter(None, named)))


def consent_problems(rules: Sequence[ConsentRule], *, dataset: str) -> list[str]:
    """Tell all that is wrong with the rules of a data set, each problem with the setting's name."""
    return [
        f"datasets.{dataset}.consent rule {number} {problem}"
        for number, rule in enumerate(rules, 1)
        for problem in _problems(rule)
    ]


def _opposite(said: frozenset[str]) -> frozenset[str]:
    if said and said <= _YES | {""}:
        return _NO
    return _YES if said and said <= _NO | {""} else frozenset()


def _problems(rule: ConsentRule) -> list[str]:
    out, kept = (set(map(fold_word, one)) for one in (rule.exclude_if, rule.include_if))
    found = {
        "names no column": not rule.column.strip(),
        "needs a word in exclude_if or include_if": not (out or kept),
        "has the same word in exclude_if and include_if": bool(out & kept),
        "has an until before its from": None not in {rule.from_day, rule.until_day}
        and (rule.until_day or date.min) < (rule.from_day or date.min),
        "names a project that is not a project id": not all(map(_is_project_id, rule.projects)),
    }
    return [problem for problem, is_so in found.items() if is_so]


def _is_project_id(text: str) -> bool:
    try:
        parse_project_id(text)
    except MalformedMessage:
        return False
    return True


def whole_number(text: str) -> str:
    """Give the text without spaces around it, and without the `.0` with which some programs print whole numbers."""
    stripped = text.strip()
    printed = _PRINTED_NUMBER.fullmatch(stripped) if "." in stripped else None
    return stripped if printed is None else printed[1]
