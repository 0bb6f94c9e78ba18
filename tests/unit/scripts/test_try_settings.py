"""`scripts/try`: by which profile it encodes where nobody says."""

import pytest
from isthmus_local.demo import SETTINGS
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
