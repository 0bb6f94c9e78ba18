"""The round's state machine: one table of lawful steps, and one pure function over it. docs/protocol.md section 10."""

from typing import Final

from isthmus.contract.errors import IllegalTransition
from isthmus.contract.round_state import RoundState

_S = RoundState

_ENDING: Final = frozenset({_S.CANCELLED})
"""Steps that an operator may take from any state before release."""

TRANSITIONS: Final[dict[RoundState, frozenset[RoundState]]] = {
    _S.DRAFT: frozenset({_S.PROPOSED}) | _ENDING,
    _S.PROPOSED: frozenset({_S.LOCKED, _S.EXPIRED}) | _ENDING,
    _S.LOCKED: frozenset({_S.PREFLIGHT}) | _ENDING,
    _S.PREFLIGHT: frozenset({_S.COLLECTING, _S.HELD}) | _ENDING,
    _S.COLLECTING: frozenset({_S.SEALED, _S.HELD, _S.EXPIRED}) | _ENDING,
    _S.SEALED: frozenset({_S.MATCHING}) | _ENDING,
    _S.MATCHING: frozenset({_S.COMPARING, _S.REVIEW, _S.FAILED}) | _ENDING,
    _S.COMPARING: frozenset({_S.MATCHING}) | _ENDING,
    _S.REVIEW: frozenset({_S.RELEASED, _S.HELD, _S.REJECTED}) | _ENDING,
    _S.RELEASED: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset({_S.DESTROYED}),
    _S.HELD: frozenset({_S.PREFLIGHT, _S.COLLECTING, _S.REVIEW}) | _ENDING,
    _S.FAILED: frozenset({_S.MATCHING}) | _ENDING,
    _S.EXPIRED: frozenset({_S.DESTROYED}),
    _S.CANCELLED: frozenset({_S.DESTROYED}),
    _S.REJECTED: frozenset({_S.DESTROYED}),
    _S.DESTROYED: frozenset(),
}
"""From each state, the states that may follow."""

FINAL: Final = frozenset(state for state, following in TRANSITIONS.items() if not following)


def transition(state: RoundState, to: RoundState) -> RoundState:
    """Give `to` where the table allows the step; raise `IllegalTransition` otherwise."""
    if to not in TRANSITIONS[state]:
        raise IllegalTransition(state=state.value, wanted=to.value)
    return to


def diagram() -> str:
    """Give the table as a Mermaid state diagram, for docs/reference/round-states.md."""
    lines = ["stateDiagram-v2", "    [*] --> draft"]
    for state, following in TRANSITIONS.items():
        lines += [f"    {state.value} --> {after.value}" for after in sorted(following)]
    lines += [f"    {state.value} --> [*]" for state in sorted(FINAL)]
    return "\n".join(lines) + "\n"
