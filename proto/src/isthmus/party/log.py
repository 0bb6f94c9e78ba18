"""Logging with a field allow list: an event is a name and ids, counts and codes; any other field is dropped.

So that no personal value, encoding, handle, pseudonym or key can reach a log, whatever a caller passes.
"""

import traceback
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

ALLOWED_FIELDS: Final = frozenset(
    {"event", "level", "timestamp", "round_id", "project_id", "party", "state", "code", "kind", "frames", "reference",
     "rows", "chunks", "pairs", "pairs_before", "pairs_total", "pairs_a_second", "found", "limit",
      "enough", "limit_mib", "needed_mib", "threshold", "fits", "seconds", "engine", "kernel", "unit", "features",
     "address"}
)  # fmt: skip


def configure_logging(stream: TextIO) -> None:
    """Log JSON lines to the stream, allowed fields only."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            keep_allowed,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=stream),
    )


def keep_allowed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list, and say how many were dropped."""
    kept = {name: value for name, value in event.items() if name in ALLOWED_FIELDS}
    if len(kept) < len(event):
        kept["event"] = f"{kept.get('event', '')} ({len(event) - len(kept)} field(s) withheld)"
    return kept


def log_fault(event: str, fault: BaseException, **known: str) -> None:
    """Log where a fault of ours happened. Its own text may hold data, so only its kind and places are logged."""
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(fault.__traceback__)]
    structlog.get_logger().error(event, kind=type(fault).__name__, frames=frames[-5:], **known)
