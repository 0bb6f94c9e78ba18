"""The profile `interop-1`: what its schema holds, that it depends on the fields alone, and what is refused."""

from itertools import combinations
from typing import Any

import pytest
from clkhash.clk import generate_clks
from clkhash.schema import from_json_dict

from isthmus.contract.errors import InvalidProfile
from isthmus.contract.profile import BITS_SET, default_threshold, interop_1, profile_from_document
from isthmus.contract.standard_fields import STANDARD_FIELDS

ALL = tuple(STANDARD_FIELDS)
NAMES_AND_DATE = ("first_name", "last_name", "dob")


def _bits(fields: tuple[str, ...]) -> list[int]:
    features = interop_1(fields).linkage_schema["features"]
    return [feature["hashing"]["strategy"]["bitsPerFeature"] for feature in features]


def test_interop_1_has_one_feature_a_field_in_standard_order() -> None:
    profile = interop_1(tuple(reversed(ALL)))

    assert profile.fields == ALL
    assert [feature["identifier"] for feature in profile.linkage_schema["features"]] == list(ALL)


def test_interop_1_knows_every_standard_field_with_every_other() -> None:
    for pair in combinations(ALL, 2):
        assert interop_1(pair).fields == pair
        assert all(bits > 0 for bits in _bits(pair))


def test_row_of_interop_1_is_one_clk_and_no_tag() -> None:
    profile = interop_1(ALL)

    assert (profile.table_names, profile.match_key_names) == (("all",), ())
    assert profile.part_bits == (1024,)
    assert profile.row_bits == 1024


@pytest.mark.parametrize("fields", [ALL, NAMES_AND_DATE, ("sex", "state"), ("state", "ssn")])
def test_interop_1_sets_the_same_number_of_bits_whatever_the_fields(fields: tuple[str, ...]) -> None:
    assert abs(sum(_bits(fields)) - BITS_SET) <= len(fields)


def test_interop_1_schema_says_nothing_about_a_key() -> None:
    assert interop_1(ALL).linkage_schema["clkConfig"] == {
        "l": 1024,
        "kdf": {"type": "HKDF", "hash": "SHA256", "keySize": 64},
    }


def test_interop_1_is_a_schema_that_clkhash_encodes_with_missing_values_as_no_bits() -> None:
    schema = from_json_dict(interop_1(ALL).linkage_schema)

    empty, full = generate_clks([[""] * len(ALL), ["word"] * len(ALL)], schema, "secret", max_workers=1)

    assert empty.count() == 0
    assert 0.3 < full.count() / 1024 < 0.5


def test_interop_1_copies_are_equal_and_independent() -> None:
    profile = interop_1(ALL)
    profile.document()["linkage_schema"]["clkConfig"]["l"] = 2048

    assert profile == interop_1(ALL)


@pytest.mark.parametrize("fields", [(), ("dob",), ("dob", "dob"), ("dob", "dob", "sex"), ("dob", "shoe_size")], ids=str)
def test_interop_1_and_threshold_refuse_what_are_not_two_standard_fields(fields: tuple[str, ...]) -> None:
    with pytest.raises(InvalidProfile):
        interop_1(fields)
    with pytest.raises(InvalidProfile):
        default_threshold(fields)


def test_threshold_is_decimal_text_within_bounds_for_any_fields() -> None:
    for size in (2, 3, 12, 13):
        for fields in combinations(ALL, size):
            text = default_threshold(fields)
            assert len(text) == len("0.80")
            assert 0.6 <= float(text) <= 0.9


def test_threshold_does_not_depend_on_the_order_of_fields() -> None:
    assert default_threshold(NAMES_AND_DATE) == default_threshold(tuple(reversed(NAMES_AND_DATE)))


def test_threshold_is_lower_where_a_telling_field_is_shared_and_higher_with_sex() -> None:
    plain = float(default_threshold(NAMES_AND_DATE))

    assert float(default_threshold((*NAMES_AND_DATE, "ssn"))) < plain
    assert float(default_threshold((*NAMES_AND_DATE, "sex"))) > plain


def test_digest_differs_with_the_fields_and_not_with_their_order() -> None:
    digest = interop_1(NAMES_AND_DATE).digest()

    assert len(digest) == 64
    assert digest == interop_1(tuple(reversed(NAMES_AND_DATE))).digest()
    assert digest != interop_1((*NAMES_AND_DATE, "sex")).digest()


def test_digest_of_interop_1_never_changes_under_its_name() -> None:
    assert interop_1(ALL).digest() == "f7be5ebeaa3fd1525db98373bc5ea18427efb74833ad5a7f36a83b9ebb03b533"
    assert interop_1(NAMES_AND_DATE).digest() == "4e15fc3eda01e410cf76887aa8f14af2c5b67e1d30443151e0b0af58a7d9985b"


@pytest.mark.parametrize("fields", [ALL, NAMES_AND_DATE])
def test_profile_survives_its_document(fields: tuple[str, ...]) -> None:
    profile = interop_1(fields)

    assert profile_from_document(profile.document()) == profile


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("format", "isthmus/profile/2", "format"),
        ("name", "interop-2", "interop-1"),
        ("normaliser", "norm-2", "content"),
        ("encoder", "other", "content"),
        ("clk_bits", 512, "content"),
        ("clk_bits", "1024", "content"),
        ("fields", ["dob", "last_name", "first_name"], "content"),
        ("fields", "dob", "list of names"),
        ("fields", [["dob"], "sex"], "list of names"),
        ("fields", ["dob"], "two fields"),
        ("linkage_schema", {}, "content"),
        ("linkage_schema", object(), "content"),
        ("salt", "x", "unknown keys: salt"),
    ],
)
def test_document_that_is_not_the_profile_is_refused(key: str, value: object, problem: str) -> None:
    document = interop_1(NAMES_AND_DATE).document() | {key: value}

    with pytest.raises(InvalidProfile, match=problem):
        profile_from_document(document)


def test_document_with_another_weight_is_refused() -> None:
    document = interop_1(NAMES_AND_DATE).document()
    document["linkage_schema"]["features"][0]["hashing"]["strategy"]["bitsPerFeature"] += 1

    with pytest.raises(InvalidProfile, match="content"):
        profile_from_document(document)


def test_document_nested_without_end_is_refused() -> None:
    deep: dict[str, Any] = {}
    deep["features"] = deep
    document = interop_1(NAMES_AND_DATE).document() | {"linkage_schema": deep}

    with pytest.raises(InvalidProfile, match="content"):
        profile_from_document(document)


@pytest.mark.parametrize("key", sorted(interop_1(NAMES_AND_DATE).document()))
def test_document_without_a_key_is_refused(key: str) -> None:
    document = interop_1(NAMES_AND_DATE).document()
    del document[key]

    with pytest.raises(InvalidProfile, match=f"missing keys: {key}"):
        profile_from_document(document)
