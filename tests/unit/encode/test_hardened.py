"""`encode_hardened`: filters as clkhash has them, tables that a row may not enter, slabs, progress, errors, vectors."""

import json
import runpy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile, Table, hardened_1, hardened_from_document, hardened_single_1
from isthmus.contract.linkage_schema import BitsPerFeature, Feature, parse_linkage_schema
from isthmus.contract.secret import Secret
from isthmus.node.encode import hardened
from isthmus.node.encode.columns import ColumnTokenizer, TokenColumn
from isthmus.node.encode.diffusion import diffuse, draw_map
from isthmus.node.encode.errors import ColumnsMismatch, InvalidValues
from isthmus.node.encode.hardened import RoundKeys, TableRows, encode_hardened, encode_slabs, table_key
from isthmus.node.encode.hashing import TokenHasher, make_hasher
from isthmus.node.encode.keys import derive_feature_keys
from isthmus.node.encode.reference import encode_reference
from isthmus.node.encode.token_filters import TokenFilters, TokenHashes, make_filters
from isthmus.node.encode.tokens import make_tokenizer

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors" / "hardened-1.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]

KEYS = RoundKeys(encode=Secret(b"e" * 32), diffusion=Secret(b"d" * 32), match=Secret(b"m" * 32))
PROFILE = hardened_1(("first_name", "last_name", "dob", "sex", "phone"))
PEOPLE = [
    ["ada", "lovelace", "18151210", "f", "2025550101"],
    ["grace", "hopper", "19061209", "f", ""],
    ["", "hamilton", "19360817", "f", "2025550103"],
    ["ada", "lovelace", "", "f", ""],
    ["", "", "", "m", ""],
    ["x", "yzzyzzyzzyz", "19000101", "", "1"],
    ["joan", "", "", "", "2025550106"],
    ["", "", "19170826", "f", "2025550107"],
]
COLUMNS = [list(column) for column in zip(*PEOPLE, strict=True)]


def _encoded(columns: list[list[str]], profile: HardenedProfile = PROFILE) -> dict[str, TableRows]:
    return {found.table: found for found in encode_hardened(columns, profile=profile, keys=KEYS)}


def _by_clkhash(table: Table, profile: HardenedProfile) -> NDArray[np.uint8]:
    """Encode all people with clkhash, then diffuse."""
    columns = [COLUMNS[profile.fields.index(field)] for field in table.fields]
    secret = table_key(KEYS.encode, profile=profile.name, table=table.name).reveal()
    filters = encode_reference(columns, schema=parse_linkage_schema(table.linkage_schema), secret=secret)
    key = table_key(KEYS.diffusion, profile=profile.name, table=table.name).reveal()
    return diffuse(filters, draw_map(key, input_bits=1024, output_bits=2048, taps=4))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_clks_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    drawn = {label: Secret(bytes.fromhex(case[f"{label}_key"])) for label in ("encode", "diffusion", "match")}
    keys = RoundKeys(**drawn)
    columns = [list(column) for column in zip(*case["records"], strict=True)]
    for found in encode_hardened(columns, profile=hardened_from_document(case["profile"]), keys=keys):
        expected = {entry["row"]: entry["clk"] for entry in case["tables"][found.table]["rows"]}
        assert {row: clk.tobytes().hex() for row, clk in zip(found.rows.tolist(), found.clks, strict=True)} == expected


@pytest.mark.parametrize("step", ["keys", "taps", "clk", "rows"])
def test_independent_program_notices_a_changed_vector(step: str) -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(VECTORS.read_text(encoding="utf-8"))
    table = document["cases"][0]["tables"]["person"]
    match step:
        case "keys":
            table["encode_key"] = table["diffusion_key"]
        case "taps":
            table["map"]["taps"]["first"][1] ^= 1
        case "clk":
            table["rows"][0]["clk"] = table["rows"][1]["clk"]
        case _:
            table["rows"].pop()
    with pytest.raises(verifier["Mismatch"], match="person"):
        verifier["verify_hardened"](document)


@pytest.mark.parametrize("profile", [PROFILE, hardened_single_1(PROFILE.fields)], ids=lambda each: each.name)
def test_clks_are_those_of_clkhash_diffused(profile: HardenedProfile) -> None:
    found = _encoded(COLUMNS, profile)

    assert list(found) == [table.name for table in profile.tables]
    for table in profile.tables:
        assert np.array_equal(found[table.name].clks, _by_clkhash(table, profile)[found[table.name].rows])


def test_rows_that_lack_a_group_send_nothing_to_the_table() -> None:
    rows = {name: found.rows.tolist() for name, found in _encoded(COLUMNS).items()}

    assert rows == {
        "all": [0, 1, 2, 5, 6, 7],
        "person": [0, 1, 2, 5],
    }


def test_row_of_names_alone_enters_with_a_grant_only() -> None:
    granted = hardened_1(PROFILE.fields, name_table=True)

    assert 3 not in _encoded(COLUMNS)["all"].rows
    assert 3 in _encoded(COLUMNS, granted)["all"].rows
    assert _encoded(COLUMNS, granted)["first-last"].rows.tolist() == [0, 1, 3, 5]
    assert _encoded(COLUMNS, granted)["person"].rows.tolist() == [0, 1, 2, 3, 5]


def test_tables_have_keys_of_their_own() -> None:
    keys = {
        table_key(key, profile=profile, table=table).reveal()
        for key in (KEYS.encode, KEYS.diffusion)
        for profile in ("hardened-1", "hardened-single-1")
        for table in ("all", "person")
    }
    assert len(keys) == 8
    assert {len(key) for key in keys} == {32}


def test_shapes_types_and_empty_tables() -> None:
    found = _encoded([["ada"], [""], [""], [""], ["2025550101"]])

    assert found["all"].clks.dtype == np.uint8
    assert found["all"].clks.shape == (1, 256)
    assert found["all"].rows.dtype == np.int64
    assert found["person"].clks.shape == (0, 256)


def test_no_rows_give_nothing() -> None:
    assert list(encode_hardened([[]] * 5, profile=PROFILE, keys=KEYS)) == []


def test_slabs_change_nothing_but_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _encoded(COLUMNS)
    monkeypatch.setattr(hardened, "SLAB_ROWS", 2)
    pieces = list(encode_hardened(COLUMNS, profile=PROFILE, keys=KEYS))

    assert len(pieces) == 4 * len(whole)
    for name, found in whole.items():
        mine = [piece for piece in pieces if piece.table == name]
        assert np.array_equal(np.concatenate([piece.rows for piece in mine]), found.rows)
        assert np.array_equal(np.concatenate([piece.clks for piece in mine]), found.clks)


def test_slabs_are_taken_one_at_a_time() -> None:
    taken: list[int] = []

    def slabs() -> Iterator[list[list[str]]]:
        for number in range(3):
            taken.append(number)
            yield COLUMNS

    found = encode_slabs(slabs(), profile=PROFILE, keys=KEYS)
    first = next(found)

    assert (first.table, taken) == ("all", [0])


def test_progress_rises_to_the_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardened, "SLAB_ROWS", 4)
    seen: list[int] = []
    list(encode_hardened(COLUMNS, profile=PROFILE, keys=KEYS, progress=seen.append))

    assert seen == sorted(seen)
    assert (len(seen), seen[-1]) == (2 * len(PROFILE.tables), 8)


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ColumnsMismatch, match="4 columns for 5 fields"):
        encode_hardened(COLUMNS[:4], profile=PROFILE, keys=KEYS)
    with pytest.raises(ColumnsMismatch, match="columns of 1 and of 8 rows"):
        list(encode_slabs([[*COLUMNS[:4], ["1"]]], profile=PROFILE, keys=KEYS))


def test_all_bad_entries_are_named_by_field_and_row_after_the_last_slab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardened, "SLAB_ROWS", 2)
    columns = [list(column) for column in COLUMNS]
    columns[1][2] = columns[0][5] = "\ud800"
    found: list[TableRows] = []
    with pytest.raises(InvalidValues) as caught:
        found.extend(encode_hardened(columns, profile=PROFILE, keys=KEYS))

    assert caught.value.total == 2
    assert {row for each in found for row in each.rows.tolist()} == {0, 1}
    assert "last_name row 3" in caught.value.listed
    assert "first_name row 6" in caught.value.listed


def _plain_filter(value: str, feature: Feature, hasher: TokenHasher, bits: int) -> bytes:
    """Set the bits of a value one by one."""
    tokens = make_tokenizer(feature.comparison)(value)
    cells = np.zeros(1024, dtype=np.bool_)
    for place, token in enumerate(tokens):
        count = bits // len(tokens) + (place < bits % len(tokens))
        cells[hasher.positions([hasher.seed(token.encode(), count)], count)] = True
    return np.packbits(cells).tobytes()


@pytest.mark.parametrize("bits", [1, 3, 40, 330])
@pytest.mark.parametrize("kept_bytes", [0, 7 * 128, 2**20])
def test_filters_from_tokens_are_those_of_the_plain_way(bits: int, kept_bytes: int) -> None:
    schema = parse_linkage_schema(PROFILE.tables[0].linkage_schema)
    feature, keys = schema.features[1], derive_feature_keys(schema, b"s")
    assert isinstance(feature, Feature)
    hasher = make_hasher(feature.token_hash, keys=keys[1], filter_bits=1024)
    tokenizer, tokens = ColumnTokenizer(feature), TokenFilters(hasher, filter_bits=1024, kept_bytes=kept_bytes)
    for values in (["", "a", "aaaa", "ada", "a", "lovelace-king"], ["ada", "x", "xada", "", "king"]):
        column = tokenizer.tokenize(values)
        assert isinstance(column, TokenColumn)
        filters = np.empty((column.value_count, tokens.words), dtype=np.uint64)
        make_filters(column, strategy=BitsPerFeature(bits=bits), tokens=tokens, into=filters)
        found = [filters[value].tobytes() for value in column.value_of_row]
        assert found == [_plain_filter(value, feature, hasher, bits) for value in values]


def test_rows_are_held_that_have_a_token() -> None:
    feature = parse_linkage_schema(PROFILE.tables[0].linkage_schema).features[1]
    assert isinstance(feature, Feature)
    column = ColumnTokenizer(feature).tokenize(["king", "", "ada", ""])
    assert isinstance(column, TokenColumn)
    assert column.is_held().tolist() == [True, False, True, False]


class _CountingHasher:
    """Counts how often a token is hashed."""

    def __init__(self) -> None:
        self.hashed: list[bytes] = []

    def seed(self, token: bytes, count: int) -> bytes:
        self.hashed.append(token)
        return bytes(2 * count)

    def positions(self, seeds: Sequence[bytes], count: int) -> NDArray[np.int64]:
        return np.zeros((len(seeds), count), dtype=np.int64)


def test_each_token_is_hashed_once_unless_more_bits_are_asked() -> None:
    hasher = _CountingHasher()
    hashes = TokenHashes(hasher)
    hashes.positions([b"a", b"b", b"a"], 2)
    hashes.positions([b"a"], 1)
    assert hasher.hashed == [b"a", b"b"]

    hashes.positions([b"a"], 3)
    assert hasher.hashed == [b"a", b"b", b"a"]


def test_seeds_are_dropped_beyond_the_limit_and_made_again() -> None:
    hasher = _CountingHasher()
    hashes = TokenHashes(hasher, limit=1)
    hashes.positions([b"a", b"b"], 1)
    hashes.positions([b"a"], 1)
    assert hasher.hashed == [b"a", b"b", b"a"]
