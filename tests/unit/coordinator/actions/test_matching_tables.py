"""Matching a round of a hardened profile: rows of several tables in, the people of both providers out."""

import numpy as np
import pytest
from harness import Coordinator, Rows, random_rows

from isthmus.contract.round_state import RoundState
from isthmus.coordinator.domain.pseudonyms import unpack_pseudonyms

PEOPLE_OF_BOTH = 7


def _rows(count: int, *, tables: int, seed: int) -> Rows:
    """Give rows as diffusion makes them for strangers: half of all bits set."""
    clks = np.random.default_rng(seed).integers(0, 256, (count, tables * 256), np.uint8)
    return Rows(handles=random_rows(count, seed=seed).handles, clks=clks)


@pytest.mark.parametrize("profile", ["hardened-1", "hardened-single-1"])
def test_rows_of_the_same_people_link_and_no_others(hub: Coordinator, profile: str) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers, profile=profile)
    tables = len(hub.manifest(round_id).read_profile().table_names)
    left = _rows(30, tables=tables, seed=1)
    right = _rows(20, tables=tables, seed=2).with_people_of(left, PEOPLE_OF_BOTH)

    for provider, rows in zip(providers, (left, right), strict=True):
        hub.submit(provider, round_id, rows)
    hub.match()

    assert hub.state(round_id) is RoundState.RELEASED
    for provider, rows in zip(providers, (left, right), strict=True):
        with hub.context.store.read() as tx:
            result = tx.results.find(round_id, provider.id)
        assert result is not None
        linked = {row.handle for row in unpack_pseudonyms(hub.context.blobs.get(result.digest))}
        assert linked == {handle.tobytes() for handle in rows.handles[:PEOPLE_OF_BOTH]}


def test_row_that_enters_no_table_links_to_nothing(hub: Coordinator) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers, profile="hardened-1")
    tables = len(hub.manifest(round_id).read_profile().table_names)
    rows = [_rows(5, tables=tables, seed=seed) for seed in (1, 2)]
    for one in rows:
        one.clks[:2] = 0

    for provider, one in zip(providers, rows, strict=True):
        hub.submit(provider, round_id, one)
    hub.match()

    with hub.context.store.read() as tx:
        assert [result.rows for provider in providers if (result := tx.results.find(round_id, provider.id))] == [0, 0]
