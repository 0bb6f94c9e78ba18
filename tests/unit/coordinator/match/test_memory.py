"""The estimate of the memory that a round takes, and the refusal of rounds that may take more than is allowed."""

from dataclasses import replace

import pytest

from isthmus.coordinator.config import Matching
from isthmus.coordinator.match import WORKER_BYTES
from isthmus.coordinator.match.bucket_join import SPAN_ROWS
from isthmus.coordinator.match.errors import NotEnoughMemory
from isthmus.coordinator.match.kernel_engine import GROUP_ROWS, SLAB_ROWS
from isthmus.coordinator.match.memory import (
    MIB,
    PAIR_BYTES,
    SLAB_ROWS_HELD,
    Demand,
    Memory,
    check_memory,
    default_max_pairs,
)
from isthmus.coordinator.match.memory import needed_bytes as needed
from isthmus.coordinator.match.search import DEFAULT_MEMORY_BYTES
from isthmus.coordinator.serve import matching_memory, matching_pairs

PLAIN = Demand(sizes=(1000, 500), row_bytes=128, clk_bytes=128, tables=1, match_keys=0, best_of_row=None, spine=False)
TABLES = Demand(sizes=(1000, 500), row_bytes=720, clk_bytes=256, tables=2, match_keys=13, best_of_row=3, spine=False)
MEMORY = Memory(allowed_bytes=0, search_bytes=MIB, workers=2, worker_bytes=MIB)


def test_pairs_are_at_most_all_pairs_of_rows_and_of_tables_the_best_of_each_row() -> None:
    assert PLAIN.most_pairs() == 500_000
    assert TABLES.most_pairs() == 2 * 3 * 1500 + 13 * 500
    assert replace(TABLES, sizes=(2, 2, 3)).most_pairs() == 4 + 6 + 6


@pytest.mark.parametrize("demand", [PLAIN, TABLES], ids=["plain", "tables"])
def test_what_is_needed_grows_with_all_that_a_round_has_more_of(demand: Demand) -> None:
    least = needed(demand, MEMORY, max_pairs=10**7)
    assert needed(replace(demand, sizes=(10_000, 50_000)), MEMORY, max_pairs=10**7) > least
    assert needed(demand, replace(MEMORY, search_bytes=10**9), max_pairs=10**7) > least
    assert needed(demand, replace(MEMORY, workers=10**4), max_pairs=10**7) > least
    assert needed(replace(demand, sizes=(10**6, 10**6)), MEMORY, max_pairs=1) > 2 * demand.clk_bytes * 10**6


def test_pairs_that_may_not_be_held_need_no_memory() -> None:
    assert needed(PLAIN, MEMORY, max_pairs=400_000) > needed(PLAIN, MEMORY, max_pairs=300_000)
    assert needed(PLAIN, MEMORY, max_pairs=500_000) == needed(PLAIN, MEMORY, max_pairs=10**7)


def test_a_slot_for_every_entity_takes_more_than_pseudonyms_of_linked_rows() -> None:
    many = replace(PLAIN, sizes=(10**6, 10**6))
    assert needed(replace(many, spine=True), MEMORY, max_pairs=1) > needed(many, MEMORY, max_pairs=1)


@pytest.mark.parametrize("demand", [PLAIN, TABLES], ids=["plain", "tables"])
def test_comparing_fields_takes_more_with_every_slot_field_and_provider(demand: Demand) -> None:
    compared = replace(demand, sizes=(10**6, 10**5), best_of_row=1, slots=16, fields=10)
    least = needed(compared, MEMORY, max_pairs=1)

    assert needed(replace(compared, slots=17), MEMORY, max_pairs=1) > least
    assert needed(replace(compared, fields=11), MEMORY, max_pairs=1) - least >= 16 * 10**6
    assert needed(replace(compared, sizes=(10**6, 10**5, 10**5)), MEMORY, max_pairs=1) - least > 16 * 10**6 * 20


def test_pairs_that_are_asked_are_the_slots_of_the_larger_of_every_two() -> None:
    assert replace(PLAIN, sizes=(10, 30, 20), slots=8).asked_pairs() == [240, 160, 240]
    assert needed(replace(PLAIN, fields=12), MEMORY, max_pairs=10) == needed(PLAIN, MEMORY, max_pairs=10)


def test_rows_in_buckets_take_more_with_every_key_and_worker_and_with_larger_buckets() -> None:
    bucketed = replace(PLAIN, sizes=(10**6, 10**6), row_bytes=1000, block_keys=3, bucket_rows=10_000)
    least = needed(bucketed, MEMORY, max_pairs=1)
    assert least > needed(replace(bucketed, block_keys=0), MEMORY, max_pairs=1)
    # A bucket number, a place and the stretch that it is in, of each key.
    assert needed(replace(bucketed, block_keys=16), MEMORY, max_pairs=1) - least >= 13 * 2 * 10**6 * (4 + 4 + 16)
    assert needed(replace(bucketed, bucket_rows=10**6), MEMORY, max_pairs=1) > least
    assert needed(bucketed, replace(MEMORY, workers=9), max_pairs=1) - least > 7 * SPAN_ROWS * PLAIN.clk_bytes


def test_a_refusal_names_the_smallest_setting_that_is_enough() -> None:
    with pytest.raises(NotEnoughMemory) as caught:
        check_memory(PLAIN, replace(MEMORY, allowed_bytes=100 * MIB), max_pairs=10**7)
    enough = caught.value.needed_mib
    assert (caught.value.rows, caught.value.limit_mib) == (1500, 100)
    assert f"matching.memory_mib to {enough} or more" in str(caught.value)

    check_memory(PLAIN, replace(MEMORY, allowed_bytes=enough * MIB), max_pairs=10**7)
    with pytest.raises(NotEnoughMemory):
        check_memory(PLAIN, replace(MEMORY, allowed_bytes=(enough - 1) * MIB), max_pairs=10**7)


@pytest.mark.parametrize(("allowed", "pairs"), [(2**40, 10**7), (24 * 10**7, 10**6), (1, 1)])
def test_half_of_the_memory_is_for_pairs_where_no_setting_says_how_many(allowed: int, pairs: int) -> None:
    assert PAIR_BYTES == 120
    assert default_max_pairs(allowed, most=10**7) == pairs


@pytest.mark.parametrize("machine_mib", [512, 2_000, 64_000])
def test_the_setting_that_a_refusal_names_is_enough_on_the_same_machine(machine_mib: int) -> None:
    machine, demand = machine_mib * MIB, replace(TABLES, sizes=(200_000_000, 100_000_000))
    said = Matching()
    with pytest.raises(NotEnoughMemory) as caught:
        check_memory(demand, matching_memory(said, machine=machine), max_pairs=matching_pairs(said, machine=machine))

    changed = Matching(memory_mib=caught.value.needed_mib)
    check_memory(demand, matching_memory(changed, machine=machine), max_pairs=matching_pairs(changed, machine=machine))


def test_settings_come_before_what_suits_the_machine() -> None:
    said = Matching(engine="anonlink", workers=7, max_pairs=5, memory_mib=3)
    memory = matching_memory(said, machine=2**40)
    assert (memory.allowed_bytes, memory.workers, memory.worker_bytes) == (3 * MIB, 7, WORKER_BYTES["anonlink"])
    assert matching_pairs(said, machine=2**40) == 5
    assert matching_memory(Matching(), machine=8 * 2**30).allowed_bytes == 6 * 2**30
    assert matching_memory(Matching(), machine=8 * 2**30).search_bytes == DEFAULT_MEMORY_BYTES


def test_the_rows_that_are_counted_twice_are_those_of_four_slabs() -> None:
    assert 4 * max(SLAB_ROWS, GROUP_ROWS) == SLAB_ROWS_HELD
