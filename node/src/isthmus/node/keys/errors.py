"""Errors of keys: an agreement that somebody disturbs, and key files that do not open. They never cross a wire.

BadInput
└── WeakSecret             what this node was given as a secret or passphrase is none
Refused
├── OwnKeyDiffers          the manifest lists other keys for this node than it holds
├── MemberKeyUnusable      nothing can be sealed to a member's agreement key
├── ContributionRefused    wraps are not what that sender owes under these terms
├── ContributionsDiffer    two members hold different wraps of one sender
├── ConfirmationRefused    a confirmation is not that party's proof of the same master
└── WrongPassphrase        a sealed file does not open
Conflict
├── ContributionsMissing   not every member's wraps are here
└── ConfirmationsMissing   not every member has confirmed

No message holds a secret, a key or a digest: fields are ids of parties and fixed sentences.
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import BAD_INPUT, CONFLICT, REFUSED, BadInput, Conflict, ErrorSpec, Refused


def _spec(exit_code: int, sentence: str, remedy: str) -> ErrorSpec:
    return ErrorSpec(status="FAILED_PRECONDITION", http=409, exit_code=exit_code, sentence=sentence, remedy=remedy)


@dataclass(eq=False, kw_only=True)
class WeakSecret(BadInput):
    """What this node was given as a secret or passphrase is none; nothing was made with it."""

    code: ClassVar[str] = "weak-secret"
    spec: ClassVar[ErrorSpec] = _spec(
        BAD_INPUT,
        "this node will not use a {kind} that is {problem}",
        "give a better one; if the machine's own randomness gave it, do not use that machine for keys",
    )
    kind: str
    problem: str


@dataclass(eq=False, kw_only=True)
class OwnKeyDiffers(Refused):
    """The manifest lists other keys for this node than it holds, or does not list it."""

    code: ClassVar[str] = "own-key-differs"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the manifest does not list this node's own keys for {party}",
        "sign nothing under it; compare fingerprints with the coordinator's operator and the other members",
    )
    party: str


@dataclass(eq=False, kw_only=True)
class MemberKeyUnusable(Refused):
    """Nothing can be sealed to a member's agreement key."""

    code: ClassVar[str] = "member-key-unusable"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the agreement key that the manifest lists for {party} cannot be used",
        "compare its fingerprint with {party} by telephone; a new manifest is needed",
    )
    party: str


@dataclass(eq=False, kw_only=True)
class ContributionRefused(Refused):
    """Wraps are not what that sender owes under these terms. `sender` is the name that the wraps carry."""

    code: ClassVar[str] = "contribution-refused"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the key contribution in the name of {sender} is refused: {problem}",
        "nothing was derived from it; ask {sender}, not over the coordinator, and begin again with a new round",
    )
    sender: str
    problem: str


@dataclass(eq=False, kw_only=True)
class ContributionsDiffer(Refused):
    """This node holds other wraps of `sender` than `witness` says that it holds.

    The two signed documents side by side tell who is at fault: see `equivocating_sender`.
    """

    code: ClassVar[str] = "contributions-differ"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the key contribution of {sender} here is not the one that {witness} says it holds",
        "lay the two documents side by side: if both are signed, {sender} made two; else {witness} misreports",
    )
    sender: str
    witness: str


@dataclass(eq=False, kw_only=True)
class ConfirmationRefused(Refused):
    """A confirmation is not that party's proof of the same master."""

    code: ClassVar[str] = "confirmation-refused"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the key confirmation in the name of {party} is refused: {problem}",
        "no record was encoded; ask {party}, not over the coordinator, and begin again with a new round",
    )
    party: str
    problem: str


@dataclass(eq=False, kw_only=True)
class WrongPassphrase(Refused):
    """A sealed file does not open: another passphrase or credential, or it was altered. The two look the same."""

    code: ClassVar[str] = "wrong-passphrase"
    spec: ClassVar[ErrorSpec] = _spec(
        REFUSED,
        "the sealed {kind} does not open: the passphrase or credential is another, or the file was altered",
        "try again; if it is certainly the right one, restore the file from a copy",
    )
    kind: str


@dataclass(eq=False, kw_only=True)
class _PartiesMissing(Conflict):
    """Parties of which something is not here yet, in party order."""

    parties: tuple[str, ...]

    def fields(self) -> dict[str, str]:
        """Give the fields as they are shown."""
        return {"parties": ", ".join(self.parties)}


@dataclass(eq=False, kw_only=True)
class ContributionsMissing(_PartiesMissing):
    """Not every member's wraps are here; there is no master without all."""

    code: ClassVar[str] = "contributions-missing"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "the key contributions of these members are not here: {parties}",
        "wait; if they say that they sent theirs, the coordinator holds them back",
    )


@dataclass(eq=False, kw_only=True)
class ConfirmationsMissing(_PartiesMissing):
    """Not every member has confirmed the master; nothing may be encoded under it yet."""

    code: ClassVar[str] = "confirmations-missing"
    spec: ClassVar[ErrorSpec] = _spec(
        CONFLICT,
        "the key confirmations of these members are not here: {parties}",
        "wait; if they say that they sent theirs, the coordinator holds them back",
    )
