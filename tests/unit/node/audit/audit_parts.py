"""Synthetic people and encodings for the tests of the self-audit."""

from functools import cache
from itertools import islice
from random import Random

import numpy as np
from isthmus_people.population import people, read_marginals

from isthmus.contract.hardened import hardened_1, hardened_single_1
from isthmus.contract.profile import interop_1
from isthmus.node.audit.vectors import Columns, EncodedTables, Packed, signed
from isthmus.node.normalise.norm1 import normalise_column

FIELDS = ("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "city", "zip")
INTEROP = interop_1(FIELDS)
SINGLE = hardened_single_1(FIELDS)
HARDENED = hardened_1(FIELDS)


@cache
def synthetic_columns(rows: int) -> Columns:
    """So many people in households, shuffled, normalised."""
    rng = Random("self-audit")
    drawn = list(islice(people(read_marginals(), rng), rows))
    rng.shuffle(drawn)
    return {field: normalise_column(field, [one[field] for one in drawn]).values for field in FIELDS}


def random_packed(rows: int, *, seed: int, bits: int = 128) -> Packed:
    """Random bits, half of them set."""
    return np.random.default_rng(seed).integers(0, 256, (rows, bits // 8), dtype=np.uint8)


def tables_of(*values: list[int]) -> EncodedTables:
    """Tables whose row i has a vector that stands for `values[table][i]`; 0 is a row not in the table."""
    vectors = random_packed(64, seed=9)
    tables = {}
    for place, column in enumerate(values):
        present = np.array(column) > 0
        tables[f"t{place}"] = signed(vectors[column] * present[:, None].astype(np.uint8), present)
    return tables
