"""What an attacker with a list of people expects of any two of them, and how far what is seen speaks for it.

He has no key, but the program: filters of the values under keys of his own tell how far apart two names are, but for
which bits collide. Digits, equalities and bands he computes outright. How often values are filed with errors he sees in
the rows that link.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import BANDS, BandPart, Comparison, Form, Part, TagPart, VectorPart
from isthmus.contract.differences import MISSING
from isthmus.contract.secret import Secret
from isthmus.node.compare.row_fields import RowFields, read_row_fields, value_column

Columns = Mapping[str, Sequence[str]]
Ints = NDArray[np.int32]
Seen = NDArray[np.int16]

OWN_KEYS: Final = 4
WIDEST: Final = 128
"""Above every distance: two filters of 60 bits differ in 120 at most."""

TEXT, DIGITS, TAG, BAND = range(4)
STRANGERS, ONE_PERSON = range(2)
"""Kinds of pairs: rows of two people, by and large, and rows that link."""

_BIN, _VARIED = 8, 1000
"""Distances are taken together by eight; so many values show how they vary."""

_UNKNOWN: Final = np.uint64(2**64 - 1)
_SLIP: Final = 1e-3
_BAND_SLIP: Final = 0.1
_GROUPS: Final = {"dob": 0, "ssn": 1, "phone": 2, "sex": 3, "first_name": 4, "last_name": 5, "middle_name": 6}
"""Fields that are right or wrong together, those that tell most first; an address is the last."""


class Sight(StrEnum):
    """How finely differences are seen: as they are, as they are not, namely as levels, or equal or not."""

    DISTANCES = "distances"
    LEVELS = "levels"
    EQUAL = "equal"


class Book(NamedTuple):
    """Compiled code reads it. `kind`, `place`: of each part, in order. `ends`: where a group of parts ends.

    `floor`: float32, shape (2, parts), what a group that contradicts costs at most. `rates`: float32, shape (2, parts,
    seen, expected), log of how much likelier what is seen is. The others are of the people, as the left and as the
    right file have them.
    """

    kind: NDArray[np.uint8]
    place: NDArray[np.int32]
    ends: NDArray[np.bool_]
    floor: NDArray[np.float32]
    rates: NDArray[np.float32]
    tables: NDArray[np.uint8]
    start: NDArray[np.int64]
    width: NDArray[np.int64]
    left_text: Ints
    right_text: Ints
    left_digits: NDArray[np.uint64]
    right_digits: NDArray[np.uint64]
    left_tags: Ints
    right_tags: Ints
    left_bands: Ints
    right_bands: Ints
    left_has: NDArray[np.uint32]
    right_has: NDArray[np.uint32]
    in_left: NDArray[np.bool_]
    in_right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """The attacker's list: everybody's values as the left and as the right file may have them, and who is in which."""

    columns: tuple[Columns, Columns]
    inside: tuple[NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What is seen of strangers and of rows that link: int16, shape (pairs, parts). `exact`: the list has no errors."""

    strangers: Seen
    links: Seen
    exact: bool
    sight: Sight = Sight.DISTANCES


def in_order(comparison: Comparison) -> list[int]:
    """Give the places of the parts, group by group."""
    return sorted(range(len(comparison.parts)), key=lambda place: (_group(comparison.parts[place]), place))


def _group(part: Part) -> int:
    name = part.name.partition(".")[0].partition("=")[0]
    return _GROUPS.get(name, len(_GROUPS))


def write_book(people: People, comparison: Comparison, evidence: Evidence, *, rng: np.random.Generator) -> Book:
    """Work out what to expect of everybody. The columns of `evidence` are in the comparison's order."""
    order = in_order(comparison)
    parts = [comparison.parts[place] for place in order]
    kinds = np.array([_kind(part) for part in parts], np.uint8)
    texts = [part for part in parts if _kind(part) == TEXT]
    secrets = [(Secret(rng.bytes(32)), Secret(rng.bytes(32))) for _ in range(OWN_KEYS)]
    numbers, tables, spread = _texts(people, texts, secrets)
    compare, pad = secrets[0]
    of = [read_row_fields(columns, comparison, compare=compare, pad=pad) for columns in people.columns]
    groups = [_group(part) for part in parts]
    ends = np.array([one != after for one, after in zip(groups, [*groups[1:], -1], strict=True)])
    seen = Evidence(
        strangers=evidence.strangers[:, order],
        links=evidence.links[:, order],
        exact=evidence.exact,
        sight=evidence.sight,
    )
    return Book(
        kind=kinds,
        place=np.array([int((kinds[:at] == kinds[at]).sum()) for at in range(len(kinds))], np.int32),
        ends=ends,
        floor=_floors(parts, seen, ends),
        rates=_rates(parts, seen, spread),
        tables=np.concatenate([table.ravel() for table in tables]) if tables else np.zeros(0, np.uint8),
        start=np.cumsum([0, *(table.size for table in tables)], dtype=np.int64)[: len(tables)],
        width=np.array([len(table) for table in tables], np.int64),
        left_text=numbers[0],
        right_text=numbers[1],
        left_digits=_digits(people.columns[0], parts),
        right_digits=_digits(people.columns[1], parts),
        left_tags=_tags(of[0], parts, left=True),
        right_tags=_tags(of[1], parts, left=False),
        left_bands=_bands(people, 0, parts, comparison),
        right_bands=_bands(people, 1, parts, comparison),
        left_has=_has(of[0], comparison, left=True),
        right_has=_has(of[1], comparison, left=False),
        in_left=people.inside[0],
        in_right=people.inside[1],
    )


def _kind(part: Part) -> int:
    if isinstance(part, TagPart):
        return TAG
    if isinstance(part, BandPart):
        return BAND
    return DIGITS if part.form is Form.DIGITS else TEXT


def _texts(
    people: People,
    parts: Sequence[Part],
    secrets: Sequence[tuple[Secret, Secret]],
) -> tuple[tuple[Ints, Ints], list[NDArray[np.uint8]], list[NDArray[np.float64]]]:
    """Give for each text part the numbers of people's values, distances of all values, and variances by distance."""
    numbers: list[list[NDArray[np.int32]]] = [[], []]
    tables, spread = [], []
    for part in parts:
        if not isinstance(part, VectorPart):
            continue
        field = part.field
        values = sorted({value for columns in people.columns for value in columns[field] if value})
        number = {value: place for place, value in enumerate(values)} | {"": -1}
        for into, columns in zip(numbers, people.columns, strict=True):
            into.append(np.array([number[value] for value in columns[field]], np.int32))
        only = Comparison(fields=(field,), parts=(part,))
        filters = [
            read_row_fields({field: values}, only, compare=compare, pad=pad).vectors[part.name]
            for compare, pad in secrets
        ]
        table, of_distance = _distances(filters)
        tables.append(table)
        spread.append(of_distance)
    empty = np.zeros((0, len(people.inside[0])), np.int32)
    left, right = (np.stack(one) if one else empty for one in numbers)
    return (left, right), tables, spread


def _distances(filters: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Give the mean distance of every two values over keys, and how far off it a distance under another key is."""
    total = np.zeros((len(filters[0]), len(filters[0])), np.float32)
    for packed in filters:
        total += _hamming(packed)
    mean = np.minimum(np.maximum(np.rint(total / len(filters)), 1), WIDEST - 1).astype(np.uint8)
    np.fill_diagonal(mean, 0)
    return mean, _variance(_hamming(filters[0][:_VARIED]), total[:_VARIED, :_VARIED], keys=len(filters))


def _hamming(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    bits = np.unpackbits(packed, axis=1).astype(np.float32)
    set_bits = bits.sum(axis=1)
    distance: NDArray[np.float32] = set_bits[:, None] + set_bits - 2 * (bits @ bits.T)
    return distance


def _variance(one: NDArray[np.float32], total: NDArray[np.float32], *, keys: int) -> NDArray[np.float64]:
    """Give the variance of a distance by what is expected, float64, shape (WIDEST,): how far one key is off others."""
    others = (total - one) / (keys - 1)
    # One key and the mean of the others vary both; of a new key and the mean of all it is a little less.
    off = (one - others) ** 2 * (1 + 1 / keys) / (1 + 1 / (keys - 1))
    bins = np.minimum(others.astype(np.int64) // _BIN, WIDEST // _BIN - 1).ravel()
    counts = np.bincount(bins, minlength=WIDEST // _BIN)
    variance = np.bincount(bins, off.ravel(), WIDEST // _BIN) / np.maximum(counts, 1)
    variance = np.where(counts > 20, variance, variance.max(initial=1.0))
    return np.repeat(np.maximum(variance, 2.0), _BIN)


def _digits(columns: Columns, parts: Sequence[Part]) -> NDArray[np.uint64]:
    """Give digits, four bits each; all bits set where there are none."""
    found = [np.zeros((0, len(next(iter(columns.values())))), np.uint64)]
    for part in parts:
        if isinstance(part, VectorPart) and part.form is Form.DIGITS:
            start, end = part.digits
            fits = [len(value) == part.length and value.isascii() and value.isdigit() for value in columns[part.field]]
            read = [
                int(value[start:end], 16) if fit else int(_UNKNOWN)
                for value, fit in zip(columns[part.field], fits, strict=True)
            ]
            found.append(np.array(read, np.uint64)[None])
    return np.concatenate(found)


def _tags(of: RowFields, parts: Sequence[Part], *, left: bool) -> Ints:
    """Give the numbers of values, -1 where there is none."""
    found = [np.zeros((0, len(next(iter(of.present.values())))), np.int32)]
    for part in parts:
        if isinstance(part, TagPart):
            value = part.left if left else part.right
            numbers = of.numbers[part.kind, value].astype(np.int64)
            found.append(np.where(of.present[value], numbers, MISSING).astype(np.int32)[None])
    return np.concatenate(found)


def _bands(people: People, side: int, parts: Sequence[Part], comparison: Comparison) -> Ints:
    """Give the bands of names, as the people of that file make them; 3 for a name that none of them has."""
    columns, inside = people.columns[side], people.inside[side]
    filed = {field: [value for value, there in zip(columns[field], inside, strict=True) if there] for field in columns}
    found = [np.zeros((0, len(inside)), np.int32)]
    for part in parts:
        if isinstance(part, BandPart):
            only = Comparison(fields=comparison.fields, parts=(part,))
            none = Secret(bytes(32))
            bands = read_row_fields(filed, only, compare=none, pad=none).bands[part.value]
            known = dict(zip(value_column(filed, part.value), bands.tolist(), strict=True))
            found.append(np.array([known.get(value, 3) for value in columns[part.value]], np.int32)[None])
    return np.concatenate(found)


def _has(of: RowFields, comparison: Comparison, *, left: bool) -> NDArray[np.uint32]:
    """Give the presence that a row of each person would show, one bit a part."""
    has = np.zeros(len(next(iter(of.present.values()))), np.uint32)
    for place, part in enumerate(comparison.parts):
        if isinstance(part, VectorPart):
            value = part.name
        elif isinstance(part, BandPart):
            value = part.value
        else:
            value = part.left if left else part.right
        has |= of.present[value].astype(np.uint32) << np.uint32(place)
    return has


def _floors(parts: Sequence[Part], seen: Evidence, ends: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Say how much a group of parts that contradicts may cost: the log of how often it is filed differently."""
    floor = np.full((2, len(ends)), np.log(_SLIP), np.float32)
    if seen.exact:
        return floor
    start = 0
    for end in np.flatnonzero(ends).tolist():
        contradicts = np.zeros(len(seen.links), np.bool_)
        for at in range(start, end + 1):
            contradicts |= _contradicts(parts[at], seen.links[:, at])
        share = float(contradicts.mean()) if len(contradicts) else 0.0
        # Both rows of a pair may differ from the list, each as often as two rows of one person differ.
        floor[:, end] = np.log(np.clip(1 - (1 - share) ** 2, 0.02, 0.9))
        start = end + 1
    return floor


def _contradicts(part: Part, seen: NDArray[np.int16]) -> NDArray[np.bool_]:
    differs: NDArray[np.bool_] = seen == 0 if isinstance(part, TagPart) else seen > 0
    told = part.left == part.right if isinstance(part, TagPart) else isinstance(part, VectorPart)
    return differs & told


def _rates(parts: Sequence[Part], seen: Evidence, spread: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Give for every part the log of how much likelier what is seen is, if so much is expected, than among all."""
    rates = np.zeros((2, len(parts), WIDEST, WIDEST), np.float32)
    texts = iter(spread)
    for at, part in enumerate(parts):
        likely = _summed(_likely(part, texts), codes(part, seen.sight))
        rates[STRANGERS, at] = _log_ratio(likely, seen.strangers[:, at])
        # A list with errors of its own says nothing of which of two rows differ, but of how common a name is.
        if seen.exact or _kind(part) == BAND:
            rates[ONE_PERSON, at] = _log_ratio(likely, seen.links[:, at])
    return rates


def _likely(part: Part, texts: Iterator[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Give the probability of each difference (first axis) where one is expected (second axis)."""
    if _kind(part) == TEXT:
        return _of_text(next(texts))
    if _kind(part) == BAND:
        return _nearly_diagonal(2 * len(BANDS) + 1, _BAND_SLIP)
    return _nearly_diagonal(1 + (part.inserted if isinstance(part, VectorPart) else 1), _SLIP)


def _log_ratio(likely: NDArray[np.float64], seen: NDArray[np.int16]) -> NDArray[np.float64]:
    counts = np.bincount(np.minimum(seen[seen >= 0], WIDEST - 1), minlength=WIDEST) + 0.5 * likely.any(axis=1)
    often = counts / max(counts.sum(), 1.0)
    possible = (likely > 0) & (often > 0)[:, None]
    return np.where(possible, np.log(np.where(possible, likely, 1)) - np.log(np.where(often > 0, often, 1))[:, None], 0)


def codes(part: Part, sight: Sight) -> NDArray[np.int64]:
    """Give what is seen in place of each difference (of digits, how many differ), int64, shape (WIDEST,)."""
    differing = np.arange(WIDEST)
    if sight is Sight.DISTANCES or not isinstance(part, VectorPart):
        return differing
    if sight is Sight.EQUAL:
        return np.minimum(differing, 1)
    if part.form is Form.DIGITS:
        return np.minimum(differing, 2)
    grades = [0.5, *(2 * part.inserted * (1 - alike) + 0.5 for alike in (0.72, 0.5, 0.3))]
    return np.searchsorted(np.array(grades), differing)


def _summed(likely: NDArray[np.float64], into: NDArray[np.int64]) -> NDArray[np.float64]:
    summed = np.zeros_like(likely)
    np.add.at(summed, into, likely)
    return summed


def _of_text(variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the probability of each distance (first axis) where a distance is expected: normal, and 0 where equal."""
    seen, expected = np.arange(WIDEST)[:, None], np.arange(WIDEST)[None, :]
    likely = np.exp(-((seen - expected) ** 2) / (2 * variance[None, :])) + 1e-6
    likely[0], likely[:, 0] = 1e-6, 1e-6
    likely[0, 0] = 1
    probability: NDArray[np.float64] = likely / likely.sum(axis=0)
    return probability


def _nearly_diagonal(size: int, slip: float) -> NDArray[np.float64]:
    likely = np.zeros((WIDEST, WIDEST))
    likely[:size, :size] = slip / size + (1 - slip) * np.eye(size)
    return likely
