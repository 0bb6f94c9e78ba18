"""Linkage schemas: what is read out of them, what is refused and where, how old versions come up to date."""

from base64 import b64encode
from copy import deepcopy
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from isthmus.contract.errors import InvalidLinkageSchema
from isthmus.contract.linkage_schema import (
    BitsPerFeature,
    BitsPerToken,
    BlakeHash,
    DateFormat,
    DoubleHash,
    EnumFormat,
    ExactComparison,
    Feature,
    IgnoredFeature,
    IntegerFormat,
    KeyDerivation,
    MissingValue,
    NgramComparison,
    NumericComparison,
    PatternFormat,
    TextFormat,
    parse_linkage_schema,
    with_kdf_info,
)

Document = dict[str, Any]


def _feature(**changes: Any) -> Document:
    hashing = {"comparison": {"type": "ngram", "n": 2}, "strategy": {"bitsPerToken": 10}}
    return {"identifier": "name", "format": {"type": "string"}, "hashing": hashing | changes}


def _of_format(form: Document) -> Document:
    return _feature() | {"format": form}


def _schema(*features: Document, **config: Any) -> Document:
    shared = {"l": 1024, "kdf": {"type": "HKDF"}} | config
    return {"version": 3, "clkConfig": shared, "features": list(features) or [_feature()]}


def _version_2(*features: Document) -> Document:
    plain = {
        "identifier": "name",
        "format": {"type": "string"},
        "hashing": {"ngram": 2, "strategy": {"k": 7}},
    }
    return _schema(*(features or (plain,))) | {"version": 2}


def _version_1(**hashing: Any) -> Document:
    feature = {"identifier": "name", "format": {"type": "string"}, "hashing": {"ngram": 2} | hashing}
    shared = {"l": 1024, "k": 10, "kdf": {"type": "HKDF"}, "hash": {"type": "blakeHash"}}
    return {"version": 1, "clkConfig": shared, "features": [feature]}


def _only_feature(document: Document) -> Feature:
    (feature,) = parse_linkage_schema(document).features
    assert isinstance(feature, Feature)
    return feature


def _refusal(document: object) -> InvalidLinkageSchema:
    with pytest.raises(InvalidLinkageSchema) as caught:
        parse_linkage_schema(document)
    return caught.value


def test_defaults_are_those_of_clkhash() -> None:
    schema = parse_linkage_schema(_schema())
    assert (schema.clk_bits, schema.xor_folds, schema.clk_bytes, schema.filter_bits) == (1024, 0, 128, 1024)
    assert schema.kdf == KeyDerivation(hash="SHA256", salt=None, info=None, key_size=64)
    assert _only_feature(_schema()) == Feature(
        identifier="name",
        format=TextFormat(encoding="utf-8", case="mixed", min_length=None, max_length=None),
        comparison=NgramComparison(n=2, positional=False),
        strategy=BitsPerToken(bits=10),
        token_hash=BlakeHash(),
        missing_value=None,
    )


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            {"type": "string", "case": "upper", "minLength": 2.0, "maxLength": 5, "encoding": "ascii"},
            TextFormat(encoding="ascii", case="upper", min_length=2, max_length=5),
        ),
        ({"type": "string", "pattern": "[a-z]*"}, PatternFormat(encoding="utf-8", pattern="[a-z]*")),
        ({"type": "integer", "minimum": -3}, IntegerFormat(minimum=-3, maximum=None)),
        ({"type": "date", "format": "%Y-%m-%d"}, DateFormat(directives="%Y-%m-%d")),
        ({"type": "date", "format": "%Q"}, DateFormat(directives="%Q")),
        ({"type": "enum", "values": ["F", "M", "F"]}, EnumFormat(values=frozenset("FM"))),
    ],
)
def test_formats_are_read(form: Document, expected: object) -> None:
    assert _only_feature(_schema(_of_format(form))).format == expected


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ({"type": "ngram", "n": 3, "positional": True}, NgramComparison(n=3, positional=True)),
        ({"type": "exact", "unknown": 1}, ExactComparison()),
        (
            {"type": "numeric", "thresholdDistance": 2.5, "resolution": 4, "fractional_precision": 2},
            NumericComparison(interval=250, resolution=4, fractional_precision=2),
        ),
    ],
)
def test_comparisons_are_read(comparison: Document, expected: object) -> None:
    assert _only_feature(_schema(_feature(comparison=comparison))).comparison == expected


def test_strategy_hash_and_missing_value_are_read() -> None:
    feature = _only_feature(
        _schema(
            _feature(
                strategy={"bitsPerFeature": 200.0},
                hash={"type": "doubleHash", "prevent_singularity": True},
                missingValue={"sentinel": "N/A", "replaceWith": ""},
            )
        )
    )
    assert feature.strategy == BitsPerFeature(bits=200)
    assert feature.token_hash == DoubleHash(prevent_singularity=True)
    assert feature.missing_value == MissingValue(sentinel="N/A", replace_with="")


def test_missing_value_without_replacement_stays_as_it_is() -> None:
    feature = _only_feature(_schema(_feature(missingValue={"sentinel": "-"})))
    assert feature.missing_value == MissingValue(sentinel="-", replace_with="-")


def test_encoding_belongs_to_text_and_is_utf8_elsewhere() -> None:
    text = _only_feature(_schema(_of_format({"type": "string", "encoding": "utf-16"})))
    number = _only_feature(_schema(_of_format({"type": "integer"})))
    assert (text.encoding, number.encoding) == ("utf-16", "utf-8")


def test_key_derivation_is_read_from_base64() -> None:
    kdf = {"type": "HKDF", "hash": "SHA512", "salt": "c2E=", "info": "aW4=", "keySize": 16}
    assert parse_linkage_schema(_schema(kdf=kdf)).kdf == KeyDerivation(
        hash="SHA512", salt=b"sa", info=b"in", key_size=16
    )


def test_ignored_features_are_kept_in_place() -> None:
    short = {"identifier": "row", "ignored": True, "description": "a number"}
    full = _of_format({"type": "string", "pattern": "("}) | {"ignored": True, "identifier": "note"}
    features = parse_linkage_schema(_schema(short, full, _feature())).features
    assert features[:2] == (IgnoredFeature(identifier="row"), IgnoredFeature(identifier="note"))
    assert isinstance(features[2], Feature)


def test_documented_xor_folds_member_has_no_effect_and_the_other_one_has() -> None:
    assert parse_linkage_schema(_schema(xorFolds=2)).xor_folds == 0
    folded = parse_linkage_schema(_schema(xor_folds=2))
    assert (folded.xor_folds, folded.filter_bits, folded.clk_bytes) == (2, 4096, 128)


def test_clk_bytes_round_up() -> None:
    double = _feature(hash={"type": "doubleHash"})
    assert parse_linkage_schema(_schema(double, l=100)).clk_bytes == 13


def test_schema_is_frozen_and_its_document_a_copy() -> None:
    document = _schema()
    schema = parse_linkage_schema(document)
    document["clkConfig"]["l"] = 2
    schema.to_dict()["clkConfig"]["l"] = 3
    assert schema.to_dict() == _schema()
    with pytest.raises(FrozenInstanceError):
        schema.clk_bits = 1  # type: ignore[misc]  # that it fails is what is tested


def test_schemas_that_encode_alike_are_equal_whatever_their_descriptions() -> None:
    described = _schema(_feature() | {"description": "as on the birth certificate"})
    assert parse_linkage_schema(described) == parse_linkage_schema(_schema())


def test_kdf_info_is_replaced_in_value_and_document() -> None:
    schema = parse_linkage_schema(_schema())
    changed = with_kdf_info(schema, b"project|round")
    assert changed.kdf.info == b"project|round"
    assert changed.to_dict()["clkConfig"]["kdf"]["info"] == b64encode(b"project|round").decode()
    assert parse_linkage_schema(changed.to_dict()) == changed
    assert schema.kdf.info is None
    assert "info" not in schema.to_dict()["clkConfig"]["kdf"]


def test_version_2_is_upgraded() -> None:
    positional = {
        "identifier": "zip",
        "format": {"type": "string"},
        "hashing": {"ngram": 1, "positional": True, "strategy": {"numBits": 60, "bitsPerFeature": 1}},
    }
    schema = parse_linkage_schema(_version_2(positional, {"identifier": "row", "ignored": True}))
    assert schema.to_dict()["features"][0]["hashing"] == {
        "strategy": {"bitsPerFeature": 60},
        "comparison": {"type": "ngram", "n": 1, "positional": True},
    }
    assert schema.features[1] == IgnoredFeature(identifier="row")
    assert _only_feature(_version_2()).strategy == BitsPerToken(bits=7)


@pytest.mark.parametrize(("weight", "bits"), [(1, 10), (1.25, 12), (1.35, 14), (0.06, 1)])
def test_version_1_weight_scales_bits_and_rounds_as_python_does(weight: float, bits: int) -> None:
    assert _only_feature(_version_1(weight=weight)).strategy == BitsPerToken(bits=bits)


def test_version_1_weight_zero_means_ignored() -> None:
    assert parse_linkage_schema(_version_1(weight=0)).features == (IgnoredFeature(identifier="name"),)


def test_version_1_ignored_feature_stays_ignored() -> None:
    document = _version_1()
    document["features"].append({"identifier": "row", "ignored": True})
    assert parse_linkage_schema(document).features[1] == IgnoredFeature(identifier="row")


def test_version_1_keeps_unknown_folds_and_drops_documented_ones() -> None:
    document = _version_1()
    document["clkConfig"] |= {"xor_folds": 1, "xorFolds": 3}
    assert parse_linkage_schema(document).to_dict()["clkConfig"] == {
        "l": 1024,
        "xor_folds": 1,
        "kdf": {"type": "HKDF"},
    }


def test_version_1_hash_is_shared_by_all_features() -> None:
    document = _version_1()
    document["clkConfig"]["hash"] = {"type": "doubleHash", "prevent_singularity": True}
    assert _only_feature(document).token_hash == DoubleHash(prevent_singularity=True)


def test_version_may_be_an_integral_float_but_no_truth_value() -> None:
    assert parse_linkage_schema(_schema() | {"version": 3.0}) == parse_linkage_schema(_schema())
    assert _refusal(_version_1() | {"version": True}).where == "version"


def _numeric(**changes: Any) -> Document:
    comparison = {"type": "numeric", "thresholdDistance": 1, "resolution": 2}
    return _feature(comparison=comparison | changes)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], "the top"),
        ({}, "version"),
        (_schema() | {"version": 4}, "version"),
        (_schema() | {"version": "3"}, "version"),
        ({"version": 3}, ""),
        (_schema() | {"features": []}, "features"),
        (_schema() | {"features": [7]}, "features[0]"),
        (_schema(l=0), "clkConfig.l"),
        (_schema(l=1024.0), "clkConfig.l"),
        (_schema(l=1000), "clkConfig.l"),
        (_schema(l=2**25), "clkConfig.xor_folds"),
        (_schema(xor_folds=-1), "clkConfig.xor_folds"),
        (_schema(xor_folds=0.0), "clkConfig.xor_folds"),
        (_schema(xor_folds=None), "clkConfig.xor_folds"),
        (_schema(xor_folds=10**9), "clkConfig.xor_folds"),
        (_schema(xorFolds=1.5), "clkConfig"),
        (_schema(kdf={"type": "legacy"}), "clkConfig.kdf.type"),
        (_schema(kdf={"type": "HKDF", "salt": None}), "clkConfig.kdf.salt"),
        (_schema(kdf={"type": "HKDF", "salt": "abc"}), "clkConfig.kdf.salt"),
        (_schema(kdf={"type": "HKDF", "info": "é"}), "clkConfig.kdf.info"),
        (_schema(kdf={"type": "HKDF", "keySize": 65}), "clkConfig.kdf.keySize"),
        (_schema(_feature(hash={"type": "doubleHash"}), kdf={"type": "HKDF", "keySize": 4081}), "clkConfig.kdf"),
        (_schema(_feature(hash={"type": "doubleHash", "prevent_singularity": True}), l=1), "clkConfig.l"),
        (_schema(_of_format({"type": "string", "pattern": "(", "description": ""})), "features[0].format.pattern"),
        (_schema(_of_format({"type": "string", "pattern": "a", "case": "upper"})), "features[0].format"),
        (_schema(_of_format({"type": "string", "minLength": 1.5})), "features[0].format"),
        (_schema(_of_format({"type": "integer", "maximum": 1.5})), "features[0].format"),
        (_schema(_of_format({"type": "date", "format": "%Y %Y"})), "features[0].format.format"),
        (_schema(_of_format({"type": "enum", "values": [1]})), "features[0].format.values[0]"),
        (_schema(_of_format({"type": "text"})), "features[0].format.type"),
        (_schema(_feature(extra=1)), "features[0].hashing"),
        (_schema(_feature(strategy={})), "features[0].hashing.strategy"),
        (_schema(_feature(strategy={"bitsPerToken": 1, "bitsPerFeature": 1})), "features[0].hashing.strategy"),
        (_schema(_feature(strategy={"bitsPerToken": 2.5})), "features[0].hashing.strategy"),
        (_schema(_feature(strategy={"bitsPerToken": 2**21})), "features[0].hashing.strategy.bitsPerToken"),
        (_schema(_feature(strategy={"bitsPerFeature": 2**21})), "features[0].hashing.strategy.bitsPerFeature"),
        (_schema(_feature(comparison={"type": "ngram", "n": 2000})), "features[0].hashing.comparison.n"),
        (_schema(_feature(comparison={"type": "ngram", "n": 2.0})), "features[0].hashing.comparison.n"),
        (_schema(_numeric(resolution=10**6)), "features[0].hashing.comparison.resolution"),
        (_schema(_numeric(fractional_precision=400)), "features[0].hashing.comparison.fractional_precision"),
        (_schema(_numeric(fractional_precision=0.5)), "features[0].hashing.comparison"),
        (_schema(_numeric(thresholdDistance=0.2)), "features[0].hashing.comparison.thresholdDistance"),
        (_schema(_numeric(thresholdDistance=float("inf"))), "features[0].hashing.comparison.thresholdDistance"),
        (_schema(_feature(hash={"type": "blakeHash", "prevent_singularity": False})), "features[0].hashing.hash"),
        (_schema({"identifier": "row", "ignored": False}), "features[0]"),
        (_schema({"identifier": "row", "ignored": True, "extra": 1}), "features[0]"),
        (_version_2({"identifier": "row", "ignored": True, "extra": 1}), "features[0]"),
        (_version_2(_feature()), "features[0].hashing"),
        (_version_2(_version_2()["features"][0] | {"ignored": True}), "features[0]"),
        (_version_2(_version_2()["features"][0] | {"ignored": 0}), "features[0].ignored"),
        (_version_1(ngram=0), "features[0].hashing.comparison.n"),
        (_version_1(weight=0.01), "features[0].hashing.strategy.bitsPerToken"),
        (_version_1(weight=float("nan")), "features[0].hashing.weight"),
        (_version_1(weight=float("inf")), "features[0].hashing"),
        (_version_1() | {"clkConfig": _schema()["clkConfig"]}, "clkConfig"),
    ],
)
def test_unlawful_schema_is_refused_at_its_place(document: object, where: str) -> None:
    assert _refusal(document).where == where


def test_version_2_strategy_needs_one_of_its_two_members() -> None:
    document = _version_2()
    document["features"][0]["hashing"]["strategy"] = {"k": 1, "numBits": 1}
    assert "exactly one" in _refusal(document).problem


def test_version_1_counts_no_float_as_an_integer() -> None:
    document = _version_1()
    document["features"][0]["format"] = {"type": "string", "minLength": 2.0}
    assert _refusal(document).where == "features[0].format.minLength"


def test_weightless_version_1_feature_must_still_be_well_formed() -> None:
    document = _version_1(weight=0)
    broken = deepcopy(document)
    broken["features"][0]["format"] = {"type": "text"}
    assert parse_linkage_schema(document).features
    assert _refusal(broken).where == "features[0].format.type"
