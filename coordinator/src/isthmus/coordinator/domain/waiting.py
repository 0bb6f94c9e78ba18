"""For whom a round waits, and what would end the waiting: a pure answer for every state."""

from collections.abc import Collection
from typing import Final

from isthmus.contract.ids import COORDINATOR, PartyId
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import Waiting
from isthmus.coordinator.domain.rounds import TRANSITIONS

_NEEDS: Final[dict[RoundState, str]] = {
    RoundState.PROPOSED: "read it with isthmus-node round show ROUND, then isthmus-node round sign ROUND (or decline)",
    RoundState.PREFLIGHT: "confirm its key and profile: isthmus-node run",
    RoundState.COLLECTING: "send its encodings: isthmus-node run",
    RoundState.COMPARING: "answer for the fields of its rows' candidate pairs: isthmus-node run",
}

_COORDINATOR_NEEDS: Final[dict[RoundState, str]] = {
    RoundState.DRAFT: "propose the round",
    RoundState.SEALED: "begin matching; this happens by itself while the coordinator runs",
    RoundState.MATCHING: "finish matching; this happens by itself while the coordinator runs",
    RoundState.REVIEW: "release the results; this happens by itself",
    RoundState.FAILED: (
        "find the fault in its log, see docs/guides/operator.md for what to do about it, and match again:"
        " isthmus-coordinator round retry"
    ),
}


_NEEDS_PART: Final = "send its part of the round's key: isthmus-node run"
_NEEDS_VERIFIED_PART: Final = (
    "compare the other members' fingerprints, if that is not done (isthmus-node fingerprint), and then"
    " send its part of the round's key: isthmus-node run"
)
_NEEDS_CANCEL: Final = (
    "cancel it and propose a new round: another version of this program made it, and this one cannot read its terms:"
    " isthmus-coordinator round cancel"
)
_NEEDS_CONFIRMATION: Final = "confirm the round's key: isthmus-node run"


def waiting_for_key(
    *,
    providers: Collection[PartyId],
    contributed: Collection[PartyId],
    confirmed: Collection[PartyId],
    require_verified: bool,
) -> tuple[Waiting, ...]:
    """Give the parties for whom a LOCKED round waits: nobody can confirm before everybody has contributed.

    With `require_verified` a node gives no part before its people have compared fingerprints. Whether they have is not
    known here, so whoever is late is told of both.
    """
    needs = _NEEDS_VERIFIED_PART if require_verified else _NEEDS_PART
    late = tuple(Waiting(party=party, needs=needs) for party in providers if party not in contributed)
    if late:
        return late
    return tuple(Waiting(party=party, needs=_NEEDS_CONFIRMATION) for party in providers if party not in confirmed)


def waiting_for_cancel(state: RoundState) -> tuple[Waiting, ...]:
    """Give who has to end a round that this version of the program cannot read; nobody where it is past that."""
    if RoundState.CANCELLED not in TRANSITIONS[state]:
        return ()
    return (Waiting(party=COORDINATOR, needs=_NEEDS_CANCEL),)


def waiting_for(state: RoundState, *, providers: Collection[PartyId], done: Collection[PartyId]) -> tuple[Waiting, ...]:
    """Give the parties for whom the round waits; `done` are the providers who have done the state's work already.

    LOCKED has two kinds of work and a function of its own.
    """
    if state in _NEEDS:
        return tuple(Waiting(party=party, needs=_NEEDS[state]) for party in providers if party not in done)
    if state in _COORDINATOR_NEEDS:
        return (Waiting(party=COORDINATOR, needs=_COORDINATOR_NEEDS[state]),)
    return ()
