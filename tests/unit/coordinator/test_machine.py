"""How much memory there is: the machine's, or less where a control group says so."""

from pathlib import Path

import pytest

from isthmus.coordinator.machine import machine_bytes


def _groups(folder: Path, limits: dict[str, str]) -> Path:
    for name, limit in limits.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "memory.max").write_text(f"{limit}\n")
    own = folder / "own"
    own.write_text("1:cpu:/elsewhere\n0::/services/isthmus\n")
    return own


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({"services/isthmus": "1000000"}, 1_000_000),
        ({"services/isthmus": "max", "services": "3000000"}, 3_000_000),
        ({"services/isthmus": "2000000", "": "1500000"}, 1_500_000),
        ({"services/other": "1000000"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_smallest_limit_of_the_own_group_and_those_around_it_counts(
    tmp_path: Path, limits: dict[str, str], wanted: int | None
) -> None:
    whole = machine_bytes(tmp_path / "none", tmp_path / "none")
    assert machine_bytes(tmp_path, _groups(tmp_path, limits)) == (wanted or whole)
    assert whole > 10**8
