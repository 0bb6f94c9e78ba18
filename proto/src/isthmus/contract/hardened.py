"""The hardened profiles: diffused tables and match keys (`hardened-1`, `hardened-2`), or one table alone.

A **table** is a sparse clkhash filter (linkage schema version 3) over some of the fields, followed by keyed diffusion:
records that are nearly equal as a whole are nearly equal vectors. One table, `all`, holds every shared field; the table
`person` holds names and birth alone, for people who moved. **Match keys** find the pairs of which a part is damaged by
what is whole; `hardened-2` is `hardened-1` with wide match keys after its own, for rounds that compare fields, and
`hardened-single-1` has none. Why, and at which price: docs/decisions/0009-diffusion.md, 0014-boxes.md,
0015-match-keys.md and 0029-wide-match-keys.md. Each profile follows from its fields and the grant of the name table.

A CLK is pseudonymous personal data, whatever the profile.
"""

import hashlib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from itertools import accumulate, combinations, pairwise
from typing import Any, Final

import msgspec
import rfc8785

from isthmus.contract.errors import InvalidLinkageSchema, InvalidProfile
from isthmus.contract.linkage_schema import BitsPerFeature, Feature, LinkageSchema, parse_linkage_schema
from isthmus.contract.match_keys import MATCH_KEY_BITS, MatchKey, match_keys_for
from isthmus.contract.profile_parts import NORMALISER, RULES, WHOLE_TABLE, feature_of, in_standard_order, same_json

HARDENED_FORMAT: Final = "isthmus/profile/4"
HARDENED_1: Final = "hardened-1"
HARDENED_2: Final = "hardened-2"
HARDENED_SINGLE_1: Final = "hardened-single-1"
HARDENED_NAMES: Final = (HARDENED_1, HARDENED_2, HARDENED_SINGLE_1)
ENCODER: Final = "clkhash-v3+diffusion-2"

NAME_PAIR: Final = ("first", "last")
"""The groups whose table makes equal full names equal vectors, so that a project has to grant it."""

PERSON_TABLE: Final = "person"
PERSON_GROUPS: Final = ("first", "last", "birth")
"""The groups of the table `person`: what people keep when they move."""

BOX_BITS: Final = 8
"""Filter positions that a box reads, and bits that it gives (diffusion-2)."""

MIN_TAPS: Final = 4
MAX_TAPS: Final = 8
MAX_FILTER_BITS: Final = 2**14


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardening:
    """The numbers of a hardened profile; unsafe or useless ones are refused with the reason.

    `filter_bits` is the length of a filter, `bits_set` how many bits a full record sets in it before collisions,
    `taps` how many positions are XORed to one output bit beside a bit of a box, `clk_bits` how many output bits there
    are.
    """

    filter_bits: int = 1024
    bits_set: int = 330
    taps: int = 4
    clk_bits: int = 2048

    def __post_init__(self) -> None:
        """Refuse unsafe settings, naming every fault.

        Raises:
            InvalidProfile: a bound is broken.
        """
        faults = [fault for fault in (self._length_fault(), self._weight_fault(), *self._diffusion_faults()) if fault]
        if faults:
            raise InvalidProfile(problem="; ".join(faults))

    def _length_fault(self) -> str:
        if self.filter_bits.bit_count() != 1 or not 64 <= self.filter_bits <= MAX_FILTER_BITS:
            return f"filter_bits is no power of two from 64 to {MAX_FILTER_BITS}, as blakeHash and whole words need"
        return ""

    def _weight_fault(self) -> str:
        if 2 * self.bits_set >= self.filter_bits:
            return "bits_set is half of filter_bits or more: the filter is not sparse, and parts of it hide each other"
        if 4 * self.bits_set < self.filter_bits:
            return "bits_set is under a quarter of filter_bits: the density of the output would give that of the input"
        return ""

    def _diffusion_faults(self) -> Iterator[str]:
        if self.taps < MIN_TAPS:
            yield f"taps is under {MIN_TAPS}: what the boxes read would show in how output bits go together"
        if self.taps > MAX_TAPS:
            yield f"taps is over {MAX_TAPS}: records with one difference look like those of strangers"
        if self.clk_bits % 64:
            yield "clk_bits is no multiple of 64, the word in which CLKs are compared"
        if self.clk_bits < self.filter_bits:
            yield "clk_bits is under filter_bits: chance would hide the similarity of records with one difference"
        if self.clk_bits > 2 * self.filter_bits:
            yield "clk_bits is over twice filter_bits: a longer output restores what graph matching uses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields that say one thing about a person. A row holds the group if it has a value in one of the `anchors`.

    The other fields of a group tell little by themselves: sex without a birth date, a middle name without a first.
    """

    name: str
    fields: tuple[str, ...]
    anchors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One vector a row. A row enters the table if it holds both groups of at least one of the `pairs`.

    `fields` are the features of `linkage_schema`, a clkhash schema of version 3 without `info` and `salt`.
    """

    name: str
    fields: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    linkage_schema: dict[str, Any]

    def __post_init__(self) -> None:
        """Refuse a table that a row may enter with a single group.

        Raises:
            InvalidProfile: there is no pair of groups, or one is of a group with itself.
        """
        if not self.pairs or any(left == right for left, right in self.pairs):
            raise InvalidProfile(problem="a table is of a single group: equal values of a part would be equal vectors")


@dataclass(frozen=True, slots=True, kw_only=True)
class HardenedProfile:
    """How the rows of a project are encoded: all that two nodes must have in common, keys apart.

    `fields` are the columns, in standard order. `groups` are those whose anchors the fields hold. `name_table` says
    whether first and last name alone let a row into a table. Do not change a schema in place.
    """

    name: str
    normaliser: str
    encoder: str
    fields: tuple[str, ...]
    name_table: bool
    hardening: Hardening
    groups: tuple[Group, ...]
    tables: tuple[Table, ...]
    match_keys: tuple[MatchKey, ...]

    def __post_init__(self) -> None:
        """Check that tables, groups and numbers agree.

        Raises:
            InvalidProfile: a schema is refused or does not set the bits that it should, a table or a match key has a
                field or a group that the profile has not, names alone enter a table without a grant, or a match key is
                of a single group or of names alone and the profile is not `hardened-2`.
        """
        known = {group.name for group in self.groups}
        for table in self.tables:
            _check_schema(table, self.hardening)
            if (
                not set(table.fields) <= set(self.fields)
                or not {name for pair in table.pairs for name in pair} <= known
            ):
                raise InvalidProfile(problem="a table has a field or a group that the profile has not")
            if NAME_PAIR in table.pairs and not self.name_table:
                raise InvalidProfile(problem="names alone enter a table, which the project has not granted")
        if self.name == HARDENED_2:
            _check_wide(self.match_keys, self.fields)
        else:
            _check_narrow(self.match_keys, self.groups)

    @property
    def clk_bits(self) -> int:
        """How many bits a CLK of one table has."""
        return self.hardening.clk_bits

    @property
    def table_names(self) -> tuple[str, ...]:
        """The tables that a row may send an encoding to, in order."""
        return tuple(table.name for table in self.tables)

    @property
    def match_key_names(self) -> tuple[str, ...]:
        """The match keys that a row may send a tag for, in order."""
        return tuple(key.name for key in self.match_keys)

    @property
    def part_bits(self) -> tuple[int, ...]:
        """How many bits each CLK and then each tag of a row takes."""
        return (self.clk_bits,) * len(self.tables) + (MATCH_KEY_BITS,) * len(self.match_keys)

    @property
    def row_bits(self) -> int:
        """How many bits the CLKs and the tags of one row take together."""
        return sum(self.part_bits)

    def document(self) -> dict[str, Any]:
        """Give the profile as a JSON document of format `isthmus/profile/4`, a copy."""
        document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({"format": HARDENED_FORMAT} | asdict(self)))
        return document

    def digest(self) -> str:
        """Give the profile's identity: SHA-256 of the document's RFC 8785 bytes, 64 hex digits."""
        return hashlib.sha256(rfc8785.dumps(self.document())).hexdigest()


_GROUPS: Final = (
    Group(name="first", fields=("first_name", "middle_name"), anchors=("first_name",)),
    Group(name="last", fields=("last_name",), anchors=("last_name",)),
    Group(name="birth", fields=("dob", "birth_year", "sex"), anchors=("dob", "birth_year")),
    Group(
        name="address",
        fields=("street_number", "street_name", "city", "state", "zip"),
        anchors=("street_name", "zip"),
    ),
    Group(name="phone", fields=("phone",), anchors=("phone",)),
    Group(name="ssn", fields=("ssn",), anchors=("ssn",)),
)


def hardened_1(fields: Sequence[str], *, name_table: bool = False) -> HardenedProfile:
    """Give the profile `hardened-1` for these standard fields, in whatever order they come.

    Its tables are `all`, then `person`, then, only with `name_table`, that of first and last name. A table with the
    very fields of an earlier one is left out. Its match keys are those of `match_keys_for`.

    Raises:
        InvalidProfile: a field twice, one that is not standard, fields of fewer than two groups, or names alone without
            a grant.
    """
    return _profile(HARDENED_1, fields, name_table=name_table)


def hardened_2(fields: Sequence[str], *, name_table: bool = False) -> HardenedProfile:
    """Give the profile `hardened-2`: the tables and match keys of `hardened-1`, and the wide match keys.

    What a wide key finds has to be compared field by field; a score of tables and tags cannot judge it.

    Raises:
        InvalidProfile: as `hardened_1`.
    """
    return _profile(HARDENED_2, fields, name_table=name_table)


def hardened_single_1(fields: Sequence[str]) -> HardenedProfile:
    """Give the profile `hardened-single-1`: the table `all` and no other.

    Raises:
        InvalidProfile: as `hardened_1`; names alone are never enough.
    """
    return _profile(HARDENED_SINGLE_1, fields, name_table=False)


def hardened_from_document(document: dict[str, Any]) -> HardenedProfile:
    """Give the profile that a document holds, after checking that it is one that we encode with, to the last bit.

    Raises:
        InvalidProfile: it is no document of a hardened profile, a setting is unsafe (with the reason), or its content
            is not that of the named profile for its fields.
    """
    if document.get("format") != HARDENED_FORMAT or document.get("name") not in HARDENED_NAMES:
        raise InvalidProfile(problem=f"it is no hardened profile in a document of format {HARDENED_FORMAT}")
    try:
        found = msgspec.convert(document, HardenedProfile)
    except (msgspec.ValidationError, RecursionError) as error:
        # The parser's own text could quote the document.
        raise InvalidProfile(problem="a key is missing or of the wrong type") from error
    profile = _profile(found.name, found.fields, name_table=found.name_table)
    if not same_json(document, profile.document()):
        raise InvalidProfile(problem=f"its content is not that of {found.name} for its fields")
    return profile


def _profile(name: str, fields: Sequence[str], *, name_table: bool) -> HardenedProfile:
    ordered, hardening, several = in_standard_order(fields), Hardening(), name != HARDENED_SINGLE_1
    groups = tuple(_held(ordered))
    pairs = _pairs(groups, name_table=name_table)
    narrow = _narrow_tables(ordered, groups, pairs, hardening) if several else ()
    return HardenedProfile(
        name=name,
        normaliser=NORMALISER,
        encoder=ENCODER,
        fields=ordered,
        name_table=name_table and several,
        hardening=hardening,
        groups=groups,
        tables=(_table(WHOLE_TABLE, ordered, pairs, hardening), *narrow),
        match_keys=tuple(match_keys_for(ordered, wide=name == HARDENED_2)) if several else (),
    )


def _held(fields: tuple[str, ...]) -> Iterator[Group]:
    """Give the groups whose anchors are among the fields, cut to the fields."""
    for group in _GROUPS:
        anchors = tuple(anchor for anchor in group.anchors if anchor in fields)
        if anchors:
            yield Group(name=group.name, fields=tuple(f for f in group.fields if f in fields), anchors=anchors)


def _pairs(groups: tuple[Group, ...], *, name_table: bool) -> tuple[tuple[str, str], ...]:
    every = tuple(combinations((group.name for group in groups), 2))
    if not every:
        raise InvalidProfile(problem="its fields are of a single group: equal values of a part would be equal vectors")
    allowed = tuple(pair for pair in every if name_table or pair != NAME_PAIR)
    if not allowed:
        raise InvalidProfile(
            problem="its fields are names alone, and the table of names has to be granted (name_table = true)"
        )
    return allowed


def _narrow_tables(
    fields: tuple[str, ...], groups: tuple[Group, ...], pairs: tuple[tuple[str, str], ...], hardening: Hardening
) -> Iterator[Table]:
    before = {fields}
    for name, inside in ((PERSON_TABLE, PERSON_GROUPS), ("-".join(NAME_PAIR), NAME_PAIR)):
        held = {field for group in groups if group.name in inside for field in group.fields}
        kept, chosen = tuple(pair for pair in pairs if set(pair) <= set(inside)), _inside(fields, held)
        if kept and chosen not in before:
            before.add(chosen)
            yield _table(name, chosen, kept, hardening)


def _inside(fields: tuple[str, ...], held: set[str]) -> tuple[str, ...]:
    return tuple(field for field in fields if field in held)


def _table(name: str, fields: tuple[str, ...], pairs: tuple[tuple[str, str], ...], hardening: Hardening) -> Table:
    bits = _share(hardening.bits_set, [RULES[field].weight for field in fields])
    return Table(
        name=name,
        fields=fields,
        pairs=pairs,
        linkage_schema={
            "version": 3,
            "clkConfig": {"l": hardening.filter_bits, "kdf": {"type": "HKDF", "hash": "SHA256", "keySize": 64}},
            "features": [feature_of(field, bits=count) for field, count in zip(fields, bits, strict=True)],
        },
    )


def _share(bits: int, weights: list[int]) -> list[int]:
    """Cut the bits by weight, in whole numbers that add up: each share ends at the floor of its running total."""
    ends = [bits * running // sum(weights) for running in accumulate(weights, initial=0)]
    return [end - start for start, end in pairwise(ends)]


def _check_schema(table: Table, hardening: Hardening) -> None:
    schema = _parsed(table.linkage_schema)
    features = [feature for feature in schema.features if isinstance(feature, Feature)]
    if tuple(feature.identifier for feature in features) != table.fields or len(features) != len(schema.features):
        raise InvalidProfile(problem="a linkage schema has other features than its table has fields")
    bits = [feature.strategy.bits for feature in features if isinstance(feature.strategy, BitsPerFeature)]
    if len(bits) != len(features) or sum(bits) != hardening.bits_set:
        raise InvalidProfile(problem="the features of a linkage schema do not share bits_set bits")
    if schema.filter_bits != hardening.filter_bits or schema.xor_folds:
        raise InvalidProfile(problem="the filter of a linkage schema is not of filter_bits bits, unfolded")


def _check_wide(keys: tuple[MatchKey, ...], fields: tuple[str, ...]) -> None:
    if any(not set(key.fields) <= set(fields) for key in keys):
        raise InvalidProfile(problem="a match key has a field that the profile has not")


def _check_narrow(keys: tuple[MatchKey, ...], groups: tuple[Group, ...]) -> None:
    """Refuse keys by which strangers could link where one score decides."""
    group_of = {field: group.name for group in groups for field in group.fields}
    for key in keys:
        if not set(key.fields) <= group_of.keys():
            raise InvalidProfile(problem="a match key has a field that no group of the profile has")
        joined = {group_of[field] for field in key.fields}
        if len(joined) < 2 or joined <= set(NAME_PAIR):
            raise InvalidProfile(problem="a match key is of a single group or of names alone")


def _parsed(document: dict[str, Any]) -> LinkageSchema:
    try:
        return parse_linkage_schema(deepcopy(document))
    except InvalidLinkageSchema as error:
        raise InvalidProfile(problem="an embedded linkage schema is refused") from error
