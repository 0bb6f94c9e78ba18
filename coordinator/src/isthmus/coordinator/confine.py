"""Confinement: after this, the process can open nothing outside the coordinator's folder and its program files.

So that a coordinator that is taken over, or merely curious, cannot read a node's key or a provider's file that lies on
the same machine. Uses Landlock (Linux 5.13 and newer), which needs no privilege and cannot be undone by the process.
"""

import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Final

SYSTEM_FOLDERS: Final = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/sys", "/dev")
"""Program files, resolver settings, and what the C library reads."""

NULL: Final = "/dev/null"
SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - where process pools keep their semaphores


def can_confine() -> bool:
    """Say whether this machine offers Landlock."""
    if sys.platform != "linux":
        return False
    import landlock  # noqa: PLC0415 - Linux only

    try:
        return int(landlock.landlock_abi_version()) >= 1
    except landlock.LandlockError:
        return False


def confine_if_possible(folder: Path, *, announce: Callable[[str], None]) -> None:
    """Confine this process where the machine offers it, and say whether it is confined."""
    if can_confine():
        confine(folder)
        announce("confined: this process can open nothing but the coordinator's folder and its program files")
    else:
        announce("not confined: this machine offers no Landlock; keep keys and provider files off it")


def confine(folder: Path) -> None:
    """Confine this process, for good, to the coordinator's folder and its program files; it writes to `data` alone.

    Call it before any thread starts, and so before numpy is imported: threads that run already are not confined.
    """
    import landlock  # noqa: PLC0415 - Linux only

    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    reading = landlock.FSAccess.READ_FILE | landlock.FSAccess.READ_DIR | landlock.FSAccess.EXECUTE
    rules = landlock.Ruleset()
    rules.allow(str(folder), *_existing(program_folders()), rules=reading)
    rules.allow(NULL, rules=landlock.FSAccess.READ_FILE | landlock.FSAccess.WRITE_FILE)
    rules.allow(str(data), *_existing([SHARED_MEMORY]))
    rules.apply()


def program_folders() -> list[str]:
    """Give the folders that hold this program, Python and the system's libraries."""
    paths = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *sys.path, *SYSTEM_FOLDERS]
    return sorted({path for path in paths if path})


def _existing(paths: list[str]) -> list[str]:
    return [path for path in paths if Path(path).is_dir()]
