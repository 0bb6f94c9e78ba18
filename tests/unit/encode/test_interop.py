"""`encode_interop` and its reference: shapes, bit order, blocks, progress, and errors that name places only."""

import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isthmus.contract.linkage_schema import LinkageSchema, parse_linkage_schema
from isthmus.node.encode import interop, token_filters
from isthmus.node.encode.errors import ColumnsMismatch, InvalidValues, ReferenceMissing
from isthmus.node.encode.interop import encode_interop, encode_interop_slabs
from isthmus.node.encode.reference import encode_reference

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors" / "interop-1.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]
IGNORED = {"identifier": "row", "ignored": True}


def _feature(name: str, *, form: dict[str, Any] | None = None, **hashing: Any) -> dict[str, Any]:
    settings = {"comparison": {"type": "ngram", "n": 2}, "strategy": {"bitsPerFeature": 30}} | hashing
    return {"identifier": name, "format": form or {"type": "string"}, "hashing": settings}


def _schema(*features: dict[str, Any], **config: Any) -> LinkageSchema:
    shared = {"l": 256, "kdf": {"type": "HKDF"}} | config
    return parse_linkage_schema({"version": 3, "clkConfig": shared, "features": list(features)})


def _invalid(columns: list[list[str]], schema: LinkageSchema) -> InvalidValues:
    with pytest.raises(InvalidValues) as caught:
        encode_interop(columns, schema=schema, secret=b"s")
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
@pytest.mark.parametrize("encode", [encode_interop, encode_reference])
def test_clks_are_those_of_the_vectors(encode: Any, case: dict[str, Any]) -> None:
    columns = list(zip(*([step["value"] for step in record["features"]] for record in case["records"]), strict=True))
    clks = encode(columns, schema=parse_linkage_schema(case["schema"]), secret=bytes.fromhex(case["secret"]))
    assert [clk.tobytes().hex() for clk in clks] == [record["clk"] for record in case["records"]]


@pytest.mark.process
def test_vectors_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_vectors", "--check"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_independent_program_notices_a_changed_vector() -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(VECTORS.read_text(encoding="utf-8"))
    changed = document["cases"][0]["records"][0]["features"][0]["tokens"][0]["bits"]
    changed[0] = (changed[0] + 1) % 1024
    with pytest.raises(verifier["Mismatch"], match="people, record 1, first_name: bits of ' m'"):
        verifier["verify_interop"](document)


@pytest.mark.process
def test_vectors_are_confirmed_by_the_independent_program() -> None:
    done = subprocess.run(
        [sys.executable, "-S", ROOT / "scripts" / "verify_vectors"], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "12 CLKs" in done.stdout


def test_clks_are_one_contiguous_array_of_bytes() -> None:
    clks = encode_interop([["Ada", "", "Ada"]], schema=_schema(_feature("name")), secret=b"s")
    assert clks.dtype == np.uint8
    assert (clks.shape, clks.flags.c_contiguous) == ((3, 32), True)
    assert np.array_equal(clks[0], clks[2])
    assert 0 < np.bitwise_count(clks[0]).sum() <= 30
    assert not clks[1].any()


def test_no_rows_give_no_clks() -> None:
    assert encode_interop([[]], schema=_schema(_feature("name")), secret=b"s").shape == (0, 32)


def test_ignored_columns_are_not_looked_at() -> None:
    schema = _schema(IGNORED, _feature("name"))
    first = encode_interop([["1"], ["Ada"]], schema=schema, secret=b"s")
    assert np.array_equal(first, encode_interop([["\ud800"], ["Ada"]], schema=schema, secret=b"s"))
    assert not encode_interop([["1"]], schema=_schema(IGNORED), secret=b"s").any()


def test_secret_and_feature_change_the_bits_of_a_value() -> None:
    schema = _schema(_feature("first"), _feature("last"))
    columns = [["Ada", ""], ["", "Ada"]]
    clks = encode_interop(columns, schema=schema, secret=b"s")
    assert not np.array_equal(clks[0], clks[1])
    assert not np.array_equal(clks, encode_interop(columns, schema=schema, secret=b"t"))


def test_last_byte_of_an_odd_length_ends_in_zero_bits() -> None:
    schema = _schema(_feature("name", hash={"type": "doubleHash"}, strategy={"bitsPerToken": 99}), l=13)
    clks = encode_interop([["Ada Lovelace"]], schema=schema, secret=b"s")
    assert clks.shape == (1, 2)
    assert clks[0, 1] & 0b111 == 0


@pytest.mark.parametrize("folds", [0, 2])
def test_small_blocks_and_slabs_change_nothing(folds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = _schema(_feature("name"), _feature("zip", comparison={"type": "exact"}), xor_folds=folds)
    rng = np.random.default_rng(3)
    columns = [["".join(rng.choice(list("abc"), 5)) for _ in range(90)] for _ in range(2)]
    whole = encode_interop(columns, schema=schema, secret=b"s")
    # The sizes are constants; only a patch can reach their edges with few rows.
    monkeypatch.setattr(interop, "_PART_ROWS", 40)
    monkeypatch.setattr(interop, "_BLOCK_BYTES", 7 * 32)
    monkeypatch.setattr(token_filters, "_BLOCK_CELLS", 5 * 256)
    monkeypatch.setattr(token_filters, "_BLOCK_BYTES", 3 * 32)
    monkeypatch.setattr(token_filters, "_PIECE_BYTES", 2 * 96)
    assert np.array_equal(encode_interop(columns, schema=schema, secret=b"s"), whole)


def test_progress_rises_to_the_number_of_rows() -> None:
    seen: list[int] = []
    schema = _schema(_feature("first"), _feature("last"))
    encode_interop([["a"] * 10, ["b"] * 10], schema=schema, secret=b"s", progress=seen.append)
    assert seen == [0, 5, 10]


def _people(rows: int) -> list[list[str]]:
    rng = np.random.default_rng(4)
    return [["".join(rng.choice(list("abcd"), rng.integers(0, 7))) for _ in range(rows)] for _ in range(2)]


def test_slabs_of_any_length_give_the_clks_of_the_whole() -> None:
    schema, columns = _schema(_feature("first"), _feature("last")), _people(60)
    slabs = [[column[first:end] for column in columns] for first, end in ((0, 0), (0, 1), (1, 44), (44, 60))]
    found = list(encode_interop_slabs(slabs, schema=schema, secret=b"s"))
    assert [len(clks) for clks in found] == [0, 1, 43, 16]
    assert np.array_equal(np.concatenate(found), encode_interop(columns, schema=schema, secret=b"s"))


def test_slabs_are_taken_one_at_a_time() -> None:
    taken: list[int] = []

    def slabs() -> Iterator[list[list[str]]]:
        for number in range(3):
            taken.append(number)
            yield [["Ada"]]

    next(encode_interop_slabs(slabs(), schema=_schema(_feature("name")), secret=b"s"))
    assert taken == [0]


def test_progress_goes_on_through_slabs() -> None:
    seen: list[int] = []
    slabs = [[["a"] * 4], [["b"] * 6]]
    list(encode_interop_slabs(slabs, schema=_schema(_feature("name")), secret=b"s", progress=seen.append))
    assert seen == [0, 4, 4, 10]


def test_bad_entries_of_all_slabs_are_named_after_the_last() -> None:
    slabs, found = [[["1", "2"]], [["x"]], [["3", "4"]], [["5", "y"]]], list[Any]()
    with pytest.raises(InvalidValues) as caught:
        found.extend(
            encode_interop_slabs(slabs, schema=_schema(_feature("age", form={"type": "integer"})), secret=b"s")
        )
    assert len(found) == 1
    assert caught.value.listed == "age row 3 (not a whole number), age row 7 (not a whole number)"


@pytest.mark.parametrize("enough_rows", [1, 2**14])
def test_value_that_does_not_fit_is_named_again_in_every_slab(
    enough_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With one row being enough, equal values are no longer looked for after the first slab.
    monkeypatch.setattr("isthmus.node.encode.columns._ENOUGH_ROWS", enough_rows)
    schema = _schema(_feature("age", form={"type": "integer"}))
    with pytest.raises(InvalidValues) as caught:
        list(encode_interop_slabs([[["1", "2"]], [["x", "1", "x"]], [["x"]]], schema=schema, secret=b"s"))
    bad = ", ".join(f"age row {row} (not a whole number)" for row in (3, 5, 6))
    assert caught.value.listed == bad


def test_slab_of_other_columns_is_refused() -> None:
    with pytest.raises(ColumnsMismatch, match="1 columns for 2 features"):
        list(encode_interop_slabs([[["a"]]], schema=_schema(_feature("first"), _feature("last")), secret=b"s"))


@pytest.mark.parametrize(
    ("patched", "limit"),
    [
        ("columns._VOCABULARY_LIMIT", 3),
        ("columns._BLOCK_VALUES", 7),
        ("columns._ENOUGH_ROWS", 1),
        ("token_filters._KEPT_BYTES", 64),
        ("interop._KEPT_BYTES", 0),
        ("interop._KEPT_BYTES", 2 * 30 * 32),
    ],
)
def test_what_is_dropped_between_slabs_changes_nothing(
    patched: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema, columns = _schema(_feature("first"), _feature("last")), _people(60)
    whole = encode_interop(columns, schema=schema, secret=b"s")
    monkeypatch.setattr(f"isthmus.node.encode.{patched}", limit)
    slabs = [[column[first : first + 20] for column in columns] for first in (0, 20, 40)]
    assert np.array_equal(np.concatenate(list(encode_interop_slabs(slabs, schema=schema, secret=b"s"))), whole)


def test_all_bad_entries_are_named_by_feature_and_row_and_never_quoted() -> None:
    schema = _schema(
        _feature("age", form={"type": "integer"}),
        _feature("score", comparison={"type": "numeric", "thresholdDistance": 1, "resolution": 1}),
    )
    error = _invalid([["1", "Xavier", "2", "Xavier"], ["7", "8", "Zenobia", "9"]], schema)
    assert error.total == 3
    assert error.listed == "age row 2 (not a whole number), age row 4 (not a whole number), score row 3 (not a number)"
    assert "Xavier" not in str(error)
    assert "Zenobia" not in str(error)
    assert error.__cause__ is None


def test_rows_of_bad_entries_are_counted_through_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interop, "_PART_ROWS", 2)
    error = _invalid([["1", "2", "3", "4", "x"]], _schema(_feature("age", form={"type": "integer"})))
    assert error.listed == "age row 5 (not a whole number)"


def test_long_lists_of_bad_entries_are_cut_and_counted() -> None:
    error = _invalid([["x"] * 250], _schema(_feature("age", form={"type": "integer"})))
    assert error.total == 250
    assert error.listed.count("row") == 100
    assert error.listed.endswith("and 150 more")


def test_replacement_that_cannot_be_encoded_is_a_bad_entry() -> None:
    form = {"type": "string", "encoding": "ascii"}
    schema = _schema(_feature("name", form=form, missingValue={"sentinel": "-", "replaceWith": "é"}))
    assert _invalid([["Ada", "-"]], schema).listed == "name row 2 (its replacement is not representable in ascii)"
    assert encode_interop([["Ada"]], schema=schema, secret=b"s").any()


@pytest.mark.parametrize("columns", [[["a"]], [["a"], ["b"], ["c"]], [["a"], ["b", "c"]]])
@pytest.mark.parametrize("encode", [encode_interop, encode_reference])
def test_columns_that_are_not_the_schemas_are_refused(encode: Any, columns: list[list[str]]) -> None:
    with pytest.raises(ColumnsMismatch, match="columns"):
        encode(columns, schema=_schema(_feature("first"), _feature("last")), secret=b"s")


def test_reference_reports_progress_and_handles_no_rows() -> None:
    seen: list[int] = []
    schema = _schema(_feature("name"))
    encode_reference([["Ada"] * 10], schema=schema, secret=b"s", progress=seen.append)
    assert seen == [10]
    assert encode_reference([[]], schema=schema, secret=b"s").shape == (0, 32)


def test_reference_refuses_bad_entries_without_quoting_them() -> None:
    schema = _schema(_feature("age", form={"type": "integer"}))
    with pytest.raises(InvalidValues) as caught:
        encode_reference([["Xavier"]], schema=schema, secret=b"s")
    assert "Xavier" not in str(caught.value)


def test_reference_says_what_to_install_where_clkhash_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "clkhash.clk", None)
    with pytest.raises(ReferenceMissing, match=r"isthmus-node\[reference\]"):
        encode_reference([["Ada"]], schema=_schema(_feature("name")), secret=b"s")
