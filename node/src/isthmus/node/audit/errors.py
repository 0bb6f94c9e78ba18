"""Errors of the self-audit; they never cross a wire.

BadInput
└── AuditTooSmall    the data set has too few records to attack
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import BAD_INPUT, BadInput, ErrorSpec


@dataclass(eq=False, kw_only=True)
class AuditTooSmall(BadInput):
    """Figures on so few records would say nothing."""

    code: ClassVar[str] = "audit-too-small"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the self-audit has fewer than {least} records to attack",
        remedy="take a larger data set or a larger --sample",
    )
    least: int
