"""What linking by tables and match keys goes by: constants, declared once, and what a profile makes of them.

All follows from the profile: no number is fitted to a round's data. Chosen on made-up households with two levels of
typing errors and checked on other data: docs/decisions/0012-linking-by-tables.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp
from types import MappingProxyType
from typing import Final

from isthmus.contract.hardened import Group, HardenedProfile, Hardening, Table
from isthmus.contract.match_keys import DATE_DIGITS, MatchKey, Part, PartForm
from isthmus.contract.profile_parts import RULES

FLOOR: Final = 0.57
"""Dice similarity that a candidate needs in a table; of unrelated rows 99.999 % lie under 0.56 (decision 0009)."""

BEST_OF_ROW: Final = 3
"""How many rows of each other dataset a row keeps in a table."""

THRESHOLD: Final = 0.5
"""Score from which a pair is linked: the evidence for one person outweighs the chance of meeting another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """What agreement in one group of fields says, in bits (binary logarithms of likelihood ratios).

    `agree_bits` are for equal values, `differ_bits` are taken off for a disagreement of `gone_at` or more, and between
    the two the evidence is linear. `personal` groups tell members of a household apart.
    """

    name: str
    agree_bits: float
    differ_bits: float
    gone_at: float
    personal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRule:
    """One table: its floor, and for each group of the rules the share of filter positions that it can change.

    `shares[g]` is in [0, 1]: how much of the filter differs, on average, if group g disagrees wholly and the others
    agree; 0 for a group that is not in the table. `pair` are the places of the two groups that a row holds which is in
    the table; none where several pairs let a row in.
    """

    name: str
    floor: float
    shares: tuple[float, ...]
    pair: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRule:
    """One match key: what equal tags say.

    `bounds[g]` is in [0, 1]: how much of group g can still differ where the tags are equal, 1 where they say nothing of
    it. `groups` are the places of the groups that a row holds which has a tag.
    """

    name: str
    bounds: tuple[float, ...]
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRules:
    """How rows of a hardened profile are linked; `tables` and `keys` in the order in which a submission has them.

    `taps` and `clk_bits` are those of the profile's diffusion. `threshold` is the profile's default, in [0, 1].
    """

    groups: tuple[GroupRule, ...]
    tables: tuple[TableRule, ...]
    keys: tuple[KeyRule, ...]
    taps: int
    clk_bits: int
    best_of_row: int = BEST_OF_ROW
    threshold: float = THRESHOLD


def link_rules(profile: HardenedProfile) -> LinkRules:
    """Give the rules for a profile: its groups, then one for the fields of no group where there are any."""
    grouped = {field for group in profile.groups for field in group.fields}
    rest = tuple(field for field in profile.fields if field not in grouped)
    fields_of = [frozenset(group.fields) for group in profile.groups] + ([frozenset(rest)] if rest else [])
    places = {group.name: place for place, group in enumerate(profile.groups)}
    return LinkRules(
        groups=(*map(_group_rule, profile.groups), *([_REST] if rest else [])),
        tables=tuple(
            TableRule(
                name=table.name,
                floor=FLOOR,
                shares=tuple(_shares(table, fields_of, profile.hardening)),
                pair=_only_pair(table, places),
            )
            for table in profile.tables
        ),
        keys=tuple(_key_rule(key, profile.groups, len(fields_of)) for key in profile.match_keys),
        taps=profile.hardening.taps,
        clk_bits=profile.hardening.clk_bits,
    )


_FIELD_BITS: Final[Mapping[str, float]] = MappingProxyType({
    "first_name": 7, "middle_name": 2, "last_name": 9, "dob": 14, "birth_year": 6, "sex": 1,
    "street_number": 4, "street_name": 4, "city": 1, "state": 0, "zip": 3, "phone": 12, "ssn": 24,
})  # fmt: skip
"""How rare it is that unrelated people share a common value of the field, as the binary logarithm of one in so many.

Less than that for what is often missing (middle name) or is shared by neighbours (the parts of an address).
"""

_DIFFER_BITS: Final[Mapping[str, float]] = MappingProxyType(
    {"first": 4, "last": 4, "birth": 4, "address": 1.5, "phone": 1.5, "ssn": 4}
)
"""How rarely one person's values differ wholly: one in 16, but one in 3 for what changes when people move."""

_GONE_AT: Final[Mapping[str, float]] = MappingProxyType(
    {"first": 0.85, "last": 0.85, "birth": 0.65, "address": 0.85, "phone": 0.5, "ssn": 0.5}
)
"""Unrelated numbers and dates share some of their digits, so that they count as wholly different earlier than names."""

_STEM_LEFT_OPEN: Final = 0.6
"""Names with the same three letters first, or last, or of one sound, mostly differ in some of the others, if at all."""

_UNORDERED_LEFT_OPEN: Final = 0.6
"""Dates of one year whose month and day are in each other's place: as those of which the year alone is equal."""

_TRIGRAMS: Final = range(-2, DATE_DIGITS)

_PERSONAL: Final = frozenset({"first", "birth", "ssn"})
_REST: Final = GroupRule(name="rest", agree_bits=0, differ_bits=0, gone_at=1, personal=False)


def _group_rule(group: Group) -> GroupRule:
    # A birth date says the year too.
    told = [field for field in group.fields if not (field == "birth_year" and "dob" in group.fields)]
    return GroupRule(
        name=group.name,
        agree_bits=sum(_FIELD_BITS[field] for field in told),
        differ_bits=_DIFFER_BITS[group.name],
        gone_at=_GONE_AT[group.name],
        personal=group.name in _PERSONAL,
    )


def _shares(table: Table, fields_of: list[frozenset[str]], hardening: Hardening) -> Iterator[float]:
    """Give each group's share: both sides set its bits elsewhere, where no other bit of the row falls."""
    alone = exp(-hardening.bits_set / hardening.filter_bits)
    for fields in fields_of:
        features = [feature for feature in table.linkage_schema["features"] if feature["identifier"] in fields]
        bits = sum(feature["hashing"]["strategy"]["bitsPerFeature"] for feature in features)
        yield 2 * bits * alone / hardening.filter_bits


def _key_rule(key: MatchKey, groups: tuple[Group, ...], group_count: int) -> KeyRule:
    """Give what equal tags leave open of each group: its other fields, by weight, and what is in no part of the key.

    Parts that stand in either order say nothing of a group, whose field may hold what is another's in the other row.
    """
    bounds = [1.0] * group_count
    telling = key.parts[2:] if key.unordered else key.parts
    for place, group in enumerate(groups):
        weights = {field: RULES[field].weight for field in group.fields}
        said = sum(weights[part.field] * (1 - left_open(part)) for part in telling if part.field in weights)
        bounds[place] = 1 - said / sum(weights.values())
    # A wide key can have a field of a group without any of its anchors, such as a middle name.
    held = (place for place, group in enumerate(groups) if set(key.fields) & set(group.anchors))
    return KeyRule(name=key.name, bounds=tuple(bounds), groups=tuple(held))


def left_open(part: Part) -> float:
    """Give how much of a field can differ where one part of it is equal, in [0, 1]: the share of its tokens."""
    if part.form is PartForm.SOUND:
        return _STEM_LEFT_OPEN
    if part.form is PartForm.UNORDERED_DATE:
        return _UNORDERED_LEFT_OPEN
    if not part.slices:
        return 0.0
    if not part.digits:
        return _STEM_LEFT_OPEN if part.slices[0][1] > 1 else 1.0
    kept = {at for start, end in part.slices for at in range(start, end)}
    # A date has positional 3-grams, with two spaces before and after it.
    changed = [any(0 <= at < part.digits and at not in kept for at in range(first, first + 3)) for first in _TRIGRAMS]
    return sum(changed) / len(changed)


def _only_pair(table: Table, places: Mapping[str, int]) -> tuple[int, int] | None:
    if len(table.pairs) != 1:
        return None
    left, right = table.pairs[0]
    return places[left], places[right]
