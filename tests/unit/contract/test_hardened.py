"""The hardened profiles: their tables and bits, that they follow from the fields, and which settings are refused."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from clkhash.clk import generate_clks
from clkhash.schema import from_json_dict

from isthmus.contract.errors import InvalidProfile
from isthmus.contract.hardened import (
    MAX_TAPS,
    MIN_TAPS,
    HardenedProfile,
    Hardening,
    hardened_1,
    hardened_2,
    hardened_from_document,
    hardened_single_1,
)
from isthmus.contract.match_keys import MatchKey, Part, match_keys_for
from isthmus.contract.standard_fields import STANDARD_FIELDS

ALL = tuple(STANDARD_FIELDS)
FEW = ("first_name", "last_name", "dob", "sex", "zip")


def _names(profile: HardenedProfile) -> list[str]:
    return [table.name for table in profile.tables]


def _bits(schema: dict[str, Any]) -> list[int]:
    return [feature["hashing"]["strategy"]["bitsPerFeature"] for feature in schema["features"]]


def test_hardened_1_has_a_table_of_everything_and_one_of_the_person_and_that_of_names_with_a_grant() -> None:
    assert _names(hardened_1(ALL)) == ["all", "person"]
    assert _names(hardened_1(ALL, name_table=True)) == ["all", "person", "first-last"]


def test_hardened_1_has_the_match_keys_of_its_fields() -> None:
    assert hardened_1(ALL).match_keys == tuple(match_keys_for(ALL))
    assert hardened_1(FEW, name_table=True).match_keys == tuple(match_keys_for(FEW))


@pytest.mark.parametrize("name_table", [False, True])
@pytest.mark.parametrize("fields", [ALL, FEW], ids=len)
def test_hardened_2_is_hardened_1_with_wide_keys_after_its_own(fields: tuple[str, ...], *, name_table: bool) -> None:
    narrow, wide = hardened_1(fields, name_table=name_table), hardened_2(fields, name_table=name_table)

    assert wide.match_keys == tuple(match_keys_for(fields, wide=True))
    assert wide.match_keys[: len(narrow.match_keys)] == narrow.match_keys
    assert replace(wide, name=narrow.name, match_keys=narrow.match_keys) == narrow
    assert len(wide.match_keys) > len(narrow.match_keys)


def test_hardened_2_can_be_built_from_any_fields_that_hardened_1_can() -> None:
    for size in (2, 3, 12):
        for fields in combinations(ALL, size):
            try:
                narrow = hardened_1(fields)
            except InvalidProfile:
                continue
            assert hardened_2(fields).tables == narrow.tables


def test_wide_key_of_a_field_that_the_profile_has_not_is_refused() -> None:
    profile = hardened_2(FEW)
    key = MatchKey(name="ssn", parts=(Part(field="ssn"),))
    with pytest.raises(InvalidProfile, match="field that the profile has not"):
        replace(profile, match_keys=(*profile.match_keys, key))


def test_wide_keys_are_refused_in_hardened_1() -> None:
    with pytest.raises(InvalidProfile, match="single group or of names alone"):
        replace(hardened_2(FEW), name="hardened-1")


def test_hardened_single_1_has_the_whole_table_alone_and_it_is_that_of_hardened_1() -> None:
    single = hardened_single_1(ALL)

    assert single.tables == hardened_1(ALL).tables[:1]
    assert single.match_keys == ()
    assert single.digest() != hardened_1(ALL).digest()


@pytest.mark.parametrize(
    "profile", [hardened_1(ALL), hardened_1(FEW), hardened_2(ALL), hardened_single_1(ALL)], ids=lambda one: one.name
)
def test_row_is_a_clk_of_2048_bits_a_table_and_a_tag_of_128_a_match_key(profile: HardenedProfile) -> None:
    tables, keys = len(profile.table_names), len(profile.match_key_names)

    assert profile.part_bits == (2048,) * tables + (128,) * keys
    assert profile.row_bits == 2048 * tables + 128 * keys


def test_tables_hold_the_fields_of_their_groups_in_standard_order() -> None:
    fields = {table.name: table.fields for table in hardened_1(tuple(reversed(ALL))).tables}

    assert fields["all"] == ALL
    assert fields["person"] == ("first_name", "middle_name", "last_name", "dob", "birth_year", "sex")


def test_table_of_names_holds_nothing_but_names() -> None:
    assert hardened_1(ALL, name_table=True).tables[2].fields == ("first_name", "middle_name", "last_name")


def test_every_table_sets_330_bits_whatever_the_fields() -> None:
    for size in (2, 12, 13):
        for fields in combinations(ALL, size):
            try:
                profile = hardened_1(fields, name_table=True)
            except InvalidProfile:
                continue
            assert {sum(_bits(table.linkage_schema)) for table in profile.tables} == {330}
            assert all(bits > 0 for table in profile.tables for bits in _bits(table.linkage_schema))


def test_embedded_schemas_are_ones_that_clkhash_encodes() -> None:
    for table in hardened_single_1(ALL).tables + hardened_1(FEW, name_table=True).tables[1:]:
        (clk,) = generate_clks([["word"] * len(table.fields)], from_json_dict(table.linkage_schema), "s", max_workers=1)
        assert len(clk) == 1024
        assert 200 < clk.count() <= 330


@pytest.mark.parametrize("weak", ["sex", "middle_name", "state", "city", "street_number"])
def test_field_that_tells_little_by_itself_makes_no_group(weak: str) -> None:
    profile = hardened_1(("last_name", "phone", weak))

    assert [group.name for group in profile.groups] == ["last", "phone"]
    assert [table.pairs for table in profile.tables] == [(("last", "phone"),)]


def test_table_with_the_fields_of_an_earlier_one_is_left_out() -> None:
    assert _names(hardened_1(("last_name", "dob"))) == ["all"]
    assert _names(hardened_1(("last_name", "dob", "sex", "zip"))) == ["all", "person"]
    assert _names(hardened_1(("first_name", "last_name", "dob"), name_table=True)) == ["all", "first-last"]
    assert _names(hardened_1(("first_name", "last_name", "zip"), name_table=True)) == ["all", "person"]


def test_table_that_no_row_could_enter_is_left_out() -> None:
    assert _names(hardened_1(("last_name", "zip", "phone"))) == ["all"]
    assert _names(hardened_1(("first_name", "last_name", "zip"))) == ["all"]


def test_row_enters_the_table_of_the_person_by_two_of_names_and_birth_but_names_alone() -> None:
    assert hardened_1(FEW).tables[1].pairs == (("first", "birth"), ("last", "birth"))
    assert hardened_1(FEW, name_table=True).tables[1].pairs == (
        ("first", "last"),
        ("first", "birth"),
        ("last", "birth"),
    )


def test_row_enters_the_whole_table_by_any_pair_but_names() -> None:
    assert hardened_1(FEW).tables[0].pairs == (
        ("first", "birth"),
        ("first", "address"),
        ("last", "birth"),
        ("last", "address"),
        ("birth", "address"),
    )
    assert ("first", "last") in hardened_1(FEW, name_table=True).tables[0].pairs


@pytest.mark.parametrize("fields", [(), ("dob",), ("dob", "dob", "zip"), ("dob", "shoe_size")], ids=str)
def test_fields_that_are_not_two_standard_ones_are_refused(fields: tuple[str, ...]) -> None:
    with pytest.raises(InvalidProfile):
        hardened_1(fields)


@pytest.mark.parametrize("make", [hardened_1, hardened_single_1])
def test_fields_of_a_single_group_are_refused(make: Callable[[tuple[str, ...]], HardenedProfile]) -> None:
    with pytest.raises(InvalidProfile, match="single group"):
        make(("dob", "sex", "birth_year"))


@pytest.mark.parametrize("make", [hardened_1, hardened_single_1])
def test_names_alone_are_refused_without_a_grant(make: Callable[[tuple[str, ...]], HardenedProfile]) -> None:
    with pytest.raises(InvalidProfile, match="has to be granted"):
        make(("first_name", "last_name", "sex"))


def test_names_alone_make_a_profile_with_a_grant() -> None:
    assert hardened_1(("first_name", "last_name"), name_table=True).tables[0].pairs == (("first", "last"),)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"taps": MIN_TAPS - 1}, "what the boxes read"),
        ({"taps": MAX_TAPS + 1}, "those of strangers"),
        ({"clk_bits": 2000}, "multiple of 64"),
        ({"clk_bits": 960}, "chance would hide"),
        ({"clk_bits": 2112}, "over twice filter_bits"),
        ({"bits_set": 512}, "not sparse"),
        ({"bits_set": 255}, "density of the output"),
        ({"filter_bits": 1000}, "no power of two"),
        ({"filter_bits": 32}, "no power of two"),
        ({"filter_bits": 2**15}, "no power of two"),
        ({"filter_bits": -1024}, "no power of two"),
    ],
    ids=str,
)
def test_unsafe_setting_is_refused_with_the_reason(settings: dict[str, int], reason: str) -> None:
    with pytest.raises(InvalidProfile, match=reason):
        Hardening(**settings)
    document = hardened_1(FEW).document()
    document["hardening"] |= settings
    with pytest.raises(InvalidProfile, match=reason):
        hardened_from_document(document)


@pytest.mark.parametrize(
    "settings",
    [{"taps": MIN_TAPS}, {"taps": 5}, {"taps": MAX_TAPS}, {"clk_bits": 1024}, {"bits_set": 256}, {"bits_set": 511}],
    ids=str,
)
def test_setting_at_its_bound_is_accepted(settings: dict[str, int]) -> None:
    assert Hardening(**settings) is not None


def test_all_faults_of_the_settings_are_named_at_once() -> None:
    with pytest.raises(InvalidProfile) as caught:
        Hardening(taps=2, clk_bits=8000, bits_set=700)
    assert caught.value.problem.count(";") == 2


@pytest.mark.parametrize("pairs", [(), (("last", "last"),)], ids=str)
def test_table_of_a_single_group_is_refused(pairs: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(InvalidProfile, match="single group"):
        replace(hardened_1(FEW).tables[1], pairs=pairs)


def test_profile_with_an_ungranted_table_of_names_is_refused() -> None:
    with pytest.raises(InvalidProfile, match="not granted"):
        replace(hardened_1(FEW, name_table=True), name_table=False)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (("last_name",), "single group or of names alone"),
        (("dob", "sex"), "single group or of names alone"),
        (("first_name", "last_name"), "single group or of names alone"),
        (("dob", "ssn"), "no group of the profile has"),
        ((), "single group or of names alone"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name_table", [False, True])
def test_match_key_of_one_group_or_of_names_or_of_other_fields_is_refused(
    fields: tuple[str, ...], reason: str, *, name_table: bool
) -> None:
    weak = MatchKey(name="weak", parts=tuple(Part(field=field) for field in fields))
    profile = hardened_1(FEW, name_table=name_table)
    with pytest.raises(InvalidProfile, match=reason):
        replace(profile, match_keys=(*profile.match_keys, weak))


def _one_feature_less(schema: dict[str, Any]) -> None:
    schema["features"].pop()


def _more_bits(schema: dict[str, Any]) -> None:
    schema["features"][0]["hashing"]["strategy"]["bitsPerFeature"] += 1


def _bits_per_token(schema: dict[str, Any]) -> None:
    schema["features"][0]["hashing"]["strategy"] = {"bitsPerToken": 5}


def _other_length(schema: dict[str, Any]) -> None:
    schema["clkConfig"]["l"] = 2048


def _no_schema(schema: dict[str, Any]) -> None:
    del schema["clkConfig"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_one_feature_less, "other features"),
        (_more_bits, "bits_set bits"),
        (_bits_per_token, "bits_set bits"),
        (_other_length, "filter_bits bits"),
        (_no_schema, "schema is refused"),
    ],
)
def test_document_with_a_schema_that_does_not_fit_is_refused(
    spoil: Callable[[dict[str, Any]], None], reason: str
) -> None:
    document = hardened_1(FEW).document()
    spoil(document["tables"][1]["linkage_schema"])
    with pytest.raises(InvalidProfile, match=reason):
        hardened_from_document(document)


@pytest.mark.parametrize(
    "profile",
    [hardened_1(ALL), hardened_1(FEW, name_table=True), hardened_2(ALL), hardened_2(FEW), hardened_single_1(FEW)],
    ids=lambda each: each.name,
)
def test_document_gives_the_profile_back(profile: HardenedProfile) -> None:
    assert hardened_from_document(profile.document()) == profile


def test_documents_are_independent_copies() -> None:
    profile = hardened_1(FEW)
    profile.document()["tables"][0]["linkage_schema"]["clkConfig"]["l"] = 2048

    assert profile == hardened_1(FEW)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "isthmus/profile/1"}, "no hardened profile"),
        ({"format": "isthmus/profile/2"}, "no hardened profile"),
        ({"format": "isthmus/profile/3"}, "no hardened profile"),
        ({"name": "hardened-3"}, "no hardened profile"),
        ({"name": "hardened-2"}, "not that of hardened-2"),
        ({"name": ["hardened-1"]}, "no hardened profile"),
        ({"fields": "dob"}, "missing or of the wrong type"),
        ({"tables": None}, "missing or of the wrong type"),
        ({"match_keys": None}, "missing or of the wrong type"),
        ({"match_keys": [{"name": "dob", "parts": "dob"}]}, "missing or of the wrong type"),
        ({"match_keys": []}, "not that of hardened-1"),
        ({"hardening": {"taps": "8"}}, "missing or of the wrong type"),
        ({"normaliser": "norm-0"}, "not that of hardened-1"),
        ({"extra": 1}, "not that of hardened-1"),
        ({"extra": {1}}, "not that of hardened-1"),
        ({"hardening": {"taps": 5}}, "not that of hardened-1"),
        ({"name": "hardened-single-1"}, "not that of hardened-single-1"),
        ({"fields": ["dob", "ssn"]}, "field or a group that the profile has not"),
        ({"groups": []}, "field or a group that the profile has not"),
    ],
    ids=str,
)
def test_other_document_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidProfile, match=reason):
        hardened_from_document(hardened_1(FEW).document() | change)


def test_digest_is_that_of_the_canonical_document() -> None:
    text = json.dumps(hardened_1(FEW).document(), sort_keys=True, separators=(",", ":"))

    assert hardened_1(FEW).digest() == hashlib.sha256(text.encode()).hexdigest()
    assert len({hardened_1(FEW).digest(), hardened_1(FEW, name_table=True).digest(), hardened_1(ALL).digest()}) == 3
