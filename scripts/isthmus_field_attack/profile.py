"""What a person looks like to strangers: how often somebody taken at random differs from them so and so much.

Somebody with a common name, or in a common town, is nearer to most people. Where a row was compared with rows that
nobody has named yet, this is all that a pair tells, and enough pairs tell something.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus_field_attack.book import BAND, DIGITS, STRANGERS, TEXT, WIDEST, Book
from isthmus_field_attack.kernels import Beliefs, Graph

Floats = NDArray[np.float32]

SAMPLE: Final = 300
_TEXT_BIN: Final = 8
_TRUST: Final = 0.7
"""Factor on what strangers tell: their differences are not independent."""


def bins_of(book: Book) -> NDArray[np.int64]:
    """Give for each part and difference its column, -1 where it tells nothing: int64, shape (parts, WIDEST)."""
    columns, used = np.full((len(book.kind), WIDEST), -1, np.int64), 0
    for part, kind in enumerate(book.kind.tolist()):
        if kind == BAND:
            continue
        possible = np.abs(book.rates[STRANGERS, part]).max(axis=1) > 0
        width = _TEXT_BIN if kind == TEXT and possible.sum() > _TEXT_BIN else 1
        # Equal values are a column of their own.
        column = np.where(np.arange(WIDEST) == 0, 0, 1 + np.arange(WIDEST) // width)
        columns[part] = np.where(possible, used + column, -1)
        used = int(columns.max()) + 1
    return columns


def profiles(book: Book, bins: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Give everybody's log of how much likelier each column is than with anybody: float32, shape (people, columns)."""
    people = len(book.in_left)
    sample = rng.permutation(people)[:SAMPLE]
    found = np.zeros((people, int(bins.max()) + 1), np.float32)
    everybody = np.arange(people)
    for part in range(len(book.kind)):
        columns = bins[part]
        if columns.max() < 0:
            continue
        counts = np.zeros((people, WIDEST), np.float32)
        for other in sample.tolist():
            expected = _expected(book, part, other)
            there = expected >= 0
            counts[everybody[there], expected[there]] += 1
        # Rates are of what is seen over what is seen of anybody: their mean over the sample is that of the person.
        ratio = counts @ np.exp(book.rates[STRANGERS, part]).T.astype(np.float32)
        ratio = (ratio + 3) / (counts.sum(axis=1, keepdims=True) + 3)
        for column in np.unique(columns[columns >= 0]):
            found[:, column] = np.log(ratio[:, columns == column].mean(axis=1))
    return found


def _expected(book: Book, part: int, other: int) -> NDArray[np.int64]:
    """Give what a pair with one person would show of everybody; as the left file has them."""
    kind, place = book.kind[part], book.place[part]
    if kind == TEXT:
        width, start = book.width[place], book.start[place]
        row = book.tables[start + book.right_text[place, other] * width :][:width]
        values = book.left_text[place]
        known = (values >= 0) & (book.right_text[place, other] >= 0)
        return np.where(known, row[values].astype(np.int64), -1)
    if kind == DIGITS:
        differ = book.left_digits[place] ^ book.right_digits[place, other]
        known = (book.left_digits[place] != np.uint64(2**64 - 1)) & (
            book.right_digits[place, other] != np.uint64(2**64 - 1)
        )
        differ |= differ >> np.uint64(1)
        differ |= differ >> np.uint64(2)
        count = np.bitwise_count(differ & np.uint64(0x1111111111111111)).astype(np.int64)
        return np.where(known, count, -1)
    ours, theirs = book.left_tags[place], book.right_tags[place, other]
    return np.where((ours >= 0) & (theirs >= 0), (ours == theirs).astype(np.int64), -1)


def counted(graph: Graph, beliefs: Beliefs, bins: NDArray[np.int64]) -> Floats:
    """Count for each unit what its pairs with units that nobody has named show: float32, shape (units, columns)."""
    units, columns = len(graph.rows), int(bins.max()) + 1
    owner = np.repeat(np.arange(units), np.diff(graph.first))
    weight = _TRUST * (1 - beliefs.weight[graph.other, 0])
    counts = np.zeros(units * columns, np.float32)
    for part in range(len(bins)):
        seen = graph.seen[graph.pair, part]
        column = np.where(seen >= 0, bins[part][np.maximum(seen, 0)], -1)
        there = column >= 0
        counts += np.bincount(owner[there] * columns + column[there], weight[there], units * columns).astype(np.float32)
    return counts.reshape(units, columns)
