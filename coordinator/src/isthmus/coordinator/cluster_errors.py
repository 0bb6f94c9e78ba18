"""Errors of a cluster.

Passing
└── ClusterUnavailable    the machines that compare are not to be had
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import UNREACHABLE, ErrorSpec, Passing


@dataclass(eq=False, kw_only=True)
class ClusterUnavailable(Passing):
    """Nobody is there to compare."""

    code: ClassVar[str] = "cluster-unavailable"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="UNAVAILABLE",
        http=503,
        exit_code=UNREACHABLE,
        sentence="the cluster cannot be used: {problem}",
        remedy="see to its scheduler and workers, then run isthmus-coordinator round retry; what was compared is kept",
    )
    problem: str
