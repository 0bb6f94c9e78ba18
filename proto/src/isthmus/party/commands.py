"""What the three command-line programs share: how an error ends a program, and how a result is printed.

Data goes to standard output, talk to standard error. Exit codes: docs/reference/exit-codes.md.
"""

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import click

from isthmus.contract.errors import IsthmusError
from isthmus.contract.text import made_plain
from isthmus.party.folder import with_given_folder

EXIT_SETTINGS: Final = 3
EXIT_INTERRUPTED: Final = 130


class Commands(click.Group):
    """A group of commands whose typed errors end the program with their own exit code and one plain sentence.

    `later` maps the names of further commands to where each is found, `package.module:name`: a command that needs
    numpy is imported when it is asked for, and does not slow the others down. `typed` gives the typed error that stands
    for any other exception, whose own text may quote a value; without it such an exception is shown as it is.
    """

    def __init__(
        self,
        *args: Any,
        later: Mapping[str, str] | None = None,
        typed: Callable[[Exception], IsthmusError] | None = None,
        **options: Any,
    ) -> None:
        """Keep where the further commands are, and how exceptions are told."""
        super().__init__(*args, **options)
        self._later, self._typed = dict(later or {}), typed

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of all commands."""
        return sorted({*super().list_commands(ctx), *self._later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a command, imported now if it is one of the further ones."""
        if cmd_name not in self._later:
            return super().get_command(ctx, cmd_name)
        module, _, name = self._later[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except IsthmusError as exc:
            _end(ctx, exc)
        except KeyboardInterrupt:
            say_error("interrupted; run the command again to go on")
            ctx.exit(EXIT_INTERRUPTED)
        except (OSError, UnicodeError) as exc:
            say_error(f"a file or an address could not be used: {exc}")
            ctx.exit(EXIT_SETTINGS)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as exc:
            if self._typed is None:
                raise
            _end(ctx, self._typed(exc))


def _end(ctx: click.Context, error: IsthmusError) -> NoReturn:
    say_error(f"{error} [{error.code}]")
    ctx.exit(error.spec.exit_code)


def emit(as_json: bool, data: Any, text: Callable[[], str]) -> None:
    """Print a result: as JSON where that was asked for, else as the text that `text` gives."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False) if as_json else text())


def say(message: str) -> None:
    """Tell the person at the terminal something that is not data."""
    click.echo(message, err=True)


def say_error(message: str) -> None:
    """Tell why a program ends; whatever could do more than be read is made plain."""
    click.echo(f"isthmus: {made_plain(with_given_folder(message))}", err=True)


def is_terminal() -> bool:
    """Say whether somebody is looking at standard error."""
    return sys.stderr.isatty()


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
