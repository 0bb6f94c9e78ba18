"""What a lawyer would ask for and an agreement does not say: no reason to refuse it, but one to read it again.

Source: the guidance of the US Department of Education on written agreements (34 CFR 99.31(a)(6)(iii)(C) and
99.35(a)(3)), 20 CFR 603.9 to 603.10 on unemployment-insurance records, 45 CFR 164 on health records.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from isthmus.contract.agreement import Agreement
from isthmus.contract.agreement_check import WRITTEN_AGREEMENT
from isthmus.contract.agreement_terms import AgreementRole, LegalBasis, RedisclosureRule
from isthmus.contract.parties import PartyKind

LONG: Final = timedelta(days=5 * 366)
LONG_AFTER: Final = timedelta(days=366)
LONG_KEPT_DAYS: Final = 365
LATE_NOTICE_HOURS: Final = 72
FEW_WORDS: Final = 6
"""A purpose, a scope or a method of fewer words says little."""

_AUTHORITIES: Final = frozenset({PartyKind.STATE_AGENCY, PartyKind.DISTRICT})

_CONTACTS: Final = {
    "signatory": ("who signs for it", "nobody can tell later whether the person had the authority to bind it"),
    "steward": ("its data steward", "rounds wait for a person who reads and signs them, and nobody is named for it"),
    "security_contact": ("whom to call after an incident", "the hours of the breach notice run before the right desk"),
    "privacy_contact": ("whom parents and adults may ask", "requests to look, to correct and to opt out need a desk"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One thing: what is missing, why it matters, and what to write in the agreement file."""

    missing: str
    why: str
    write: str

    def __str__(self) -> str:
        """Give it as one sentence for each, in three lines."""
        return f"{self.missing}\n    why    {self.why}\n    write  {self.write}"


def agreement_advice(agreement: Agreement) -> tuple[Advice, ...]:
    """Give all that is missing, the weightier first; nothing where a careful reader would have no question."""
    return (
        *_purpose_advice(agreement),
        *_basis_advice(agreement),
        *_law_advice(agreement),
        *_time_advice(agreement),
        *_sharing_advice(agreement),
        *_contact_advice(agreement),
    )


def _purpose_advice(agreement: Agreement) -> Iterator[Advice]:
    if len(agreement.purpose.split()) < FEW_WORDS:
        yield Advice(
            missing="the purpose is only a few words",
            why="use for anything but the purpose is a breach, so its words decide what is allowed",
            write="purpose: which question is to be answered, for whom, and what will be done with the answer",
        )
    if len(agreement.scope.split()) < FEW_WORDS:
        yield Advice(
            missing="the scope does not say whose records and which information",
            why="the regulations ask for the information to be specified, and each party should disclose the least",
            write="scope: which people, which school years, which columns; the project files then name them exactly",
        )


def _basis_advice(agreement: Agreement) -> Iterator[Advice]:
    basis = agreement.legal_basis
    kinds = {one.kind for one in agreement.parties}
    if basis is LegalBasis.AUDIT_OR_EVALUATION and not kinds & _AUTHORITIES:
        yield Advice(
            missing="no party is a state agency or a district",
            why="the basis audit-or-evaluation is open to education authorities and their authorised representatives",
            write="parties: name the authority, and in scope whom it designates as its authorised representative",
        )
    if basis is LegalBasis.SCHOOL_OFFICIAL and "control" not in agreement.scope.lower():
        yield Advice(
            missing="nothing says that the data are used under the schools' direct control",
            why="a school official outside the school needs that, and to be named in the yearly notice of rights",
            write="scope: what the schools direct and can look into, and that their notice covers it",
        )
    if basis is LegalBasis.DIRECTORY_INFORMATION and not agreement.consent_rule:
        yield Advice(
            missing="nothing says how opt-outs from directory information are honoured",
            why="whoever opted out must not be in the data, and every provider has to leave them out at its node",
            write="consent_rule: from which column the opt-out is read, as in the node's settings of consent",
        )
    if basis in WRITTEN_AGREEMENT and AgreementRole.AUDITOR not in {r for one in agreement.parties for r in one.roles}:
        yield Advice(
            missing="no party has the role auditor",
            why="the regulations let the disclosing party look at how the data are protected; somebody has to do it",
            write='parties: a party with roles = ["auditor"], or say in scope who audits and how often',
        )


def _law_advice(agreement: Agreement) -> Iterator[Advice]:
    kinds = {one.kind for one in agreement.parties}
    if PartyKind.WORKFORCE in kinds and not agreement.other_law:
        yield Advice(
            missing="a workforce agency is a party, and the law on its wage records is not named",
            why="wage records of unemployment insurance are confidential by 20 CFR 603, which asks for more terms",
            write="other_law: the provision of 20 CFR 603 and of state law under which it discloses, and their terms",
        )
    if PartyKind.HUMAN_SERVICES in kinds and not agreement.other_law:
        yield Advice(
            missing="a human-services agency is a party, and the law on its records is not named",
            why="health, child-welfare and benefit records have laws of their own, some stricter than FERPA",
            write="other_law: which apply (such as HIPAA, 45 CFR 164, or state law) and what they ask for",
        )
    if agreement.pdf_sha256 is None:
        yield Advice(
            missing="no signed paper is bound to it",
            why="keys sign for organisations, but an analyst or an auditor does not sign here, and courts read paper",
            write="pdf_sha256: the SHA-256 of the signed PDF (sha256sum agreement.pdf)",
        )


def _time_advice(agreement: Agreement) -> Iterator[Advice]:
    retention = agreement.retention
    if agreement.expires - agreement.effective > LONG:
        yield Advice(
            missing="it runs for more than five years without being read again",
            why="people and systems change; a term that nobody reviews is what auditors find first",
            write="expires: an earlier day; an amendment can move it when the parties have looked at it again",
        )
    if retention.destroy_by is None:
        yield Advice(
            missing="no day is set by which all data are destroyed",
            why="without retention.destroy_by only keep_days after each release ends the keeping of data",
            write="retention.destroy_by: a day soon after expires",
        )
    elif retention.destroy_by - agreement.expires > LONG_AFTER:
        yield Advice(
            missing="data may be kept for more than a year after the agreement expires",
            why="nothing says what they would be used for in that time",
            write="retention.destroy_by: an earlier day",
        )
    if retention.keep_days > LONG_KEPT_DAYS:
        yield Advice(
            missing="encodings are kept for more than a year after each release",
            why="an encoding is pseudonymous personal data; whoever steals it can attack it at leisure",
            write="retention.keep_days: as many days as it takes to look at the result, such as 30",
        )
    if len(retention.method.split()) < FEW_WORDS:
        yield Advice(
            missing="the method of destruction is only a few words",
            why="a certificate of destruction says that the method was followed, so the method has to be one",
            write="retention.method: what is overwritten or deleted, by whom, backups included, and who certifies it",
        )


def _sharing_advice(agreement: Agreement) -> Iterator[Advice]:
    if not agreement.frequency:
        yield Advice(
            missing="how often data are linked is not said",
            why="a party that expects one round may not expect the tenth",
            write='frequency: such as "once", "every year in November" or "every quarter"',
        )
    if agreement.publication_review_days == 0 and agreement.in_role(AgreementRole.ANALYST):
        yield Advice(
            missing="the parties have no time to look at results before they are published",
            why="a provider sees first what a table says about its own schools, and may see a small group in it",
            write="publication_review_days: such as 30",
        )
    if agreement.redisclosure.rule is RedisclosureRule.AGGREGATES_ONLY and not agreement.redisclosure.note:
        yield Advice(
            missing="nothing says to whom released tables may go",
            why="a table that is safe by itself may not be beside another one that somebody else publishes",
            write="redisclosure.note: to whom, and that each source is named",
        )
    if agreement.breach_notice_hours > LATE_NOTICE_HOURS:
        yield Advice(
            missing=f"a breach need not be told within {LATE_NOTICE_HOURS} hours",
            why="state laws set shorter times for telling those concerned, and a provider cannot keep them then",
            write="breach_notice_hours: 24 to 72",
        )


def _contact_advice(agreement: Agreement) -> Iterator[Advice]:
    for key, (what, why) in _CONTACTS.items():
        lacking = [
            one.party for one in agreement.parties if AgreementRole.PROVIDER in one.roles and not getattr(one, key)
        ]
        if lacking:
            yield Advice(
                missing=f"for {', '.join(lacking)} it does not say {what}",
                why=why,
                write=f"parties.{key}: an office with an address or a number, rather than a person's name",
            )
