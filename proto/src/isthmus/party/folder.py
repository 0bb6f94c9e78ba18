"""The option `--dir`, and the folder given by it, carried into the commands that a message tells people to run.

Whoever works in a folder of their own choosing would copy a command without it and land in another one.
"""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

_GIVEN: Final = "isthmus.party.folder"
"""Where the context keeps the folder that somebody gave; all commands of one call share it."""


def folder_option(default: str, help_text: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """The option `--dir`, given to the command as `folder`."""
    return click.option(
        "--dir",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(default),
        show_default=True,
        help=help_text,
        callback=_remember,
    )


def with_given_folder(message: str) -> str:
    """The message, its commands with the folder that somebody gave to the command that runs now; else as it is."""
    ctx = click.get_current_context(silent=True)
    folder = ctx.meta.get(_GIVEN) if ctx else None
    return message if ctx is None or folder is None else with_folder(message, ctx.find_root().command, folder)


def with_folder(message: str, program: click.Command, folder: Path) -> str:
    """The message, with `--dir` behind each command of the program that takes it and does not have it already.

    Commands of other programs are for other people and stay as they are.
    """
    name = re.escape(program.name or "")
    named = re.compile(rf"\b{name}((?: (?!{name})[a-z][a-z-]*+)++)(?! --dir)")
    return named.sub(lambda found: _told(found[1].split(), program, folder, otherwise=found[0]), message)


def _told(words: list[str], program: click.Command, folder: Path, *, otherwise: str) -> str:
    """The longest command that the words begin with and that takes a folder, with the folder; then the other words."""
    command, taken = program, 0
    for place, word in enumerate(words, 1):
        inner = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if inner is None:
            break
        command, taken = inner, place if _takes_folder(inner) else taken
    if not taken:
        return otherwise
    return " ".join([str(program.name), *words[:taken], "--dir", shlex.quote(str(folder)), *words[taken:]])


def _takes_folder(command: click.Command) -> bool:
    return any("--dir" in one.opts for one in command.params)


def _remember(ctx: click.Context, param: click.Parameter, folder: Path) -> Path:
    if ctx.get_parameter_source(str(param.name)) is not ParameterSource.DEFAULT:
        ctx.meta[_GIVEN] = folder
    return folder
