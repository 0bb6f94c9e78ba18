"""The request does not fit the state of things."""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors.base import CONFLICT, Conflict, ErrorSpec


@dataclass(eq=False, kw_only=True)
class RoundStateMismatch(Conflict):
    """The round is not in a state in which this can be done."""

    code: ClassVar[str] = "round-state"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=CONFLICT,
        sentence="round {round_id} is {state}; this needs {needed}",
        remedy="see whom the round waits for with round list or round show",
    )
    round_id: str
    state: str
    needed: str


@dataclass(eq=False, kw_only=True)
class IllegalTransition(Conflict):
    """The state machine has no such step."""

    code: ClassVar[str] = "illegal-transition"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=CONFLICT,
        sentence="a round that is {state} cannot become {wanted}",
        remedy="docs/reference/round-states.md shows every step that a round can take",
    )
    state: str
    wanted: str


@dataclass(eq=False, kw_only=True)
class StateChanged(Conflict):
    """Somebody else changed the thing first."""

    code: ClassVar[str] = "state-changed"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="ABORTED",
        http=409,
        exit_code=CONFLICT,
        sentence="the {kind} {id} changed while this was done",
        remedy="look at it again and repeat what is still needed",
    )
    kind: str
    id: str


@dataclass(eq=False, kw_only=True)
class AgreementNotInForce(Conflict):
    """The agreement does not allow it: not signed by all, outside its days, superseded, or a party withdrew."""

    code: ClassVar[str] = "agreement-not-in-force"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=CONFLICT,
        sentence="agreement {agreement} does not allow this: {problem}",
        remedy="see where it stands with agreement list; what is missing there, its parties have to settle first",
    )
    agreement: str
    problem: str


@dataclass(eq=False, kw_only=True)
class SubmissionConflict(Conflict):
    """Other content for a slot that already holds some."""

    code: ClassVar[str] = "submission-conflict"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="ALREADY_EXISTS",
        http=409,
        exit_code=CONFLICT,
        sentence="this party has already sent other content for round {round_id} ({slot})",
        remedy="what was sent first stands; to send other content, ask the lead for a new round",
    )
    round_id: str
    slot: str


@dataclass(eq=False, kw_only=True)
class AlreadyExists(Conflict):
    """A thing of that name is there and differs."""

    code: ClassVar[str] = "already-exists"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="ALREADY_EXISTS",
        http=409,
        exit_code=CONFLICT,
        sentence="the {kind} {id} exists already",
        remedy="choose another name, or use the one that is there",
    )
    kind: str
    id: str


@dataclass(eq=False, kw_only=True)
class NotFound(Conflict):
    """There is no such thing."""

    code: ClassVar[str] = "not-found"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="NOT_FOUND",
        http=404,
        exit_code=CONFLICT,
        sentence="there is no {kind} {id}",
        remedy="check the name",
    )
    kind: str
    id: str


@dataclass(eq=False, kw_only=True)
class NotReady(Conflict):
    """The thing will exist, but does not yet."""

    code: ClassVar[str] = "not-ready"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=CONFLICT,
        sentence="the {kind} {id} is not ready: {waiting_for}",
        remedy="try again when that is done",
    )
    kind: str
    id: str
    waiting_for: str


@dataclass(eq=False, kw_only=True)
class NoQualityReport(Conflict):
    """Nothing was estimated of the round."""

    code: ClassVar[str] = "no-quality-report"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="NOT_FOUND",
        http=404,
        exit_code=CONFLICT,
        sentence="round {round_id} has no quality report",
        remedy="only rounds that compare fields have one ([comparison] in the project file), of 60 providers at most",
    )
    round_id: str
