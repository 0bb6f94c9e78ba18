"""Between wire messages and values. The only place outside clients and servers that knows generated stubs.

`from_wire` rejects what is missing or out of bounds with `MalformedMessage`; `to_wire` cannot fail.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from isthmus.contract.canonical import HASH_BYTES, check_length
from isthmus.contract.errors import Internal, IsthmusError, MalformedMessage, rebuild
from isthmus.contract.ids import COORDINATOR, parse_party_id, parse_project_id, parse_round_id, parse_table_id
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView, TableView, Waiting
from isthmus.v1 import analyst_pb2, common_pb2, error_pb2

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

ERROR_TRAILER: Final = "isthmus-error-bin"
MAX_SENTENCE: Final = 200


def state_to_wire(state: RoundState) -> common_pb2.RoundState.ValueType:
    """Give the wire's number of a state."""
    return common_pb2.RoundState.Value(f"ROUND_STATE_{state.name}")


def state_from_wire(value: common_pb2.RoundState.ValueType) -> RoundState:
    """Give the state; raise `MalformedMessage` where it is unspecified or of a newer version."""
    return RoundState[_enum_name(common_pb2.RoundState, value, prefix="ROUND_STATE_", field="state")]


def role_to_wire(role: Role) -> common_pb2.Role.ValueType:
    """Give the wire's number of a role."""
    return common_pb2.Role.Value(f"ROLE_{role.name}")


def role_from_wire(value: common_pb2.Role.ValueType) -> Role:
    """Give the role; raise `MalformedMessage` where it is unspecified or of a newer version."""
    return Role[_enum_name(common_pb2.Role, value, prefix="ROLE_", field="role")]


def kind_to_wire(kind: PartyKind) -> common_pb2.PartyKind.ValueType:
    """Give the wire's number of a kind of party."""
    return common_pb2.PartyKind.Value(f"PARTY_KIND_{kind.name}")


def kind_from_wire(value: common_pb2.PartyKind.ValueType) -> PartyKind:
    """Give the kind of party; raise `MalformedMessage` where it is unspecified or of a newer version."""
    return PartyKind[_enum_name(common_pb2.PartyKind, value, prefix="PARTY_KIND_", field="kind")]


def time_to_wire(time: datetime) -> Timestamp:
    """Give the time as a protobuf timestamp."""
    stamp = Timestamp()
    stamp.FromDatetime(time.astimezone(UTC))
    return stamp


def time_from_wire(stamp: Timestamp) -> datetime:
    """Give the time, aware, in UTC; raise `MalformedMessage` where it is none."""
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise MalformedMessage(field="timestamp", problem="out of range") from exc


def round_to_wire(view: RoundView) -> common_pb2.RoundSummary:
    """Give a round as members see it."""
    return common_pb2.RoundSummary(
        round_id=view.round_id,
        project_id=view.project_id,
        state=state_to_wire(view.state),
        manifest_hash=view.manifest_hash,
        waiting_for=[common_pb2.Waiting(party_id=one.party, needs=one.needs) for one in view.waiting_for],
        pairs_done=view.pairs_done,
        pairs_total=view.pairs_total,
        pairs_a_second=view.pairs_a_second,
        updated_at=time_to_wire(view.updated_at),
    )


def round_from_wire(message: common_pb2.RoundSummary) -> RoundView:
    """Give the round; raise `MalformedMessage` where a part is missing or out of bounds."""
    return RoundView(
        round_id=parse_round_id(message.round_id),
        project_id=parse_project_id(message.project_id),
        state=state_from_wire(message.state),
        manifest_hash=check_length(message.manifest_hash, HASH_BYTES, "manifest_hash"),
        waiting_for=tuple(_waiting_from_wire(one) for one in message.waiting_for),
        updated_at=time_from_wire(message.updated_at),
        pairs_done=message.pairs_done,
        pairs_total=message.pairs_total,
        pairs_a_second=message.pairs_a_second,
    )


def table_to_wire(view: TableView) -> analyst_pb2.TableSummary:
    """Give a released table's name and origin."""
    return analyst_pb2.TableSummary(
        table_id=view.table_id,
        project_id=view.project_id,
        round_id=view.round_id,
        title=view.title,
        released_at=time_to_wire(view.released_at),
    )


def table_from_wire(message: analyst_pb2.TableSummary) -> TableView:
    """Give a released table's name and origin; raise `MalformedMessage` where a part is out of bounds."""
    return TableView(
        table_id=parse_table_id(message.table_id),
        project_id=parse_project_id(message.project_id),
        round_id=parse_round_id(message.round_id),
        title=_sentence(message.title, "title"),
        released_at=time_from_wire(message.released_at),
    )


def error_to_wire(error: IsthmusError) -> error_pb2.ErrorDetail:
    """Give what a peer needs to rebuild the error."""
    return error_pb2.ErrorDetail(code=error.code, fields=error.fields())


def error_from_wire(data: bytes) -> IsthmusError:
    """Rebuild an error from the trailer's bytes; bytes that are none give `Internal`."""
    try:
        detail = error_pb2.ErrorDetail.FromString(data)
    except DecodeError:
        return Internal(reference="unreadable-error")
    return rebuild(detail.code, dict(detail.fields))


def _waiting_from_wire(message: common_pb2.Waiting) -> Waiting:
    party = message.party_id if message.party_id == COORDINATOR else parse_party_id(message.party_id)
    return Waiting(party=party, needs=_sentence(message.needs, "needs"))


def _sentence(text: str, field: str) -> str:
    """Give the text back; refuse what is too long, or could steer the terminal that it is shown on."""
    if len(text) > MAX_SENTENCE or not text.isprintable():
        raise MalformedMessage(field=field, problem=f"not one printable line of at most {MAX_SENTENCE} characters")
    return text


def _enum_name(enum: "_EnumTypeWrapper[Any]", value: int, *, prefix: str, field: str) -> str:
    if value == 0 or value not in enum.values():
        raise MalformedMessage(field=field, problem="unspecified or unknown")
    return str(enum.Name(value)).removeprefix(prefix)
