"""What every command that talks about rounds does first: open the node, and keep the logs of its projects."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from isthmus.contract.clock import SystemClock
from isthmus.contract.ids import ProjectId
from isthmus.contract.views import RoundView
from isthmus.node.client import Client, connect
from isthmus.node.kept_log import KeptLog, open_kept_log
from isthmus.node.log_keeping import keep_log, log_warning
from isthmus.node.node import Node, open_node
from isthmus.party.commands import say
from isthmus.party.folder import with_given_folder


class Opened(NamedTuple):
    """A node, what it kept of logs, and its connection."""

    node: Node
    log: KeptLog
    client: Client


@contextmanager
def opened(folder: Path) -> Iterator[Opened]:
    """Open a node's folder, its kept logs, and a connection."""
    with (
        open_node(folder, clock=SystemClock()) as node,
        open_kept_log(folder) as log,
        connect(node.identity) as client,
    ):
        yield Opened(node, log, client)


def keep_first(at: Opened, project: ProjectId) -> None:
    """Keep the log before a step in a round of that project; raises as `keep_log`."""
    keep_log(at.node, at.client, at.log, project)


def warn_first(at: Opened, views: Sequence[RoundView], *, warn: Callable[[str], None] = say) -> None:
    """Keep the logs of the rounds' projects, and of all that were seen before; say what stands against them."""
    for project in sorted({*at.log.projects(), *(view.project_id for view in views)}):
        warning = log_warning(at.node, at.client, at.log, project)
        if warning:
            warn(f"isthmus: {with_given_folder(warning)}")
