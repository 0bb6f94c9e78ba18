"""Permissions: the table names every call there is, and a call that it does not name is open to nobody."""

from itertools import product

import pytest

from isthmus.contract.errors import PermissionDenied
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import Role
from isthmus.coordinator.domain.roles import PERMISSIONS, Actor, Relation, check_role
from isthmus.v1 import analyst_pb2, auditor_pb2, enrolment_pb2, operator_pb2, provider_pb2

SERVICES = {
    service.full_name: {method.name for method in service.methods}
    for module in (enrolment_pb2, provider_pb2, analyst_pb2, auditor_pb2, operator_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
}


def test_table_names_every_call_of_every_service_and_no_other() -> None:
    assert {service: set(calls) for service, calls in PERMISSIONS.items()} == SERVICES


def test_only_what_needs_a_token_is_open_without_a_role() -> None:
    permissions = [one for calls in PERMISSIONS.values() for one in calls.values()]

    assert all(bool(one.roles) is (one.relation is not Relation.TOKEN) for one in permissions)


@pytest.mark.parametrize(
    ("role", "service", "call"),
    [*((role, service, call) for role in Role for service, calls in PERMISSIONS.items() for call in calls)],
)
def test_call_is_open_to_its_roles_alone(role: Role, service: str, call: str) -> None:
    actor = Actor(party=PartyId("somebody"), role=role)

    if role in PERMISSIONS[service][call].roles:
        check_role(actor, service, call)
    else:
        with pytest.raises(PermissionDenied) as refused:
            check_role(actor, service, call)
        assert (refused.value.call, refused.value.role) == (call, role.value)


@pytest.mark.parametrize(("role", "service"), list(product(Role, [*PERMISSIONS, ""])))
def test_call_that_is_not_in_the_table_is_open_to_nobody(role: Role, service: str) -> None:
    with pytest.raises(PermissionDenied):
        check_role(Actor(party=PartyId("somebody"), role=role), service, "Call")
