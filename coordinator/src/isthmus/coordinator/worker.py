"""The actions that nobody calls: claims sealed rounds and matches them, one after another, and counts refusals."""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import structlog

from isthmus.contract.errors import StorageUnavailable
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.access import record_counted_denials
from isthmus.coordinator.actions.context import Compared, Context
from isthmus.coordinator.actions.matching import MatchingInterrupted, claim_round, fail_round, match_round
from isthmus.coordinator.actions.rounds import list_all_rounds
from isthmus.coordinator.match.engine import SimilarityEngine
from isthmus.coordinator.match.errors import CrowdedRows, NotEnoughMemory, TooManyBestPairs, TooManyCandidates
from isthmus.coordinator.match.memory import Memory
from isthmus.party.log import log_fault

IDLE_S: Final = 0.5
"""How often to look for a sealed round while there is none."""

PROGRESS_S: Final = 60.0
"""How often the log says how far a round is, at most."""

FAULT_S: Final = 5.0
"""How long to wait after a fault of the store before trying again."""


_ENDED: Final[Mapping[RoundState, str]] = MappingProxyType(
    {RoundState.RELEASED: "released", RoundState.COMPARING: "candidates found; providers are asked about them"}
)

Facts = Mapping[str, str]
"""By what an engine compares, for the log: fields of its allow list."""

_NO_FACTS: Final[Facts] = MappingProxyType({})


def run_worker(
    context: Context,
    *,
    engine: SimilarityEngine,
    stop: threading.Event,
    facts: Facts = _NO_FACTS,
    memory: Memory | None = None,
) -> None:
    """Match rounds until `stop` is set. A round whose matching fails is FAILED, and the next one is taken.

    So is a round that might take more than `memory`, before anything is compared. The log says `facts` of the engine
    with each round that is matched.

    A fault of the store itself, such as a full disk, is logged and waited out: the worker never ends by it.
    """
    say_answers = _answers_log(context)
    while not stop.is_set():
        try:
            record_counted_denials(context)
            round_id = claim_round(context)
            if round_id is None:
                say_answers()
                stop.wait(IDLE_S)
            else:
                match_claimed(context, round_id, engine=engine, stop=stop, facts=facts, memory=memory)
        except Exception as exc:  # noqa: BLE001 - without a worker, rounds would stand still unseen
            log_fault("worker fault", exc)
            stop.wait(FAULT_S)


def _fail(context: Context, round_id: RoundId, *, error: Exception, stop: threading.Event) -> None:
    """Take a round to FAILED; while that cannot be stored, wait, for it would be matched again for nothing."""
    while not stop.is_set():
        try:
            fail_round(context, round_id, error=error)
        except StorageUnavailable as exc:
            log_fault("worker fault", exc, round_id=round_id)
            stop.wait(FAULT_S)
        else:
            return


def _progress_log(context: Context, round_id: RoundId) -> Callable[[Compared], None]:
    """Give what logs how far a round is: at its beginning, then now and then, and when all is compared."""
    due = context.clock.now()

    def told(compared: Compared) -> None:
        nonlocal due
        now = context.clock.now()
        if now >= due or compared.done == compared.total:
            due = now + timedelta(seconds=PROGRESS_S)
            structlog.get_logger().info(
                "comparing",
                round_id=round_id,
                pairs=compared.done,
                pairs_before=compared.before,
                pairs_total=compared.total,
                pairs_a_second=compared.pairs_a_second,
            )

    return told


def _answers_log(context: Context) -> Callable[[], None]:
    """Give what logs how many answers rounds have that wait for some: now and then, while the number grows."""
    due, said = context.clock.now(), dict[RoundId, int]()

    def say() -> None:
        nonlocal due
        if context.clock.now() < due:
            return
        due = context.clock.now() + timedelta(seconds=PROGRESS_S)
        for view in list_all_rounds(context):
            if view.state is RoundState.COMPARING and said.get(view.round_id) != view.pairs_done:
                said[view.round_id] = view.pairs_done
                numbers = {"pairs": view.pairs_done, "pairs_total": view.pairs_total}
                structlog.get_logger().info("answers are in", round_id=view.round_id, **numbers)

    return say


def match_claimed(
    context: Context,
    round_id: RoundId,
    *,
    engine: SimilarityEngine,
    stop: threading.Event,
    facts: Facts = _NO_FACTS,
    memory: Memory | None = None,
) -> None:
    """Match one claimed round, or take it to FAILED."""
    log = structlog.get_logger()
    log.info("matching", round_id=round_id, **facts)
    try:
        told = _progress_log(context, round_id)
        state = match_round(context, round_id, engine=engine, should_stop=stop.is_set, told=told, memory=memory)
    except MatchingInterrupted:
        log.info("matching interrupted; it goes on at the next start", round_id=round_id)
    except (TooManyCandidates, TooManyBestPairs, CrowdedRows, NotEnoughMemory) as exc:
        fields = exc.fields()
        log.error("matching refused", round_id=round_id, code=exc.code, **fields)  # noqa: TRY400 - no fault of ours
        _fail(context, round_id, error=exc, stop=stop)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the round must say that it failed
        log_fault("matching failed", exc, round_id=round_id)
        _fail(context, round_id, error=exc, stop=stop)
    else:
        log.info(_ENDED[state], round_id=round_id)
