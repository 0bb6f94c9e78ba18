"""Ids that people type as arguments and options: what is none is told as wrong usage, before anything is asked."""

from collections.abc import Callable
from typing import TypeVar

import click

from isthmus.contract.errors import MalformedMessage

T = TypeVar("T")
Callback = Callable[[click.Context, click.Parameter, str | None], T | None]


def typed(parse: Callable[[str], T]) -> Callback[T]:
    """A callback that reads an id with `parse`, which raises `MalformedMessage` where it is none."""

    def read(_ctx: click.Context, _param: click.Parameter, value: str | None) -> T | None:
        if value is None:
            return None
        try:
            return parse(value.strip())
        except MalformedMessage as exc:
            raise click.BadParameter(f"this is {exc.problem}, such as k12-to-work") from exc

    return read
