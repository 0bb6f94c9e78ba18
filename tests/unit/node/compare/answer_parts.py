"""Rows of two made-up providers, and answers of both for pairs of them."""

import os
from collections.abc import Sequence

import numpy as np

from isthmus.contract.comparison import Comparison
from isthmus.contract.ids import PartyId, RandomBytes
from isthmus.contract.secret import Secret
from isthmus.node.compare.answers import Answers, Bytes, Side
from isthmus.node.compare.pads import PadKeys, consecutive
from isthmus.node.compare.row_fields import Column, read_row_fields

COMPARE, PAD = Secret(b"c" * 32), Secret(b"p" * 32)
KEYS = PadKeys(pad=PAD, left=PartyId("riverside"), right=PartyId("college"))
Columns = dict[str, Column]


def columns_of(fields: Sequence[str], people: Sequence[Sequence[str]]) -> Columns:
    """Give columns by field of rows of values."""
    return {field: [person[place] for person in people] for place, field in enumerate(fields)}


def answer(
    columns: Columns,
    comparison: Comparison,
    rows: Sequence[int],
    *,
    side: Side,
    first: int = 0,
    random_bytes: RandomBytes = os.urandom,
) -> Bytes:
    """Give one side's answers for pairs from `first` on."""
    fields = read_row_fields(columns, comparison, compare=COMPARE, pad=PAD)
    answers = Answers(comparison=comparison, rows=fields, keys=KEYS, side=side, random_bytes=random_bytes)
    return answers.of(np.array(rows, np.uint32), numbers=consecutive(first, len(rows)))
