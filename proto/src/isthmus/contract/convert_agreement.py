"""Between wire messages and values, for agreements; as `isthmus.contract.convert`."""

from datetime import date

from isthmus.contract.agreement_check import LONGEST_REASON, LONGEST_TEXT
from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.agreement_views import AgreementSummary, AgreementVersion, Decision, SignedWithdrawal
from isthmus.contract.canonical import HASH_BYTES, SIGNATURE_BYTES, check_length
from isthmus.contract.convert import time_from_wire, time_to_wire
from isthmus.contract.errors import MalformedMessage
from isthmus.contract.ids import parse_agreement_id, parse_party_id
from isthmus.contract.text import is_plain_line
from isthmus.v1 import common_pb2
from isthmus.v1 import provider_pb2 as pb


def summary_to_wire(summary: AgreementSummary) -> common_pb2.AgreementSummary:
    """Give where a version stands."""
    return common_pb2.AgreementSummary(
        agreement_id=summary.agreement_id,
        version=summary.version,
        digest=summary.digest,
        state=common_pb2.AgreementState.Value(f"AGREEMENT_STATE_{summary.state.name}"),
        title=summary.title,
        effective=summary.effective.isoformat(),
        expires=summary.expires.isoformat(),
        waiting_for=summary.waiting_for,
        withdrawn=summary.withdrawn,
    )


def summary_from_wire(message: common_pb2.AgreementSummary) -> AgreementSummary:
    """Give where a version stands; raise `MalformedMessage` where a part is missing or out of bounds."""
    if not is_plain_line(message.title, LONGEST_TEXT):
        raise MalformedMessage(field="title", problem=f"not one printable line of at most {LONGEST_TEXT} characters")
    return AgreementSummary(
        agreement_id=parse_agreement_id(message.agreement_id),
        version=message.version,
        digest=check_length(message.digest, HASH_BYTES, "digest"),
        state=_state(message.state),
        title=message.title,
        effective=_day(message.effective),
        expires=_day(message.expires),
        waiting_for=tuple(map(parse_party_id, message.waiting_for)),
        withdrawn=tuple(map(parse_party_id, message.withdrawn)),
    )


def version_to_wire(version: AgreementVersion) -> pb.GetAgreementResponse:
    """Give a version with all that is known of it."""
    return pb.GetAgreementResponse(
        summary=summary_to_wire(version.summary),
        agreement=version.document,
        decisions=[
            pb.AgreementDecision(
                party_id=one.party, signature=one.signature or b"", declined=one.declined or "", at=time_to_wire(one.at)
            )
            for one in version.decisions
        ],
        withdrawals=[
            pb.AgreementWithdrawal(withdrawal=one.document, signature=one.signature) for one in version.withdrawals
        ],
    )


def version_from_wire(message: pb.GetAgreementResponse) -> AgreementVersion:
    """Give the version; raise `MalformedMessage` where a part is missing or out of bounds."""
    return AgreementVersion(
        summary=summary_from_wire(message.summary),
        document=message.agreement,
        decisions=tuple(_decision(one) for one in message.decisions),
        withdrawals=tuple(
            SignedWithdrawal(document=one.withdrawal, signature=one.signature) for one in message.withdrawals
        ),
    )


def _decision(message: pb.AgreementDecision) -> Decision:
    if bool(message.signature) == bool(message.declined):
        raise MalformedMessage(field="decisions", problem="not a signature or a reason, one of the two")
    if message.declined and not is_plain_line(message.declined, LONGEST_REASON):
        raise MalformedMessage(field="declined", problem="not one printable line")
    signature = check_length(message.signature, SIGNATURE_BYTES, "signature") if message.signature else None
    return Decision(
        party=parse_party_id(message.party_id),
        at=time_from_wire(message.at),
        signature=signature,
        declined=message.declined or None,
    )


def _state(value: common_pb2.AgreementState.ValueType) -> AgreementState:
    if value == 0 or value not in common_pb2.AgreementState.values():
        raise MalformedMessage(field="state", problem="unspecified or unknown")
    return AgreementState[common_pb2.AgreementState.Name(value).removeprefix("AGREEMENT_STATE_")]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise MalformedMessage(field="day", problem="not a day such as 2026-01-31") from exc
