"""What the processes of a local round use while it runs, and when each line of their logs came. Linux: reads /proc."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import sysconf
from pathlib import Path
from typing import Final

POLL_S: Final = 0.1


@dataclass(slots=True, kw_only=True)
class Process:
    """What is known of a process and of those that it started: seconds of CPU, and the most memory of one, in bytes."""

    name: str
    cpu: dict[int, float] = field(default_factory=dict)
    peak: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Seconds of CPU by process name, of all that it used until then, at a time of the monotonic clock."""

    at: float
    cpu: dict[str, float]


@dataclass(slots=True)
class Watch:
    """Notes, while it runs, when each line of a log came, and what the processes that write them use."""

    folder: Path
    lines: list[tuple[float, str, str]] = field(default_factory=list)
    processes: dict[str, Process] = field(default_factory=dict)
    read: dict[Path, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch while the block runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._until, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _until(self, done: threading.Event) -> None:
        while not done.wait(POLL_S):
            now = time.monotonic()
            for path in [*self.folder.glob("*.log"), *self.folder.glob("nodes/*/*.log")]:
                self._note_lines(path, now)
            self._note_processes()
            used = {name: sum(one.cpu.values()) for name, one in self.processes.items()}
            self.samples.append(Sample(at=now, cpu=used))

    def _note_lines(self, path: Path, now: float) -> None:
        name = path.parent.name if path.name == "run.log" else path.stem
        said = path.read_bytes()[self.read.get(path, 0) :].rpartition(b"\n")[0]
        self.read[path] = self.read.get(path, 0) + len(said) + bool(said)
        self.lines += [(now, name, line) for line in said.decode("utf-8", "replace").splitlines()]

    def _note_processes(self) -> None:
        for pid, name in _processes_of(self.folder):
            try:
                cpu, peak = _used(pid)
            except (OSError, StopIteration):
                continue  # it ended meanwhile
            process = self.processes.setdefault(name, Process(name=name))
            process.cpu[pid] = cpu
            process.peak = max(process.peak, peak)

    def when(self, event: str) -> list[float]:
        """Give when the coordinator logged an event, by its name; now if it never did."""
        said = f'"event": "{event}"'  # what it says at its start has some of these words, too
        return [at for at, log, line in self.lines if log == "coordinator" and said in line] or [time.monotonic()]

    def cpu_between(self, name: str, begin: float, end: float) -> float:
        """Give the seconds of CPU that a process used between two times, as the samples next before them say."""
        first, last = (
            next((one.cpu.get(name, 0.0) for one in reversed(self.samples) if one.at <= at), 0.0) for at in (begin, end)
        )
        return last - first


def _processes_of(folder: Path) -> list[tuple[int, str]]:
    """Give the processes that serve a folder, or one inside it, and those that they started, by the folder's name."""
    parents, named = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
        if b"--dir" in words and words[words.index(b"--dir") + 1].startswith(bytes(folder)):
            named[int(path.name)] = Path(words[words.index(b"--dir") + 1].decode()).name
    children = [(pid, named[parent]) for pid, parent in parents.items() if pid not in named and parent in named]
    return [*named.items(), *children]


def _used(pid: int) -> tuple[float, int]:
    """Give the seconds of CPU and the most memory in bytes that a process has used."""
    times = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()[11:13]
    status = Path(f"/proc/{pid}/status").read_text("ascii", errors="replace").splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return sum(map(int, times)) / sysconf("SC_CLK_TCK"), peak * 1024
