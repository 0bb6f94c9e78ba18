"""The only sources of time. Programs are handed one; pure code is handed a time."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that tells the time."""

    def now(self) -> datetime:
        """Give the present time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the present time, aware, in UTC."""
        return datetime.now(tz=UTC)


class FixedClock:
    """A clock that stands still until it is set; for tests and for reproducing a run."""

    def __init__(self, time: datetime) -> None:
        """Start at that time, which must be aware."""
        self._time = time

    def now(self) -> datetime:
        """Give the time that it was set to."""
        return self._time

    def set(self, time: datetime) -> None:
        """Set another time."""
        self._time = time


def to_text(time: datetime) -> str:
    """Give the time as it stands in documents: UTC, whole seconds, `2026-01-31T09:05:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
