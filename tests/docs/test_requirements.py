"""The requirement lists: made by `scripts/lock`, pinned by hash; a cluster's has the coordinator's pins."""

import re
from pathlib import Path
from typing import Final

import pytest
from docs.pages import ROOT, read

REQUIREMENTS: Final = ROOT / "requirements"
LISTS: Final = sorted(REQUIREMENTS.glob("*.txt"))
_PIN: Final = re.compile(r"^(\S+==\S+)( ; [^\\]+)? \\$", re.MULTILINE)


def _pins(name: str) -> set[str]:
    return {"".join(found).strip() for found in _PIN.findall(read(REQUIREMENTS / name))}


@pytest.mark.parametrize("path", LISTS, ids=lambda path: str(path.name))
def test_list_is_made_by_the_script_and_pins_everything_by_hash(path: Path) -> None:
    text = read(path)
    wanted = [line for line in text.splitlines() if not line.startswith((" ", "#"))]

    assert f"compile {path.stem} " in read(ROOT / "scripts" / "lock")
    assert len(wanted) == len(_pins(path.name)) > 0
    assert all("--hash=sha256:" in after for after in re.split(_PIN, text)[3::3])


def test_list_of_a_cluster_is_the_coordinators_and_what_a_cluster_needs() -> None:
    more = {pin.partition("==")[0] for pin in _pins("cluster.txt") - _pins("coordinator.txt")}

    assert _pins("coordinator.txt") < _pins("cluster.txt")
    assert {"dask", "distributed"} <= more
    assert {pin for pin in _pins("cluster.txt") if pin.startswith(("dask=", "distributed="))} <= _pins("dev.txt")


def test_guide_of_clusters_installs_from_the_list_by_hash() -> None:
    assert "--require-hashes -r requirements/cluster.txt" in read(ROOT / "docs" / "guides" / "cluster.md")
