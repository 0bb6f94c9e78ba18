"""How many rows our own attack on field comparison names, beside guessing and beside the attack on encodings alone.

    .venv/bin/python benchmarks/field_attack.py --rows 2000
    .venv/bin/python benchmarks/field_attack.py --rows 2000 --list own --known 20 --random-pairs 500

The attacker is a coordinator that follows the protocol, keeps all it gets, and has no key. It has a list of everybody
in two files, `exact` (as they were filed, errors included) or its `own` (with errors of its own), and knows which rows
some people are. It uses what field comparison shows of every pair that was compared: the modules are in
`scripts/isthmus_field_attack`. Rows of known people do not count. *Claimed* are rows that it is sure of by 90 %.

Other terms are tried by `--slots`, `--random-pairs` (so many random pairs are answered by both sides, of the rest the
coordinator has one side, which tells it nothing), `--no-bands`, `--bits` and `--seen` (as if answers told only levels,
or only whether values are equal). `--first-stage` attacks the encodings of the first file instead, as `audit.py` does.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import hardened_1
from isthmus.node.audit.attack import carry_out, plan_attack, study_population, variants_of
from isthmus.node.audit.vectors import encode_tables

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
# The attack lives with the scripts, which are no package.
from isthmus_field_attack.book import Sight
from isthmus_field_attack.recognise import CLAIM, Names, attackers_list, recognise
from isthmus_field_attack.scene import Files, Knowledge, Terms, hold_round, make_files

ALL: Final = (
    *("first_name", "middle_name", "last_name", "dob", "sex"),
    *("street_number", "street_name", "city", "zip", "state", "phone", "ssn"),
)
Rows = NDArray[np.int64]
FIELDS: Final = {12: ALL, 9: ALL[:9], 5: ("first_name", "last_name", "dob", "sex", "zip")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One attack on rows that nobody knew: how many got the right one of `people`, and how many of the sure ones."""

    attack: str
    rows: int
    known: int
    pairs: int
    attacked: int
    right: int
    claimed: int
    claimed_right: int
    people: int
    seconds: float

    @property
    def percent(self) -> float:
        """Share of the attacked rows that were named rightly, in percent."""
        return 100 * self.right / self.attacked

    @property
    def sure_percent(self) -> float:
        """Share of the claims that are right, in percent."""
        return 100 * self.claimed_right / self.claimed if self.claimed else 0.0


def attack_fields(files: Files, terms: Terms, asked: argparse.Namespace) -> Iterator[Result]:
    """Run the round once, and attack what the coordinator holds of it with each list and number of known people."""
    held = hold_round(files, terms, seed=asked.seed, report=_say)
    pairs = len(held.requests)
    _say(f"{pairs} pairs, {held.requests.candidate.sum()} of them candidates, {len(held.linked)} links")
    for knowledge in asked.list or list(Knowledge):
        people = attackers_list(files, knowledge)
        for count in asked.known:
            rng, started = np.random.default_rng(asked.seed), time.perf_counter()
            chosen = rng.permutation(len(people.inside[0]))[:count]
            left, right = (np.where(np.isin(of, chosen), of, -1) for of in files.person)
            known = (left, right)
            names = recognise(held, people, knowledge=knowledge, known=known, sight=asked.seen, rng=rng, report=_say)
            yield Result(
                attack=f"fields, {knowledge} list",
                rows=len(files.person[0]),
                known=count,
                pairs=pairs,
                **counts_of(files, names, known),
                people=len(people.inside[0]) - count,
                seconds=time.perf_counter() - started,
            )


def counts_of(files: Files, names: Names, known: tuple[Rows, Rows]) -> dict[str, int]:
    """Count the rows that nobody knew, those named rightly, and those that the attacker is sure of."""
    unknown = np.concatenate(known) < 0
    right = (np.concatenate(names.person) == np.concatenate(files.person))[unknown]
    sure = (np.concatenate(names.probability) >= CLAIM)[unknown]
    counts = {"attacked": unknown, "right": right, "claimed": sure, "claimed_right": right & sure}
    return {name: int(np.count_nonzero(of)) for name, of in counts.items()}


def attack_encodings(files: Files, asked: argparse.Namespace) -> Iterator[Result]:
    """Attack the first file's encodings alone, all tables joined, by a list without errors: `benchmarks/audit.py`."""
    columns, rng = files.columns[0], np.random.default_rng(asked.seed)
    profile = hardened_1(tuple(columns))
    encoded = encode_tables(columns, profile=profile, random_bytes=rng.bytes)
    study = study_population(columns, profile=profile, rng=rng)
    plan = plan_attack(study, tuple(variants_of(tuple(encoded)))[-1], rng=rng)
    for count in asked.known:
        _say(f"encodings, {count} known")
        found = carry_out(plan, study, encoded, known=count, rng=rng, timer=time.perf_counter)
        yield Result(
            attack="encodings, exact list",
            rows=len(files.person[0]),
            known=count,
            pairs=0,
            attacked=found.attacked,
            right=found.right,
            claimed=found.claimed,
            claimed_right=found.claimed_right,
            people=found.candidates,
            seconds=found.seconds,
        )


def main() -> int:
    """Attack and print a line when it is known."""
    parser = argparse.ArgumentParser(description="percent of rows that our own attack on field comparison names")
    parser.add_argument("--rows", type=int, action="append", help="rows of each file (default: 2000 and 20000)")
    parser.add_argument("--known", type=int, nargs="+", default=[0, 20, 100, 400], help="known people")
    parser.add_argument(
        "--list", type=Knowledge, action="append", choices=list(Knowledge), help="the attacker's list (default: both)"
    )
    parser.add_argument("--fields", type=int, choices=tuple(FIELDS), default=12, help="how many fields (default 12)")
    parser.add_argument("--slots", type=int, default=8, help="pairs that each row stands in (default 8)")
    parser.add_argument(
        "--random-pairs", type=int, help="so many random pairs are compared (default: as the product does)"
    )
    parser.add_argument("--no-bands", action="store_true", help="as if no bands were sent")
    parser.add_argument("--bits", type=int, choices=(128, 256), default=256, help="filters of text (default 256)")
    parser.add_argument(
        "--seen", type=Sight, choices=list(Sight), default=Sight.DISTANCES, help="how finely (default: distances)"
    )
    parser.add_argument("--first-stage", action="store_true", help="attack the encodings of the first file instead")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same people and keys (default 1)")
    parser.add_argument("--json", action="store_true", help="print a JSON document a line")
    asked = parser.parse_args()
    if not asked.json:
        print("| rows | fields | attack | known | right % | chance % | sure of | of these right | pairs | seconds |")
        print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    terms = Terms(slots=asked.slots, random_pairs=asked.random_pairs, bands=not asked.no_bands, text_bits=asked.bits)
    for rows in asked.rows or [2000, 20_000]:
        _say(f"{rows} rows")
        files = make_files(rows, fields=FIELDS[asked.fields], seed=asked.seed)
        for found in attack_encodings(files, asked) if asked.first_stage else attack_fields(files, terms, asked):
            print(dumps(asdict(found)) if asked.json else _line(found, asked.fields), flush=True)
    return 0


def _line(found: Result, fields: int) -> str:
    return (
        f"| {found.rows:,} | {fields} | {found.attack} | {found.known} | {found.percent:.2f}"
        f" | {100 / found.people:.3f} | {found.claimed:,} of {found.attacked:,} | {found.sure_percent:.1f} %"
        f" | {found.pairs:,} | {found.seconds:.0f} |"
    )


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
