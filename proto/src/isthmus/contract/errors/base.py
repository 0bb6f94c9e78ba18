"""The root of all errors, the kinds below it, and how one looks from outside."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSpec:
    """How one error looks from outside.

    `status` is the name of a gRPC status code, `http` an HTTP status number, `exit_code` a process exit code
    (docs/reference/exit-codes.md). `sentence` and `remedy` are format strings over the error's fields and are safe to
    show to anyone.
    """

    status: str
    http: int
    exit_code: int
    sentence: str
    remedy: str


@dataclass(eq=False, kw_only=True)
class IsthmusError(Exception):
    """The root of every error that Isthmus raises on purpose."""

    code: ClassVar[str] = "isthmus"
    spec: ClassVar[ErrorSpec]

    def __post_init__(self) -> None:
        """Give `Exception` its text, so that tracebacks carry it."""
        super().__init__(str(self))

    def fields(self) -> dict[str, str]:
        """Give the typed fields as text, in declaration order."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}

    def __reduce__(self) -> tuple[Callable[..., "IsthmusError"], tuple[Any, ...]]:
        """Pickle as class and fields, so that an error can leave a worker process."""
        return _remake, (type(self), {field.name: getattr(self, field.name) for field in fields(self)})

    def __str__(self) -> str:
        """Give the sentence and what to do next."""
        known = self.fields()
        return f"{self.spec.sentence.format(**known)}; {self.spec.remedy.format(**known)}"


BAD_INPUT, REFUSED, CONFLICT, UNREACHABLE, INTERNAL = 4, 5, 6, 7, 70
"""Exit codes by kind of error; 2 is wrong usage, 3 a wrong or missing setting (docs/reference/exit-codes.md)."""


class BadInput(IsthmusError):
    """The caller's material is wrong; sending it again will not help."""


class Refused(IsthmusError):
    """The caller may not do this."""


class Conflict(IsthmusError):
    """The request does not fit the state of things."""


class Passing(IsthmusError):
    """Nobody did anything wrong, and it passes; trying again may help."""


def _remake(cls: type[IsthmusError], known: dict[str, Any]) -> IsthmusError:
    return cls(**known)
