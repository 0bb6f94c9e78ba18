"""What parties are: kinds of organisation and roles."""

from enum import StrEnum


class PartyKind(StrEnum):
    """What kind of organisation a party is."""

    DISTRICT = "district"
    STATE_AGENCY = "state-agency"
    COLLEGE = "college"
    WORKFORCE = "workforce"
    HUMAN_SERVICES = "human-services"
    PROGRAMME = "programme"
    ANALYST = "analyst"


class Role(StrEnum):
    """The role in which a party calls; each role has one service."""

    PROVIDER = "provider"
    ANALYST = "analyst"
    OPERATOR = "operator"
    AUDITOR = "auditor"
