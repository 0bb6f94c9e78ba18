"""What keyed blocks find, and what the buckets of one file, and of two, give away, at several sizes.

    .venv/bin/python benchmarks/block_leakage.py --rows 20000 100000

Two files of made-up people in households, 40 % in common, heavily damaged (no twins among them); buckets of each key:
rows / 50. Printed are the share of true pairs that meet in a bucket, and:

1. of one file, sizes of buckets beside Poisson's law, which sizes of a random function follow; what a large bucket
   could tell is how many rows share one combination, so the commonest one is beside it;
2. of one file, pairs of rows that share two buckets or more: how many, how many chance makes, and what they are;
3. of one and of both, which part of the rows is singled out for somebody who knows every value, errors included, and
   lacks the key, by colours of Weisfeiler and Leman (1968). `at most`: as if he could tell rows that share values from
   those that share a bucket by chance. `as seen`: edges are pairs that share two buckets, or three, whichever serves
   him better in one to three rounds; counted are rows with a colour of their own which their own values lead to
   expect, in brackets those to which he would give another person's. Without blocks no tags of one file are equal;
   between two files the distinct ones are.

`--born-within 13` moves years of birth into so many, as of the pupils of a district, who share more values.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import tag_words
from isthmus.contract.hardened import HARDENED_1
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.match_keys import DATE_DIGITS
from isthmus.node.encode.buckets import BucketEncoder, bucket_numbers

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.match_keys import FIELDS, PROFILES, SECRET, Columns, edges_of, kept, make_files, mixed, tags_of

BLOCK_KEYS: Final = ("first-birth", "last-birth", "names-year", "stems-month_day")
HOME: Final = ("last_name", "street_number", "zip")
"""Fields that the people of a household have in common."""

FIRST_YEAR: Final = 2000
ROWS_OF_BUCKET: Final = 50
SHARED: Final = (2, 3)
"""How many buckets a pair has to share to be an edge."""

LOOKED_AT: Final = 3
"""Rounds of refinement that are tried."""

_DRAWS: Final = 50

Words = NDArray[np.uint64]
Edges = NDArray[np.int64]
"""Pairs of rows, shape (pairs, 2), the first row below the second."""


def combinations_of(columns: Columns, blocks: Blocks) -> tuple[Words, Words]:
    """Give of each row and block key the combination of values, and the bucket: shape (keys, rows), 0 for none."""
    tags = BucketEncoder(blocks, fields=FIELDS, key=SECRET).tags([columns[field] for field in FIELDS])
    return tag_words(tags), bucket_numbers(tags, buckets=blocks.buckets).T.astype(np.uint64)


def equal_pairs(values: Words) -> Edges:
    """Give all pairs of rows with one value, 0 apart."""
    order = np.argsort(values, kind="stable")
    ranked, found = values[order], [np.empty((0, 2), np.int64)]
    for apart in range(1, len(values)):
        equal = np.flatnonzero((ranked[apart:] == ranked[:-apart]) & (ranked[apart:] != 0))
        if not len(equal):
            break
        found.append(np.stack([order[equal], order[equal + apart]], axis=1))
    return np.sort(np.concatenate(found), axis=1)


def sharing(values: Words, least: int) -> list[Edges]:
    """Give, for every so many keys, the pairs of rows that share the values of all of them."""
    return [equal_pairs(_joined(some)) for some in combinations(values, least)]


def _joined(values: Sequence[Words]) -> Words:
    """Give one number for the values of several keys, 0 where one of them is 0."""
    total = np.zeros(len(values[0]), np.uint64)
    for place, of_key in enumerate(values, start=1):
        total += mixed(of_key, place)
    return np.where(np.all([of_key != 0 for of_key in values], axis=0), total, np.uint64(0))


def colours(edges: Sequence[Edges], file_of_row: Words, *, rounds: int) -> Words:
    """Give each row a colour by its file and by how many neighbours of which colour it has under each label."""
    colour = file_of_row
    for _ in range(rounds):
        spread, refined = mixed(colour, 0), mixed(colour, 0)
        for place, pairs in enumerate(edges, start=1):
            total = np.zeros(len(colour), np.uint64)
            np.add.at(total, pairs[:, 0], spread[pairs[:, 1]])
            np.add.at(total, pairs[:, 1], spread[pairs[:, 0]])
            refined += mixed(total, place)
        colour = refined
    return colour


def alone(colour: Words) -> NDArray[np.bool_]:
    """Say which rows have a colour of their own."""
    _, place, counts = np.unique(colour, return_inverse=True, return_counts=True)
    return np.asarray(counts[place] == 1)


def at_most(edges: Sequence[Edges], file_of_row: Words) -> float:
    """Give the percent of rows that have a colour of their own."""
    return 100 * float(alone(colours(edges, file_of_row, rounds=LOOKED_AT)).mean())


def as_seen(numbers: Words, combos: Words, file_of_row: Words, *, beside: Sequence[Edges] = ()) -> tuple[float, float]:
    """Give the percent of rows given to the right person, and to a wrong one, in the best way to look at it.

    `beside` are edges that are no buckets and without chance.
    """
    ways = [([*beside, *sharing(numbers, least)], [*beside, *sharing(combos, least)]) for least in SHARED]
    return max(_recognised(*way, file_of_row, rounds) for way in ways for rounds in range(1, LOOKED_AT + 1))


def _recognised(
    seen: Sequence[Edges], expected: Sequence[Edges], file_of_row: Words, rounds: int
) -> tuple[float, float]:
    observed, predicted = (colours(one, file_of_row, rounds=rounds) for one in (seen, expected))
    told, known = alone(observed), alone(predicted)
    right = told & known & (observed == predicted)
    wrong = told & ~right & np.isin(observed, predicted[known])
    return 100 * float(right.mean()), 100 * float(wrong.mean())


def _sizes(combos: Words, numbers: Words, blocks: Blocks) -> Iterator[str]:
    rng, buckets = np.random.default_rng(1), blocks.buckets
    for key, values, of_key in zip(blocks.keys, combos, numbers, strict=True):
        sizes = np.bincount(of_key[of_key != 0].astype(np.int64) - 1, minlength=buckets)
        mean = sizes.mean()
        largest = float(np.mean([rng.poisson(mean, buckets).max() for _ in range(_DRAWS)]))
        met, counts = np.unique(values[values != 0], return_counts=True)
        commonest = of_key[values == met[counts.argmax()]][0]
        order = int((sizes > sizes[int(commonest) - 1]).sum()) + 1
        yield (
            f"  {key}: mean {mean:.1f}, variance / mean {sizes.var() / mean:.3f} (Poisson 1), smallest {sizes.min()},"
            f" largest {sizes.max()} (Poisson {largest:.0f}); commonest values in {counts.max()} rows, whose bucket is"
            f" number {order:,} of {buckets:,} by size; rows whose values others share {100 * _shared(values):.1f} %"
        )


def _shared(values: Words) -> float:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return float(((counts[place] > 1) & (values != 0)).mean())


def _pairs(columns: Columns, combos: Words, numbers: Words, blocks: Blocks) -> Iterator[str]:
    rows, keys = len(numbers[0]), len(blocks.keys)
    codes = _codes(sharing(numbers, 2), rows)
    pairs = np.stack([codes // rows, codes % rows], axis=1)
    buckets, values = (_in_common(pairs, of_keys) for of_keys in (numbers, combos))
    home = np.unique(
        ["|".join(one) for one in zip(*(columns[field] for field in HOME), strict=True)], return_inverse=True
    )[1]
    household = home[pairs[:, 0]] == home[pairs[:, 1]]
    for least in range(2, keys + 1):
        some, chance = buckets >= least, rows**2 / 2 * comb(keys, least) / blocks.buckets**least
        yield (
            f"  pairs that share {least} buckets or more: {some.sum():,}, chance {chance:,.1f}; sharing the values of"
            f" {least} keys or more {(values[some] >= least).sum():,}, of any {(values[some] >= 1).sum():,}; of one"
            f" household {household[some].sum():,}"
        )


def _in_common(pairs: Edges, of_keys: Words) -> NDArray[np.int64]:
    """Give of how many keys each pair has the same."""
    left, right = of_keys[:, pairs[:, 0]], of_keys[:, pairs[:, 1]]
    return np.asarray(((left == right) & (left != 0)).sum(axis=0))


def _codes(edges: Sequence[Edges], rows: int) -> NDArray[np.int64]:
    """Give each pair once, as one number."""
    return np.unique(np.concatenate([pairs[:, 0] * rows + pairs[:, 1] for pairs in edges]))


def _one_file(columns: Columns, blocks: Blocks) -> Iterator[str]:
    combos, numbers = combinations_of(columns, blocks)
    one_file = np.zeros(combos.shape[1], np.uint64)
    yield from _sizes(combos, numbers, blocks)
    yield from _pairs(columns, combos, numbers, blocks)
    most = at_most([equal_pairs(values) for values in combos], one_file)
    right, wrong = as_seen(numbers, combos, one_file)
    yield f"  singled out in one file: at most {most:.2f} %, as seen {right:.2f} % ({wrong:.2f} %)"


def _two_files(files: Sequence[Columns], blocks: Blocks) -> Iterator[str]:
    (left, of_left), (right, of_right) = (combinations_of(one, blocks) for one in files)
    combos, numbers = np.hstack([left, right]), np.hstack([of_left, of_right])
    file_of_row = np.repeat(np.array([0, 1], np.uint64), [left.shape[1], right.shape[1]])
    tags = [kept(tags_of(one, PROFILES[HARDENED_1])) for one in files]
    second = np.array([0, left.shape[1]])
    between = [edges_of(*both) + second for both in zip(*tags, strict=True)]
    most = at_most([*between, *(equal_pairs(values) for values in combos)], file_of_row)
    right_ones, wrong = as_seen(numbers, combos, file_of_row, beside=between)
    yield f"  singled out in two files, by tags alone: {at_most(between, file_of_row):.2f} %"
    yield f"  singled out in two files, with blocks: at most {most:.2f} %, as seen {right_ones:.2f} % ({wrong:.2f} %)"
    blocks_alone = as_seen(numbers, combos, file_of_row)
    yield f"  the same without tags, as in hardened-single-1: as seen {blocks_alone[0]:.2f} % ({blocks_alone[1]:.2f} %)"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="what keyed blocks find and give away")
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000], help="rows of each file")
    parser.add_argument("--keys", nargs="+", default=BLOCK_KEYS, help="block keys")
    parser.add_argument("--born-within", type=int, help="all people are born within so many years")
    parser.add_argument("--seed", type=int, default=3, help="another seed makes other people")
    arguments = parser.parse_args()
    for rows in arguments.rows:
        files, match = make_files(rows, arguments.seed)
        files = [_within(one, arguments.born_within) for one in files]
        blocks = Blocks(keys=tuple(arguments.keys), buckets=rows // ROWS_OF_BUCKET)
        print(
            f"{rows:,} rows a file, {blocks.buckets:,} buckets a key; years of birth: {arguments.born_within or 'all'}"
        )
        print(f"  true pairs in a common bucket {_found(files, match, blocks):.2f} %")
        for line in (*_one_file(files[0], blocks), *_two_files(files, blocks)):
            print(line, flush=True)
    return 0


def _within(columns: Columns, years: int | None) -> Columns:
    """Give the people with their years of birth moved into so many; a damaged date stays."""
    if years is None:
        return columns
    moved = [_moved(born, years) if len(born) == DATE_DIGITS else born for born in columns["dob"]]
    return {**columns, "dob": moved}


def _moved(born: str, years: int) -> str:
    return f"{FIRST_YEAR + int(born[:4]) % years}{born[4:]}" if born[:4].isdigit() else born


def _found(files: Sequence[Columns], match: NDArray[np.int64], blocks: Blocks) -> float:
    """Give the percent of the true pairs that share a bucket."""
    (_, left), (_, right) = (combinations_of(one, blocks) for one in files)
    there = left[:, match >= 0]
    return 100 * float(((there == right[:, match[match >= 0]]) & (there != 0)).any(axis=0).mean())


if __name__ == "__main__":
    sys.exit(main())
