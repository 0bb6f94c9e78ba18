"""Confinement: after this, the process can open nothing outside its own data folder and its program files.

So that a coordinator that is taken over, or merely curious, cannot read a linkage key or a provider's file that lies on
the same machine. Uses Landlock (Linux 5.13 and newer), which needs no privilege and cannot be undone by the process.
"""

import sys
import sysconfig
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


def confine(data: Path) -> None:
    """Confine this process, for good, to its data folder (read and write) and its program files (read).

    Call it before any thread starts: threads that run already are not confined.
    """
    import landlock  # noqa: PLC0415 - Linux only

    reading = landlock.FSAccess.READ_FILE | landlock.FSAccess.READ_DIR | landlock.FSAccess.EXECUTE
    rules = landlock.Ruleset()
    rules.allow(*_existing(program_folders()), rules=reading)
    rules.allow(NULL, rules=landlock.FSAccess.READ_FILE | landlock.FSAccess.WRITE_FILE)
    rules.allow(str(data), *_existing([SHARED_MEMORY]))
    rules.apply()


def program_folders() -> list[str]:
    """Give the folders that hold this program, Python and the system's libraries."""
    paths = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *sys.path, *SYSTEM_FOLDERS]
    return sorted({path for path in paths if path})


def _existing(paths: list[str]) -> list[str]:
    return [path for path in paths if Path(path).is_dir()]
