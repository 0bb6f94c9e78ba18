"""How many rows our own attack recognises, for every profile, beside chance and with the seconds it took.

    .venv/bin/python benchmarks/audit.py
    .venv/bin/python benchmarks/audit.py --rows 2000 --profile hardened-1 --known 0 --known 100

The attacker has everybody's plaintext, free of errors, and lacks only the key: the worst case. People are synthetic,
in households that share last name and address (`scripts/isthmus_people`). `hardened-1+names` is `hardened-1` with the
table of first and last name. Of more than 2,000 rows a random 2,000 are attacked, against the whole list. A line is
printed when it is known, seconds without preparation; 20,000 rows of six tables take an hour and more.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from json import dumps
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_single_1
from isthmus.contract.profile import interop_1
from isthmus.node.audit.attack import AttackResult, Join, Study, carry_out, plan_attack, study_population, variants_of
from isthmus.node.audit.undiffuse import UNDIFFUSED, study_filters, undo_diffusion
from isthmus.node.audit.vectors import AnyProfile, Columns, EncodedTables, encode_tables
from isthmus.node.normalise.norm1 import normalise_column

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from isthmus_people.population import people, read_marginals

FIELDS: Final = (
    *("first_name", "middle_name", "last_name", "dob", "sex"),
    *("street_number", "street_name", "city", "zip"),
)
PROFILES: Final[dict[str, Callable[[], AnyProfile]]] = {
    "interop-1": lambda: interop_1(FIELDS),
    "hardened-single-1": lambda: hardened_single_1(FIELDS),
    "hardened-1": lambda: hardened_1(FIELDS),
    "hardened-1+names": lambda: hardened_1(FIELDS, name_table=True),
}


def make_columns(rows: int, *, seed: int) -> Columns:
    """So many synthetic people, shuffled, normalised."""
    rng = Random(f"audit/{seed}")
    drawn = list(islice(people(read_marginals(), rng), rows))
    rng.shuffle(drawn)
    return {field: normalise_column(field, [one[field] for one in drawn]).values for field in FIELDS}


def measure(name: str, rows: int, *, known: list[int], seed: int, joins: list[Join]) -> Iterator[AttackResult]:
    """Attack one profile in these ways."""
    rng, columns, profile = np.random.default_rng(seed), make_columns(rows, seed=seed), PROFILES[name]()
    encoded = encode_tables(columns, profile=profile, random_bytes=rng.bytes)
    study = study_population(columns, profile=profile, rng=rng)
    if Join.UNDIFFUSED in joins and isinstance(profile, HardenedProfile):
        yield from _undone(encoded, columns, study, profile=profile, known=known, rng=rng)
    for variant in variants_of(tuple(encoded)):
        if variant.join in joins:
            plan = plan_attack(study, variant, rng=rng)
            for count in known:
                yield carry_out(plan, study, encoded, known=count, rng=rng, timer=time.perf_counter)


def _undone(
    encoded: EncodedTables,
    columns: Columns,
    study: Study,
    *,
    profile: HardenedProfile,
    known: list[int],
    rng: np.random.Generator,
) -> Iterator[AttackResult]:
    started = time.perf_counter()
    undone = undo_diffusion(encoded, profile=profile, rng=rng, report=lambda _stage, _done, _total: None)
    spent = time.perf_counter() - started
    print(f"undoing diffusion: {undone.columns} of {undone.rank} columns, {spent:.0f} s", file=sys.stderr)
    if undone.filters is not None:
        knowledge = study_filters(columns, study, profile=profile, rng=rng)
        plan = plan_attack(knowledge, UNDIFFUSED, rng=rng)
        for count in known:
            yield carry_out(plan, knowledge, undone.filters, known=count, rng=rng, timer=time.perf_counter)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="percent of rows that our own attack recognises")
    parser.add_argument("--rows", type=int, action="append", help="how many people (default: 2000 and 20000)")
    parser.add_argument("--profile", action="append", choices=PROFILES, help="profile (default: every one)")
    parser.add_argument("--known", type=int, action="append", help="known people (default: 0, 20, 100, 400)")
    parser.add_argument(
        "--join", type=Join, action="append", choices=Join, help="how tables are used (default: all ways)"
    )
    parser.add_argument("--seed", type=int, default=1, help="same seed, same people and keys (default 1)")
    parser.add_argument("--json", action="store_true", help="print a JSON document a line")
    arguments = parser.parse_args()
    if not arguments.json:
        print(
            "| profile | rows | attack | known | right % | chance % | sure of | of these right | seconds |", flush=True
        )
        print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for rows in arguments.rows or [2000, 20_000]:
        for name in arguments.profile or PROFILES:
            known, joins = arguments.known or [0, 20, 100, 400], arguments.join or list(Join)
            for found in measure(name, rows, known=known, seed=arguments.seed, joins=joins):
                as_json = dumps({"profile": name, "rows": rows, **asdict(found)})
                print(as_json if arguments.json else _line(name, rows, found), flush=True)
    return 0


def _line(name: str, rows: int, found: AttackResult) -> str:
    return (
        f"| {name} | {rows:,} | {found.variant} | {found.known} | {found.percent:.2f} | {found.chance_percent:.3f} |"
        f" {found.claimed} | {found.claimed_right} | {found.seconds:.0f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
