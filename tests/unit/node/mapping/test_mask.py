"""Masks: the shape of values and nothing of what they are."""

import pytest

from isthmus.node.mapping.mask import common_shapes, mask_value


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        ("García", "Xxxxxx"),
        ("Garci\u0301a", "Xxxxxx"),
        ("2001-02-03", "9999-99-99"),
        ("(617) 555-0100", "(999) 999-99 (12+)"),
        ("O'Brien", "X'Xxxxx"),
        ("M", "X"),
        ("q", "x"),
        ("7", "9"),
        ("王小明", "xxx"),
        ("٣", "9"),
        ("  Ana ", "Xxx"),
        ("Wolfeschlegelsteinhausen", "Xxxxxxxxxxxx (12+)"),
        ("abcdefghijkl", "xxxxxxxxxxxx"),
        ("a\nb\ufffd", "x?x?"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_value_has_this_mask(value: str, mask: str) -> None:
    assert mask_value(value) == mask


def test_shapes_are_the_commonest_and_of_blanks_there_are_none() -> None:
    values = ["02139", "", "Ana", "2139", "02140", "x", "02141", "2140", " "]

    assert common_shapes(values) == ("99999", "9999", "Xxx")
