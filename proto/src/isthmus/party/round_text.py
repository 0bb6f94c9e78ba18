"""How a round is shown at a terminal: one line of where it stands, one for each party that it waits for."""

from math import ceil
from typing import Any

from isthmus.contract.clock import to_text
from isthmus.contract.ids import PartyId
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView, Waiting
from isthmus.party.folder import with_given_folder


def round_text(view: RoundView, reader: PartyId | None = None) -> str:
    """Give the round for people; `reader` is the party that looks at it."""
    progress = f", {compared_text(view)}" if view.pairs_total else ""
    lines = [f"{view.round_id}  {view.state.value}{progress}  (since {to_text(view.updated_at)})"]
    lines += [_waiting_text(one, reader) for one in view.waiting_for]
    return "\n".join(lines)


def compared_text(view: RoundView) -> str:
    """Give how many of the pairs of a round in matching are compared, how fast, and how long the rest of them takes.

    While fields are compared: how many answers about pairs are in.
    """
    if view.state is RoundState.COMPARING:
        return f"{view.pairs_done:,} of {view.pairs_total:,} answers about pairs are in"
    if view.pairs_done >= view.pairs_total:
        return f"all {view.pairs_total:,} pairs compared; the rows are put together by person"
    share = f"{view.pairs_done / view.pairs_total:.0%} of {view.pairs_total:,} pairs compared"
    if not view.pairs_a_second:
        return share
    seconds = (view.pairs_total - view.pairs_done) / view.pairs_a_second
    return f"{share}, {view.pairs_a_second:,} a second, {duration_text(seconds)} left"


def duration_text(seconds: float) -> str:
    """Give a time that is yet to come, rounded up: `1 s`, `12 min`, `3 h 10 min`."""
    if seconds < 60:
        return f"{ceil(seconds)} s"
    hours, minutes = divmod(ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


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
        "pairs_a_second": view.pairs_a_second,
        "updated_at": to_text(view.updated_at),
    }
