"""The kit's data sets, by name, and the half that each belongs to.

Settings of the product may be chosen by looking at the half `choose`; results are told of the half `report`.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))
# The benchmarks are no package.
from benchmarks.quality import made_up, published
from benchmarks.quality.people import DataSet, Provider, Sources

Maker = Callable[[Sources], tuple[Provider, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a set is made, what it is for, and whether it may be looked at while settings are chosen.

    `large` sets take minutes and are left out unless asked for; `noisy` ones need pseudopeople's own environment.
    """

    make: Maker
    choose: bool
    large: bool = False
    noisy: bool = False

    @property
    def half(self) -> str:
        """Give the name of the half that it belongs to."""
        return "choose" if self.choose else "report"


def _students_large(sources: Sources) -> tuple[Provider, ...]:
    return published.students(sources, rows=published.LARGE_ROWS)


SETS: Final[Mapping[str, Recipe]] = {
    "febrl4": Recipe(make=published.febrl4, choose=True),
    "febrl4 no date": Recipe(make=published.febrl4_no_date, choose=True),
    "febrl4 names, date": Recipe(make=published.febrl4_names_date, choose=True),
    "demo": Recipe(make=published.demo, choose=True),
    "households": Recipe(make=made_up.households, choose=True),
    "households, address": Recipe(make=made_up.households_address, choose=True),
    "damaged dates": Recipe(make=made_up.damaged_dates, choose=True),
    "blanks": Recipe(make=made_up.blanks, choose=True),
    "small": Recipe(make=made_up.small, choose=True),
    "census, census": Recipe(make=published.census_census("default"), choose=False, noisy=True),
    "census, census, heavy": Recipe(make=published.census_census("heavy"), choose=False, noisy=True),
    "census, registry": Recipe(make=published.census_registry("default"), choose=False, noisy=True),
    "census, registry, heavy": Recipe(make=published.census_registry("heavy"), choose=False, noisy=True),
    "registry, wages": Recipe(make=published.registry_wages("default"), choose=False, noisy=True),
    "registry, wages, heavy": Recipe(make=published.registry_wages("heavy"), choose=False, noisy=True),
    "census, WIC": Recipe(make=published.census_wic("default"), choose=False, noisy=True),
    "students": Recipe(make=published.students, choose=False),
    "languages": Recipe(make=made_up.languages, choose=False),
    "families": Recipe(make=made_up.families, choose=False),
    "three providers": Recipe(make=made_up.three_providers, choose=False),
    "repeats": Recipe(make=made_up.repeats, choose=False),
    "uneven": Recipe(make=made_up.uneven, choose=False),
    "students, large": Recipe(make=_students_large, choose=False, large=True),
}


def make_set(name: str, sources: Sources) -> DataSet:
    """Make one of the sets; the same seed makes the same set."""
    return DataSet(name=name, providers=SETS[name].make(sources))
