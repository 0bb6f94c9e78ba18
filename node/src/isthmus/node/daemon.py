"""The node's loop: looks for rounds, takes the next step in each, and waits in between."""

import time
from collections.abc import Sequence
from typing import Final

from isthmus.contract.errors import IsthmusError, Passing, StorageUnavailable, Unreachable
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView
from isthmus.node.client import Client, connect
from isthmus.node.consent.show import struck_out_text
from isthmus.node.errors import MembersUnverified, NeedsConsent
from isthmus.node.node import Node
from isthmus.node.outbox import open_outbox
from isthmus.node.progress import StageProgress
from isthmus.node.show import report_text
from isthmus.node.strike_out import OPEN, consent_version, strike_out
from isthmus.node.take_part import WITHOUT_RESULT, take_step
from isthmus.party.folder import with_given_folder

POLL_S: Final = 0.5
RETRY_S: Final = 5.0
_WAITED_FOR: Final[dict[type[Passing], str]] = {
    Unreachable: "the coordinator does not answer",
    StorageUnavailable: "the coordinator cannot store anything at the moment",
}
RETRIES: Final = 60
"""How long an unreachable coordinator is waited for: five minutes."""


def run_rounds(node: Node, *, project: ProjectId | None, round_id: RoundId | None, once: bool) -> None:
    """Take part in the chosen rounds until interrupted, or until one round's IDs are here where `once` is set.

    Raises:
        Passing: the coordinator did not answer, or could not store anything, for five minutes.
        IsthmusError: with `once`, whatever stands against the round; otherwise it is said and the round passed over.
    """
    finished: set[RoundId] = set()
    forgotten: set[RoundId] = set()
    said: dict[RoundId, str] = {}
    applied: dict[RoundId, object] = {}
    failures = 0
    open_outbox(node.outbox, node.vault)
    with connect(node.identity) as client, StageProgress() as progress:
        if round_id is not None:
            client.get_round(round_id)  # so that a mistyped round is an error and not an endless wait
        while True:
            try:
                views = client.list_rounds()
                _forget_ended(node, views, forgotten)
                for view in _open_rounds(views, project=project, round_id=round_id, finished=finished):
                    if _step(node, client, view, progress=progress, said=said, applied=applied, strict=once):
                        finished.add(view.round_id)
                        if once:
                            return
                failures = 0
                time.sleep(POLL_S)
            except Passing as exc:
                failures += 1
                if failures > RETRIES:
                    raise
                progress.say(f"{_WAITED_FOR[type(exc)]}; trying again")
                time.sleep(RETRY_S)


def _forget_ended(node: Node, views: Sequence[RoundView], forgotten: set[RoundId]) -> None:
    """Let go, once, of what is kept for rounds that ended without this node, such as cancelled ones."""
    for view in views:
        if view.state in WITHOUT_RESULT and view.round_id not in forgotten:
            node.forget_round(view.round_id)
            forgotten.add(view.round_id)


def _open_rounds(
    views: Sequence[RoundView], *, project: ProjectId | None, round_id: RoundId | None, finished: set[RoundId]
) -> list[RoundView]:
    return [
        view
        for view in views
        if view.round_id not in finished
        and (round_id is None or view.round_id == round_id)
        and (project is None or view.project_id == project)
        and (view.round_id == round_id or view.state not in WITHOUT_RESULT)
    ]


def _step(
    node: Node,
    client: Client,
    view: RoundView,
    *,
    progress: StageProgress,
    said: dict[RoundId, str],
    applied: dict[RoundId, object],
    strict: bool,
) -> bool:
    """Take one step; say what is new; give whether the round is over for this node."""
    try:
        step = take_step(node, client, view.round_id, report=progress.report)
        _strike_out(node, client, step.view, progress=progress, applied=applied)
    except Passing:
        raise
    except (NeedsConsent, MembersUnverified) as exc:
        _say_once(progress, said, view.round_id, str(exc))
        return False
    except IsthmusError as exc:
        if strict:
            raise
        _say_once(progress, said, view.round_id, f"{exc} [{exc.code}]")
        return False
    _tell(node, view, step.view, progress)
    if step.id_file is not None:
        progress.say(f"{view.round_id}: this party's IDs are in {step.id_file}")
        return True
    return False


def _strike_out(
    node: Node, client: Client, view: RoundView, *, progress: StageProgress, applied: dict[RoundId, object]
) -> None:
    """Strike out whoever opted out since the rows were sent; looked at again only when something may have changed."""
    prepared = node.vault.prepared(view.round_id)
    if view.state not in OPEN or prepared is None or prepared.receipt is None:
        return
    version = consent_version(node, view.round_id)
    if applied.get(view.round_id) != version:
        struck_out = strike_out(node, client, view)
        applied[view.round_id] = version
        if struck_out.rows:
            progress.say(struck_out_text(view.round_id, rows=struck_out.rows, too_late=struck_out.too_late))


def _tell(node: Node, before: RoundView, after: RoundView, progress: StageProgress) -> None:
    if after.pairs_total:
        progress.report("matching, at the coordinator", after.pairs_done, after.pairs_total)
    if before.state is RoundState.COLLECTING:
        left = node.what_leaves(after.round_id)
        if left and progress.first_time(f"left {after.round_id}"):
            progress.say(f"{after.round_id}: what left this node\n{report_text(left).rstrip()}")
    if progress.first_time(f"{after.round_id} {after.state.value}"):
        progress.say(f"{after.round_id}: {after.state.value}")


def _say_once(progress: StageProgress, said: dict[RoundId, str], round_id: RoundId, message: str) -> None:
    if said.get(round_id) != message:
        said[round_id] = message
        progress.say(with_given_folder(message))
