"""How much memory this machine, or the control group that this process runs in, has."""

import os
from pathlib import Path
from typing import Final

GROUPS: Final = Path("/sys/fs/cgroup")
OWN_GROUP: Final = Path("/proc/self/cgroup")


def machine_bytes(groups: Path = GROUPS, own_group: Path = OWN_GROUP) -> int:
    """Give the memory that this process may have: the machine's, or less where a control group says so (version 2)."""
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *_limits(groups, own_group)])


def _limits(groups: Path, own_group: Path) -> list[int]:
    """Give the limits of the own group and of those around it."""
    lines = own_group.read_text(encoding="ascii").splitlines() if own_group.exists() else []
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    folders = [groups / own, *(groups / own).parents]
    files = [folder / "memory.max" for folder in folders if folder.is_relative_to(groups)]
    said = [file.read_text(encoding="ascii").strip() for file in files if file.exists()]
    return [int(limit) for limit in said if limit.isdigit()]
