"""A progress bar for each long stage where somebody is looking, plain lines where nobody is."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class StageProgress:
    """Shows stages on standard error. Use it as a context manager."""

    def __init__(self) -> None:
        """Show nothing yet."""
        console = Console(file=sys.stderr)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop showing."""
        self._progress.stop()

    def report(self, stage: str, done: int, total: int) -> None:
        """Show that so much of a stage is done; a finished stage leaves the screen."""
        if stage not in self._tasks:
            if not self._progress.console.is_terminal:
                self.say(f"{stage} ...")
            self._tasks[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total, visible=done < total)

    def say(self, message: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def first_time(self, key: str) -> bool:
        """Say whether this is the first time that this is asked of this key."""
        new = key not in self._told
        self._told.add(key)
        return new
