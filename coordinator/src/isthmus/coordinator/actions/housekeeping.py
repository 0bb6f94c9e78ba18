"""What a coordinator does when it starts: removes what an interrupted call left behind."""

from isthmus.coordinator.actions.context import Context


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
