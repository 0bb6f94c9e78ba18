"""Tags of match keys: those of the vectors, by hand, under keys of their own, and what makes two of them equal."""

import hashlib
import hmac
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_2, hardened_from_document, hardened_single_1
from isthmus.contract.match_keys import MatchKey
from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.encode.hardened import RoundKeys
from isthmus.node.encode.match_keys import MatchKeyEncoder, TagMaker, tag_key
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.norm1 import normalise_column

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors" / "hardened-1.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]

KEYS = RoundKeys(encode=Secret(b"e" * 32), diffusion=Secret(b"d" * 32), match=Secret(b"m" * 32))
PROFILE = hardened_1(("first_name", "last_name", "dob", "zip"))
WIDE = hardened_2(PROFILE.fields)
MARIA = ["maria", "oneill", "19910228", "97201"]


def _tags(*people: list[str], profile: HardenedProfile = PROFILE, keys: RoundKeys = KEYS) -> NDArray[np.uint8]:
    return MatchKeyEncoder(profile, keys).encode([list(column) for column in zip(*people, strict=True)])


def _shared(left: list[str], right: list[str], profile: HardenedProfile = PROFILE) -> set[str]:
    """Give the match keys under which two rows have the same tag."""
    one, other = _tags(left, right, profile=profile)
    return {
        name
        for place, name in enumerate(profile.match_key_names)
        if one[place].any() and np.array_equal(one[place], other[place])
    }


def _by_hand(match_key: MatchKey, person: list[str], profile: str = "hardened-1") -> bytes:
    """Give a tag by HKDF written out and BLAKE2b, or zeros."""
    info = f"isthmus/1|match-key|{profile}|{match_key.name}".encode()
    key = hmac.digest(hmac.digest(bytes(32), b"m" * 32, "sha256"), info + b"\x01", "sha256")
    values = [part.of(person[PROFILE.fields.index(part.field)]) for part in match_key.parts]
    if match_key.unordered and values[1] < values[0]:
        values[:2] = values[1], values[0]
    text = "\x1f".join(values).encode()
    return hashlib.blake2b(text, key=key, digest_size=16).digest() if all(values) else bytes(16)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_tags_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    drawn = {label: Secret(bytes.fromhex(case[f"{label}_key"])) for label in ("encode", "diffusion", "match")}
    profile = hardened_from_document(case["profile"])
    tags = _tags(*case["records"], profile=profile, keys=RoundKeys(**drawn))

    assert list(case["match_keys"]) == list(profile.match_key_names)
    for place, steps in enumerate(case["match_keys"].values()):
        expected = {entry["row"]: entry["tag"] for entry in steps["rows"]}
        assert [tag.tobytes().hex() for tag in tags[:, place]] == [
            expected.get(row, "00" * 16) for row in range(len(tags))
        ]


@pytest.mark.parametrize("step", ["key", "tag", "parts", "row", "profile"])
def test_independent_program_notices_a_changed_vector(step: str) -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(VECTORS.read_text(encoding="utf-8"))
    case = document["cases"][0]
    written = case["match_keys"]["last-birth"]
    match step:
        case "key":
            written["key"] = case["match_keys"]["first-birth"]["key"]
        case "tag":
            written["rows"][0]["tag"] = written["rows"][1]["tag"]
        case "parts":
            written["rows"][0]["parts"][0] = "oneil"
        case "row":
            written["rows"].pop()
        case _:
            del case["match_keys"]["last-birth"]
    with pytest.raises(verifier["Mismatch"], match="match keys" if step == "profile" else "last-birth"):
        verifier["verify_hardened"](document)


def test_independent_program_holds_a_profile_to_the_list_of_the_protocol() -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(VECTORS.read_text(encoding="utf-8"))
    case = document["cases"][0]
    case["profile"]["match_keys"].pop()
    canonical = json.dumps(case["profile"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    case["profile_digest"] = hashlib.sha256(canonical.encode()).hexdigest()
    case["match_keys"].popitem()
    with pytest.raises(verifier["Mismatch"], match="match keys of the profile"):
        verifier["verify_hardened"](document)


@pytest.mark.parametrize("part", ["swap", "sound", "form", "order"])
def test_independent_program_notices_a_wide_key_that_is_made_otherwise(part: str) -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(VECTORS.read_text(encoding="utf-8"))
    case = next(case for case in document["cases"] if case["name"] == "wide-keys")
    written = case["match_keys"]["sounds"]["rows"][0]
    match part:
        case "swap":
            written["parts"].reverse()
        case "sound":
            written["parts"][0] = "r160"
        case "form":
            written["tag"] = case["match_keys"]["ends"]["rows"][0]["tag"]
        case _:
            case["match_keys"]["sounds"]["rows"].reverse()
    with pytest.raises(verifier["Mismatch"], match="wide-keys, sounds: rows"):
        verifier["verify_hardened"](document)


def test_tag_is_blake2b_under_the_match_keys_own_key() -> None:
    people = [MARIA, ["μαρια", "li", "1991", ""], ["", "", "", ""], ["jo", "", "20040229", "00501"]]
    tags = _tags(*people)

    assert tags.shape == (4, len(PROFILE.match_keys), 16)
    assert tags.dtype == np.uint8
    for place, match_key in enumerate(PROFILE.match_keys):
        assert [tag.tobytes() for tag in tags[:, place]] == [_by_hand(match_key, person) for person in people]


def test_wide_tag_is_blake2b_over_the_forms_of_its_parts() -> None:
    people = [
        MARIA,
        ["oneill", "maria", "19912802", "97201"],
        ["𠮷田", "\uffee", "1991", ""],
        ["", "li", "20040229", ""],
    ]
    tags = _tags(*people, profile=WIDE)

    for place, match_key in enumerate(WIDE.match_keys):
        expected = [_by_hand(match_key, person, "hardened-2") for person in people]
        assert [tag.tobytes() for tag in tags[:, place]] == expected


@pytest.mark.parametrize(
    ("other", "found", "missed"),
    [
        (["oneil", "mariah", "", ""], {"sounds", "stems"}, {"ends", "sounds-year", "stems-zip"}),
        (
            ["oneill", "maria", "19910228", ""],
            {"sounds-year", "sounds-month_day", "stems-year", "initials-birth"},
            {"ends"},
        ),
        (["carmaria", "mcneill", "", ""], {"ends"}, {"sounds", "stems"}),
        (["mia", "kowalski", "19912802", ""], {"initial-unordered_date"}, {"last_initial-unordered_date", "sounds"}),
        (["pia", "oneal", "19912802", ""], {"last_initial-unordered_date"}, {"initial-unordered_date", "sounds"}),
        (["pia", "kowalski", "20041201", "60601"], set(), set(WIDE.match_key_names)),
    ],
    ids=["swapped and misspelt", "swapped", "endings", "month and day", "last name", "stranger"],
)
def test_rows_share_the_wide_tags_of_what_they_have_in_common(
    other: list[str], found: set[str], missed: set[str]
) -> None:
    shared = _shared(MARIA, other, WIDE)

    assert found <= shared
    assert not shared & missed


def test_profile_and_name_and_round_key_each_make_another_key() -> None:
    keys = {
        tag_key(Secret(secret), profile=profile, match_key=name).reveal()
        for secret in (b"m" * 32, b"n" * 32)
        for profile in ("hardened-1", "hardened-2")
        for name in ("first-birth", "last-birth")
    }
    assert len(keys) == 8
    assert {len(key) for key in keys} == {32}


def test_no_tag_of_a_row_is_like_another_one() -> None:
    tags = _tags(MARIA)[0]

    assert len({tag.tobytes() for tag in tags}) == len(tags)


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        (MARIA, set(PROFILE.match_key_names)),
        (["pia", "kowalski", "19910301", "60601"], set()),
        (["pia", "oneill", "20041201", "97201"], set()),
        (["pia", "kowalski", "19910228", "97201"], {"birth-zip"}),
        (["maria", "oneill", "", ""], set()),
        (
            ["mario", "oneil", "19910228", ""],
            {"initial-birth", "last_initial-birth", "stems-year_month", "stems-year_day", "stems-month_day"},
        ),
        (["maria", "oneill", "19910328", ""], {"stems-year_day", "names-year"}),
        (["maria", "oneill", "19910227", "97201"], {"stems-year_month", "names-year", "initial-last-zip"}),
        (["maria", "kowalski", "19910228", ""], {"first-birth", "initial-birth"}),
    ],
    ids=["same", "stranger", "household", "twin", "no birth", "misspelt", "month", "day", "married"],
)
def test_rows_share_the_tags_of_what_they_have_in_common(other: list[str], shared: set[str]) -> None:
    assert _shared(MARIA, other) == shared


def test_damaged_date_has_tags_of_the_whole_date_alone() -> None:
    left, right = ["maria", "oneill", "1991", ""], ["maria", "oneill", "1991", ""]

    assert _shared(left, right) == {"first-birth", "last-birth", "initial-birth", "last_initial-birth"}


def test_parts_do_not_run_into_each_other() -> None:
    assert "names-year" not in _shared(["anna", "bell", "19910228", ""], ["annab", "ell", "19910228", ""])


@pytest.mark.parametrize("field", STANDARD_FIELDS)
def test_normal_form_of_no_field_holds_what_stands_between_parts(field: str) -> None:
    raw = ["1\x1f2", "x\x1fy", "\x1f", "2012\x1f-06-15", "\x1f" * 9]
    values = normalise_column(field, raw, date_order=DateOrder.YMD).values

    assert not any("\x1f" in value for value in values)


def test_row_has_the_same_tags_whatever_the_rows_beside_it() -> None:
    encoder, other = MatchKeyEncoder(PROFILE, KEYS), ["jo", "li", "20040229", ""]
    alone = encoder.encode([[value] for value in MARIA])
    among = encoder.encode([list(column) for column in zip(other, MARIA, other, strict=True)])

    assert np.array_equal(among[1], alone[0])
    assert np.array_equal(encoder.encode([[value] for value in MARIA]), alone)


def test_no_rows_have_no_tags_and_no_match_keys_make_none() -> None:
    single = hardened_single_1(PROFILE.fields)

    assert MatchKeyEncoder(PROFILE, KEYS).encode([[]] * 4).shape == (0, len(PROFILE.match_keys), 16)
    assert _tags(MARIA, profile=single).shape == (1, 0, 16)


@pytest.mark.parametrize("limit", [0, 1, 3, 100])
def test_what_is_kept_of_values_changes_no_tag(limit: int) -> None:
    keyed = [(key, Secret(b"k" * 32)) for key in PROFILE.match_keys]
    people = [[f"{name}{row % 5}" for name in "abc"] + [f"9720{row % 7}"] for row in range(20)]
    kept = TagMaker(PROFILE.fields, keyed, limit=limit)

    for first in range(0, 20, 4):
        columns = [list(column) for column in zip(*people[first : first + 4], strict=True)]
        assert np.array_equal(kept.make(columns), TagMaker(PROFILE.fields, keyed).make(columns))
