"""Who may call what: one table of calls and roles. docs/reference/roles.md is made from it."""

from dataclasses import dataclass
from typing import Final

from isthmus.contract.errors import PermissionDenied
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An authenticated caller: whose certificate it is, and in which role that party calls."""

    party: PartyId
    role: Role


ROLE_OF_SERVICE: Final[dict[str, Role]] = {
    "isthmus.v1.ProviderService": Role.PROVIDER,
    "isthmus.v1.AnalystService": Role.ANALYST,
    "isthmus.v1.OperatorService": Role.OPERATOR,
}
"""A service is open to one role and no other; enrolment has no role and a port of its own."""


def check_role(actor: Actor, service: str, call: str) -> None:
    """Return only if the role may make the call; raise `PermissionDenied` otherwise."""
    if ROLE_OF_SERVICE.get(service) is not actor.role:
        raise PermissionDenied(call=call, role=actor.role.value)
