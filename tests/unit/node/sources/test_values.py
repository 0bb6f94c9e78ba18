"""The text of values that are no text."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from isthmus.node.sources.values import column_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  Ana ", "Ana"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (-12, "-12"),
        (7.0, "7"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1e20, "100000000000000000000"),
        (float("nan"), ""),
        (float("inf"), ""),
        (Decimal("1.50"), "1.5"),
        (Decimal("7.00"), "7"),
        (Decimal("1E+3"), "1000"),
        (Decimal(100), "100"),
        (Decimal("-0.0"), "0"),
        (Decimal("NaN"), ""),
        (date(2001, 2, 3), "2001-02-03"),
        (date(812, 2, 3), "0812-02-03"),
        (datetime(2001, 2, 3), "2001-02-03"),  # noqa: DTZ001 - sources give times without a zone
        (datetime(2001, 2, 3, 4, 5, 6), "2001-02-03T04:05:06"),  # noqa: DTZ001
        (datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC), "2001-02-03T04:05:06+00:00"),
        (time(4, 5, 6), "04:05:06"),
        (UUID("12345678123456781234567812345678"), "12345678-1234-5678-1234-567812345678"),
    ],
)
def test_value_has_exactly_this_text(value: object, text: str) -> None:
    column = column_text([value])

    assert column.texts == [text]
    assert column.refused == ()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"Ana", "bytes"),
        (bytearray(b"Ana"), "bytes"),
        (memoryview(b"Ana"), "bytes"),
        (timedelta(1), "duration"),
        (["Ana"], "list"),
        ({"Ana": 1}, "structure"),
    ],
)
def test_value_without_text_form_is_empty_and_its_kind_named(value: object, kind: str) -> None:
    column = column_text(["Bo", value])

    assert column.texts == ["Bo", ""]
    assert column.refused == (kind,)


def test_numbers_are_counted_and_truth_values_are_none() -> None:
    assert column_text([1, 2.5, Decimal(3), True, "4", None]).numbers == 3
