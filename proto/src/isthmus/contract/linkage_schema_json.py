"""The JSON shapes of clkhash linkage schemas, and the upgrade of versions 1 and 2 to version 3.

What a schema may hold is what clkhash 0.18.3 accepts: a document has to fit the shape of its own version, and after the
upgrade the shape of version 3 too. Meaning (regular expressions, filter lengths, key sizes) is judged in
`isthmus.contract.linkage_schema`. docs/protocol.md names the schema versions that a profile may carry.

Three things differ from a JSON reader's first guess and are kept on purpose, because other programs encode by them:
members that a shape does not close are ignored; version 2 and 3 count `2.0` as an integer where version 1 does not; the
number of XOR folds is read from `xor_folds`, while the documented `xorFolds` is checked and then has no effect.
"""

import math
from copy import deepcopy
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from isthmus.contract.errors import InvalidLinkageSchema

Document = dict[str, Any]
"""A JSON object as `json.loads` gives it."""

Whole = int | float
"""An integer where 2.0 counts as one; `_require_whole` refuses the rest."""

NotNegative = Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0)]
AtLeastOne = Annotated[int, Meta(ge=1)] | Annotated[float, Meta(ge=1)]
AboveZero = Annotated[int, Meta(gt=0)] | Annotated[float, Meta(gt=0)]

T = TypeVar("T")

_V1_INTEGERS: Final = ("minLength", "maxLength", "minimum", "maximum")


def _require_whole(**members: Whole | UnsetType) -> None:
    for name, value in members.items():
        if isinstance(value, float) and not value.is_integer():
            msg = f"{name} is not a whole number"
            raise ValueError(msg)


class Kdf(Struct, rename="camel"):
    """How feature keys are derived."""

    type: Literal["HKDF"]
    hash: Literal["SHA256", "SHA512"] = "SHA256"
    salt: str | UnsetType = UNSET
    info: str | UnsetType = UNSET
    key_size: Annotated[int, Meta(ge=1)] = 64


class ClkConfig(Struct):
    """The settings that all features share. `xor_folds` is judged later, since clkhash's shape leaves it open."""

    clk_bits: Annotated[int, Meta(ge=1)] = field(name="l")
    kdf: Kdf
    documented_xor_folds: NotNegative = field(name="xorFolds", default=0)
    xor_folds: Any = 0

    def __post_init__(self) -> None:
        """Refuse a documented number of folds that is no whole number."""
        _require_whole(xorFolds=self.documented_xor_folds)


class Text(Struct, tag_field="type", tag="string", rename="camel", forbid_unknown_fields=True):
    """Text under a regular expression, or of a case and length."""

    encoding: Literal["ascii", "utf-8", "utf-16", "utf-32"] = "utf-8"
    case: Literal["upper", "lower", "mixed"] | UnsetType = UNSET
    min_length: NotNegative | UnsetType = UNSET
    max_length: AtLeastOne | UnsetType = UNSET
    pattern: str | UnsetType = UNSET
    description: str = ""

    def __post_init__(self) -> None:
        """Refuse a pattern beside a case or a length."""
        _require_whole(minLength=self.min_length, maxLength=self.max_length)
        measured = any(part is not UNSET for part in (self.case, self.min_length, self.max_length))
        if self.pattern is not UNSET and measured:
            raise ValueError("a pattern stands alone, without case, minLength or maxLength")


class Integer(Struct, tag_field="type", tag="integer", forbid_unknown_fields=True):
    """A whole number in base 10."""

    minimum: Whole | UnsetType = UNSET
    maximum: Whole | UnsetType = UNSET
    description: str = ""

    def __post_init__(self) -> None:
        """Refuse bounds that are no whole numbers."""
        _require_whole(minimum=self.minimum, maximum=self.maximum)


class Date(Struct, tag_field="type", tag="date", forbid_unknown_fields=True):
    """A date in a strptime format."""

    format: str
    description: str = ""


class Enum(Struct, tag_field="type", tag="enum", forbid_unknown_fields=True):
    """One of a list of texts."""

    values: list[str]
    description: str = ""


class Ngram(Struct, tag_field="type", tag="ngram"):
    """Tokens of n characters."""

    n: Annotated[int, Meta(ge=1)]
    positional: bool = False


class Exact(Struct, tag_field="type", tag="exact"):
    """The whole value as one token."""


class Numeric(Struct, tag_field="type", tag="numeric"):
    """The numbers around the value as tokens."""

    threshold_distance: AboveZero = field(name="thresholdDistance")
    resolution: Annotated[int, Meta(ge=1)]
    fractional_precision: NotNegative = 0

    def __post_init__(self) -> None:
        """Refuse a precision that is no whole number."""
        _require_whole(fractional_precision=self.fractional_precision)


class Strategy(Struct, rename="camel", forbid_unknown_fields=True):
    """How many bits are set, for each token or for the whole feature."""

    bits_per_token: AtLeastOne | UnsetType = UNSET
    bits_per_feature: AtLeastOne | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse both members and none."""
        _require_whole(bitsPerToken=self.bits_per_token, bitsPerFeature=self.bits_per_feature)
        if (self.bits_per_token is UNSET) == (self.bits_per_feature is UNSET):
            raise ValueError("exactly one of bitsPerToken and bitsPerFeature is needed")


class Blake(Struct, tag_field="type", tag="blakeHash"):
    """Keyed BLAKE2b. `prevent_singularity` has no meaning here and is refused later, unless the feature is ignored."""

    prevent_singularity: Any = None


class Double(Struct, tag_field="type", tag="doubleHash"):
    """Double hashing with HMAC-SHA-1 and HMAC-MD5."""

    prevent_singularity: bool = False


class Missing(Struct, rename="camel"):
    """The value that stands for a missing one, and what is encoded in its place."""

    sentinel: str
    replace_with: str | UnsetType = UNSET


class Hashing(Struct, rename="camel", forbid_unknown_fields=True):
    """How a feature becomes bits."""

    comparison: Ngram | Exact | Numeric
    strategy: Strategy
    hash: Blake | Double = field(default_factory=Blake)
    missing_value: Missing | UnsetType = UNSET


class Feature(Struct):
    """A column that is encoded, or one that is described in full and ignored."""

    identifier: str
    format: Text | Integer | Date | Enum
    hashing: Hashing
    description: str = ""
    ignored: bool = False


class _IgnoredOpen(Struct):
    identifier: str
    ignored: bool
    description: str = ""

    def __post_init__(self) -> None:
        if not self.ignored:
            raise ValueError("format and hashing are missing")


class Ignored(_IgnoredOpen, forbid_unknown_fields=True):
    """A column that is not encoded."""


class _Schema(Struct):
    config: Document = field(name="clkConfig")
    features: list[Document]


class _ClkConfigV1(Struct):
    clk_bits: Annotated[int, Meta(ge=1)] = field(name="l")
    bits_per_token: Annotated[int, Meta(ge=1)] = field(name="k")
    kdf: Kdf
    hash: Blake | Double
    documented_xor_folds: Annotated[int, Meta(ge=0)] = field(name="xorFolds", default=0)


class _HashingV1(Struct, rename="camel"):
    ngram: Annotated[int, Meta(ge=0)]
    positional: bool = False
    weight: NotNegative = 1
    missing_value: Missing | UnsetType = UNSET

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight):
            raise ValueError("the weight is not finite")


class _FeatureV1(Struct):
    identifier: str
    format: Text | Integer | Date | Enum
    hashing: _HashingV1
    description: str = ""


class _HashingV2(Struct, rename="camel", forbid_unknown_fields=True):
    ngram: Annotated[int, Meta(ge=1)]
    strategy: Document
    positional: bool = False
    hash: Blake | Double = field(default_factory=Blake)
    missing_value: Missing | UnsetType = UNSET

    def __post_init__(self) -> None:
        if ("k" in self.strategy) == ("numBits" in self.strategy):
            raise ValueError("the strategy needs exactly one of k and numBits")


class _FeatureV2(Struct):
    identifier: str
    format: Text | Integer | Date | Enum
    hashing: _HashingV2
    description: str = ""


def _fit(value: object, shape: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        raise InvalidLinkageSchema(where=(where + path.rstrip("`")).strip("."), problem=problem) from error


def _fits(value: object, shape: type[T]) -> bool:
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return False
    return True


def upgrade(document: object) -> Document:
    """Give a version 3 copy of a linkage schema of version 1, 2 or 3.

    The copy of a version 1 or 2 schema is what clkhash's own upgrade gives. Its shape as version 3 is judged by `read`.

    Raises:
        InvalidLinkageSchema: it is no JSON object, of an unknown version, or not of its version's shape.
    """
    if not isinstance(document, dict):
        raise InvalidLinkageSchema(where="the top", problem="expected an object")
    version = document.get("version")
    if isinstance(version, bool) or version not in (1, 2, 3):
        raise InvalidLinkageSchema(where="version", problem="expected 1, 2 or 3")
    copy = deepcopy(document)
    if version == 1:
        copy = _from_v1(copy)
    if version in (1, 2):
        copy = _from_v2(copy, checked=version == 1)
    return copy


def read(document: Document) -> tuple[ClkConfig, list[Feature | Ignored]]:
    """Give the parts of a version 3 document.

    Raises:
        InvalidLinkageSchema: it is not of version 3's shape.
    """
    schema = _fit(document, _Schema, "")
    features = [_read_feature(item, f"features[{index}]") for index, item in enumerate(schema.features)]
    return _fit(schema.config, ClkConfig, "clkConfig"), features


def _read_feature(item: Document, where: str) -> Feature | Ignored:
    described = "format" in item or "hashing" in item
    return _fit(item, Feature, where) if described else _fit(item, Ignored, where)


def _from_v1(document: Document) -> Document:
    schema = _fit(document, _Schema, "")
    config = _fit(schema.config, _ClkConfigV1, "clkConfig")
    features = [
        _feature_from_v1(item, f"features[{index}]", config=config, digest=schema.config["hash"])
        for index, item in enumerate(schema.features)
    ]
    shared = {
        "l": config.clk_bits,
        "xor_folds": schema.config.get("xor_folds", 0),
        "kdf": schema.config["kdf"],
    }
    return {"version": 2, "clkConfig": shared, "features": features}


def _feature_from_v1(item: Document, where: str, *, config: _ClkConfigV1, digest: Document) -> Document:
    if _is_ignored(item, _FeatureV1, where):
        return item
    feature = _fit(item, _FeatureV1, where)
    for name in _V1_INTEGERS:
        if isinstance(item["format"].get(name), float):
            raise InvalidLinkageSchema(where=f"{where}.format.{name}", problem="expected an integer")
    if feature.hashing.weight == 0:
        return {"identifier": feature.identifier, "ignored": True}
    hashing = item["hashing"]
    hashing.pop("weight", None)
    # Python rounds a half to the even neighbour, and so does clkhash.
    hashing["strategy"] = {"k": round(feature.hashing.weight * config.bits_per_token)}
    hashing["hash"] = deepcopy(digest)
    return item


def _from_v2(document: Document, *, checked: bool) -> Document:
    schema = _fit(document, _Schema, "")
    document["version"] = 3
    for index, item in enumerate(schema.features):
        where = f"features[{index}]"
        if not (item.get("ignored") if checked else _is_ignored(item, _FeatureV2, where)):
            _feature_from_v2(item, where, checked=checked)
    document["features"] = schema.features
    return document


def _feature_from_v2(item: Document, where: str, *, checked: bool) -> None:
    if not checked:
        _fit(item, _FeatureV2, where)
    hashing = item["hashing"]
    strategy = hashing["strategy"]
    old, new = ("k", "bitsPerToken") if "k" in strategy else ("numBits", "bitsPerFeature")
    strategy[new] = strategy.pop(old)
    hashing["comparison"] = {
        "type": "ngram",
        "n": hashing.pop("ngram"),
        "positional": hashing.pop("positional", False),
    }


def _is_ignored(item: Document, described: type[_FeatureV1 | _FeatureV2], where: str) -> bool:
    """Tell whether an old feature is left out. One that is both ignored and described in full was never lawful."""
    ignored = _fits(item, _IgnoredOpen)
    if ignored and _fits(item, described):
        raise InvalidLinkageSchema(where=where, problem="an ignored feature has no format and hashing")
    return ignored
