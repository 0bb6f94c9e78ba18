"""What match keys find, and what the pattern of equal tags between two files gives away, at several sizes.

    .venv/bin/python benchmarks/match_keys.py --rows 6000 20000 100000
    .venv/bin/python benchmarks/match_keys.py --rows 6000 20000 --profile hardened-2

Two files of made-up people in households, 40 % in common, heavily damaged. For each match key: the share of rows whose
tag leaves as it is, the pairs of rows that share it, and the share of the true pairs that it finds. Last: which part of
the rows the pattern singles out. An attacker is assumed who knows every value of both files, errors included, and lacks
the key; rows are told apart by colours of Weisfeiler and Leman (1968) on the graph whose edges are equal tags, labelled
by key. `kept` is what leaves; `all tags` what would leave if repeated ones did too.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import tag_words
from isthmus.contract.hardened import HARDENED_1, HARDENED_2, HardenedProfile, hardened_1, hardened_2
from isthmus.contract.secret import Secret
from isthmus.node.encode.hardened import RoundKeys
from isthmus.node.encode.match_keys import MatchKeyEncoder
from isthmus.node.encode.repeated_tags import repeated_words
from isthmus.node.normalise import normalise_column

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from isthmus_people.corrupt import HEAVY_DAMAGE, corrupt
from isthmus_people.population import write_people

FIELDS: Final = (
    *("first_name", "middle_name", "last_name", "dob", "sex"),
    *("street_number", "street_name", "city", "zip"),
)
SECRET: Final = Secret(b"a benchmark keeps no secrets")
PROFILES: Final = {HARDENED_1: hardened_1(FIELDS), HARDENED_2: hardened_2(FIELDS)}
ROUNDS: Final = 3

Words = NDArray[np.uint64]
Edges = NDArray[np.int64]
Columns = Mapping[str, list[str]]


def make_files(rows: int, seed: int) -> tuple[Sequence[Columns], NDArray[np.int64]]:
    """Give the columns of two files, and for each row of the first the row of its person in the second, -1 for none."""
    rng = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        *paths, truth_path = write_people(Path(folder) / "p", rows=rows, providers=2, overlap=0.4, seed=seed)
        person = {(one["holder"], one["rec_id"]): one["entity_id"] for one in _read(truth_path)}
        files = [_read(path) for path in paths]
    people = [[person[path.stem, one["rec_id"]] for one in file] for path, file in zip(paths, files, strict=True)]
    columns = [_normalised([corrupt(row, HEAVY_DAMAGE, rng) for row in file]) for file in files]
    place = {name: row for row, name in enumerate(people[1])}
    return columns, np.array([place.get(name, -1) for name in people[0]])


def _normalised(rows: Sequence[Mapping[str, str]]) -> Columns:
    return {field: normalise_column(field, [row[field] for row in rows]).values for field in FIELDS}


def tags_of(columns: Columns, profile: HardenedProfile) -> Words:
    """Give the first words of all tags of a file, shape (match keys, rows)."""
    keys = RoundKeys(encode=SECRET, diffusion=SECRET, match=SECRET)
    return tag_words(MatchKeyEncoder(profile, keys).encode([columns[field] for field in profile.fields]))


def kept(words: Words) -> Words:
    """Give the tags with 0 for those that several rows have."""
    return np.stack([np.where(np.isin(row, repeated_words([row])), np.uint64(0), row) for row in words])


def edges_of(left: Words, right: Words) -> Edges:
    """Give the pairs of rows with equal tags of one match key, shape (pairs, 2)."""
    order = np.argsort(right, kind="stable")
    ranked = right[order]
    first, last = np.searchsorted(ranked, left, "left"), np.searchsorted(ranked, left, "right")
    counts = np.where(left == 0, 0, last - first)
    rows = np.repeat(np.arange(len(left)), counts)
    at = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(len(rows))
    return np.stack([rows, order[at]], axis=1)


def singled_out(edges: Sequence[Edges], sizes: tuple[int, int]) -> tuple[float, float]:
    """Give which percent of the rows have a colour of their own, and which percent guessing by colour gets right."""
    colour = np.repeat(np.array([0, 1], np.uint64), sizes)
    for _ in range(ROUNDS):
        spread, refined = mixed(colour, 0), mixed(colour, 0)
        for place, pairs in enumerate(edges, start=1):
            total = np.zeros(len(colour), np.uint64)
            left, right = pairs[:, 0], pairs[:, 1] + sizes[0]
            np.add.at(total, left, spread[right])
            np.add.at(total, right, spread[left])
            refined += mixed(total, place)
        colour = refined
    _, counts = np.unique(colour, return_counts=True)
    return 100 * float(np.count_nonzero(counts == 1)) / len(colour), 100 * len(counts) / len(colour)


def mixed(values: Words, salt: int) -> Words:
    """Spread 64-bit numbers; the finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    value = values + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)))


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _measure(rows: int, seed: int, profile: HardenedProfile) -> Iterator[str]:
    columns, match = make_files(rows, seed)
    true = np.count_nonzero(match >= 0)
    for name, leaving in (("all tags", lambda words: words), ("kept", kept)):
        left, right = (leaving(tags_of(one, profile)) for one in columns)
        edges, found = [edges_of(*both) for both in zip(left, right, strict=True)], np.zeros(len(match), np.bool_)
        for key, pairs, tags in zip(profile.match_key_names, edges, left, strict=True):
            hits = pairs[match[pairs[:, 0]] == pairs[:, 1], 0]
            found[hits] = True
            yield (
                f"{rows:,} | {name} | {key} | {np.mean(tags != 0):.3f} | {len(pairs):,} | {len(hits) / true:.4f}"
                f" | {np.count_nonzero(found) / true:.4f} | | "
            )
        alone, guessed = singled_out(edges, (len(match), right.shape[1]))
        share = np.count_nonzero(found) / true
        yield f"{rows:,} | {name} | every key | | | | {share:.4f} | {alone:.2f} | {guessed:.2f}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="what match keys find and give away")
    parser.add_argument("--rows", type=int, nargs="+", default=[6_000, 20_000, 100_000], help="rows of each file")
    parser.add_argument("--seed", type=int, default=3, help="another seed makes other people")
    parser.add_argument("--profile", choices=list(PROFILES), default=HARDENED_1, help="whose match keys")
    arguments = parser.parse_args()
    print("rows | tags | match key | leave | pairs | finds | so far | singled out % | guessed %")
    print("---|---|---|---|---|---|---|---|---")
    for rows in arguments.rows:
        for line in _measure(rows, arguments.seed, PROFILES[arguments.profile]):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
