"""How a round is shown at a terminal: one line of where it stands, one for each party that it waits for."""

from typing import Any

from isthmus.contract.clock import to_text
from isthmus.contract.ids import PartyId
from isthmus.contract.views import RoundView, Waiting
from isthmus.party.folder import with_given_folder


def round_text(view: RoundView, reader: PartyId | None = None) -> str:
    """Give the round for people; `reader` is the party that looks at it."""
    progress = f", {view.pairs_done / view.pairs_total:.0%} of pairs compared" if view.pairs_total else ""
    lines = [f"{view.round_id}  {view.state.value}{progress}  (since {to_text(view.updated_at)})"]
    lines += [_waiting_text(one, reader) for one in view.waiting_for]
    return "\n".join(lines)


def _waiting_text(one: Waiting, reader: PartyId | None) -> str:
    if one.party == reader:
        return f"    waiting for you ({one.party}): {with_given_folder(one.needs)}"
    return f"    waiting for {one.party}: {one.needs}"


def round_data(view: RoundView) -> dict[str, Any]:
    """Give the round for programs."""
    return {
        "round": view.round_id,
        "project": view.project_id,
        "state": view.state.value,
        "manifest_hash": view.manifest_hash.hex(),
        "waiting_for": [{"party": one.party, "needs": one.needs} for one in view.waiting_for],
        "pairs_done": view.pairs_done,
        "pairs_total": view.pairs_total,
        "updated_at": to_text(view.updated_at),
    }
