"""Small synthetic files for whole rounds: rare names that could be nothing else, so that they can be searched for."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random

from isthmus_local.local_round import LocalProvider

FIELDS = ("first_name", "last_name", "dob", "zip")
_STARTS = ("Quor", "Zyl", "Vex", "Brun", "Thag", "Wimp", "Ospr", "Jund", "Kraw", "Ylm")
_ENDS = ("imble", "axton", "ordine", "eswick", "umphry", "iggleby", "ostrand", "elvane", "arrock", "inthia")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Providers with their files, the truth, and every value that must not be found anywhere else."""

    providers: Sequence[LocalProvider]
    truth: list[tuple[str, str, str]]
    values: frozenset[str]


def write_files(folder: Path, *, rows: int, providers: int = 3, shared: int | None = None, seed: int = 1) -> Files:
    """Write a file for each provider: half of its people are in all files, a tenth in each two, the rest in it alone.

    `shared` sets how many are in all files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(seed)
    common = [_person(rng) for _ in range(rows // 2 if shared is None else shared)]
    in_two = {pair: [_person(rng) for _ in range(rows // 10)] for pair in combinations(range(1, providers + 1), 2)}
    made, truth = [], list[tuple[str, str, str]]()
    values: set[str] = set()
    for number in range(1, providers + 1):
        party = f"provider-{number}"
        people: list[tuple[str, tuple[str, ...]]] = [(f"all {i}", person) for i, person in enumerate(common)]
        for pair, both in in_two.items():
            people += [(f"{pair} {i}", person) for i, person in enumerate(both) if number in pair]
        people += [(f"{number} {i}", _person(rng)) for i in range(rows - len(people))]
        rng.shuffle(people)
        ids = [f"{party}-{place:06d}" for place in rng.sample(range(10 * rows), len(people))]
        path = folder / f"{party}.csv"
        _write(path, [(record, *person) for record, (_, person) in zip(ids, people, strict=True)])
        truth += [(party, record, entity) for record, (entity, _) in zip(ids, people, strict=True)]
        values |= {value for _, person in people for value in person[:2]} | set(ids)
        columns = dict(zip(FIELDS, ("Vorname", "Nachname", "Geburtstag", "Plz"), strict=True))
        made.append(
            LocalProvider(party=party, name=party.title(), kind="programme", file=path, id_column="Nr", columns=columns)
        )
    return Files(providers=made, truth=truth, values=frozenset(values))


def _person(rng: Random) -> tuple[str, str, str, str]:
    first = rng.choice(_STARTS) + rng.choice(_ENDS)
    last = rng.choice(_STARTS) + rng.choice(_ENDS) + rng.choice(_ENDS)
    born = f"{rng.randrange(1990, 2010)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
    return first, last, born, f"{rng.randrange(10000, 99999)}"


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Nr", "Vorname", "Nachname", "Geburtstag", "Plz"))
        writer.writerows(rows)
