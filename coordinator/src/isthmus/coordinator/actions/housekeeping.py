"""What a coordinator does when it starts: removes what an interrupted call left behind."""

from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.context import Context


def sweep_runs(context: Context) -> None:
    """Remove what was found while matching rounds that will not be matched any more."""
    with context.store.read() as tx:
        open_rounds = {row.id for row in tx.rounds.all() if row.state in {RoundState.MATCHING, RoundState.FAILED}}
    for round_id in context.runs.rounds():
        if round_id not in open_rounds:
            context.runs.of(round_id).forget()


def sweep_blobs(context: Context) -> int:
    """Remove blobs that no record needs, and unfinished ones; give how many blobs went.

    A call that is killed between writing a blob and committing its record leaves such a blob. It was never
    acknowledged, so nobody counts on it.
    """
    context.blobs.forget_unfinished()
    with context.store.begin() as tx:
        unused = [digest for digest in context.blobs.digests() if not tx.blob_is_used(digest)]
        for digest in unused:
            context.blobs.delete(digest)
    return len(unused)
