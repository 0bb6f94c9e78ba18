"""Linkage schemas: how the columns of a provider become the bits of a CLK.

A schema is a clkhash linkage schema of version 1, 2 or 3 (docs/protocol.md). `parse_linkage_schema` upgrades it to
version 3, accepts and refuses what clkhash 0.18.3 accepts and refuses, and also refuses at once, with a reason, a
schema with which clkhash would fail on the first record: a filter length that BLAKE2 hashing cannot use, too long keys,
a broken salt. The limits below are ours: far above any use, they keep a hostile schema from exhausting a node.

The JSON shapes are in `isthmus.contract.linkage_schema_json`; encoding itself happens in nodes only.
"""

import re
from base64 import b64decode, b64encode
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from msgspec import UNSET, UnsetType

from isthmus.contract import linkage_schema_json as shape
from isthmus.contract.errors import InvalidLinkageSchema

MAX_FILTER_BITS: Final = 2**24
"""The longest filter before XOR folding, in bits."""

MAX_BITS: Final = 2**20  # Of one token or feature.
MAX_NGRAM: Final = 2**10
MAX_RESOLUTION: Final = 2**16
MAX_PRECISION: Final = 308  # Decimal places; a double holds no more.

_MAX_BLAKE_KEY_BYTES: Final = 64  # RFC 7693, section 2.1.

KEYS_PER_FEATURE: Final = 2
_MAX_KEY_BYTES: Final = {"SHA256": 255 * 32, "SHA512": 255 * 64}  # RFC 5869, section 2.3: at most 255 digests.

Encoding = Literal["ascii", "utf-8", "utf-16", "utf-32"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFormat:
    """Text of a case and of a length in characters, both ends included. `None` is no bound."""

    encoding: Encoding
    case: Literal["upper", "lower", "mixed"]
    min_length: int | None
    max_length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternFormat:
    """Text that a regular expression matches from end to end."""

    encoding: Encoding
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerFormat:
    """A whole number in base 10, both bounds included. `None` is no bound."""

    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DateFormat:
    """A date in a strptime format."""

    directives: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumFormat:
    """One of a set of texts."""

    values: frozenset[str]


Format = TextFormat | PatternFormat | IntegerFormat | DateFormat | EnumFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramComparison:
    """Tokens of n characters, each with its place in front where `positional`."""

    n: int
    positional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactComparison:
    """The whole value is the one token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericComparison:
    """The numbers around the value are its tokens: 2 * resolution + 1 of them.

    `interval` is the threshold distance in units of the last decimal place. `fractional_precision` is kept as the
    schema wrote it: 2.0 in place of 2 makes clkhash count in floats, which gives other tokens.

    Source: Vatsalan and Christen (2016), Privacy-preserving matching of similar patients.
    """

    interval: int
    resolution: int
    fractional_precision: int | float


Comparison = NgramComparison | ExactComparison | NumericComparison


@dataclass(frozen=True, slots=True, kw_only=True)
class BitsPerToken:
    """Every token sets this many bits."""

    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BitsPerFeature:
    """The tokens of a value together set this many bits."""

    bits: int


Strategy = BitsPerToken | BitsPerFeature


@dataclass(frozen=True, slots=True, kw_only=True)
class BlakeHash:
    """Positions are slices of a keyed BLAKE2b digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleHash:
    """Positions are h1 + i * h2; `prevent_singularity` draws h2 again while it is zero.

    Source: Schnell, Bachteler and Reiher (2009). Attack: Kroll and Steinmetzer (2015).
    """

    prevent_singularity: bool


TokenHash = BlakeHash | DoubleHash


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue:
    """A value that stands for a missing one, and what is encoded in its place."""

    sentinel: str
    replace_with: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A column that is encoded."""

    identifier: str
    format: Format
    comparison: Comparison
    strategy: Strategy
    token_hash: TokenHash
    missing_value: MissingValue | None

    @property
    def encoding(self) -> Encoding:
        """How tokens become bytes."""
        return self.format.encoding if isinstance(self.format, TextFormat | PatternFormat) else "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredFeature:
    """A column that is present and not encoded. It takes up keys, so that leaving it out changes all later features."""

    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDerivation:
    """How the linkage secret becomes one pair of keys for each feature: HKDF (RFC 5869). `key_size` is in bytes."""

    hash: Literal["SHA256", "SHA512"]
    salt: bytes | None
    info: bytes | None
    key_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageSchema:
    """A lawful linkage schema. Two are equal where they encode alike; descriptions do not count."""

    clk_bits: int
    xor_folds: int
    kdf: KeyDerivation
    features: tuple[Feature | IgnoredFeature, ...]
    document: dict[str, Any] = field(repr=False, compare=False)

    @property
    def filter_bits(self) -> int:
        """The length of the Bloom filter before folding, in bits."""
        return self.clk_bits << self.xor_folds

    @property
    def clk_bytes(self) -> int:
        """The length of a packed CLK in bytes; the last byte is filled up with zero bits."""
        return -(-self.clk_bits // 8)

    def to_dict(self) -> dict[str, Any]:
        """Give a copy of the schema as a JSON object of version 3."""
        return deepcopy(self.document)


def parse_linkage_schema(document: object) -> LinkageSchema:
    """Give the typed schema of a clkhash linkage schema, a JSON object of version 1, 2 or 3.

    Raises:
        InvalidLinkageSchema: clkhash refuses it or fails on any record with it, or it exceeds this module's limits.
    """
    upgraded = shape.upgrade(document)
    config, described = shape.read(upgraded)
    schema = LinkageSchema(
        clk_bits=config.clk_bits,
        xor_folds=_xor_folds(config),
        kdf=KeyDerivation(
            hash=config.kdf.hash,
            salt=_bytes(config.kdf.salt, "clkConfig.kdf.salt"),
            info=_bytes(config.kdf.info, "clkConfig.kdf.info"),
            key_size=config.kdf.key_size,
        ),
        features=tuple(_feature(each, f"features[{index}]") for index, each in enumerate(described)),
        document=upgraded,
    )
    _require_usable(schema)
    return schema


def with_kdf_info(schema: LinkageSchema, info: bytes) -> LinkageSchema:
    """Give the schema with another HKDF info, so that its keys serve this purpose only."""
    document = schema.to_dict()
    document["clkConfig"]["kdf"]["info"] = b64encode(info).decode()
    return replace(schema, kdf=replace(schema.kdf, info=info), document=document)


def _xor_folds(config: shape.ClkConfig) -> int:
    folds, where = config.xor_folds, "clkConfig.xor_folds"
    if not isinstance(folds, int) or folds < 0:
        raise InvalidLinkageSchema(where=where, problem="expected an integer of at least 0")
    if folds > MAX_FILTER_BITS.bit_length() or config.clk_bits << folds > MAX_FILTER_BITS:
        raise InvalidLinkageSchema(where=where, problem=f"the unfolded filter exceeds {MAX_FILTER_BITS} bits")
    return int(folds)


def _bytes(text: str | UnsetType, where: str) -> bytes | None:
    if text is UNSET:
        return None
    try:
        # Characters outside the alphabet are skipped, as clkhash does, not refused.
        return b64decode(text)
    except ValueError as error:
        raise InvalidLinkageSchema(where=where, problem="not base64") from error


def _feature(described: shape.Feature | shape.Ignored, where: str) -> Feature | IgnoredFeature:
    if isinstance(described, shape.Ignored) or described.ignored:
        return IgnoredFeature(identifier=described.identifier)
    hashing = described.hashing
    return Feature(
        identifier=described.identifier,
        format=_format(described.format, f"{where}.format"),
        comparison=_comparison(hashing.comparison, f"{where}.hashing.comparison"),
        strategy=_strategy(hashing.strategy, f"{where}.hashing.strategy"),
        token_hash=_token_hash(hashing.hash, f"{where}.hashing.hash"),
        missing_value=_missing_value(hashing.missing_value),
    )


def _format(described: shape.Text | shape.Integer | shape.Date | shape.Enum, where: str) -> Format:
    match described:
        case shape.Integer():
            return IntegerFormat(minimum=_whole(described.minimum), maximum=_whole(described.maximum))
        case shape.Date():
            return DateFormat(directives=_directives(described.format, f"{where}.format"))
        case shape.Enum():
            return EnumFormat(values=frozenset(described.values))
        case _:
            if described.pattern is not UNSET:
                pattern = _pattern(described.pattern, f"{where}.pattern")
                return PatternFormat(encoding=described.encoding, pattern=pattern)
            return TextFormat(
                encoding=described.encoding,
                case="mixed" if described.case is UNSET else described.case,
                min_length=_whole(described.min_length),
                max_length=_whole(described.max_length),
            )


def _whole(value: float | UnsetType) -> int | None:
    return None if value is UNSET else int(value)


def _pattern(pattern: str, where: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidLinkageSchema(where=where, problem="not a regular expression") from error
    return pattern


def _directives(directives: str, where: str) -> str:
    try:
        # An empty text is no date. An unknown directive ends there too: clkhash accepts it and refuses every value.
        with suppress(ValueError):
            datetime.strptime("", directives)  # noqa: DTZ007 - a birth date has no time zone.
    except re.error as error:
        raise InvalidLinkageSchema(where=where, problem="a directive is repeated") from error
    return directives


def _comparison(described: shape.Ngram | shape.Exact | shape.Numeric, where: str) -> Comparison:
    match described:
        case shape.Ngram():
            _require_at_most(described.n, MAX_NGRAM, f"{where}.n")
            return NgramComparison(n=described.n, positional=described.positional)
        case shape.Exact():
            return ExactComparison()
        case _:
            return _numeric(described, where)


def _numeric(described: shape.Numeric, where: str) -> NumericComparison:
    _require_at_most(described.resolution, MAX_RESOLUTION, f"{where}.resolution")
    _require_at_most(described.fractional_precision, MAX_PRECISION, f"{where}.fractional_precision")
    try:
        interval = round(described.threshold_distance * 10**described.fractional_precision)
    except (OverflowError, ValueError) as error:
        raise InvalidLinkageSchema(where=f"{where}.thresholdDistance", problem="not a finite number") from error
    if interval == 0:
        problem = "shorter than the last decimal place of fractional_precision"
        raise InvalidLinkageSchema(where=f"{where}.thresholdDistance", problem=problem)
    return NumericComparison(
        interval=interval,
        resolution=described.resolution,
        fractional_precision=described.fractional_precision,
    )


def _strategy(described: shape.Strategy, where: str) -> Strategy:
    if described.bits_per_token is not UNSET:
        _require_at_most(described.bits_per_token, MAX_BITS, f"{where}.bitsPerToken")
        return BitsPerToken(bits=int(described.bits_per_token))
    assert described.bits_per_feature is not UNSET  # noqa: S101 - the shape holds exactly one; this tells mypy so.
    _require_at_most(described.bits_per_feature, MAX_BITS, f"{where}.bitsPerFeature")
    return BitsPerFeature(bits=int(described.bits_per_feature))


def _token_hash(described: shape.Blake | shape.Double, where: str) -> TokenHash:
    if isinstance(described, shape.Double):
        return DoubleHash(prevent_singularity=described.prevent_singularity)
    if described.prevent_singularity is not None:
        raise InvalidLinkageSchema(where=where, problem="prevent_singularity belongs to doubleHash only")
    return BlakeHash()


def _missing_value(described: shape.Missing | UnsetType) -> MissingValue | None:
    if described is UNSET:
        return None
    instead = described.sentinel if described.replace_with is UNSET else described.replace_with
    return MissingValue(sentinel=described.sentinel, replace_with=instead)


def _require_at_most(value: float, limit: int, where: str) -> None:
    if value > limit:
        raise InvalidLinkageSchema(where=where, problem=f"more than {limit}")


def _require_usable(schema: LinkageSchema) -> None:
    if not schema.features:
        raise InvalidLinkageSchema(where="features", problem="there is none")
    key_bytes = KEYS_PER_FEATURE * len(schema.features) * schema.kdf.key_size
    if key_bytes > _MAX_KEY_BYTES[schema.kdf.hash]:
        raise InvalidLinkageSchema(where="clkConfig.kdf", problem="HKDF cannot give that many key bytes")
    for feature in schema.features:
        if isinstance(feature, Feature):
            _require_hashable(feature.token_hash, schema)


def _require_hashable(token_hash: TokenHash, schema: LinkageSchema) -> None:
    if isinstance(token_hash, DoubleHash):
        if token_hash.prevent_singularity and schema.filter_bits == 1:
            raise InvalidLinkageSchema(where="clkConfig.l", problem="one bit cannot avoid singularity")
        return
    if schema.filter_bits.bit_count() != 1:
        raise InvalidLinkageSchema(where="clkConfig.l", problem="blakeHash needs a power of two")
    if schema.kdf.key_size > _MAX_BLAKE_KEY_BYTES:
        raise InvalidLinkageSchema(where="clkConfig.kdf.keySize", problem="blakeHash takes at most 64 bytes")
