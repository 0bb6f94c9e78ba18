"""The whole attack: plain CLKs fall, diffused tables do not, tables that households share give away more than one."""

from dataclasses import replace

import numpy as np
import pytest
from unit.node.audit.audit_parts import HARDENED, INTEROP, SINGLE, synthetic_columns

from isthmus.contract.hardened import HardenedProfile, hardened_1
from isthmus.node.audit.attack import (
    AttackResult,
    Join,
    Variant,
    attack,
    variants_of,
)
from isthmus.node.audit.vectors import AnyProfile, encode_tables

WHOLE = Variant(join=Join.ONE, tables=("all",))
JOINED = Variant(join=Join.JOINED, tables=("all", "person"))
NARROW = Variant(join=Join.JOINED, tables=("all", "last-address", "birth-address"))
ADDRESS = ("street_number", "street_name", "city", "zip")


def _attacked(profile: AnyProfile, *, rows: int, known: int, variant: Variant = WHOLE, seed: int = 1) -> AttackResult:
    columns, rng = synthetic_columns(rows), np.random.default_rng(seed)
    encoded = encode_tables(columns, profile=profile, random_bytes=np.random.default_rng(seed + 50).bytes)
    return attack(encoded, columns, profile=profile, variant=variant, known=known, rng=rng, timer=lambda: 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("known", [0, 20])
def test_plain_clks_are_recognised_with_a_full_list_of_people(known: int) -> None:
    found = _attacked(INTEROP, rows=400, known=known)

    assert found.percent > 90
    assert found.claimed_right > 0.9 * found.claimed
    assert found.attacked == 400 - known


@pytest.mark.slow
def test_one_diffused_table_stays_near_chance() -> None:
    found = _attacked(SINGLE, rows=300, known=20)

    assert found.percent < 3
    assert found.claimed < 10


def _with_narrow_tables() -> HardenedProfile:
    """A profile as `hardened-1` was once: what members of a household share is a table (decision 0015)."""
    tables = {name: hardened_1(fields).tables[0] for name, fields in NARROW_FIELDS.items()}
    return replace(HARDENED, tables=(HARDENED.tables[0], *(replace(one, name=name) for name, one in tables.items())))


NARROW_FIELDS = {"last-address": ("last_name", *ADDRESS), "birth-address": ("dob", "sex", *ADDRESS)}


@pytest.mark.slow
def test_joining_tables_that_households_share_gives_away_more_than_the_whole_record() -> None:
    one = _attacked(_with_narrow_tables(), rows=240, known=80)
    joined = _attacked(_with_narrow_tables(), rows=240, known=80, variant=NARROW)

    assert joined.percent > one.percent + 10
    assert joined.candidates == joined.attacked == 160


@pytest.mark.slow
def test_joining_the_tables_of_the_default_profile_gives_away_little() -> None:
    assert _attacked(HARDENED, rows=240, known=80, variant=JOINED).percent < 10


def test_the_same_seed_finds_the_same() -> None:
    assert _attacked(INTEROP, rows=80, known=10) == _attacked(INTEROP, rows=80, known=10)


def test_nobody_left_to_attack_is_no_percent() -> None:
    found = _attacked(INTEROP, rows=60, known=60)

    assert (found.attacked, found.percent, found.chance_percent) == (0, 0, 0)


def test_rows_of_other_people_are_not_recognised() -> None:
    columns = synthetic_columns(160)
    others = {field: values[80:] for field, values in columns.items()}
    listed = {field: values[:80] for field, values in columns.items()}
    encoded = encode_tables(others, profile=INTEROP, random_bytes=np.random.default_rng(1).bytes)
    rng = np.random.default_rng(2)
    found = attack(encoded, listed, profile=INTEROP, variant=WHOLE, known=0, rng=rng, timer=lambda: 0.0)

    assert found.percent < 10


def test_percent_is_of_the_attacked_rows_and_chance_of_the_candidates() -> None:
    found = AttackResult(
        variant="summed", known=1, candidates=400, attacked=50, right=5, claimed=0, claimed_right=0, seconds=0.0
    )

    assert found.percent == 10
    assert found.chance_percent == 0.25


def test_variants_are_each_table_then_the_sum_and_the_join() -> None:
    names = [variant.name for variant in variants_of(("all", "first-birth"))]

    assert names == ["table all", "table first-birth", "summed", "joined"]
    assert [variant.name for variant in variants_of(("all",))] == ["table all"]


def test_a_sum_is_one_channel_and_a_join_one_for_each_table() -> None:
    summed, joined = (Variant(join=join, tables=("a", "b")) for join in (Join.SUMMED, Join.JOINED))

    assert summed.channels == (("a", "b"),)
    assert joined.channels == (("a",), ("b",))
