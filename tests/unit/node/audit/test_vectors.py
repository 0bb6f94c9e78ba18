"""Vectors of encodings: products are similarities, rows that are not in a table are like nobody."""

import numpy as np
from unit.node.audit.audit_parts import HARDENED, INTEROP, SINGLE, random_packed, synthetic_columns

from isthmus.node.audit.vectors import boxed_of, centred, encode_tables, row_count, signed, taps_of, undiffused_tables

ALL = np.arange(40)


def test_signed_product_is_the_share_of_equal_bits_less_that_of_others() -> None:
    packed = random_packed(40, seed=1)
    bits = np.unpackbits(packed, axis=1).astype(int)
    equal = (bits[:, None] == bits).mean(axis=2)

    assert np.allclose(signed(packed, np.ones(40, bool)).similarity(ALL, ALL), 2 * equal - 1, atol=1e-5)


def test_rows_that_are_not_in_a_table_are_like_nobody() -> None:
    vectors = signed(random_packed(40, seed=1), ALL % 2 == 0)

    assert not vectors.similarity(ALL[1::2], ALL).any()
    assert np.allclose(np.diag(vectors.similarity(ALL[::2], ALL[::2])), 1)


def test_centred_vectors_have_mean_zero_and_length_one_in_the_mean() -> None:
    found = centred(random_packed(40, seed=2)).unpack(ALL)

    assert np.allclose(found.mean(axis=0), 0, atol=1e-5)
    assert np.isclose(np.square(found).sum(axis=1).mean(), 1, atol=1e-4)


def test_centred_vectors_without_any_difference_are_zero() -> None:
    assert not centred(np.full((5, 8), 255, np.uint8)).unpack(ALL[:5]).any()


def test_encoded_tables_are_those_of_the_profile_and_differ_from_key_to_key() -> None:
    columns = synthetic_columns(60)
    for profile, tables in ((HARDENED, HARDENED.table_names), (INTEROP, ("all",))):
        first, second = (
            encode_tables(columns, profile=profile, random_bytes=np.random.default_rng(seed).bytes) for seed in (1, 2)
        )
        assert tuple(first) == tables
        assert row_count(first) == 60
        assert all(not np.array_equal(first[table].packed, second[table].packed) for table in tables)


def test_diffusion_raises_the_likeness_of_filters_by_its_taps_and_boxes() -> None:
    columns, random_bytes = synthetic_columns(150), np.random.default_rng(3).bytes
    columns = {**columns, "dob": ["19910228"] * 150, "first_name": ["ana"] * 150, "middle_name": ["o"] * 150}
    rows = np.arange(150)
    filters = undiffused_tables(columns, profile=SINGLE, random_bytes=random_bytes)["all"].similarity(rows, rows)
    diffused = encode_tables(columns, profile=SINGLE, random_bytes=random_bytes)["all"].similarity(rows, rows)
    off = diffused - filters ** taps_of(SINGLE) * ((1 + filters) / 2) ** boxed_of(SINGLE)

    assert diffused.mean() > 0.05
    assert (taps_of(SINGLE), boxed_of(SINGLE)) == (4, 8)
    assert (taps_of(INTEROP), boxed_of(INTEROP)) == (1, 0)
    assert abs(float(off.mean())) < 0.005
    assert float(off.std()) < 0.03


def test_taken_rows_keep_their_vectors() -> None:
    vectors = signed(random_packed(40, seed=1), ALL % 2 == 0)

    assert np.array_equal(vectors.take(ALL[::-1]).unpack(ALL), vectors.unpack(ALL[::-1]))
