"""`scripts/try`: by which profile it encodes where nobody says."""

from pathlib import Path

import pytest
from isthmus_local.demo import SETTINGS
from isthmus_local.local_round import LocalProvider, with_planted
from isthmus_local.try_files import _settings


@pytest.mark.parametrize(
    ("given", "threshold", "expected"),
    [
        (None, None, "hardened-2"),
        (None, "0.6", "hardened-1"),
        ("hardened-1", None, "hardened-1"),
        ("interop-1", "0.85", "interop-1"),
    ],
)
def test_wide_keys_are_the_default_only_where_fields_are_compared(
    given: str | None, threshold: str | None, expected: str
) -> None:
    settings = _settings("try-out", profile=given, accept="balanced", threshold=threshold, encoder="isthmus")

    assert settings.profile == expected
    assert (settings.comparison is None) == (threshold is not None)


def test_demonstration_compares_fields_of_pairs_found_by_wide_keys() -> None:
    assert SETTINGS.profile == "hardened-2"
    assert SETTINGS.comparison is not None


@pytest.mark.parametrize(("rows", "planted"), [(599, 0), (600, 30), (1_019, 50), (9_000, 450), (1_000_000, 500)])
def test_one_person_is_planted_for_twenty_rows_of_the_smallest_file_where_recall_follows(
    rows: int, planted: int
) -> None:
    files = [_file(rows), _file(2_000_000)]

    settings = with_planted(SETTINGS, files)

    assert settings.comparison is not None
    assert settings.comparison.planted == planted


def test_nobody_is_planted_where_no_fields_are_compared() -> None:
    settings = _settings("try-out", profile=None, accept="balanced", threshold="0.8", encoder="isthmus")

    assert with_planted(settings, [_file(5_000), _file(5_000)]) == settings


def _file(rows: int) -> LocalProvider:
    return LocalProvider(
        party="p", name="P", kind="programme", file=Path("p.csv"), id_column="id", columns={}, rows=rows
    )
