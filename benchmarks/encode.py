"""Rows per second of every profile beside clkhash: same rows, one process each, one run.

    .venv/bin/python benchmarks/encode.py
    .venv/bin/python benchmarks/encode.py --rows 20000 --rows 100000 --json

Each measurement runs in a fresh interpreter, so that no cache of one helps the other and memory growth is its own.
`interop-1` has clkhash's schema and secret, and the outputs are compared: a run whose CLKs differ ends with an error.
The hardened profiles encode the same six columns into one table and into six; `hardened-1-wide` has telephone and
social security numbers besides, which makes fifteen tables, while the clkhash that it is held against encodes six
columns still. Hardened CLKs are taken slab by slab and dropped, as a node does that writes them out. People are made up
from a seed: names of syllables, drawn by Zipf's law, so that they repeat as names do.
"""

import argparse
import hashlib
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from clkhash.clk import generate_clks
from clkhash.schema import from_json_dict

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_single_1
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.secret import Secret
from isthmus.node.encode.hardened import RoundKeys, encode_hardened
from isthmus.node.encode.interop import encode_interop

SECRET: Final = b"a benchmark keeps no secrets"
SYLLABLES: Final = tuple(first + vowel for first in "bcdfghjklmnprstvwz" for vowel in "aeiou")
KEYS: Final = RoundKeys(encode=Secret(SECRET), diffusion=Secret(SECRET[::-1]))
FIELDS: Final = ("first_name", "last_name", "dob", "sex", "zip", "street_name", "phone", "ssn")
"""The standard fields that the columns of `make_columns` are."""

STREET_KINDS: Final = ("street", "avenue", "road", "lane", "drive", "court")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One encoder's run.

    `growth_mib` is how far the process's memory peak rose above the peak of making the columns, which stay in memory.
    """

    encoder: str
    rows: int
    seconds: float
    rows_per_second: float
    growth_mib: float
    digest: str


def schema_document() -> dict[str, object]:
    """Give a linkage schema as linkage projects use it: names, birth date, sex, postcode and street in 1024 bits."""
    bigrams, positional = {"type": "ngram", "n": 2}, {"type": "ngram", "n": 2, "positional": True}
    features = [
        _feature("first_name", {"type": "string"}, bigrams, 200),
        _feature("last_name", {"type": "string"}, bigrams, 200),
        _feature("dob", {"type": "date", "format": "%Y-%m-%d"}, positional, 200),
        _feature("sex", {"type": "enum", "values": ["F", "M", "X"]}, {"type": "exact"}, 40),
        _feature("zip", {"type": "string", "pattern": "[0-9]{5}"}, positional, 100),
        _feature("street", {"type": "string"}, bigrams, 100),
    ]
    kdf = {"type": "HKDF", "hash": "SHA256", "keySize": 64}
    return {"version": 3, "clkConfig": {"l": 1024, "kdf": kdf}, "features": features}


def _feature(name: str, form: dict[str, object], comparison: dict[str, object], bits: int) -> dict[str, object]:
    hashing = {"comparison": comparison, "strategy": {"bitsPerFeature": bits}, "hash": {"type": "blakeHash"}}
    return {"identifier": name, "format": form, "hashing": hashing}


def make_columns(rows: int, *, seed: int) -> list[list[str]]:
    """Give the columns of so many made-up people: those of the schema in its order, then telephone and number."""
    rng = np.random.default_rng(seed)
    first_names, last_names = _names(rng, 3_000, syllables=2), _names(rng, 30_000, syllables=3)
    streets, zips = _names(rng, 5_000, syllables=2), [f"{code:05d}" for code in rng.integers(10_000, 99_999, 800)]
    birth_days = rng.integers(0, 80 * 365, rows)
    numbers, kinds = rng.integers(1, 2_000, rows), rng.choice(STREET_KINDS, rows)
    return [
        _zipf_choice(rng, first_names, rows),
        _zipf_choice(rng, last_names, rows),
        [(date(1940, 1, 1) + timedelta(days=int(day))).isoformat() for day in birth_days],
        rng.choice(["F", "M", "X"], rows, p=[0.5, 0.49, 0.01]).tolist(),
        _zipf_choice(rng, zips, rows),
        [
            f"{number} {name} {kind}"
            for number, name, kind in zip(numbers, _zipf_choice(rng, streets, rows), kinds, strict=True)
        ],
        [f"{number:010d}" for number in rng.integers(2 * 10**9, 10**10, rows).tolist()],
        [f"{number:09d}" for number in rng.integers(10**6, 9 * 10**8, rows).tolist()],
    ]


def _names(rng: np.random.Generator, count: int, *, syllables: int) -> list[str]:
    drawn = rng.choice(SYLLABLES, (2 * count, syllables))
    return list(dict.fromkeys("".join(parts) for parts in drawn))[:count]


def _zipf_choice(rng: np.random.Generator, names: list[str], rows: int) -> list[str]:
    weights = 1 / np.arange(1, len(names) + 1)
    return [names[index] for index in rng.choice(len(names), rows, p=weights / weights.sum())]


def _by_interop(columns: list[list[str]]) -> bytes:
    clks = encode_interop(columns[:6], schema=parse_linkage_schema(schema_document()), secret=SECRET)
    return hashlib.sha256(clks.data).digest()


def _by_clkhash(columns: list[list[str]]) -> bytes:
    rows, schema = list(zip(*columns[:6], strict=True)), from_json_dict(schema_document())
    clks = generate_clks(rows, schema, SECRET, max_workers=1)
    return hashlib.sha256(b"".join(clk.tobytes() for clk in clks)).digest()


def _by_tables(columns: list[list[str]], profile: HardenedProfile) -> bytes:
    seen = hashlib.sha256()
    ordered = [columns[FIELDS.index(field)] for field in profile.fields]
    for found in encode_hardened(ordered, profile=profile, keys=KEYS):
        seen.update(found.clks.data)
    return seen.digest()


ENCODERS: Final[dict[str, Callable[[list[list[str]]], bytes]]] = {
    "clkhash": _by_clkhash,
    "interop-1": _by_interop,
    "hardened-single-1": lambda columns: _by_tables(columns, hardened_single_1(FIELDS[:6])),
    "hardened-1": lambda columns: _by_tables(columns, hardened_1(FIELDS[:6])),
    "hardened-1-wide": lambda columns: _by_tables(columns, hardened_1(FIELDS)),
}
"""Each encodes columns and gives SHA-256 over what comes out."""


def measure(encoder: str, rows: int) -> Measurement:
    """Encode made-up people in a fresh process and give what it took."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure_here, (encoder, rows))


def _measure_here(encoder: str, rows: int) -> Measurement:
    columns, encode = make_columns(rows, seed=rows), ENCODERS[encoder]
    # First calls are not what is measured.
    encode([column[:10] for column in columns])
    before = _peak_mib()
    started = time.perf_counter()
    digest = encode(columns)
    seconds = time.perf_counter() - started
    return Measurement(
        encoder=encoder,
        rows=rows,
        seconds=seconds,
        rows_per_second=rows / seconds,
        growth_mib=_peak_mib() - before,
        digest=digest.hex(),
    )


def _peak_mib() -> float:
    # Linux counts in KiB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> int:
    """Measure, print, and give 1 where the CLKs of clkhash and `interop-1` differ."""
    parser = argparse.ArgumentParser(description="rows per second of the encoder beside clkhash")
    parser.add_argument("--rows", type=int, action="append", help="how many people (default: 20000 and 100000)")
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    arguments = parser.parse_args()
    sizes = arguments.rows or [20_000, 100_000]
    found = [measure(encoder, rows) for rows in sizes for encoder in ENCODERS]
    print(json.dumps([asdict(each) for each in found], indent=2) if arguments.json else _table(found))
    clks = {(each.encoder, each.rows): each.digest for each in found}
    return 0 if all(clks["clkhash", rows] == clks["interop-1", rows] for rows in sizes) else 1


def _table(found: list[Measurement]) -> str:
    slowest = {each.rows: each.rows_per_second for each in found if each.encoder == "clkhash"}
    lines = [f"{'rows':>9}  {'encoder':<17} {'seconds':>8} {'rows/s':>10} {'ratio':>6} {'peak growth':>12}  CLK digest"]
    lines += [
        f"{each.rows:>9,}  {each.encoder:<17} {each.seconds:>8.2f} {each.rows_per_second:>10,.0f}"
        f" {each.rows_per_second / slowest[each.rows]:>5.1f}x {each.growth_mib:>8.0f} MiB  {each.digest[:16]}"
        for each in found
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
