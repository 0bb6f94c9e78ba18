"""Between wire and values: what goes over comes back, and what a peer must not say is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.convert import (
    MAX_SENTENCE,
    error_from_wire,
    error_to_wire,
    kind_from_wire,
    kind_to_wire,
    role_from_wire,
    role_to_wire,
    round_from_wire,
    round_to_wire,
    state_from_wire,
    state_to_wire,
    table_from_wire,
    table_to_wire,
    time_from_wire,
    time_to_wire,
)
from isthmus.contract.errors import ChunkDamaged, Internal, MalformedMessage
from isthmus.contract.ids import ProjectId, RoundId, TableId
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView, TableView, Waiting
from isthmus.v1 import common_pb2, error_pb2

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ROUND = RoundView(
    round_id=RoundId("k12-to-work-1"),
    project_id=ProjectId("k12-to-work"),
    state=RoundState.COLLECTING,
    manifest_hash=bytes(range(32)),
    waiting_for=(
        Waiting(party="riverside", needs="send its encodings"),
        Waiting(party="coordinator", needs="find the fault"),
    ),
    updated_at=NOW,
    pairs_done=3,
    pairs_total=1 << 40,
    pairs_a_second=7,
)
TABLE = TableView(
    table_id=TableId("k12-to-work-1-overlap"),
    project_id=ProjectId("k12-to-work"),
    round_id=RoundId("k12-to-work-1"),
    title="People in the data of several providers",
    released_at=NOW,
)


def test_every_state_role_and_kind_goes_over_and_comes_back() -> None:
    assert [state_from_wire(state_to_wire(one)) for one in RoundState] == list(RoundState)
    assert [role_from_wire(role_to_wire(one)) for one in Role] == list(Role)
    assert [kind_from_wire(kind_to_wire(one)) for one in PartyKind] == list(PartyKind)


def test_wire_knows_no_value_that_we_do_not() -> None:
    assert len(common_pb2.RoundState.values()) == len(RoundState) + 1
    assert len(common_pb2.Role.values()) == len(Role) + 1
    assert len(common_pb2.PartyKind.values()) == len(PartyKind) + 1


@pytest.mark.parametrize("read", [state_from_wire, role_from_wire, kind_from_wire])
@pytest.mark.parametrize("value", [0, 99, -1])
def test_unspecified_and_unknown_values_are_refused(read: Callable[[int], object], value: int) -> None:
    with pytest.raises(MalformedMessage, match="unspecified or unknown"):
        read(value)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-8))])))
def test_time_goes_over_and_comes_back_in_utc(time: datetime) -> None:
    try:
        utc = time.astimezone(UTC)
    except OverflowError:
        return

    again = time_from_wire(time_to_wire(time))

    assert (again, again.tzinfo) == (utc, UTC)


@pytest.mark.parametrize("stamp", [Timestamp(seconds=1 << 62), Timestamp(seconds=-(1 << 62)), Timestamp(nanos=-1)])
def test_time_that_is_none_is_refused(stamp: Timestamp) -> None:
    with pytest.raises(MalformedMessage, match="timestamp"):
        time_from_wire(stamp)


def test_round_and_table_go_over_and_come_back() -> None:
    assert round_from_wire(round_to_wire(ROUND)) == ROUND
    assert table_from_wire(table_to_wire(TABLE)) == TABLE


@pytest.mark.parametrize(
    "changes",
    [
        {"round_id": ""},
        {"round_id": "../x"},
        {"project_id": "X"},
        {"manifest_hash": bytes(31)},
        {"waiting_for": [Waiting(party="", needs="act")]},
        {"waiting_for": [Waiting(party="Riverside\n", needs="act")]},
        {"waiting_for": [Waiting(party="riverside", needs="x" * (MAX_SENTENCE + 1))]},
        {"waiting_for": [Waiting(party="riverside", needs="\x1b[2J")]},
    ],
)
def test_round_out_of_bounds_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        round_from_wire(round_to_wire(replace(ROUND, **changes)))


def test_round_without_a_state_is_refused() -> None:
    message = round_to_wire(ROUND)
    message.ClearField("state")

    with pytest.raises(MalformedMessage, match="state"):
        round_from_wire(message)


@pytest.mark.parametrize(
    "changes",
    [{"table_id": ""}, {"project_id": "/"}, {"round_id": "A"}, {"title": "x" * 201}, {"title": "\x1b]0;title\x07"}],
)
def test_table_out_of_bounds_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        table_from_wire(table_to_wire(replace(TABLE, **changes)))


def test_error_goes_over_and_comes_back() -> None:
    error = ChunkDamaged(index=3, problem="it has the wrong length")

    again = error_from_wire(error_to_wire(error).SerializeToString())

    assert isinstance(again, ChunkDamaged)
    assert vars(again) == vars(error)


@pytest.mark.parametrize(
    ("data", "reference"),
    [
        (b"\xff\xff", "unreadable-error"),
        (b"", "not given"),
        (error_pb2.ErrorDetail(code="\x1b[2J new").SerializeToString(), "not given"),
        (error_pb2.ErrorDetail(code="new-one", fields={"a": "b"}).SerializeToString(), "new-one"),
    ],
)
def test_error_that_we_cannot_read_is_internal(data: bytes, reference: str) -> None:
    error = error_from_wire(data)

    assert isinstance(error, Internal)
    assert error.reference == reference
