"""Commands and long-running processes of the installed programs, with their talk kept in files."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROGRAMS: Final = Path(sys.executable).parent
"""Where the environment's programs are."""

START_S: Final = 60.0
STOP_S: Final = 15.0


class CommandFailed(Exception):
    """A program ended with an error; the message is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process that was started here, and where in which file the things that it says begin."""

    process: subprocess.Popen[bytes]
    log: Path
    log_start: int

    def said(self) -> str:
        """Give what the process said so far."""
        return self.log.read_bytes()[self.log_start :].decode("utf-8", errors="replace")

    def require_success(self, name: str) -> None:
        """Raise `CommandFailed` with its last words if the process ended with an error."""
        if self.process.poll() not in {None, 0}:
            raise CommandFailed(f"{name} stopped: {_last_line(self.said())}")


def run(program: str, *arguments: str, given: str | None = None) -> str:
    """Run a program to its end and give its output; raise `CommandFailed` with what it said otherwise."""
    done = subprocess.run([PROGRAMS / program, *arguments], input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(f"{program} {arguments[0]}: {_last_line(done.stderr)}")
    return done.stdout


@contextmanager
def running(program: str, *arguments: str, log: Path) -> Iterator[Running]:
    """Start a program, and end it when the block ends: first politely, then not."""
    with log.open("ab") as output:
        log_start = output.tell()
        process = subprocess.Popen(
            [PROGRAMS / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        yield Running(process=process, log=log, log_start=log_start)
    finally:
        _end(process)


def wait_until_said(one: Running, words: str, *, name: str) -> None:
    """Return when the process has said the words; raise `CommandFailed` if it ends or a minute passes."""
    until = time.monotonic() + START_S
    while words not in one.said():
        one.require_success(name)
        if one.process.poll() is not None or time.monotonic() > until:
            raise CommandFailed(f"{name} did not start: {_last_line(one.said())}")
        time.sleep(0.05)


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end this program as an error would, so that what it started is ended too."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))


def free_ports(count: int) -> Sequence[int]:
    """Give that many ports of the loopback address that are free at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
