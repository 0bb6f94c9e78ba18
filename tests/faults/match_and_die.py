"""A process that matches the round of a coordinator's folder; others kill it. Word: folder.

Prints `matching` when it begins, `reading` whenever it tells how far it is, and at the end the round's state.
"""

import sys
from pathlib import Path

from harness import new_coordinator, small_engine

from isthmus.coordinator.actions.housekeeping import sweep_blobs, sweep_runs
from isthmus.coordinator.actions.matching import claim_round, match_round


def main(folder: str) -> None:
    """Begin as a coordinator does when it starts, and match."""
    hub = new_coordinator(Path(folder))
    sweep_blobs(hub.context)
    sweep_runs(hub.context)
    round_id = claim_round(hub.context)
    assert round_id is not None
    print("matching", flush=True)

    def told(_: object) -> None:
        print("reading", flush=True)

    print(match_round(hub.context, round_id, engine=small_engine(), should_stop=lambda: False, told=told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
