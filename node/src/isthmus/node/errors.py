"""Errors that only a node meets; they never cross a wire. Sources and encoding have their own, beside their code.

BadInput
├── SettingsInvalid       node.toml names something that is not there or does not fit
└── KeyMissing            no linkage key for the project
Refused
├── RefusedByPolicy       this node will not do what the round asks
├── NeedsConsent          a person has to agree first
├── NobodyTakesPart       consent leaves no row to encode
└── ReceiptInvalid        the coordinator's receipt does not say what was sent
Conflict
├── RoundEnded            the round ended without a result
└── OutboxDamaged         a prepared submission is not what was declared
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import BAD_INPUT, CONFLICT, REFUSED, BadInput, Conflict, ErrorSpec, Refused


def _spec(exit_code: int, sentence: str, remedy: str) -> ErrorSpec:
    return ErrorSpec(status="FAILED_PRECONDITION", http=409, exit_code=exit_code, sentence=sentence, remedy=remedy)


@dataclass(eq=False, kw_only=True)
class KeyMissing(BadInput):
    """There is no linkage key for the project at this node."""

    code: ClassVar[str] = "key-missing"
    spec: ClassVar[ErrorSpec] = _spec(
        BAD_INPUT,
        "this node has no linkage key for project {project}",
        "the lead makes one with isthmus-node key new; the others import its file with isthmus-node key import",
    )
    project: str


@dataclass(eq=False, kw_only=True)
class RefusedByPolicy(Refused):
    """This node will not do what the round asks."""

    code: ClassVar[str] = "refused-by-policy"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED, "this node refuses round {round_id}: {problem}", "nothing was sent; settle it with the project's lead"
    )
    round_id: str
    problem: str


@dataclass(eq=False, kw_only=True)
class NobodyTakesPart(Refused):
    """The opt-out list and the consent rules leave no row."""

    code: ClassVar[str] = "nobody-takes-part"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the opt-out list and the consent rules leave no row of the data set to encode",
        "look at the rules in node.toml and at isthmus-node opt-out show; nothing was sent",
    )


@dataclass(eq=False, kw_only=True)
class NeedsConsent(Refused):
    """A person has to agree to the round first."""

    code: ClassVar[str] = "needs-consent"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "round {round_id} waits for a person here to agree to it",
        "read it with isthmus-node round show {round_id}, then isthmus-node round sign {round_id} (or decline)",
    )
    round_id: str


@dataclass(eq=False, kw_only=True)
class ReceiptInvalid(Refused):
    """The coordinator's receipt does not say what was sent."""

    code: ClassVar[str] = "receipt-invalid"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the coordinator's receipt for round {round_id} does not say what this node sent",
        "keep the node's folder as it is and call the coordinator's operator",
    )
    round_id: str


@dataclass(eq=False, kw_only=True)
class AlreadyRunning(Conflict):
    """Another process works in this folder."""

    code: ClassVar[str] = "already-running"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT, "another isthmus-node run uses the folder {folder}", "let it go on, or stop it first"
    )
    folder: str


@dataclass(eq=False, kw_only=True)
class RoundEnded(Conflict):
    """The round ended without a result."""

    code: ClassVar[str] = "round-ended"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT, "round {round_id} is {state} and will give no result", "ask the lead whether there will be another"
    )
    round_id: str
    state: str


@dataclass(eq=False, kw_only=True)
class OutboxDamaged(Conflict):
    """A prepared submission on disk is not what was declared."""

    code: ClassVar[str] = "outbox-damaged"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "the prepared submission for round {round_id} is missing or was altered on this node's disk",
        "nothing wrong was sent; ask the lead for a new round",
    )
    round_id: str
