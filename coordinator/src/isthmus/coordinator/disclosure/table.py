"""Tables before disclosure control: true counts, and the sums that tie them together.

A `Table` is never shown, stored for readers or sent; `release` makes a `ReleasedTable` of it, which is another type.

The overlap table of up to five providers has one cell for each exact set of providers (how many people are in the data
of all of these and of no others), one for the rows of each provider, or for its people where rows of it may repeat
people, and one for each two providers (how many people are in the data of both, and perhaps of others). With more than
five providers it has only the last two kinds, because the exact sets double with each provider.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations

from isthmus.contract.ids import PartyId

Key = tuple[str, ...]
"""The name of a cell: one word for each dimension of its table."""

MOST_PROVIDERS_BY_EXACT_SET = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One true count. `structural` says that it is zero because it can be nothing else, which anybody may know."""

    key: Key
    count: int = field(repr=False)
    structural: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """The count of `total` is the sum of the counts of `parts`."""

    total: Key
    parts: tuple[Key, ...]


System = tuple[Relation, ...]
"""Relations that an attacker is taken to solve together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """True counts of one table; `repr` shows none of them.

    `latent` are counts that no reader sees and that relations name all the same. Each of `systems` is audited by
    itself. Raises `ValueError` where a key occurs twice or has another number of words than there are dimensions, a
    count is negative, a structural cell is not zero, or a relation names a missing cell or does not add up.
    """

    title: str
    dimensions: tuple[str, ...]
    cells: tuple[Cell, ...]
    latent: tuple[Cell, ...] = ()
    systems: tuple[System, ...]

    def __post_init__(self) -> None:
        """Check cells and relations; no message holds a count."""
        counts = self.counts()
        if len(counts) < len(self.cells) + len(self.latent):
            raise ValueError("a key occurs twice")
        if any(len(cell.key) != len(self.dimensions) for cell in self.cells):
            raise ValueError("a key has another number of words than the table has dimensions")
        if any(cell.count < 0 or (cell.structural and cell.count > 0) for cell in self.all_cells()):
            raise ValueError("a count is negative, or a structural zero is none")
        for relation in self.relations:
            if not {relation.total, *relation.parts} <= counts.keys():
                raise ValueError("a relation names a cell that is not there")
            if counts[relation.total] != sum(counts[part] for part in relation.parts):
                raise ValueError("a relation does not add up")

    @property
    def relations(self) -> tuple[Relation, ...]:
        """All relations of all systems."""
        return tuple(chain.from_iterable(self.systems))

    def all_cells(self) -> tuple[Cell, ...]:
        """Give the cells for readers, then the latent ones."""
        return self.cells + self.latent

    def counts(self) -> dict[Key, int]:
        """Give every true count by key, latent ones too."""
        return {cell.key: cell.count for cell in self.all_cells()}


def overlap_table(
    parties: Sequence[PartyId],
    patterns: Mapping[frozenset[int], int],
    sizes: Sequence[int],
    *,
    repeating: Collection[int] = (),
) -> Table:
    """Give the overlap table of at least two providers.

    Args:
        parties: the providers; the numbers in `patterns` are positions in it.
        patterns: the number of people for each exact set of providers; a set that is missing counts none.
        sizes: the number of people of each provider: of its rows, unless it is one of `repeating`.
        repeating: the providers whose rows may repeat people.

    Raises:
        ValueError: fewer than two providers, or the patterns of a provider do not add up to its size.
    """
    if len(parties) < 2:
        raise ValueError("an overlap table needs two providers")
    everyone = tuple(range(len(parties)))
    by_exact_set = len(parties) <= MOST_PROVIDERS_BY_EXACT_SET
    overlap = _Overlap(parties=tuple(parties), patterns=patterns, repeating=frozenset(repeating))
    rows = tuple(Cell(key=overlap.total_key(i), count=size) for i, size in zip(everyone, sizes, strict=True))
    pairs = tuple(overlap.pair(pair) for pair in combinations(everyone, 2))
    # Every three providers are audited as a table of their own: with all their exact sets, which the reader of a large
    # table does not see but can bound. Bounds that need four providers at once are not looked for.
    scopes = [everyone] if by_exact_set else list(combinations(everyone, 3))
    exact = tuple(chain.from_iterable(map(overlap.exact_cells, scopes)))
    # Of two providers, both is the same as exactly both.
    between = () if len(parties) == 2 else pairs
    return Table(
        title="People in the data of several providers",
        dimensions=("measure", "providers"),
        cells=rows + between + (exact if by_exact_set else ()),
        latent=() if by_exact_set else exact,
        systems=tuple(map(overlap.system, scopes)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlap:
    """Names and counts of the cells of an overlap table. A scope is the set of providers that are looked at alone."""

    parties: tuple[PartyId, ...]
    patterns: Mapping[frozenset[int], int] = field(repr=False)
    repeating: frozenset[int]

    def total_key(self, i: int) -> Key:
        return self.key("all people of" if i in self.repeating else "all rows of", (i,))

    def key(self, measure: str, members: Sequence[int]) -> Key:
        return (measure, " + ".join(self.parties[i] for i in members))

    def pair(self, pair: tuple[int, ...]) -> Cell:
        count = sum(count for pattern, count in self.patterns.items() if pattern.issuperset(pair))
        return Cell(key=self.key("in the data of both", pair), count=count)

    def exact_cells(self, scope: tuple[int, ...]) -> tuple[Cell, ...]:
        counts = dict.fromkeys(_subsets(scope), 0)
        for pattern, count in self.patterns.items():
            seen = tuple(sorted(pattern.intersection(scope)))
            if seen:
                counts[seen] += count
        return tuple(Cell(key=self.exact_key(members, scope), count=count) for members, count in counts.items())

    def exact_key(self, members: tuple[int, ...], scope: tuple[int, ...]) -> Key:
        key = self.key("in the data of exactly", members)
        everywhere = len(scope) == len(self.parties)
        return key if everywhere else (*key, *self.key("of", scope))

    def system(self, scope: tuple[int, ...]) -> System:
        rows = [self._sum(self.total_key(i), (i,), scope) for i in scope]
        both = {pair: self.key("in the data of both", pair) for pair in combinations(scope, 2)}
        pairs = [self._sum(total, pair, scope) for pair, total in both.items()]
        return tuple(rows + (pairs if len(scope) > 2 else []))

    def _sum(self, total: Key, members: tuple[int, ...], scope: tuple[int, ...]) -> Relation:
        return Relation(total=total, parts=self._supersets(members, scope))

    def _supersets(self, members: tuple[int, ...], scope: tuple[int, ...]) -> tuple[Key, ...]:
        wanted = set(members)
        return tuple(self.exact_key(other, scope) for other in _subsets(scope) if wanted.issubset(other))


def _subsets(scope: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [members for size in range(1, len(scope) + 1) for members in combinations(scope, size)]
