"""Errors that only a node meets; they never cross a wire. Sources and encoding have their own, beside their code.

BadInput
├── DatasetUnknown        node.toml has no data set of that name
├── OwnFingerprint        somebody would verify this node's own keys
├── MemberUnknown         a round has no such member
└── FingerprintDiffers    digits that are not a party's fingerprint
Refused
├── RefusedByPolicy       this node will not do what the round asks
├── AgreementRefused      this node does not take an agreement, or what the coordinator shows of one
├── AgreementNotShown     nobody here was shown what would be signed
├── NeedsConsent          a person has to agree first
├── NobodyTakesPart       consent leaves no row to encode
├── BucketTooLarge        more rows share a bucket of a block key than the project allows
├── ComparisonRefused     the coordinator asks for answers that this node may not give
├── MembersUnverified     a person has to compare fingerprints first
├── LogRewritten          the coordinator shows another history than before
└── ReceiptInvalid        the coordinator's receipt does not say what was sent
Conflict
├── OptOutUnknown         there is no such opt-out to revoke
├── KeyMissing            the round's key is not here
├── HandleKeyLost         the key of a longitudinal project's row handles is not here any more
├── VerifiedOtherKeys     a party was verified with other keys
├── RoundEnded            the round ended without a result
├── OutboxDamaged         a prepared submission is not what was declared
├── FolderBlocked         something else lies where the node keeps a folder
├── SettingsChanged       node.toml says something else than when this was begun
└── ConsentChanging       people are left out faster than rows are encoded
IsthmusError
├── LocalFault            this machine failed the node: disk, memory, a locked database
├── StoreDamaged          a database of the node's folder is damaged
└── Unforeseen            a fault that no rule foresaw
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from isthmus.contract.errors import BAD_INPUT, CONFLICT, REFUSED, BadInput, Conflict, ErrorSpec, IsthmusError, Refused

UNFORESEEN: Final = 1
LOCAL_FAULT: Final = 8
"""Exit codes of a fault of the program, and of one of this machine; docs/reference/exit-codes.md."""


def _spec(exit_code: int, sentence: str, remedy: str) -> ErrorSpec:
    return ErrorSpec(status="FAILED_PRECONDITION", http=409, exit_code=exit_code, sentence=sentence, remedy=remedy)


@dataclass(eq=False, kw_only=True)
class DatasetUnknown(BadInput):
    """The settings have no data set of that name."""

    code: ClassVar[str] = "dataset-unknown"
    spec: ClassVar[ErrorSpec] = _spec(
        BAD_INPUT,
        "node.toml has no data set {dataset}; those that it has: {known}",
        "give --dataset one of these names, or add a table [datasets.{dataset}] to node.toml",
    )
    dataset: str
    known: str


@dataclass(eq=False, kw_only=True)
class OwnFingerprint(BadInput):
    """Somebody would verify this node's own keys: there is nothing to compare, and nobody else would be verified."""

    code: ClassVar[str] = "own-fingerprint"
    spec: ClassVar[ErrorSpec] = _spec(
        BAD_INPUT,
        "these are the keys of {party}, which is this node itself, and nothing was recorded",
        "read your own 60 digits to the others, and verify here those that they read to you: {others}",
    )
    party: str
    others: str


@dataclass(eq=False, kw_only=True)
class MemberUnknown(BadInput):
    """A round has no provider of that id."""

    code: ClassVar[str] = "member-unknown"
    spec: ClassVar[ErrorSpec] = _spec(
        BAD_INPUT,
        "round {round_id} has no provider {party}; the others in it: {others}",
        "name one of these; isthmus-node round show {round_id} tells who they are",
    )
    round_id: str
    party: str
    others: str


@dataclass(eq=False, kw_only=True)
class OptOutUnknown(Conflict):
    """There is no such opt-out to revoke. The message does not repeat the record's id."""

    code: ClassVar[str] = "opt-out-unknown"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "nothing was revoked: that record is not left out of {scope} on {day} or later, or not on that ground",
        "look at isthmus-node opt-out list; what is for one project only is revoked with --project",
    )
    day: str
    scope: str


@dataclass(eq=False, kw_only=True)
class FingerprintDiffers(BadInput):
    """Somebody's digits are not the fingerprint of the keys that the manifest lists for a party."""

    code: ClassVar[str] = "fingerprint-differs"
    spec: ClassVar[ErrorSpec] = _spec(
        BAD_INPUT,
        "these digits are not the fingerprint of the keys that the round lists for {party}",
        "read all 60 digits again with {party}; if they differ still, the coordinator lists other keys: sign nothing",
    )
    party: str


@dataclass(eq=False, kw_only=True)
class VerifiedOtherKeys(Conflict):
    """A party was verified with other keys than these."""

    code: ClassVar[str] = "verified-other-keys"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "other keys of {party} were verified here before",
        "ask {party}, not over the coordinator, whether it has new keys; if so, repeat this with --replace",
    )
    party: str


@dataclass(eq=False, kw_only=True)
class KeyMissing(Conflict):
    """The round's key is not at this node."""

    code: ClassVar[str] = "key-missing"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "this node has no key for round {round_id}",
        "keys are agreed on while a round is locked; if it is past that, ask the lead for a new round",
    )
    round_id: str


@dataclass(eq=False, kw_only=True)
class HandleKeyLost(Conflict):
    """The key that made a longitudinal project's row handles so far is not here any more; nothing was prepared."""

    code: ClassVar[str] = "handle-key-lost"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "the key by which this node's rows of project {project} are known again is missing or another one; nothing was"
        " prepared, because all rows would count as new and none would keep its ID",
        "put keys/{project}.handles back from a backup of the node's folder; if it is lost for good, accept that with"
        " isthmus-node new-handles {project}, after which IDs of your rows stay only where another provider's do",
    )
    project: str


@dataclass(eq=False, kw_only=True)
class MembersUnverified(Refused):
    """A person has to compare the fingerprints of some members before this node gives them its part of the key."""

    code: ClassVar[str] = "members-unverified"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "round {round_id} waits for a person here to compare the fingerprints of {parties}",
        "call each of them and compare what isthmus-node fingerprint --round {round_id} shows, then for each:"
        " isthmus-node fingerprint verify PARTY --round {round_id}",
    )
    round_id: str
    parties: str


@dataclass(eq=False, kw_only=True)
class LogRewritten(Refused):
    """The coordinator shows another history of a project than this node kept, or another one to somebody else."""

    code: ClassVar[str] = "log-rewritten"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the log of project {project} that the coordinator shows is not the one that this node kept: {problem}; events"
        " were taken back, changed or shown differently to somebody else, so nobody here can rely on what it says"
        " happened, and this node takes no step in rounds of {project}",
        "call the coordinator's operator (was an old backup restored?), the lead and the other providers, not over the"
        " coordinator; both histories are kept: isthmus-node log export FILE --project {project}, and with --refused;"
        " once it is explained: isthmus-node log accept --project {project} --reason TEXT",
    )
    project: str
    problem: str


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
class AgreementRefused(Refused):
    """This node does not take an agreement, or what the coordinator shows of one."""

    code: ClassVar[str] = "agreement-refused"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "this node goes no further with agreement {agreement}: {problem}",
        "nothing was signed; look at isthmus-node agreement list, and settle it with the agreement's lead",
    )
    agreement: str
    problem: str


@dataclass(eq=False, kw_only=True)
class AgreementNotShown(Refused):
    """Nobody here was shown what would be signed."""

    code: ClassVar[str] = "agreement-not-shown"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "nobody here was shown the proposed version of agreement {agreement}",
        "read it with isthmus-node agreement show {agreement}, then isthmus-node agreement sign {agreement},"
        " or decline",
    )
    agreement: str


@dataclass(eq=False, kw_only=True)
class ComparisonRefused(Refused):
    """The coordinator asks for answers about this node's rows that nobody agreed to, or asks a second time."""

    code: ClassVar[str] = "comparison-refused"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "this node gives no answers about its rows and those of {other} in round {round_id}, now or later: {problem}",
        "the coordinator asks for more than was signed, asks twice, or passes on what is forged, which nothing here can"
        " lift: tell the project's lead, and ask for this round to be cancelled and another one to be proposed",
    )
    round_id: str
    other: str
    problem: str


@dataclass(eq=False, kw_only=True)
class NobodyTakesPart(Refused):
    """The opt-out list and the consent rules leave no row."""

    code: ClassVar[str] = "nobody-takes-part"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the opt-out list and the consent rules leave no row of the data set to encode: {grounds}",
        "look at the rules in node.toml and at isthmus-node opt-out show; nothing was sent",
    )
    grounds: tuple[str, ...]

    def fields(self) -> dict[str, str]:
        """Give the fields as they are shown: to this node's own people, so the counts are exact."""
        return {"grounds": "; ".join(self.grounds) or "the source has no row"}


@dataclass(eq=False, kw_only=True)
class BucketTooLarge(Refused):
    """More rows of the data set share a bucket of a block key than the project allows; `largest` tells of each key."""

    code: ClassVar[str] = "bucket-too-large"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "too many rows of the data set have the same values in what the project's block keys are made of, over its"
        " most_rows of {most_rows}: {largest}; probably a placeholder stands in these columns for a value that is not"
        " known",
        "find the commonest value of these columns (isthmus-node profile --dataset NAME says how common it is) and"
        " blank it in the source; if the values are right, ask the lead for a project of another block key, or with a"
        " higher most_rows; nothing was sent",
    )
    most_rows: int
    largest: str


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
        CONFLICT, "another process takes part in rounds from the folder {folder}", "let it go on, or stop it first"
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


@dataclass(eq=False, kw_only=True)
class FolderBlocked(Conflict):
    """Something that is no folder lies where the node keeps one."""

    code: ClassVar[str] = "folder-blocked"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "something that is no folder lies in the node's folder under the name {folder}",
        "move it away; the node makes the folder by itself",
    )
    folder: str


@dataclass(eq=False, kw_only=True)
class SettingsChanged(Conflict):
    """The settings changed while something was done under the old ones."""

    code: ClassVar[str] = "settings-changed"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "node.toml changed since this program read it: {problem}",
        "nothing was sent under the old settings; start this again if it does not go on by itself",
    )
    problem: str


@dataclass(eq=False, kw_only=True)
class ConsentChanging(Conflict):
    """More people were left out each time that the rows of a round had been encoded."""

    code: ClassVar[str] = "consent-changing"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "people were left out while the rows of round {round_id} were encoded, {times} times in a row",
        "nothing was sent; start this again when the opt-outs are brought in",
    )
    round_id: str
    times: int


@dataclass(eq=False, kw_only=True)
class LocalFault(IsthmusError):
    """This machine failed the node; it may be well again later."""

    code: ClassVar[str] = "local-fault"
    spec: ClassVar[ErrorSpec] = _spec(
        LOCAL_FAULT,
        "this machine failed the node: {problem}",
        "put that right, then run this again; what was done already is kept",
    )
    problem: str


@dataclass(eq=False, kw_only=True)
class StoreDamaged(IsthmusError):
    """A database of the node's folder is damaged; trying again is senseless."""

    code: ClassVar[str] = "store-damaged"
    spec: ClassVar[ErrorSpec] = _spec(
        LOCAL_FAULT,
        "vault.sqlite, consent.sqlite or log.sqlite in the node's folder is damaged or no database",
        "keep a copy of the folder as it is, bring those files back from a backup, then run this again",
    )


@dataclass(eq=False, kw_only=True)
class Unforeseen(IsthmusError):
    """A fault that no rule foresaw. What the exception said is not told, since it may quote a value."""

    code: ClassVar[str] = "unforeseen"
    spec: ClassVar[ErrorSpec] = _spec(
        UNFORESEEN,
        "the program met a fault that no rule foresaw: {kind} at {places}",
        "tell the makers of the program that kind and those places; they hold nothing of your data",
    )
    kind: str
    places: str
