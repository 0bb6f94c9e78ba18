"""Bands: every count has one, and no band tells a small count from another."""

import pytest

from isthmus.contract.bands import band


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0"),
        (1, "1-9"),
        (9, "1-9"),
        (10, "10-49"),
        (49, "10-49"),
        (50, "50-99"),
        (99, "50-99"),
        (100, "100-499"),
        (499, "100-499"),
        (500, "500-999"),
        (1_000, "1000-4999"),
        (123_456, "100000-499999"),
    ],
)
def test_band_of_a_count_is_as_documented(count: int, expected: str) -> None:
    assert band(count) == expected


def test_band_of_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        band(-1)
