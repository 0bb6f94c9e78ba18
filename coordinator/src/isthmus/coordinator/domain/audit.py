"""The coordinator's scope of audit events. What an event is: `isthmus.contract.audit_log`."""

from typing import Final

from isthmus.contract.audit_log import AuditEvent
from isthmus.contract.ids import COORDINATOR

__all__ = ["COORDINATOR_SCOPE", "AuditEvent"]

COORDINATOR_SCOPE: Final = COORDINATOR
"""The scope of events that concern no project: parties, tokens, certificates."""
