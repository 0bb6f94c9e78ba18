"""An agreement in plain language, and what changed from one version to the next, for people who have to sign it."""

from collections.abc import Iterator
from typing import Final

from isthmus.contract.agreement import Agreement
from isthmus.contract.agreement_terms import AgreementParty, AgreementRole, LegalBasis, RedisclosureRule

BASIS: Final = {
    LegalBasis.SCHOOL_OFFICIAL: "FERPA, school officials (34 CFR 99.31(a)(1)): what the schools' own staff would do",
    LegalBasis.STUDIES: "FERPA, studies (34 CFR 99.31(a)(6)): for a study on behalf of schools, and nothing else",
    LegalBasis.AUDIT_OR_EVALUATION: "FERPA, audit or evaluation (34 CFR 99.31(a)(3), 99.35): of an education programme",
    LegalBasis.CONSENT: "FERPA, written consent (34 CFR 99.30): only of those who consented, or whose parents did",
    LegalBasis.DIRECTORY_INFORMATION: "FERPA, directory information (34 CFR 99.37): only of those who did not opt out",
    LegalBasis.NOT_EDUCATION_RECORDS: "not FERPA: the records are no education records",
}

_ROLES: Final = {
    AgreementRole.PROVIDER: "gives data",
    AgreementRole.ANALYST: "gets released tables",
    AgreementRole.AUDITOR: "looks at the proofs",
}

_PASSING_ON: Final = {
    RedisclosureRule.NONE: "nothing may be passed on to anybody else",
    RedisclosureRule.AGGREGATES_ONLY: "released tables may be passed on, nothing about a person",
    RedisclosureRule.WITH_WRITTEN_CONSENT: "only with written consent",
}

_LEAVES: Final = (
    "no name, date or number in the clear: keyed encodings of rows, and only in rounds of projects",
    "under this agreement, each of which every provider reads and signs by itself",
    "(isthmus-node round show says which fields, isthmus-node round preview what exactly)",
)

_BY_HAND: Final = "people do this: these programs neither destroy data by themselves yet nor watch over the day"

_WIDTH: Final = 11


def agreement_text(agreement: Agreement) -> str:
    """Give the terms as a steward would read them: who, what for, which law, what leaves, until when, what then."""
    retention = agreement.retention
    last = f"; all of them by {retention.destroy_by}" if retention.destroy_by else ""
    after = f"; amends version {agreement.version - 1}" if agreement.previous else ""
    lines = [
        f"agreement {agreement.id}, version {agreement.version}{after}: {agreement.title}",
        *_block("who", *(_party_line(one, lead=one.party == agreement.lead) for one in agreement.parties)),
        *_block("what for", agreement.purpose),
        *_block("whose data", agreement.scope),
        *_block("law", BASIS[agreement.legal_basis], agreement.other_law),
        *_block("consent", agreement.consent_rule),
        *_block("leaves", *_LEAVES),
        *_block("time", f"from {agreement.effective} to {agreement.expires}, both days included", agreement.frequency),
        *_block("passing on", _PASSING_ON[agreement.redisclosure.rule], agreement.redisclosure.note),
        *_block("publishing", _publishing(agreement.publication_review_days)),
        *_block("afterwards", f"data of a round are destroyed {retention.keep_days} days after its release{last}"),
        *_block("", f"how: {retention.method}", _BY_HAND),
        *_block("breach", f"the others are told within {agreement.breach_notice_hours} hours"),
        *_block("paper", f"SHA-256 {agreement.pdf_sha256}" if agreement.pdf_sha256 else "none is bound to it"),
        *_block("hash", agreement.digest().hex()),
    ]
    return "\n".join(lines) + "\n"


def agreement_changes(old: Agreement, new: Agreement) -> tuple[str, ...]:
    """Give what is different in the new version, each a sentence; nothing where only its place in the chain is."""
    changed = [
        _change(name, before, after) for name, before in _terms(old).items() if before != (after := _terms(new)[name])
    ]
    return (*changed, *_party_changes(old, new))


def _block(name: str, *texts: str) -> Iterator[str]:
    """Give the texts that are not empty, the first with the name before it."""
    for text in filter(None, texts):
        yield f"  {name:{_WIDTH}}{text}"
        name = ""


def _party_line(party: AgreementParty, *, lead: bool) -> str:
    does = ", ".join(_ROLES[role] for role in party.roles) + (", leads" if lead else "")
    return f"{party.party}: {party.name} ({party.kind.value}), {does}"


def _publishing(days: int) -> str:
    return f"the parties have {days} days to look at a text before it is published" if days else "without a review"


def _terms(agreement: Agreement) -> dict[str, str]:
    """Give every term but the parties as a line of text, by the words that people know it by."""
    retention, redisclosure = agreement.retention, agreement.redisclosure
    return {
        "title": agreement.title,
        "purpose": agreement.purpose,
        "scope": agreement.scope,
        "legal basis": agreement.legal_basis.value,
        "other law": agreement.other_law,
        "consent rule": agreement.consent_rule,
        "first day": str(agreement.effective),
        "last day": str(agreement.expires),
        "frequency": agreement.frequency,
        "passing on": redisclosure.rule.value,
        "note on passing on": redisclosure.note,
        "days to review a publication": str(agreement.publication_review_days),
        "hours until a breach is told": str(agreement.breach_notice_hours),
        "days that data are kept after a release": str(retention.keep_days),
        "day by which all data are destroyed": str(retention.destroy_by or ""),
        "method of destruction": retention.method,
        "signed paper": agreement.pdf_sha256 or "",
        "lead": agreement.lead,
    }


def _change(name: str, before: str, after: str) -> str:
    if not before:
        return f"the {name} is new: {after}"
    return f"the {name} was: {before}; it is now: {after}" if after else f"the {name} is gone; it was: {before}"


def _party_changes(old: Agreement, new: Agreement) -> Iterator[str]:
    before, after = ({one.party: one for one in each.parties} for each in (old, new))
    for party in before:
        if party not in after:
            yield f"{party} is no longer a party"
    for party, named in after.items():
        if party not in before:
            yield f"{_party_line(named, lead=False)} is a new party"
            continue
        earlier = before[party]
        for key in ("name", "kind", "roles", "signatory", "steward", "security_contact", "privacy_contact"):
            was, now = (_shown(getattr(one, key)) for one in (earlier, named))
            if was != now:
                yield _change(f"{key.replace('_', ' ')} of {party}", was, now)
        if earlier.identity_key != named.identity_key:
            yield f"{party} has another identity key: ask {party}, not over the coordinator, whether that is so"


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
