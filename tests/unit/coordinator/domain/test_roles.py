"""Roles: each service is open to one role and to no other."""

from itertools import product

import pytest

from isthmus.contract.errors import PermissionDenied
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import Role
from isthmus.coordinator.domain.roles import ROLE_OF_SERVICE, Actor, check_role
from isthmus.v1 import analyst_pb2, operator_pb2, provider_pb2


def test_every_service_with_callers_has_a_role_of_its_own() -> None:
    services = {
        service.full_name
        for module in (provider_pb2, analyst_pb2, operator_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
    }

    assert set(ROLE_OF_SERVICE) == services
    assert sorted(ROLE_OF_SERVICE.values()) == sorted(Role)


@pytest.mark.parametrize(
    ("role", "service"), list(product(Role, [*ROLE_OF_SERVICE, "isthmus.v1.EnrolmentService", ""]))
)
def test_service_is_open_to_its_role_alone(role: Role, service: str) -> None:
    actor = Actor(party=PartyId("somebody"), role=role)

    if ROLE_OF_SERVICE.get(service) is role:
        check_role(actor, service, "Call")
    else:
        with pytest.raises(PermissionDenied) as refused:
            check_role(actor, service, "Call")
        assert (refused.value.call, refused.value.role) == ("Call", role.value)
