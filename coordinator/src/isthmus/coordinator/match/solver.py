"""Greedy grouping with complete linkage, in compiled code: which rows end in one group (docs/protocol.md section 7).

Pairs come best first. How many candidate pairs between two groups have come is tallied; when all have, the groups are
joined. The tallies of the group with fewer of them move to the other, so n pairs take O(n log n) steps at most. Two
groups that each hold a row of one provider can never be joined, so what comes between them is not tallied. Two datasets
alone need no tallies at all: `pairing`.

The time goes into waiting for memory, so what the next pairs will need is asked for ahead of them, what is read often
lies close together, and a row notes the group that it was found in.

Rows of all datasets are numbered through. Group 0 and tally 0 stand for none; a row gets a group when it first counts.
"""

from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.compiled import compiled, inlined
from isthmus.coordinator.match.kernels.prefetch import will_read
from isthmus.coordinator.match.pairing import pair_up

GROUP = np.dtype([("up", "u4"), ("members", "u4"), ("first", "u4"), ("tallies", "u4"), ("held", "u8")])
"""A group: the group it went into, its rows, the head and length of its list of tallies, bits of the datasets in it."""

LISTED = np.dtype([("up", "u4"), ("members", "u4"), ("entity", "u4"), ("place", "u4"), ("held", "u8")])
"""A group that has had its last pair: its number from 1, and where its next row is written."""

TALLY = np.dtype([("one", "u4"), ("other", "u4"), ("count", "u4"), ("one_next", "u4"), ("other_next", "u4")])
"""The pairs that have come between two groups, and the next tally in the list of each; void when the count is 0."""

FIRST_ROOM = 2**10
"""Slots to begin with: as long as they are few, they stay in the cache."""

AHEAD = 16
"""So many pairs ahead the groups of rows are asked for, and twice as many ahead which groups these are."""

AT_ONCE = 2**16
"""So many pairs are numbered through at once: they stay in the cache until they are taken."""

MASK_BITS = 64
"""So many datasets get a bit; groups with rows of others are tallied even where they cannot be joined."""

Index = NDArray[np.uint32]
Used = NDArray[np.int64]
Records = Any
"""An array of `GROUP`, `LISTED` or `TALLY`: compiled code knows its fields, the type checker does not."""
Number = Any
"""A whole number of any width: compiled code mixes them."""


class _State(NamedTuple):
    """What is known so far; groups and tallies are as many as there could be, and take memory once they are written."""

    group_of: Index
    groups: NDArray[np.void]
    tallies: NDArray[np.void]
    slots: Index
    used: Used


GROUPS, TALLIES, SLOTS, ROOM = 0, 1, 2, 3
"""Places in `used`: groups and tallies made so far, slots filled, and slots that may be, a power of two."""


class Members(NamedTuple):
    """Rows that are in a group with others: uint32 arrays of one length, in the order of `Groups`."""

    dataset: Index
    row: Index
    entity: Index


def solve(
    datasets: tuple[Index, Index], rows: tuple[Index, Index], *, sizes: Sequence[int], repeating: Collection[int]
) -> Members:
    """Give the rows that the pairs put into groups; entities count from 0 in the order of their first row.

    Args:
        datasets, rows: of the left and of the right side of each pair, uint32, shape (pairs,), best pair first; the
            sides are those of `CandidatePairs`, and no pair comes twice. Fewer than 2**32 pairs.
        sizes: how many rows each dataset has; fewer than 2**32 together.
        repeating: the datasets that have pairs inside them.

    Raises:
        ValueError: a pair's dataset or row is out of range.
    """
    starts = np.array([0, *accumulate(sizes)], np.int64)
    # Compiled code is made for each layout of its arguments, so they all get the one that they nearly always have.
    columns = [np.require(column, np.uint32, ["C", "W"]) for column in (*datasets, *rows)]
    parts = ([column[at : at + AT_ONCE] for column in columns] for at in range(0, rows[0].size, AT_ONCE))
    if len(sizes) == 2 and not repeating:
        sides = ((_numbered(one, left, starts), _numbered(other, right, starts)) for one, other, left, right in parts)
        return Members(*pair_up(sides, sizes=(sizes[0], sizes[1])))
    state, bits = _state(rows=int(starts[-1]), pairs=rows[0].size), _bits(len(sizes), repeating)
    for one, other, left, right in parts:
        _take_pairs(*state, one, other, _numbered(one, left, starts), _numbered(other, right, starts), bits)
    group_of, groups = state.group_of, state.groups[: state.used[GROUPS] + 1]
    # Tallies and slots have served: their memory is wanted for the result.
    del state
    return _members(group_of, groups, starts)


def _numbered(datasets: Index, rows: Index, starts: NDArray[np.int64]) -> Index:
    numbers = np.empty(rows.size, np.uint32)
    if not _number_through(datasets, rows, starts, numbers):
        raise ValueError("a pair names a row that no dataset holds")
    return numbers


def _bits(datasets: int, repeating: Collection[int]) -> NDArray[np.uint64]:
    single = [dataset for dataset in range(datasets) if dataset not in repeating][:MASK_BITS]
    bits = np.zeros(datasets, np.uint64)
    bits[single] = np.uint64(1) << np.arange(len(single), dtype=np.uint64)
    return bits


def _state(*, rows: int, pairs: int) -> _State:
    slots = 1 << max(4, (pairs * 4 // 3).bit_length())
    state = _State(
        group_of=np.zeros(rows, np.uint32),
        groups=np.empty(min(rows, 2 * pairs) + 1, GROUP),
        tallies=np.empty(pairs + 1, TALLY),
        slots=np.zeros(slots, np.uint32),
        used=np.array([0, 0, 0, min(slots, FIRST_ROOM)]),
    )
    state.groups[0] = 0
    return state


def _members(group_of: Index, groups: NDArray[np.void], starts: NDArray[np.int64]) -> Members:
    listed = groups.view(LISTED)
    listed["entity"] = 0
    linked = int(groups["members"][(groups["up"] == 0) & (groups["members"] > 1)].sum(dtype=np.int64))
    found = Members(*(np.empty(linked, np.uint32) for _ in range(3)))
    _list_members(group_of, listed, starts, found)
    return found


@compiled
def _number_through(datasets: Index, rows: Index, starts: NDArray[np.int64], numbers: Index) -> Number:
    """Write down the number of each row among those of all datasets; say whether all rows are in range."""
    for place in range(rows.size):
        dataset = np.int64(datasets[place])
        if dataset + 1 >= starts.size or starts[dataset] + rows[place] >= starts[dataset + 1]:
            return False
        numbers[place] = starts[dataset] + rows[place]
    return True


@compiled
def _take_pairs(
    group_of: Index,
    groups: Records,
    tallies: Records,
    slots: Index,
    used: Used,
    left_datasets: Index,
    right_datasets: Index,
    left_rows: Index,
    right_rows: Index,
    bits: NDArray[np.uint64],
) -> None:
    """Join, tally or pass over one pair after the other; rows are numbered through."""
    for pair in range(left_rows.size):
        if pair + 2 * AHEAD < left_rows.size:
            will_read(group_of, left_rows[pair + 2 * AHEAD])
            will_read(group_of, right_rows[pair + 2 * AHEAD])
            will_read(groups, group_of[left_rows[pair + AHEAD]])
            will_read(groups, group_of[right_rows[pair + AHEAD]])
        left, right = left_rows[pair], right_rows[pair]
        one, other = _root(groups, group_of[left]), _root(groups, group_of[right])
        group_of[left], group_of[right] = one, other
        left_held = groups[one].held if one else bits[left_datasets[pair]]
        right_held = groups[other].held if other else bits[right_datasets[pair]]
        if left_held & right_held:
            continue
        if not one and not other:
            group_of[left] = group_of[right] = _new_group(groups, used, 2, left_held | right_held)
            continue
        if not one:
            one = group_of[left] = _new_group(groups, used, 1, left_held)
        if not other:
            other = group_of[right] = _new_group(groups, used, 1, right_held)
        if _all_have_come(groups, tallies, slots, used, one, other):
            _join(groups, tallies, slots, used, one, other)


@inlined
def _root(groups: Records, group: Number) -> Number:
    """Give the group that a group is part of by now."""
    while groups[group].up:
        above = groups[group].up
        if groups[above].up:
            # Halving the way keeps later ways short (Tarjan and van Leeuwen, 1984).
            groups[group].up = groups[above].up
        group = above
    return group


@inlined
def _new_group(groups: Records, used: Used, members: Number, held: Number) -> Number:
    used[GROUPS] += 1
    group = used[GROUPS]
    entry = groups[group]
    entry.up = entry.first = entry.tallies = 0
    entry.members, entry.held = members, held
    return group


@inlined
def _all_have_come(groups: Records, tallies: Records, slots: Index, used: Used, one: Number, other: Number) -> Number:
    """Count one more pair between two groups, and say whether it was the last that could come."""
    between = groups[one].members * groups[other].members
    if between == 1:
        return True
    tally = _find(tallies, slots, used, one, other)
    if not tally:
        _new_tally(groups, tallies, slots, used, one, other)
        return False
    tallies[tally].count += 1
    return tallies[tally].count == between


@compiled
def _new_tally(groups: Records, tallies: Records, slots: Index, used: Used, one: Number, other: Number) -> None:
    used[TALLIES] += 1
    tally = used[TALLIES]
    entry = tallies[tally]
    entry.one, entry.other, entry.count = one, other, 1
    entry.one_next, entry.other_next = _listed(groups, tally, one), _listed(groups, tally, other)
    _fill_slot(tallies, slots, used, tally)


@inlined
def _listed(groups: Records, tally: Number, group: Number) -> Number:
    """Make the tally the first of the group, and give the one that was it."""
    second = groups[group].first
    groups[group].first = tally
    groups[group].tallies += 1
    return second


@compiled
def _join(groups: Records, tallies: Records, slots: Index, used: Used, one: Number, other: Number) -> None:
    """Make one group of two, and give the one that stays the tallies of the one with fewer."""
    if groups[one].tallies < groups[other].tallies:
        one, other = other, one
    groups[other].up = one
    groups[one].members += groups[other].members
    groups[one].held |= groups[other].held
    tally = groups[other].first
    while tally:
        following = tallies[tally].one_next if tallies[tally].one == other else tallies[tally].other_next
        _move(groups, tallies, slots, used, tally, other, one)
        tally = following


@inlined
def _move(groups: Records, tallies: Records, slots: Index, used: Used, tally: Number, gone: Number, to: Number) -> None:
    """Add a tally of a group that is gone to the one of the same third group, or give it to the group that is left."""
    entry, count = tallies[tally], tallies[tally].count
    third = entry.other if entry.one == gone else entry.one
    # A void tally names a group that is gone, so it is never found again; it stays in the list of the third.
    entry.count = 0
    if not count or third == to or groups[third].held & groups[to].held:
        return
    same = _find(tallies, slots, used, to, third)
    if same:
        tallies[same].count += count
        return
    entry.count = count
    if entry.one == gone:
        entry.one, entry.one_next = to, _listed(groups, tally, to)
    else:
        entry.other, entry.other_next = to, _listed(groups, tally, to)
    _fill_slot(tallies, slots, used, tally)


@inlined
def _find(tallies: Records, slots: Index, used: Used, one: Number, other: Number) -> Number:
    """Give the tally of two groups, or 0."""
    last = used[ROOM] - 1
    slot = _mixed(one, other) & last
    while slots[slot]:
        entry = tallies[slots[slot]]
        if (entry.one == one and entry.other == other) or (entry.one == other and entry.other == one):
            return slots[slot]
        slot = (slot + 1) & last
    return 0


@compiled
def _fill_slot(tallies: Records, slots: Index, used: Used, tally: Number) -> None:
    """Make a tally findable; when seven slots in eight are full, there are more, and those of void ones are swept."""
    if 8 * used[SLOTS] < 7 * used[ROOM]:
        _put(tallies, slots, used, tally)
        return
    # Twice as many as tallies made, so that a sweep takes as long as filling what it frees did.
    while used[ROOM] < min(slots.size, 2 * used[TALLIES]):
        used[ROOM] *= 2
    slots[: used[ROOM]] = 0
    used[SLOTS] = 0
    for each in range(1, used[TALLIES] + 1):
        if tallies[each].count:
            _put(tallies, slots, used, each)


@inlined
def _put(tallies: Records, slots: Index, used: Used, tally: Number) -> None:
    """Fill the first free slot of a tally; each holds one pair at least, so that a quarter of the slots is free."""
    last = used[ROOM] - 1
    slot = _mixed(tallies[tally].one, tallies[tally].other) & last
    while slots[slot]:
        slot = (slot + 1) & last
    slots[slot] = tally
    used[SLOTS] += 1


@inlined
def _mixed(one: Number, other: Number) -> Number:
    """Give 63 bits that look random and are the same for (one, other) and (other, one)."""
    return np.int64((_scrambled(one) + _scrambled(other)) >> np.uint64(1))


@inlined
def _scrambled(number: Number) -> Number:
    # The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), its first half: every bit reaches the upper ones.
    mixed = np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)


@compiled
def _list_members(group_of: Index, groups: Records, starts: NDArray[np.int64], found: Members) -> None:
    """Write down the rows that are not alone in their groups; entities are numbered as their first rows come."""
    entities = linked = 0
    for dataset in range(starts.size - 1):
        for row in range(starts[dataset], starts[dataset + 1]):
            group = _root(groups, group_of[row])
            if groups[group].members < 2:
                continue
            if not groups[group].entity:
                entities += 1
                groups[group].entity, groups[group].place = entities, linked
                linked += groups[group].members
            place = groups[group].place
            found.dataset[place], found.row[place] = dataset, row - starts[dataset]
            found.entity[place] = groups[group].entity - 1
            groups[group].place += 1
