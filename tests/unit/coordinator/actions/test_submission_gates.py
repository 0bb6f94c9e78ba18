"""Gates at the coordinator: a submission that the profile does not make, or of too many rows, is discarded whole."""

from dataclasses import replace

import numpy as np
import pytest
from harness import Coordinator, Enrolled, Rows, declare, random_rows

from isthmus.contract.errors import NotFound, SubmissionMalformed
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


@pytest.fixture
def round_id(hub: Coordinator, providers: list[Enrolled]) -> RoundId:
    return hub.collecting(providers, max_rows=20)


def _dense() -> Rows:
    rows = random_rows(20, seed=1)
    return replace(rows, clks=np.vstack([rows.clks[:-1], np.full_like(rows.clks[:1], 0xFF)]))


def _repeated() -> Rows:
    rows = random_rows(20, seed=1)
    return replace(rows, clks=np.vstack([rows.clks[:10], rows.clks[:10]]))


def _hardened_rows(hub: Coordinator, round_id: RoundId) -> Rows:
    """Give rows of a hardened round, random but as the profile makes them."""
    row_bytes = hub.manifest(round_id).read_profile().row_bits // 8
    clks = np.random.default_rng(1).integers(0, 256, (20, row_bytes), np.uint8)
    return Rows(handles=random_rows(20, seed=1).handles, clks=clks)


@pytest.mark.parametrize(("rows", "says"), [(_dense(), "share of set bits"), (_repeated(), "identical")])
def test_submission_that_fails_a_gate_is_discarded_whole(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows, says: str
) -> None:
    with pytest.raises(SubmissionMalformed, match=says):
        hub.submit(providers[0], round_id, rows)

    with pytest.raises(NotFound):
        hub.complete(providers[0], round_id)
    assert hub.state(round_id) is RoundState.COLLECTING
    hub.submit(providers[0], round_id, random_rows(20, seed=2))


def test_row_in_a_narrow_table_alone_is_refused_and_the_submission_discarded(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    round_id = hub.collecting(providers, profile="hardened-1", name_table=True)
    rows = _hardened_rows(hub, round_id)
    rows.clks[3, :256] = 0
    rows.clks[3, 2 * 256 :] = 0

    with pytest.raises(SubmissionMalformed, match="exactly these tables and match keys: first-last; "):
        hub.submit(providers[0], round_id, rows)

    with pytest.raises(NotFound):
        hub.complete(providers[0], round_id)


def test_tag_that_two_rows_have_is_refused_its_match_key_named_and_the_submission_discarded(
    hub: Coordinator, providers: list[Enrolled]
) -> None:
    round_id = hub.collecting(providers, profile="hardened-1")
    rows = _hardened_rows(hub, round_id)
    rows.clks[17, 256:272] = rows.clks[3, 256:272]

    with pytest.raises(SubmissionMalformed, match="same tag of match key first-birth;"):
        hub.submit(providers[0], round_id, rows)

    with pytest.raises(NotFound):
        hub.complete(providers[0], round_id)
    hub.submit(providers[0], round_id, _hardened_rows(hub, round_id))


def test_more_rows_than_the_terms_allow_are_refused_before_the_first_chunk(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId
) -> None:
    declared = declare(hub.manifest(round_id), providers[0].id, random_rows(21, seed=1))

    with pytest.raises(SubmissionMalformed, match="more rows"):
        hub.open(providers[0], declared)
