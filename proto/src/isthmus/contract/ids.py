"""Distinct types for the names of things, so that one cannot be passed for another.

Party, project and agreement ids are chosen by people: lower-case letters, digits and single hyphens, 2 to 40
characters, and not "coordinator", which stands for the coordinator itself wherever one of them is due, as in the audit
log. Round, table and submission ids are made by the coordinator. All are public: none is derived from personal data.
"""

import re
from collections.abc import Callable
from typing import NewType

from isthmus.contract.errors import MalformedMessage

PartyId = NewType("PartyId", str)
ProjectId = NewType("ProjectId", str)
AgreementId = NewType("AgreementId", str)
RoundId = NewType("RoundId", str)
TableId = NewType("TableId", str)
Pseudonym = NewType("Pseudonym", str)

RandomBytes = Callable[[int], bytes]
"""A source of randomness: gives that many bytes. `secrets.token_bytes` outside tests."""

HANDLE_BYTES = 16
"""A row handle is 128 random bits."""

_CHOSEN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
PSEUDONYM = re.compile(r"[a-z2-7]{26}")
"""The form of a pseudonym: 128 bits in base32."""

COORDINATOR = "coordinator"

_MADE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _checked(value: str, *, pattern: re.Pattern[str], longest: int, field: str) -> str:
    if not 2 <= len(value) <= longest or pattern.fullmatch(value) is None:
        raise MalformedMessage(
            field=field, problem=f"not an id of 2 to {longest} lower-case letters, digits and single hyphens"
        )
    if value == COORDINATOR:
        raise MalformedMessage(field=field, problem=f"{COORDINATOR}, which stands for the coordinator itself")
    return value


def parse_party_id(value: str) -> PartyId:
    """Give the party id; raise `MalformedMessage` where it is not one."""
    return PartyId(_checked(value, pattern=_CHOSEN, longest=40, field="party_id"))


def is_party_id(value: str) -> bool:
    """Say whether a text may be a party's id, where a document that somebody else made names one."""
    try:
        parse_party_id(value)
    except MalformedMessage:
        return False
    return True


def parse_project_id(value: str) -> ProjectId:
    """Give the project id; raise `MalformedMessage` where it is not one."""
    return ProjectId(_checked(value, pattern=_CHOSEN, longest=40, field="project_id"))


def parse_agreement_id(value: str) -> AgreementId:
    """Give the agreement id; raise `MalformedMessage` where it is not one."""
    return AgreementId(_checked(value, pattern=_CHOSEN, longest=40, field="agreement_id"))


def parse_round_id(value: str) -> RoundId:
    """Give the round id; raise `MalformedMessage` where it is not one."""
    return RoundId(_checked(value, pattern=_MADE, longest=60, field="round_id"))


def parse_table_id(value: str) -> TableId:
    """Give the table id; raise `MalformedMessage` where it is not one."""
    return TableId(_checked(value, pattern=_MADE, longest=80, field="table_id"))


def new_round_id(project: ProjectId, random_bytes: RandomBytes) -> RoundId:
    """Give a new round id: the project's id and 40 random bits."""
    return RoundId(f"{project}-{random_bytes(5).hex()}")
