"""The attack on diffusion itself: filters are won back from diffused vectors, then attacked as plain CLKs are.

Only the table of all fields is undone here, since it holds everything; each table has a map of its own, and what undoes
one undoes all. Needed are about as many different rows as the filter has bits: `linear` says why.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from isthmus.contract.hardened import HardenedProfile
from isthmus.node.audit.attack import Join, Report, Study, Variant
from isthmus.node.audit.channels import Expectation
from isthmus.node.audit.linear import gf2_rank, recover_columns, undiffused
from isthmus.node.audit.vectors import PLAIN_TABLE as WHOLE_TABLE
from isthmus.node.audit.vectors import Columns, EncodedTables, Packed, Vectors, centred, undiffused_tables

UNDIFFUSED: Final = Variant(join=Join.UNDIFFUSED, tables=(WHOLE_TABLE,))
ROUNDS: Final = 1000
LEAST_RANK: Final = 0.9
"""Share of the filter's bits which the rows' rank has to reach before a search is worth while."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Undiffused:
    """How much of the map of a table was found, and the filters that follow; None where too little was found.

    `columns` of at most `rank` columns were found in `rounds` eliminations.
    """

    columns: int
    rank: int
    rounds: int
    filters: EncodedTables | None


def undo_diffusion(
    encoded: EncodedTables, *, profile: HardenedProfile, rng: np.random.Generator, report: Report, rounds: int = ROUNDS
) -> Undiffused:
    """Win back the filters of the table of all fields from its encodings alone.

    Nothing is looked for where the rows span as many dimensions as there are rows, or more than a filter has bits: then
    they are no linear function of the filters. Boxes see to that; this looks whether they do.
    """
    vectors, hardening = encoded[WHOLE_TABLE], profile.hardening
    diffused = vectors.packed[vectors.present]
    rank = gf2_rank(diffused)
    if not LEAST_RANK * hardening.filter_bits <= rank <= min(hardening.filter_bits, len(diffused) - 1):
        return Undiffused(columns=0, rank=rank, rounds=0, filters=None)
    found = recover_columns(
        diffused,
        taps=hardening.taps,
        input_bits=hardening.filter_bits,
        rounds=rounds,
        rng=rng,
        progress=lambda done, total: report("undoing diffusion", done, total),
    )
    report("undoing diffusion", rank, rank)
    filters = _filters(vectors, undiffused(diffused, found.columns, taps=hardening.taps)) if found.enough else None
    return Undiffused(columns=len(found.columns), rank=rank, rounds=found.rounds, filters=filters)


def study_filters(population: Columns, study: Study, *, profile: HardenedProfile, rng: np.random.Generator) -> Study:
    """What the attacker of undone encodings learns from a list of people: filters under keys of its own."""
    present = study.rehearsed[0][WHOLE_TABLE].present
    tables = [
        {
            WHOLE_TABLE: centred(
                undiffused_tables(population, profile=profile, random_bytes=rng.bytes)[WHOLE_TABLE].packed, present
            )
        }
        for _ in range(len(study.rehearsed) + len(study.expected.filters))
    ]
    rehearsed, filters = tables[: len(study.rehearsed)], tables[len(study.rehearsed) :]
    return Study(rehearsed=tuple(rehearsed), expected=Expectation(filters=filters, present=rehearsed[0], taps=1))


def _filters(vectors: Vectors, found: Packed) -> EncodedTables:
    packed = np.zeros((len(vectors.packed), found.shape[1]), np.uint8)
    packed[vectors.present] = found
    return {WHOLE_TABLE: centred(packed, vectors.present)}
