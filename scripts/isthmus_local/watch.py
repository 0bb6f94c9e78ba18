"""A progress line for a round that runs on this machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from isthmus_local.local_round import Report


@contextmanager
def watching() -> Iterator[Report]:
    """Give a function that shows where a round stands: a bar at a terminal, a line for each new state elsewhere."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description:24}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn(compact=True))
    told: set[str] = set()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=None)

        def report(state: str, done: int, total: int) -> None:
            progress.update(task, description=state, completed=done, total=total or None)
            if not console.is_terminal and state not in told:
                told.add(state)
                console.print(f"  {state}", highlight=False)

        yield report
