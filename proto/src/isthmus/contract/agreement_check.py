"""What makes an agreement unlawful here, whoever signs it: what is malformed, and what its legal basis does not allow.

The conditions by basis are those of FERPA's regulations (34 CFR 99.30 to 99.37), as far as a program can see them; what
a lawyer would ask for beyond is in `isthmus.contract.agreement_advice`. docs/protocol.md section 16.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final

from isthmus.contract.agreement_terms import AgreementParty, AgreementRole, LegalBasis, RedisclosureRule
from isthmus.contract.errors import MalformedMessage
from isthmus.contract.ids import parse_agreement_id, parse_party_id
from isthmus.contract.text import is_plain_line

if TYPE_CHECKING:  # it imports this module
    from isthmus.contract.agreement import Agreement

MOST_PARTIES: Final = 400
LONGEST_TEXT: Final = 2000
LONGEST_CONTACT: Final = 200
LONGEST_REASON: Final = 1000
MOST_KEEP_DAYS: Final = 3650
MOST_REVIEW_DAYS: Final = 365
MOST_BREACH_HOURS: Final = 720

WRITTEN_AGREEMENT: Final = frozenset({LegalBasis.STUDIES, LegalBasis.AUDIT_OR_EVALUATION})
"""The bases for which the regulations prescribe what the written agreement says (99.31(a)(6)(iii)(C), 99.35(a)(3))."""

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_TEXTS: Final = ("title", "purpose")
_OTHER_TEXTS: Final = ("scope", "other_law", "consent_rule", "frequency")
_CONTACTS: Final = ("signatory", "steward", "security_contact", "privacy_contact")


def agreement_problems(agreement: "Agreement") -> Iterator[str]:
    """Say all that is wrong with it; nothing where all is well."""
    yield from _id_problems(agreement)
    yield from _chain_problems(agreement)
    yield from _text_problems(agreement)
    yield from _number_problems(agreement)
    yield from _party_problems(agreement)
    yield from _basis_problems(agreement)


def _id_problems(agreement: "Agreement") -> Iterator[str]:
    try:
        parse_agreement_id(agreement.id)
    except MalformedMessage as exc:
        yield f"its id is {exc.problem}"
    for party in {agreement.lead, *(one.party for one in agreement.parties)}:
        try:
            parse_party_id(party)
        except MalformedMessage as exc:
            yield f"a party's id is {exc.problem}"


def _chain_problems(agreement: "Agreement") -> Iterator[str]:
    if not 1 <= agreement.version < 2**31:
        yield "its version is not a number from 1"
    elif (agreement.previous is None) != (agreement.version == 1):
        yield "a first version has no previous one, and every other has"
    hashes = (agreement.previous, agreement.pdf_sha256, *(one.identity_key for one in agreement.parties))
    if any(one is not None and _HASH.fullmatch(one) is None for one in hashes):
        yield "previous, pdf_sha256 and every identity_key have to be 64 hex digits, or left out"


def _text_problems(agreement: "Agreement") -> Iterator[str]:
    for name in _TEXTS:
        if not is_plain_line(getattr(agreement, name), LONGEST_TEXT):
            yield f"its {name} is not one printable line of 1 to {LONGEST_TEXT} characters"
    if not is_plain_line(agreement.retention.method, LONGEST_TEXT):
        yield f"its retention.method is not one printable line of 1 to {LONGEST_TEXT} characters"
    others = {name: getattr(agreement, name) for name in _OTHER_TEXTS} | {
        "redisclosure.note": agreement.redisclosure.note
    }
    for name, text in others.items():
        if text and not is_plain_line(text, LONGEST_TEXT):
            yield f"its {name} is not one printable line of at most {LONGEST_TEXT} characters"


def _number_problems(agreement: "Agreement") -> Iterator[str]:
    if agreement.expires <= agreement.effective:
        yield "it expires before it begins: expires has to be a later day than effective"
    destroy_by = agreement.retention.destroy_by
    if destroy_by is not None and destroy_by < agreement.effective:
        yield "its retention.destroy_by is before effective"
    if not 0 <= agreement.retention.keep_days <= MOST_KEEP_DAYS:
        yield f"its retention.keep_days is not between 0 and {MOST_KEEP_DAYS}"
    if not 0 <= agreement.publication_review_days <= MOST_REVIEW_DAYS:
        yield f"its publication_review_days is not between 0 and {MOST_REVIEW_DAYS}"
    if not 1 <= agreement.breach_notice_hours <= MOST_BREACH_HOURS:
        yield f"its breach_notice_hours is not between 1 and {MOST_BREACH_HOURS}"


def _party_problems(agreement: "Agreement") -> Iterator[str]:
    names = [one.party for one in agreement.parties]
    if len(names) > MOST_PARTIES:
        yield f"it names more than {MOST_PARTIES} parties"
        return
    if len(set(names)) != len(names):
        yield "a party is listed twice"
    if len(agreement.signers()) < 2:
        yield "it needs two parties at least whose roles include provider"
    if agreement.lead not in agreement.signers():
        yield "its lead is not one of the parties whose roles include provider"
    keys = [one.identity_key for one in agreement.parties if one.identity_key is not None]
    if len(set(keys)) != len(keys):
        yield "two of its parties have the same identity key"
    yield from chain.from_iterable(_one_party(one) for one in agreement.parties)


def _one_party(party: AgreementParty) -> Iterator[str]:
    name = party.party[:40]
    if not party.roles or len(set(party.roles)) != len(party.roles):
        yield f"the roles of {name} are not one or several of {', '.join(AgreementRole)}, each once"
    if not is_plain_line(party.name, LONGEST_CONTACT):
        yield f"the name of {name} is not one printable line of 1 to {LONGEST_CONTACT} characters"
    for key in _CONTACTS:
        text = getattr(party, key)
        if text and not is_plain_line(text, LONGEST_CONTACT):
            yield f"the {key} of {name} is not one printable line of at most {LONGEST_CONTACT} characters"


def _basis_problems(agreement: "Agreement") -> Iterator[str]:
    basis = agreement.legal_basis
    if basis in WRITTEN_AGREEMENT:
        if not agreement.scope:
            yield f"under {basis.value} it needs a scope: whose records and which information, in words"
        if agreement.retention.destroy_by is None:
            yield f"under {basis.value} it needs retention.destroy_by: the day by which all data are destroyed"
    if basis is LegalBasis.CONSENT and not agreement.consent_rule:
        yield "under consent it needs a consent_rule: who consents, how that is recorded, and how it is taken back"
    if basis is LegalBasis.NOT_EDUCATION_RECORDS and not agreement.other_law:
        yield "where FERPA does not apply, other_law has to say which law does"
    redisclosure = agreement.redisclosure
    if redisclosure.rule is RedisclosureRule.WITH_WRITTEN_CONSENT and not redisclosure.note:
        yield "its redisclosure needs a note: whose written consent it takes, and where that is kept"
