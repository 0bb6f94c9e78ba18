"""A data set of the kit: providers' columns in normal form, who each row is, and from which language its names are.

`filed` makes a provider of people: shuffled, described and damaged as the caller says, and normalised as a node does.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.normalise import DateOrder, normalise_column

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
# The people live with the scripts, which are no package.
from isthmus_people.population import Marginals

Columns = dict[str, list[str]]
Person = dict[str, str]
Member = tuple[str, Person]
"""An entity and the person's values, as people write them."""

ORIGIN: Final = "origin"
"""The value of a person that says from which language the names are; no linkage field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider's file.

    `columns` are normalised, by standard field; `entities` say who each row is and `origins` from which language the
    names are, "" where nobody knows. `repeats`: a person may have several rows.
    """

    columns: Columns
    entities: list[str]
    origins: list[str]
    repeats: bool = False

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.entities)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Providers whose people overlap, under a name."""

    name: str
    providers: tuple[Provider, ...]

    @property
    def sizes(self) -> list[int]:
        """How many rows each provider has."""
        return [len(one) for one in self.providers]

    def shared_fields(self, *places: int) -> tuple[str, ...]:
        """Give the fields that these providers share, in standard order; those that all share, if none is named."""
        columns = [self.providers[place].columns.keys() for place in places or range(len(self.providers))]
        shared = reduce(lambda one, other: one & other, (set(one) for one in columns))
        return tuple(name for name in STANDARD_FIELDS if name in shared)

    def entity_codes(self) -> list[NDArray[np.int64]]:
        """Give a number for the person of each row, by provider: int64, shape (rows,)."""
        everyone = sorted({entity for one in self.providers for entity in one.entities})
        codes = {entity: code for code, entity in enumerate(everyone)}
        return [np.array([codes[entity] for entity in one.entities], np.int64) for one in self.providers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What sets are made from: names and streets to draw from, a scratch folder, and a seed."""

    marginals: Marginals
    folder: Path
    seed: int
    noisy: Callable[[str], Mapping[str, Path]] = field(repr=False)
    """Gives the files that pseudopeople made under `default` or `heavy` noise, by name."""

    def rng(self, use: str) -> Random:
        """Give the random source of one use."""
        return Random(f"{self.seed}/{use}")


def filed(
    members: Iterable[Member],
    fields: Sequence[str],
    *,
    describe: Callable[[Person, Random], Person],
    rng: Random,
    repeats: bool = False,
) -> Provider:
    """Give a provider's file of these people, in random order, each as `describe` puts it down."""
    rows = list(members)
    rng.shuffle(rows)
    described = [describe(person, rng) for _, person in rows]
    return Provider(
        columns=normalised({name: [one[name] for one in described] for name in fields}),
        entities=[entity for entity, _ in rows],
        origins=[person.get(ORIGIN, "") for _, person in rows],
        repeats=repeats,
    )


def normalised(columns: Mapping[str, Sequence[str]], order: DateOrder = DateOrder.YMD) -> Columns:
    """Give the columns in the normal form of `norm-1`."""
    return {name: normalise_column(name, values, date_order=order).values for name, values in columns.items()}


def overlapping(members: Sequence[Member], sizes: Sequence[int], *, shared: int) -> list[list[Member]]:
    """Cut people into files of so many rows, of whom the first `shared` are in all; the others are in one each.

    Raises:
        ValueError: there are too few people.
    """
    if shared + sum(size - shared for size in sizes) > len(members):
        raise ValueError("there are fewer people than the files have rows")
    files, start = [], shared
    for size in sizes:
        files.append([*members[:shared], *members[start : start + size - shared]])
        start += size - shared
    return files
