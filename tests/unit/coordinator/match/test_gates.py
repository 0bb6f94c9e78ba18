"""Gates: encodings that the profile makes pass; dense, thin and repeated ones do not."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_single_1
from isthmus.contract.profile import interop_1
from isthmus.contract.profiles import AnyProfile
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.gates import gates_of
from isthmus.node.encode.hardened import RoundKeys, encode_hardened

FIELDS = ("first_name", "last_name", "dob", "zip", "phone")
KEYS = RoundKeys(encode=Secret(b"e" * 32), diffusion=Secret(b"d" * 32))
ROWS = 400


def _encoded(profile: AnyProfile, blank: float = 0.0) -> NDArray[np.uint8]:
    """Give real encodings of made-up rows of which each value is blank with that chance."""
    numbers = np.random.default_rng(7)
    columns = [
        ["" if numbers.random() < blank else f"{field[:2]}{row}x{numbers.integers(1000)}" for row in range(ROWS)]
        if field not in {"dob", "zip", "phone"}
        else ["" if numbers.random() < blank else f"{numbers.integers(10**8):08}" for _ in range(ROWS)]
        for field in profile.fields
    ]
    clks = np.zeros((ROWS, len(profile.table_names), profile.clk_bits // 8), np.uint8)
    for table in encode_hardened(columns, profile=profile, keys=KEYS):  # type: ignore[arg-type] # hardened ones only
        clks[table.rows, profile.table_names.index(table.table)] = table.clks
    return clks.reshape(ROWS, -1)


@pytest.mark.parametrize("blank", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("profile", [hardened_1(FIELDS), hardened_single_1(FIELDS)], ids=lambda one: one.name)
def test_what_a_hardened_profile_makes_passes(profile: AnyProfile, blank: float) -> None:
    assert gates_of(profile).problem([_encoded(profile, blank)]) is None


@pytest.mark.parametrize("profile", [hardened_1(FIELDS), interop_1(FIELDS)], ids=lambda one: one.name)
@pytest.mark.parametrize("byte", [0x01, 0xFF, 0xEE], ids=["thin", "full", "dense"])
def test_encoding_of_a_density_that_the_profile_does_not_make_is_found(profile: AnyProfile, byte: int) -> None:
    clks = np.zeros((3, len(profile.table_names), profile.clk_bits // 8), np.uint8)
    clks[1, -1] = 0 if byte == 0x01 else byte
    clks[1, -1, :2] |= 0x01

    assert f"table {profile.table_names[-1]}" in (gates_of(profile).problem([clks.reshape(3, -1)]) or "")


def _observed(profile: HardenedProfile) -> set[int]:
    """Give the patterns of real encodings of rows that lack every combination of values."""
    full = {"dob": "20010203", "birth_year": "2001", "zip": "90210", "phone": "5551234567"}
    lacking = list(product([False, True], repeat=len(profile.fields)))
    columns = [
        ["" if row[place] else full.get(field, f"{field}{number}") for number, row in enumerate(lacking)]
        for place, field in enumerate(profile.fields)
    ]
    patterns = np.zeros(len(lacking), np.int64)
    for table in encode_hardened(columns, profile=profile, keys=KEYS):
        patterns[table.rows] |= 1 << profile.table_names.index(table.table)
    return {int(pattern) for pattern in patterns}


@pytest.mark.parametrize(
    "profile",
    [
        hardened_1(FIELDS[:4]),
        hardened_1(FIELDS[:4], name_table=True),
        hardened_1(FIELDS[:3]),
        hardened_single_1(FIELDS),
    ],
    ids=["four groups", "name table", "three groups", "one table"],
)
def test_rows_pass_in_exactly_those_combinations_of_tables_that_the_encoder_makes(profile: HardenedProfile) -> None:
    tables, numbers = len(profile.table_names), np.random.default_rng(3)
    gates = gates_of(profile)
    passed = set()
    for pattern in range(1 << tables):
        inside = np.array([pattern >> place & 1 for place in range(tables)], np.uint8)
        clks = numbers.integers(0, 256, (1, tables, profile.clk_bits // 8), np.uint8) * inside[:, None]
        if gates.problem([clks.reshape(1, -1)]) is None:
            passed.add(pattern)

    assert passed == _observed(profile)


@pytest.mark.parametrize("lacking", ["all", "first-birth"])
def test_row_that_leaves_out_a_table_which_it_must_be_in_is_found_and_its_tables_are_named(lacking: str) -> None:
    profile = hardened_1(FIELDS[:4])
    clks = _encoded(profile).reshape(ROWS, len(profile.table_names), -1)
    clks[17, profile.table_names.index(lacking)] = 0

    problem = gates_of(profile).problem([clks.reshape(ROWS, -1)])

    assert problem is not None
    assert "last-birth" in problem and f" {lacking}," not in problem


def test_rows_that_repeat_are_found_over_pieces_and_a_few_are_let_through() -> None:
    profile = hardened_single_1(FIELDS)
    clks = _encoded(profile)

    assert gates_of(profile).problem([clks, clks[:80]]) is None
    assert "identical" in (gates_of(profile).problem([clks, clks[:120]]) or "")


def test_empty_rows_are_not_repetitions() -> None:
    profile = interop_1(FIELDS)

    assert gates_of(profile).problem([np.zeros((50, 128), np.uint8)]) is None
