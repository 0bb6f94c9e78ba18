"""Matching a sealed round: encodings in, pseudonym maps and a released table out. docs/protocol.md sections 7 to 9.

A round found in MATCHING goes on where it stands: candidates are found from the sealed encodings and the runs that were
kept of the comparison. Where the project grants field comparison, providers are then asked about pairs (COMPARING);
with their last answer the round is back in MATCHING, and links are found from what they answered. Whatever is done
again gives the same bytes.

Rows may be struck out until the result is stored, one by one if a provider likes. So the work that this repeats is
bounded: see `match_round`.
"""

from collections.abc import Callable
from typing import Final

from isthmus.contract.errors import IsthmusError
from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.candidates import demand_of, find_candidates
from isthmus.coordinator.actions.context import Compared, Context
from isthmus.coordinator.actions.field_matching import match_answers
from isthmus.coordinator.actions.field_requests import ask_for_answers
from isthmus.coordinator.actions.round_rows import struck_out
from isthmus.coordinator.actions.rounds import advance, round_event
from isthmus.coordinator.actions.settling import Matched, settle
from isthmus.coordinator.match.engine import SimilarityEngine
from isthmus.coordinator.match.memory import Memory, check_memory

MOST_RUNS: Final = 3
"""How often a round is matched at most because rows were struck out while it was matched."""


class MatchingInterrupted(Exception):  # not an error: nobody did anything wrong
    """The coordinator was told to stop while it was matching."""


def claim_round(context: Context) -> RoundId | None:
    """Give a round to match, now in MATCHING: an interrupted one first, then the one sealed longest; or none."""
    with context.store.begin() as tx:
        rows = list(reversed(tx.rounds.all()))
        interrupted = next((row for row in rows if row.state is RoundState.MATCHING), None)
        if interrupted is not None:
            return interrupted.id
        sealed = next((row for row in rows if row.state is RoundState.SEALED), None)
        if sealed is not None:
            advance(context, tx, sealed, to=RoundState.MATCHING)
        return sealed.id if sealed else None


def match_round(
    context: Context,
    round_id: RoundId,
    *,
    engine: SimilarityEngine,
    should_stop: Callable[[], bool],
    told: Callable[[Compared], None] = lambda _: None,
    memory: Memory | None = None,
) -> RoundState:
    """Match a claimed round and take it to RELEASED, without the rows that are struck out by then; give its state.

    Where fields are compared, the first time takes it to COMPARING, and the second to RELEASED.

    Where rows were struck out meanwhile, `interop-1` drops their pairs, which is the same as never having had the
    rows. Several tables are matched again, because a row competes with others for the candidates of a third, and so
    are answers, for the same reason; rows struck out during the last of `MOST_RUNS` runs are dropped as in
    `interop-1`. docs/protocol.md section 7.

    What was found is kept as it is found, and a try that was interrupted, killed or failed is gone on with. `told` is
    told how far this one is.

    Raises:
        NotEnoughMemory: it may take more than `memory`, if that is given; nothing was loaded yet.
        MatchingInterrupted: `should_stop` gave true; the round stays in MATCHING for the next start.
    """
    if memory is not None:
        check_memory(demand_of(context, round_id, max_pairs=engine.max_pairs), memory, max_pairs=engine.max_pairs)
    context.runs.of(round_id).forget_unfinished()

    def run() -> Matched:
        runs = context.runs.of(round_id)

        def progress(done: int, total: int) -> None:
            if should_stop():
                raise MatchingInterrupted
            now, before = context.clock.now(), runs.compared_before
            told(context.progress.report(round_id, done, total, now=now, before=before))

        if answered:
            return match_answers(context, round_id, progress=progress)
        return find_candidates(context, round_id, engine=engine, runs=runs, progress=progress)

    with context.store.read() as tx:
        answered = bool(tx.comparisons.of_round(round_id))
    matched = _until_nothing_is_struck_out(context, run, again_if_plain=answered)
    ask = matched.manifest.project.comparison is not None and not answered
    (ask_for_answers if ask else settle)(context, matched)
    context.runs.of(round_id).forget()
    context.progress.clear(round_id)
    return RoundState.COMPARING if ask else RoundState.RELEASED


def _until_nothing_is_struck_out(context: Context, run: Callable[[], Matched], *, again_if_plain: bool) -> Matched:
    """Run until no row was struck out meanwhile, `MOST_RUNS` times at most; once where pairs are independent."""
    matched = run()
    again = again_if_plain or isinstance(matched.manifest.read_profile(), HardenedProfile)
    for _ in range(MOST_RUNS - 1 if again else 0):
        with context.store.read() as tx:
            if struck_out(tx, matched.manifest) == matched.struck:
                break
        matched = run()
    return matched


def fail_round(context: Context, round_id: RoundId, *, error: Exception) -> None:
    """Take a round whose matching stopped on a fault to FAILED, from where the operator may try again.

    A round that is no longer in MATCHING, because it was cancelled meanwhile, stays as it is.
    """
    code = error.code if isinstance(error, IsthmusError) else type(error).__name__
    context.progress.clear(round_id)
    with context.store.begin() as tx:
        row = tx.rounds.get(round_id)
        if row.state is not RoundState.MATCHING:
            context.runs.of(round_id).forget()
            return
        tx.record(round_event(context, row, None, "round.fault", code))
        advance(context, tx, row, to=RoundState.FAILED)
