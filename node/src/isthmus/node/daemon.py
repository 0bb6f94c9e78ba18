"""The node's loop: looks for rounds, takes the next step in each, and waits in between.

A fault of this machine or of the program (`isthmus.node.faults`) is said, and tried again after a wait that doubles up
to five minutes; other rounds go on meanwhile. A damaged database ends the loop, since nothing can be kept any more.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from isthmus.contract.errors import IsthmusError, Passing, StorageUnavailable, Unreachable
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView
from isthmus.node.client import Client, connect
from isthmus.node.consent.show import struck_out_text
from isthmus.node.errors import LocalFault, MembersUnverified, NeedsConsent, StoreDamaged, Unforeseen
from isthmus.node.faults import typed_faults
from isthmus.node.kept_log import KeptLog, open_kept_log
from isthmus.node.log_keeping import ACKNOWLEDGE_EVERY, keep_log
from isthmus.node.node import Node, with_present_settings
from isthmus.node.outbox import open_outbox
from isthmus.node.progress import StageProgress
from isthmus.node.show import report_text
from isthmus.node.strike_out import OPEN, consent_version, strike_out
from isthmus.node.take_part import WITHOUT_RESULT, take_step
from isthmus.party.folder import with_given_folder

POLL_S, LONGEST_POLL_S = 0.5, 10.0
"""Shortest and longest wait between two looks. A look costs some 10 kB and 40 ms of processor, and a round waits for
days: so a node waits a tenth of the time since the last news."""

POLLS_A_WAIT: Final = 10
RETRY_S: Final = 5.0
_WAITED_FOR: Final[dict[type[Passing], str]] = {
    Unreachable: "the coordinator does not answer",
    StorageUnavailable: "the coordinator cannot store anything at the moment",
}
RETRIES: Final = 60
"""How long an unreachable coordinator is waited for: five minutes."""
LONGEST_WAIT_S: Final = 300.0
"""The longest wait after faults of this machine or of the program."""
_MOST_DOUBLINGS: Final = 10
"""More make no longer wait, and in the end a number that is none."""

_FAULTS: Final = (LocalFault, Unforeseen)
"""Faults after which the loop goes on."""


@dataclass(slots=True, kw_only=True)
class Watch:
    """A node at work: which rounds it looks after, and what it remembers from one look to the next.

    `project` and `round_id` None are all; `once` ends it with the IDs of one round, or with whatever stands against it.
    `news` is how rounds stood at the last look, and `quiet_s` the seconds that it has waited since they changed.
    """

    node: Node
    client: Client
    progress: StageProgress
    log: KeptLog
    project: ProjectId | None = None
    round_id: RoundId | None = None
    once: bool = False
    finished: set[RoundId] = field(default_factory=set)
    forgotten: set[RoundId] = field(default_factory=set)
    said: dict[str, str] = field(default_factory=dict)
    applied: dict[RoundId, object] = field(default_factory=dict)
    news: object = None
    quiet_s: float = 0.0

    def next_wait_s(self) -> float:
        """Give how long to wait until the next look, and count it."""
        wait = min(max(POLL_S, self.quiet_s / POLLS_A_WAIT), LONGEST_POLL_S)
        self.quiet_s += wait
        return wait

    def note_news(self, views: Sequence[RoundView]) -> None:
        """Begin to count the wait anew where a round stands elsewhere, or waits for another, than at the last look."""
        news = [(view.round_id, view.state, view.waiting_for) for view in views]
        if news != self.news:
            self.news, self.quiet_s = news, 0.0

    def say_once(self, about: str, message: str) -> None:
        """Say what is new about something."""
        if self.said.get(about) != message:
            self.said[about] = message
            self.progress.say(with_given_folder(message))


def run_rounds(node: Node, *, project: ProjectId | None, round_id: RoundId | None, once: bool) -> None:
    """Take part in the chosen rounds until interrupted, or until one round's IDs are here where `once` is set.

    Raises:
        Passing: the coordinator did not answer, or could not store anything, for five minutes.
        StoreDamaged: a database of the folder is damaged.
        IsthmusError: with `once`, whatever stands against the round; otherwise it is said and the round passed over.
    """
    open_outbox(node.outbox, node.vault)
    with connect(node.identity) as client, StageProgress() as progress, open_kept_log(node.folder) as log:
        if round_id is not None:
            client.get_round(round_id)  # so that a mistyped round is an error and not an endless wait
        watch = Watch(
            node=node, client=client, progress=progress, log=log, project=project, round_id=round_id, once=once
        )
        keep_watch(watch, pause=time.sleep)
        with suppress(Passing):  # all is done that was wanted; the next look says what happened last
            for one in _chosen_projects(watch, client.list_rounds()):
                keep_log(watch.node, client, log, one)


def keep_watch(watch: Watch, *, pause: Callable[[float], None]) -> None:
    """Look after rounds again and again, with pauses in seconds; raises as `run_rounds`."""
    unanswered = faults = 0
    while True:
        try:
            if look(watch):
                return
            unanswered = faults = 0
            watch.said.pop("fault", None)
            wait = watch.next_wait_s()
        except Passing as exc:
            unanswered += 1
            if unanswered > RETRIES:
                raise
            watch.progress.say(f"{_WAITED_FOR[type(exc)]}; trying again")
            wait = RETRY_S
        except _FAULTS as fault:
            if watch.once:
                raise
            watch.say_once("fault", f"{fault} [{fault.code}]; trying again by itself")
            wait = min(RETRY_S * 2 ** min(faults, _MOST_DOUBLINGS), LONGEST_WAIT_S)
            faults += 1
        pause(wait)


def look(watch: Watch) -> bool:
    """Look at every chosen round once and take its next step; give whether all is done that was wanted.

    Raises:
        LocalFault, Unforeseen: the first such fault, once all other rounds had their turn; with `once`, at once.
        Passing, StoreDamaged, IsthmusError: as `run_rounds`.
    """
    fault: IsthmusError | None = None
    with typed_faults():
        if not _settings_are_lawful(watch):
            return False
        views = watch.client.list_rounds()
        watch.note_news(views)
        refused = _keep_logs(watch, views)
        _forget_ended(watch, [view for view in views if view.project_id not in refused])
    for view in _open_rounds(watch, views):
        if view.project_id in refused:
            continue
        try:
            with typed_faults():
                over = _step(watch, view)
        except _FAULTS as found:
            if watch.once:
                raise
            fault, over = fault or found, False
        if over:
            watch.finished.add(view.round_id)
            if watch.once:
                return True
    if fault is not None:
        raise fault
    return False


def _keep_logs(watch: Watch, views: Sequence[RoundView]) -> set[ProjectId]:
    """Keep the logs of all projects; give those whose log is not believed, in whose rounds nothing is done."""
    refused = set()
    for project in _chosen_projects(watch, views):
        try:
            keep_log(watch.node, watch.client, watch.log, project, every=ACKNOWLEDGE_EVERY)
        except (Passing, StoreDamaged, *_FAULTS):
            raise
        except IsthmusError as exc:
            if watch.once:
                raise
            refused.add(project)
            watch.say_once(f"log of {project}", f"{exc} [{exc.code}]")
    return refused


def _chosen_projects(watch: Watch, views: Sequence[RoundView]) -> list[ProjectId]:
    """Give the projects whose log matters here, those that the coordinator is silent about included."""
    if watch.round_id is not None:
        return [view.project_id for view in views if view.round_id == watch.round_id]
    known = {*watch.log.projects(), *(view.project_id for view in views)}
    return sorted(one for one in known if watch.project in {None, one})


def _settings_are_lawful(watch: Watch) -> bool:
    """Take over node.toml as it is now; while it is wrong nothing is done, since it says who is left out."""
    try:
        present = with_present_settings(watch.node)
    except (Passing, StoreDamaged, *_FAULTS):
        raise
    except IsthmusError as exc:
        if watch.once:
            raise
        watch.say_once("settings", f"{exc} [{exc.code}]; until then nothing is done")
        return False
    if present is not watch.node:
        watch.node = present
        watch.progress.say("node.toml was changed; it holds from now on")
    watch.said.pop("settings", None)
    return True


def _forget_ended(watch: Watch, views: Sequence[RoundView]) -> None:
    """Let go, once, of what is kept for rounds that ended without this node, such as cancelled ones."""
    for view in views:
        if view.state in WITHOUT_RESULT and view.round_id not in watch.forgotten:
            watch.node.forget_round(view.round_id)
            watch.forgotten.add(view.round_id)


def _open_rounds(watch: Watch, views: Sequence[RoundView]) -> list[RoundView]:
    return [
        view
        for view in views
        if view.round_id not in watch.finished
        and (watch.round_id is None or view.round_id == watch.round_id)
        and (watch.project is None or view.project_id == watch.project)
        and (view.round_id == watch.round_id or view.state not in WITHOUT_RESULT)
    ]


def _step(watch: Watch, view: RoundView) -> bool:
    """Take one step; say what is new; give whether the round is over for this node."""
    try:
        step = take_step(watch.node, watch.client, view.round_id, report=watch.progress.report, project=view.project_id)
        _strike_out(watch, step.view)
    except (Passing, StoreDamaged, *_FAULTS):
        raise
    except (NeedsConsent, MembersUnverified) as exc:
        watch.say_once(view.round_id, str(exc))
        return False
    except IsthmusError as exc:
        if watch.once:
            raise
        watch.say_once(view.round_id, f"{exc} [{exc.code}]")
        return False
    _tell(watch.node, view, step.view, watch.progress)
    if step.id_file is not None:
        watch.progress.say(f"{view.round_id}: this party's IDs are in {step.id_file}")
        if step.quality_hint:
            watch.progress.say(f"{view.round_id}: {step.quality_hint}")
        return True
    return False


def _strike_out(watch: Watch, view: RoundView) -> None:
    """Strike out whoever opted out since the rows were sent; looked at again only when something may have changed."""
    prepared = watch.node.vault.prepared(view.round_id)
    if view.state not in OPEN or prepared is None or prepared.receipt is None:
        return
    version = consent_version(watch.node, view.round_id)
    if watch.applied.get(view.round_id) != version:
        struck_out = strike_out(watch.node, watch.client, view)
        watch.applied[view.round_id] = version
        if struck_out.rows:
            watch.progress.say(struck_out_text(view.round_id, rows=struck_out.rows, too_late=struck_out.too_late))


def _tell(node: Node, before: RoundView, after: RoundView, progress: StageProgress) -> None:
    if after.pairs_total:
        progress.report("matching, at the coordinator", after.pairs_done, after.pairs_total)
    if before.state is RoundState.COLLECTING:
        left = node.what_leaves(after.round_id)
        if left and progress.first_time(f"left {after.round_id}"):
            progress.say(f"{after.round_id}: what left this node\n{report_text(left).rstrip()}")
    if progress.first_time(f"{after.round_id} {after.state.value}"):
        progress.say(f"{after.round_id}: {after.state.value}")
