"""The error tree: each leaf has its row, speaks without secrets, and crosses wires and processes as itself."""

import pickle
import re
from dataclasses import fields
from http import HTTPStatus
from string import Formatter

import grpc
import pytest

from isthmus.contract import errors
from isthmus.contract.errors import (
    ERRORS,
    BadInput,
    Conflict,
    Internal,
    IsthmusError,
    NotFound,
    Passing,
    Refused,
    rebuild,
)

EXIT_CODES: dict[type[IsthmusError], int] = {BadInput: 4, Refused: 5, Conflict: 6, Passing: 7, Internal: 70}
ALL = sorted(ERRORS.values(), key=lambda error: error.code)


def _made(cls: type[IsthmusError]) -> IsthmusError:
    """Make one with a value for each field."""
    return cls(**{one.name: 7 if one.type in (int, "int") else f"<{one.name}>" for one in fields(cls)})


def _leaves(root: type[IsthmusError]) -> set[type[IsthmusError]]:
    below = [one for one in root.__subclasses__() if one.__module__.startswith(errors.__name__)]
    return {root} if not below else {leaf for child in below for leaf in _leaves(child)}


def test_every_leaf_is_in_the_table_under_its_own_code() -> None:
    assert set(ERRORS.values()) == _leaves(IsthmusError)
    assert all(code == cls.code for code, cls in ERRORS.items())
    assert len({cls.code for cls in _leaves(IsthmusError)}) == len(ERRORS)


def test_every_leaf_is_drawn_in_the_modules_tree() -> None:
    drawn = set(re.findall(r"[A-Z][A-Za-z]+", (errors.__doc__ or "").partition("Each class has")[0]))

    assert {cls.__name__ for cls in ALL} <= drawn


@pytest.mark.parametrize("cls", ALL)
def test_error_defines_code_and_row_for_itself(cls: type[IsthmusError]) -> None:
    assert "code" in vars(cls)
    assert "spec" in vars(cls)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.code)
    assert len(cls.code) <= 40


@pytest.mark.parametrize("cls", ALL)
def test_row_names_a_status_of_grpc_and_of_http_and_an_exit_code_of_its_kind(cls: type[IsthmusError]) -> None:
    assert grpc.StatusCode[cls.spec.status] is not grpc.StatusCode.OK
    assert 400 <= HTTPStatus(cls.spec.http) < 600
    assert [cls.spec.exit_code] == [exit_code for kind, exit_code in EXIT_CODES.items() if issubclass(cls, kind)]


@pytest.mark.parametrize("cls", ALL)
def test_sentence_and_remedy_format_with_the_errors_fields(cls: type[IsthmusError]) -> None:
    names = {one.name for one in fields(cls)}
    used = {name for text in (cls.spec.sentence, cls.spec.remedy) for _, name, _, _ in Formatter().parse(text) if name}

    assert used <= names
    assert str(_made(cls)) == str(_made(cls).args[0])
    assert "{" not in str(_made(cls))


@pytest.mark.parametrize("cls", ALL)
def test_error_is_rebuilt_from_code_and_text_fields(cls: type[IsthmusError]) -> None:
    error = _made(cls)

    again = rebuild(error.code, error.fields())

    assert type(again) is cls
    assert vars(again) == vars(error)


@pytest.mark.parametrize("cls", ALL)
def test_error_survives_pickling(cls: type[IsthmusError]) -> None:
    error = _made(cls)

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert type(again) is cls
    assert (vars(again), str(again)) == (vars(error), str(error))


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("from-a-newer-version", {}),
        ("not-found", {"kind": "round"}),
        ("not-found", {"kind": "round", "id": "x", "more": "y"}),
        ("chunk-damaged", {"index": "seven", "problem": "x"}),
        ("isthmus", {}),
    ],
)
def test_what_does_not_fit_is_rebuilt_as_internal_with_its_code(code: str, known: dict[str, str]) -> None:
    error = rebuild(code, known)

    assert isinstance(error, Internal)
    assert error.reference == code


def test_braces_in_a_field_are_text() -> None:
    assert str(NotFound(kind="{id}", id="{0.__class__}")).startswith("there is no {id} {0.__class__};")
