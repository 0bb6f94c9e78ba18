"""The actions that nobody calls: claims sealed rounds and matches them, one after another."""

import threading
import traceback
from typing import Final

import structlog

from isthmus.contract.ids import RoundId
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.matching import MatchingInterrupted, claim_round, fail_round, match_round
from isthmus.coordinator.match.engine import SimilarityEngine

IDLE_S: Final = 0.5
"""How often to look for a sealed round while there is none."""


def run_worker(context: Context, *, engine: SimilarityEngine, stop: threading.Event) -> None:
    """Match rounds until `stop` is set. A round whose matching fails is FAILED, and the next one is taken."""
    while not stop.is_set():
        round_id = claim_round(context)
        if round_id is None:
            stop.wait(IDLE_S)
        else:
            match_claimed(context, round_id, engine=engine, stop=stop)


def match_claimed(context: Context, round_id: RoundId, *, engine: SimilarityEngine, stop: threading.Event) -> None:
    """Match one claimed round, or take it to FAILED."""
    log = structlog.get_logger()
    log.info("matching", round_id=round_id)
    try:
        match_round(context, round_id, engine=engine, should_stop=stop.is_set)
    except MatchingInterrupted:
        log.info("matching interrupted; it begins again at the next start", round_id=round_id)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the round must say that it failed
        frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(exc.__traceback__)]
        log.error(  # noqa: TRY400 - the traceback's text may hold data
            "matching failed", round_id=round_id, kind=type(exc).__name__, frames=frames[-5:]
        )
        fail_round(context, round_id, error=exc)
    else:
        log.info("released", round_id=round_id)
