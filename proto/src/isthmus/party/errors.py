"""Errors of a party's own machine; they never cross a wire.

BadInput
└── SettingsInvalid       a settings file is missing, does not parse, or names something that does not fit
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import BadInput, ErrorSpec
from isthmus.party.commands import EXIT_SETTINGS


@dataclass(eq=False, kw_only=True)
class SettingsInvalid(BadInput):
    """A settings file is missing, does not parse, or names something that does not fit."""

    code: ClassVar[str] = "settings-invalid"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=EXIT_SETTINGS,
        sentence="{file} is not right: {problem}",
        remedy="correct it and try again",
    )
    file: str
    problem: str


@dataclass(eq=False, kw_only=True)
class NotEnrolled(BadInput):
    """A folder holds no enrolled party."""

    code: ClassVar[str] = "not-enrolled"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=EXIT_SETTINGS,
        sentence="the folder {folder} holds no enrolled party",
        remedy="name the right folder with --dir, or enrol it with a token from the coordinator's operator",
    )
    folder: str
