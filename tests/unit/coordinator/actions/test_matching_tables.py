"""Matching a round of a hardened profile: rows of tables and match keys in, the people of both providers out."""

from dataclasses import replace

import numpy as np
import pytest
from harness import Coordinator, Enrolled, Rows, random_rows

from isthmus.contract.canonical import Label, sign
from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.tombstones import tombstones_document
from isthmus.coordinator.actions.tombstones import tombstone_rows
from isthmus.coordinator.domain.pseudonyms import unpack_pseudonyms

PEOPLE_OF_BOTH = 7


def _rows(count: int, *, profile: HardenedProfile, seed: int) -> Rows:
    """Give rows as diffusion and match keys make them for strangers: half of all bits set, no tag twice."""
    clks = np.random.default_rng(seed).integers(0, 256, (count, profile.row_bits // 8), np.uint8)
    return Rows(handles=random_rows(count, seed=seed).handles, clks=clks)


def _collecting(hub: Coordinator, providers: list[Enrolled], profile: str) -> tuple[RoundId, HardenedProfile]:
    round_id = hub.collecting(providers, profile=profile)
    read = hub.manifest(round_id).read_profile()
    assert isinstance(read, HardenedProfile)
    return round_id, read


def _linked(hub: Coordinator, round_id: RoundId, provider: Enrolled) -> set[bytes]:
    """Give the handles of the provider's rows that linked."""
    with hub.context.store.read() as tx:
        result = tx.results.find(round_id, provider.id)
    assert result is not None
    return {row.handle for row in unpack_pseudonyms(hub.context.blobs.get(result.digest))}


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


@pytest.mark.parametrize("profile", ["hardened-1", "hardened-single-1"])
def test_rows_of_the_same_people_link_and_no_others(hub: Coordinator, providers: list[Enrolled], profile: str) -> None:
    round_id, read = _collecting(hub, providers, profile)
    left = _rows(30, profile=read, seed=1)
    right = _rows(20, profile=read, seed=2).with_people_of(left, PEOPLE_OF_BOTH)

    for provider, rows in zip(providers, (left, right), strict=True):
        hub.submit(provider, round_id, rows)
    hub.match()

    assert hub.state(round_id) is RoundState.RELEASED
    for provider, rows in zip(providers, (left, right), strict=True):
        expected = {handle.tobytes() for handle in rows.handles[:PEOPLE_OF_BOTH]}
        assert _linked(hub, round_id, provider) == expected


def _share_tags(left: Rows, right: Rows, profile: HardenedProfile, *, without: str = "") -> None:
    """Give the first rows of the right the tags of the left, but for those of match keys that read a field."""
    start = len(profile.tables) * profile.clk_bits // 8
    for place, key in enumerate(profile.match_keys):
        if without not in key.fields:
            tag = slice(start + 16 * place, start + 16 * (place + 1))
            right.clks[:PEOPLE_OF_BOTH, tag] = left.clks[:PEOPLE_OF_BOTH, tag]


def test_encodings_of_nobody_with_the_tags_of_people_link_to_nobody(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    # A provider has the key: it can make the tags of whomever it wants to ask about.
    round_id, read = _collecting(hub, providers, "hardened-1")
    left, right = (_rows(20, profile=read, seed=seed) for seed in (1, 2))
    _share_tags(left, right, read)

    for provider, rows in zip(providers, (left, right), strict=True):
        hub.submit(provider, round_id, rows)
    hub.match()

    assert [_linked(hub, round_id, provider) for provider in providers] == [set(), set()]


def test_rows_link_by_their_tags_where_the_tables_show_strangers(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id, read = _collecting(hub, providers, "hardened-1")
    left, right = (_rows(20, profile=read, seed=seed) for seed in (1, 2))
    _share_tags(left, right, read, without="first_name")

    for provider, rows in zip(providers, (left, right), strict=True):
        hub.submit(provider, round_id, rows)
    hub.match()

    for provider, rows in zip(providers, (left, right), strict=True):
        expected = {handle.tobytes() for handle in rows.handles[:PEOPLE_OF_BOTH]}
        assert _linked(hub, round_id, provider) == expected


def test_row_that_enters_no_table_links_to_nothing(hub: Coordinator, providers: list[Enrolled]) -> None:
    round_id, read = _collecting(hub, providers, "hardened-1")
    for seed, provider in enumerate(providers):
        rows = _rows(5, profile=read, seed=seed)
        rows.clks[:2] = 0
        hub.submit(provider, round_id, rows)
    hub.match()

    assert [_linked(hub, round_id, provider) for provider in providers] == [set(), set()]


@pytest.mark.parametrize("profile", ["hardened-1", "hardened-single-1"])
def test_provider_whose_rows_are_all_struck_out_has_a_result_of_nobody(
    hub: Coordinator, providers: list[Enrolled], profile: str
) -> None:
    round_id, read = _collecting(hub, providers, profile)
    rows = _rows(5, profile=read, seed=1)
    for provider, seed in zip(providers, (3, 4), strict=True):
        hub.submit(provider, round_id, replace(rows, handles=random_rows(5, seed=seed).handles))
    handles = sorted(handle.tobytes() for handle in random_rows(5, seed=3).handles)
    document = tombstones_document(handles, round_id=round_id, party=providers[0].id)
    signature = sign(providers[0].signing_key, Label.TOMBSTONES, document)
    tombstone_rows(hub.context, providers[0].actor, round_id=round_id, handles=handles, signature=signature)

    hub.match()

    assert hub.state(round_id) is RoundState.RELEASED
    assert [_linked(hub, round_id, provider) for provider in providers] == [set(), set()]
