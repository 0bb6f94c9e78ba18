"""The parts of an agreement: its parties and their roles, its basis in law, and what happens to data.

No rule is here: `isthmus.contract.agreement_check` says what is lawful. docs/protocol.md section 16.
"""

from datetime import date
from enum import StrEnum

import msgspec

from isthmus.contract.ids import PartyId
from isthmus.contract.parties import PartyKind


class LegalBasis(StrEnum):
    """Under which exception of FERPA (34 CFR 99.31) education records are disclosed, or that they are none."""

    SCHOOL_OFFICIAL = "school-official"
    """99.31(a)(1): somebody who does what the school's own staff would do, under its control."""
    STUDIES = "studies"
    """99.31(a)(6): studies for, or on behalf of, schools."""
    AUDIT_OR_EVALUATION = "audit-or-evaluation"
    """99.31(a)(3) and 99.35: audit or evaluation of an education programme, for an education authority."""
    CONSENT = "consent"
    """99.30: everybody whose record is used, or a parent, consented in writing."""
    DIRECTORY_INFORMATION = "directory-information"
    """99.31(a)(11) and 99.37: what a school made public notice of, of those who did not opt out."""
    NOT_EDUCATION_RECORDS = "not-education-records"
    """FERPA does not apply; `other_law` says what does."""


class RedisclosureRule(StrEnum):
    """What a party may pass on to others: nothing, released tables, or more where it is consented to in writing."""

    NONE = "none"
    AGGREGATES_ONLY = "aggregates-only"
    WITH_WRITTEN_CONSENT = "with-written-consent"


class AgreementRole(StrEnum):
    """What a party does under the agreement: gives data, gets released tables, or looks at the proofs."""

    PROVIDER = "provider"
    ANALYST = "analyst"
    AUDITOR = "auditor"


class AgreementState(StrEnum):
    """Where a version of an agreement stands. That it is expired, or a party withdrew, is no state of a version."""

    PROPOSED = "proposed"
    """Some who have to sign have not; the version before stays in force."""
    IN_FORCE = "in-force"
    """All signed. It counts from its effective date on."""
    DECLINED = "declined"
    """Somebody who has to sign refused; final."""
    SUPERSEDED = "superseded"
    """A later version is in force; final."""


class AgreementParty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party as the agreement names it. Contacts are offices with an address or number, better than names of people.

    `identity_key` (Ed25519, hex) is pinned when a version is proposed; null for who has not enrolled and does not sign.
    """

    party: PartyId
    name: str
    kind: PartyKind
    roles: tuple[AgreementRole, ...]
    signatory: str = ""
    steward: str = ""
    security_contact: str = ""
    privacy_contact: str = ""
    identity_key: str | None = None


class Redisclosure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be passed on; the note says to whom and how, in words."""

    rule: RedisclosureRule
    note: str = ""


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When and how data go: `keep_days` after a round's release, and all of them on `destroy_by` at the latest."""

    keep_days: int
    method: str
    destroy_by: date | None = None
