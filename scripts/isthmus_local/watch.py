"""A progress line for a round that runs on this machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from isthmus_local.local_round import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """How far one stage is, by a clock in seconds: `first_done` at `first_s`, `done` at `last_s`, of `total`.

    What was done before the stage was first seen says nothing of its pace.
    """

    name: str
    first_s: float
    last_s: float
    first_done: int
    done: int
    total: int

    def further(self, done: int, total: int, *, now_s: float) -> "Stage":
        """Give the stage when so much of it is done; time counts from when there was something to do."""
        if done <= self.first_done or total != self.total:
            return replace(self, first_s=now_s, last_s=now_s, first_done=done, done=done, total=total)
        return replace(self, last_s=now_s, done=done) if done != self.done else self

    def left_s(self, *, now_s: float) -> float | None:
        """Give the seconds that the rest takes at the mean pace of this stage; none while nobody can know."""
        passed = self.done - self.first_done
        if passed <= 0 or self.done >= self.total:
            return None
        rest = (self.total - self.done) * (self.last_s - self.first_s) / passed
        return max(0.0, rest - (now_s - self.last_s))


def begun(name: str, done: int, total: int, *, now_s: float) -> Stage:
    """Give a stage that is seen for the first time."""
    return Stage(name=name, first_s=now_s, last_s=now_s, first_done=done, done=done, total=total)


class _Elapsed(ProgressColumn):
    """The time since the beginning of all stages, which goes on whatever stands still."""

    def render(self, task: Task) -> Text:
        """Give it as h:mm:ss."""
        return Text(str(timedelta(seconds=int(task.get_time() - (task.start_time or 0.0)))))


class _Left(ProgressColumn):
    """The time that the rest of this stage takes, where that is known."""

    def render(self, task: Task) -> Text:
        """Give it as h:mm:ss, rounded up."""
        stage: Stage | None = task.fields["stage"]
        left_s = stage.left_s(now_s=task.get_time()) if stage else None
        return Text("" if left_s is None else f"about {timedelta(seconds=ceil(left_s))} left in this stage")


@contextmanager
def watching() -> Iterator[Report]:
    """Give a function that shows where a round stands: a bar at a terminal, a line for each new state elsewhere."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description:24}"), BarColumn(), _Elapsed(), _Left())
    told: set[str] = set()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=None, stage=None)

        def report(state: str, done: int, total: int) -> None:
            before, now_s = progress.tasks[task].fields["stage"], progress.get_time()
            same = before is not None and before.name == state
            stage = before.further(done, total, now_s=now_s) if same else begun(state, done, total, now_s=now_s)
            # What is wholly done, or of unknown size, still goes on: a full bar would look as if it hung.
            size = total if done < total else None
            progress.update(task, description=state, completed=done, stage=stage)
            progress.tasks[task].total = size  # `update` takes none for "as before"
            if not console.is_terminal and state not in told:
                told.add(state)
                console.print(f"  {state}", highlight=False)

        yield report
