"""TOML that people write, read into a struct; what is wrong with it is said in the words of the file they look at.

A message names keys, headings and lines, says what is expected there and how that is written, and repeats no value.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T")
Step = str | int
"""A key of a table, or a place in a list, from 0."""

_AT: Final = re.compile(r" - at (?:`key` in )?`\$(?P<path>.*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\[\.\.\.\]|\[(\d+)\]|\.([^.\[\]]+)")
_ANY_KEY: Final = None
_NAMED: Final = re.compile(r"(missing required|unknown) field `(.*)`$", re.DOTALL)
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_BACKSLASH: Final = r"in a path write / for each \, or put the text in 'single quotes'"
_HINTS: Final = {
    "\\": _BACKSLASH,
    "hex": _BACKSLASH,
    "overwrite": "each key and each heading stands once",
    "twice": "each key and each heading stands once",
}
_QUOTES: Final = 'a text needs quotes at both ends, such as file = "students.csv"'


class TomlInvalid(ValueError):
    """The text is not TOML, or not what was asked for; its message is for the person who wrote it."""


def toml_text(data: bytes) -> str:
    """The text of a TOML file; a byte-order mark, which some editors write, is no part of it.

    Raises:
        TomlInvalid: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise TomlInvalid(f"line {line} is not UTF-8 text; open the file in an editor and save it as UTF-8") from exc


def read_toml(text: str, into: type[T]) -> T:
    """What the text says, as a struct.

    Raises:
        TomlInvalid: it is not TOML, or a key is unknown, missing or of another type.
    """
    return from_toml(parse_toml(text), into)


def parse_toml(text: str) -> dict[str, Any]:
    """The keys of a TOML text.

    Raises:
        TomlInvalid: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise TomlInvalid(_not_toml(str(exc))) from exc


def from_toml(found: dict[str, Any], into: type[T]) -> T:
    """What the keys of a TOML text say, as a struct.

    Raises:
        TomlInvalid: a key is unknown, missing or of another type.
    """
    try:
        return msgspec.convert(found, into)
    except msgspec.ValidationError as exc:
        raise TomlInvalid(_explained(str(exc), found, into)) from exc


def _not_toml(says: str) -> str:
    hint = next((hint for word, hint in _HINTS.items() if word in says), _QUOTES)
    return f"it is not TOML: {says[:1].lower()}{says[1:]}; {hint}"


def _explained(says: str, found: dict[str, Any], into: type) -> str:
    at = _AT.search(says)
    path = tuple(_with_keys(found, _steps(at["path"] if at else ""), into, says=says))
    kind = _kind_at(inspect.type_info(into), path)
    named = _NAMED.search(_AT.sub("", says))
    if named is None:
        return f"{_place(path)} has to be {_expected(kind, path)}"
    if named[1] == "unknown":
        return f"{_table(path)} has a key that is not known, {_shown(named[2])}{_meant(named[2], kind)}"
    return f"{_table(path)} lacks {_shown(named[2])}: {_expected(_kind_at(kind, (named[2],)), (*path, named[2]))}"


def _steps(path: str) -> tuple[Step | None, ...]:
    """The steps of msgspec's path, such as `.datasets[...].consent[0]`; `_ANY_KEY` stands for a key that it hides."""
    return tuple(
        int(one[1]) if one[1] is not None else one[2] if one[2] is not None else _ANY_KEY
        for one in _STEP.finditer(path)
    )


def _with_keys(found: Any, steps: Sequence[Step | None], into: type, *, says: str) -> Iterator[Step]:
    """The steps with the hidden keys: the one of each table without whose neighbours the same is said."""
    whole, at = found, found
    for step in steps:
        if step is not _ANY_KEY:
            yield step
            at = at[step]
            continue
        others = dict(at)
        for key, value in others.items():
            at.clear()
            at[key] = value
            if _says(whole, into) == says:
                break
        yield key
        at = value


def _says(found: Any, into: type) -> str:
    try:
        msgspec.convert(found, into)
    except msgspec.ValidationError as exc:
        return str(exc)
    return ""


def _kind_at(kind: inspect.Type, path: Sequence[Step]) -> inspect.Type:
    """The kind of value that belongs at a path."""
    for step in path:
        kind = _bare(kind)
        if isinstance(kind, inspect.StructType):
            kind = next(one.type for one in kind.fields if one.encode_name == step)
        elif isinstance(kind, inspect.DictType):
            kind = kind.value_type
        elif isinstance(kind, inspect.VarTupleType):
            kind = kind.item_type
    return _optional(kind)


def _bare(kind: inspect.Type) -> inspect.Type:
    kind = _optional(kind)
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _optional(kind: inspect.Type) -> inspect.Type:
    """The kind itself, where it may be absent as well."""
    if not isinstance(kind, inspect.UnionType):
        return kind
    return next(one for one in kind.types if not isinstance(one, inspect.NoneType))


def _place(path: Sequence[Step]) -> str:
    """A key as people find it in the file: its name and the heading above it."""
    if not path:
        return "the file"
    *above, last = path
    if isinstance(last, int):
        return f"item {last + 1} of {_place(above)}"
    return f"{_shown(last)} in {_table(above)}" if above else _shown(last)


def _table(path: Sequence[Step]) -> str:
    """A table as its heading; in a list of tables, which of them."""
    if not path:
        return "the file"
    *above, last = path
    return f"[[{_dotted(above)}]] number {last + 1}" if isinstance(last, int) else f"[{_dotted(path)}]"


def _dotted(path: Sequence[Step]) -> str:
    return ".".join(_shown(one) for one in path if isinstance(one, str))


def _shown(key: str) -> str:
    """A key as TOML writes it, no longer than a line holds."""
    return key if _PLAIN_KEY.fullmatch(key) else f'"{key[:60]}"'


def _meant(key: str, kind: inspect.Type) -> str:
    """The keys that are known there, the likely one first."""
    known = [one.encode_name for one in kind.fields] if isinstance(kind, inspect.StructType) else []
    close = get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _expected(kind: inspect.Type, path: Sequence[Step]) -> str:
    """What belongs there, and how it is written."""
    if isinstance(kind, inspect.Metadata):
        return str((kind.extra_json_schema or {})["description"])
    key = next((one for one in reversed(path) if isinstance(one, str)), "")
    for kinds, (words, example) in _EXPECTED.items():
        if isinstance(kind, kinds):
            return f"{words}, such as {example.format(key=_shown(key), table=_dotted(path))}"
    if isinstance(kind, inspect.IntType):
        return f"{_whole_number(kind)}, such as {_shown(key)} = {kind.ge or 1}"
    if isinstance(kind, inspect.VarTupleType):
        return _list(kind, path)
    if isinstance(kind, inspect.DictType):
        named = ".NAME" if isinstance(kind.value_type, inspect.StructType) else ""
        return f"a table with keys of its own under a heading, such as [{_dotted(path)}{named}]"
    return f"one of {', '.join(_choices(kind))}"


_EXPECTED: Final[Mapping[type, tuple[str, str]]] = {
    inspect.StrType: ("text in quotes", '{key} = "some text"'),
    inspect.BoolType: ("true or false without quotes", "{key} = true"),
    inspect.DateType: ("a day, year first", "{key} = 2026-09-01"),
    inspect.StructType: ("a table with keys of its own under a heading", "[{table}]"),
}


def _whole_number(kind: inspect.IntType) -> str:
    least = "" if kind.ge is None else f" from {kind.ge}"
    return f"a whole number without quotes{least}" + ("" if kind.le is None else f" to {kind.le}")


def _list(kind: inspect.VarTupleType, path: Sequence[Step]) -> str:
    if isinstance(_bare(kind.item_type), inspect.StructType):
        return f"a list of tables, each under a heading in double brackets: [[{_dotted(path)}]]"
    return f'a list in brackets, each text in quotes, such as {_shown(str(path[-1]))} = ["some text", "other text"]'


def _choices(kind: inspect.Type) -> list[str]:
    if isinstance(kind, inspect.EnumType):
        return [f'"{one.value}"' for one in kind.cls]
    return [f'"{one}"' for one in kind.values if one] if isinstance(kind, inspect.LiteralType) else []
