"""For whom a round waits, and what would end the waiting: a pure answer for every state."""

from collections.abc import Collection
from typing import Final

from isthmus.contract.ids import COORDINATOR, PartyId
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import Waiting

_NEEDS: Final[dict[RoundState, str]] = {
    RoundState.PROPOSED: "sign or decline the round: isthmus-node round sign",
    RoundState.PREFLIGHT: "confirm its key and profile: isthmus-node run",
    RoundState.COLLECTING: "send its encodings: isthmus-node run",
}

_COORDINATOR_NEEDS: Final[dict[RoundState, str]] = {
    RoundState.DRAFT: "propose the round",
    RoundState.LOCKED: "open the preflight; this happens by itself",
    RoundState.SEALED: "begin matching; this happens by itself while the coordinator runs",
    RoundState.MATCHING: "finish matching; this happens by itself while the coordinator runs",
    RoundState.REVIEW: "release the results; this happens by itself",
    RoundState.FAILED: "find the fault in its log and match again: isthmus-coordinator round retry",
}


def waiting_for(state: RoundState, *, providers: Collection[PartyId], done: Collection[PartyId]) -> tuple[Waiting, ...]:
    """Give the parties for whom the round waits; `done` are the providers who have done the state's work already."""
    if state in _NEEDS:
        return tuple(Waiting(party=party, needs=_NEEDS[state]) for party in providers if party not in done)
    if state in _COORDINATOR_NEEDS:
        return (Waiting(party=COORDINATOR, needs=_COORDINATOR_NEEDS[state]),)
    return ()
