"""Matching a round of a project with keyed blocks: only rows that share a bucket link, and buckets pass gates."""

from dataclasses import replace

import numpy as np
import pytest
from harness import Coordinator, Enrolled, Rows, random_rows

from isthmus.contract.canonical import Label, sign
from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.hardened import HARDENED_2, HardenedProfile
from isthmus.contract.ids import RoundId
from isthmus.contract.keyed_blocks import BLOCK_BITS
from isthmus.contract.profiles import PROFILE_NAMES
from isthmus.contract.round_state import RoundState
from isthmus.contract.tombstones import tombstones_document
from isthmus.coordinator.actions.tombstones import tombstone_rows
from isthmus.coordinator.domain.pseudonyms import unpack_pseudonyms

BLOCKS = {"keys": ["first-birth", "last-birth"], "buckets": 16, "least_rows": 2, "most_rows": 12}
PEOPLE_OF_BOTH, TOGETHER = 7, 5
"""People whom both providers have, and how many of them share a bucket."""


def _encodings(hub: Coordinator, round_id: RoundId, *, seed: int) -> Rows:
    """Give 12 rows of strangers as the round's profile makes them, without buckets."""
    profile, rows = hub.manifest(round_id).read_profile(), random_rows(12, seed=seed)
    if not isinstance(profile, HardenedProfile):
        return rows
    return replace(rows, clks=np.random.default_rng(seed).integers(0, 256, (12, profile.row_bits // 8), np.uint8))


def _with_buckets(rows: Rows, numbers: list[list[int]]) -> Rows:
    """Put bucket numbers behind the encodings, a list for each key."""
    wire = np.array(numbers, ">u4").T.copy().view(np.uint8).reshape(len(rows), -1)
    return replace(rows, clks=np.hstack([rows.clks, wire]))


def _files(hub: Coordinator, round_id: RoundId) -> tuple[Rows, Rows]:
    """Give the rows of both: of the people of both, the first five share a bucket of one or both keys, others none."""
    left = _encodings(hub, round_id, seed=1)
    right = _encodings(hub, round_id, seed=2).with_people_of(left, PEOPLE_OF_BOTH)
    profile = hub.manifest(round_id).read_profile()
    if isinstance(profile, HardenedProfile):
        # Tags find pairs whatever their buckets: those of the right are of nobody on the left.
        tags = slice(len(profile.tables) * profile.clk_bits // 8, None)
        right.clks[:, tags] = _encodings(hub, round_id, seed=3).clks[:, tags]
    return (
        _with_buckets(left, [[1] * 3 + [0] * 4 + [2] * 5, [3] * 5 + [4] * 7]),
        _with_buckets(right, [[1] * 3 + [0] * 4 + [5] * 5, [6] * 3 + [3] * 2 + [7] * 7]),
    )


def _linked(hub: Coordinator, round_id: RoundId, provider: Enrolled) -> set[bytes]:
    """Give the handles of the provider's rows that linked."""
    with hub.context.store.read() as tx:
        result = tx.results.find(round_id, provider.id)
    assert result is not None
    return {row.handle for row in unpack_pseudonyms(hub.context.blobs.get(result.digest))}


def _handles(rows: Rows, places: slice) -> set[bytes]:
    return {handle.tobytes() for handle in rows.handles[places]}


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


@pytest.mark.parametrize("profile", [name for name in PROFILE_NAMES if name != HARDENED_2])
def test_people_link_where_their_rows_share_a_bucket(hub: Coordinator, providers: list[Enrolled], profile: str) -> None:
    round_id = hub.collecting(providers, profile=profile, blocks=BLOCKS)
    files = _files(hub, round_id)
    for provider, rows in zip(providers, files, strict=True):
        hub.submit(provider, round_id, rows)

    hub.match()

    assert hub.state(round_id) is RoundState.RELEASED
    for provider, rows in zip(providers, files, strict=True):
        assert _linked(hub, round_id, provider) == _handles(rows, slice(TOGETHER))


@pytest.mark.parametrize("profile", [name for name in PROFILE_NAMES if name != HARDENED_2])
def test_rows_that_are_struck_out_leave_the_buckets_of_the_others(
    hub: Coordinator, providers: list[Enrolled], profile: str
) -> None:
    round_id = hub.collecting(providers, profile=profile, blocks=BLOCKS)
    files = _files(hub, round_id)
    for provider, rows in zip(providers, files, strict=True):
        hub.submit(provider, round_id, rows)
    gone = sorted(_handles(files[0], slice(2)))
    signature = sign(
        providers[0].signing_key,
        Label.TOMBSTONES,
        tombstones_document(gone, round_id=round_id, party=providers[0].id),
    )
    tombstone_rows(hub.context, providers[0].actor, round_id=round_id, handles=gone, signature=signature)

    hub.match()

    for provider, rows in zip(providers, files, strict=True):
        assert _linked(hub, round_id, provider) == _handles(rows, slice(2, TOGETHER))


@pytest.mark.parametrize(
    ("number", "problem"),
    [(17, "bucket numbers above 16"), (9, "fewer than 2 rows")],
)
def test_submission_with_buckets_that_a_node_does_not_send_is_discarded(
    hub: Coordinator, providers: list[Enrolled], number: int, problem: str
) -> None:
    round_id = hub.collecting(providers, blocks=BLOCKS)
    rows, _ = _files(hub, round_id)
    rows.clks[0, -BLOCK_BITS // 8 :] = np.array([number], ">u4").view(np.uint8)

    with pytest.raises(SubmissionMalformed, match=problem):
        hub.submit(providers[0], round_id, rows)
