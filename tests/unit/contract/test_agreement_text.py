"""What people read of an agreement: its terms, what changed, and what a lawyer would miss."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from isthmus_local.agreement_file import agreement_file

from isthmus.contract.agreement import Agreement, agreement_from_toml
from isthmus.contract.agreement_advice import agreement_advice
from isthmus.contract.agreement_terms import AgreementRole, LegalBasis, Redisclosure, RedisclosureRule
from isthmus.contract.agreement_text import BASIS, agreement_changes, agreement_text
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import PartyKind

START = date(2026, 1, 1)
LAWFUL = agreement_from_toml(
    agreement_file("school-work", providers=["riverside", "college"], analysts=["research"], effective=START)
)
AUDITED = msgspec.structs.replace(
    LAWFUL,
    pdf_sha256="ab" * 32,
    parties=(
        *LAWFUL.parties,
        msgspec.structs.replace(LAWFUL.parties[-1], party=PartyId("office"), roles=(AgreementRole.AUDITOR,)),
    ),
)


def changed(base: Agreement = LAWFUL, **changes: Any) -> Agreement:
    return msgspec.structs.replace(base, **changes)


def with_party(number: int, **changes: Any) -> Agreement:
    parties = list(LAWFUL.parties)
    parties[number] = msgspec.structs.replace(parties[number], **changes)
    return changed(parties=tuple(parties))


def missing(agreement: Agreement) -> str:
    return "\n".join(one.missing for one in agreement_advice(agreement))


def test_text_says_who_what_for_under_which_law_until_when_and_what_then() -> None:
    said = agreement_text(LAWFUL)

    for part in (
        "riverside: Riverside (district), gives data, leads",
        "research: Research (analyst), gets released tables",
        LAWFUL.purpose,
        LAWFUL.scope,
        BASIS[LegalBasis.STUDIES],
        "from 2026-01-01 to 2028-01-01",
        "keyed encodings of rows",
        "destroyed 30 days after its release; all of them by 2028-02-01",
        "within 48 hours",
        LAWFUL.digest().hex(),
    ):
        assert part in said


@pytest.mark.parametrize("basis", LegalBasis)
def test_every_basis_has_words(basis: LegalBasis) -> None:
    assert BASIS[basis] in agreement_text(changed(legal_basis=basis))


def test_version_says_what_it_amends() -> None:
    assert "version 2; amends version 1" in agreement_text(LAWFUL.placed(before=LAWFUL))


def test_place_in_the_chain_alone_is_no_change() -> None:
    assert agreement_changes(LAWFUL, LAWFUL.placed(before=LAWFUL)) == ()


CHANGES: dict[str, tuple[Agreement, str]] = {
    "text": (changed(purpose="Something else."), "the purpose was: Describe"),
    "new text": (changed(consent_rule="Forms."), "the consent rule is new: Forms."),
    "text gone": (changed(frequency=""), "the frequency is gone"),
    "day": (changed(expires=START + timedelta(days=90)), "the last day was: 2028-01-01; it is now: 2026-04-01"),
    "number": (changed(breach_notice_hours=24), "breach is told was: 48; it is now: 24"),
    "party gone": (changed(parties=LAWFUL.parties[:2]), "research is no longer a party"),
    "new party": (changed(parties=AUDITED.parties), "office: Research (analyst), looks at the proofs is a new party"),
    "contact": (with_party(1, steward="Registrar"), "the steward of college was: Data office of college"),
    "roles": (with_party(0, roles=(AgreementRole.PROVIDER, AgreementRole.AUDITOR)), "provider, auditor"),
    "key": (with_party(1, identity_key="ab" * 32), "college has another identity key"),
}


@pytest.mark.parametrize(("new", "said"), CHANGES.values(), ids=CHANGES)
def test_each_change_is_said_once_and_alone(new: Agreement, said: str) -> None:
    found = agreement_changes(LAWFUL, new)

    assert len(found) == 1
    assert said in found[0]


def test_every_key_of_an_agreement_shows_as_a_change() -> None:
    """A term that could change without being said would be signed unseen."""
    others: dict[str, Any] = {
        "title": "x", "purpose": "x", "scope": "x", "other_law": "x", "consent_rule": "x", "frequency": "x",
        "legal_basis": LegalBasis.CONSENT, "effective": START + timedelta(days=1), "expires": START + timedelta(days=9),
        "redisclosure": Redisclosure(rule=RedisclosureRule.NONE, note=LAWFUL.redisclosure.note),
        "retention": msgspec.structs.replace(LAWFUL.retention, keep_days=1),
        "publication_review_days": 1, "breach_notice_hours": 1, "pdf_sha256": "ab" * 32, "lead": PartyId("college"),
        "parties": LAWFUL.parties[:2],
    }  # fmt: skip
    assert set(others) | {"format", "id", "version", "previous"} == {*LAWFUL.__struct_fields__}

    for key, value in others.items():
        assert len(agreement_changes(LAWFUL, changed(**{key: value}))) == 1, key


def test_careful_agreement_gets_no_advice() -> None:
    assert agreement_advice(AUDITED) == ()


ADVICE: dict[str, tuple[Agreement, str]] = {
    "purpose": (changed(AUDITED, purpose="Research."), "purpose is only a few words"),
    "scope": (changed(AUDITED, scope="All."), "whose records"),
    "authority": (
        changed(
            AUDITED,
            legal_basis=LegalBasis.AUDIT_OR_EVALUATION,
            parties=tuple(msgspec.structs.replace(one, kind=PartyKind.COLLEGE) for one in AUDITED.parties),
        ),
        "no party is a state agency or a district",
    ),
    "control": (changed(AUDITED, legal_basis=LegalBasis.SCHOOL_OFFICIAL), "direct control"),
    "directory": (changed(AUDITED, legal_basis=LegalBasis.DIRECTORY_INFORMATION), "opt-outs from directory"),
    "auditor": (changed(AUDITED, parties=LAWFUL.parties), "no party has the role auditor"),
    "wages": (
        changed(
            AUDITED,
            other_law="",
            parties=(msgspec.structs.replace(AUDITED.parties[0], kind=PartyKind.WORKFORCE), *AUDITED.parties[1:]),
        ),
        "workforce agency",
    ),
    "services": (
        changed(
            AUDITED,
            other_law="",
            parties=(msgspec.structs.replace(AUDITED.parties[0], kind=PartyKind.HUMAN_SERVICES), *AUDITED.parties[1:]),
        ),
        "human-services agency",
    ),
    "paper": (changed(AUDITED, pdf_sha256=None), "no signed paper"),
    "long": (
        changed(AUDITED, expires=START + timedelta(days=365 * 6), retention=msgspec.structs.replace(
            AUDITED.retention, destroy_by=START + timedelta(days=365 * 6))),
        "more than five years",
    ),
    "no last day": (
        changed(AUDITED, legal_basis=LegalBasis.CONSENT, consent_rule="Forms.", retention=msgspec.structs.replace(
            AUDITED.retention, destroy_by=None)),
        "no day is set",
    ),
    "late last day": (
        changed(AUDITED, retention=msgspec.structs.replace(AUDITED.retention, destroy_by=date(2030, 1, 1))),
        "more than a year after",
    ),
    "kept long": (
        changed(AUDITED, retention=msgspec.structs.replace(AUDITED.retention, keep_days=400)),
        "kept for more than a year",
    ),
    "method": (
        changed(AUDITED, retention=msgspec.structs.replace(AUDITED.retention, method="Deleted.")),
        "method of destruction",
    ),
    "frequency": (changed(AUDITED, frequency=""), "how often"),
    "review": (changed(AUDITED, publication_review_days=0), "no time to look"),
    "to whom": (
        changed(AUDITED, redisclosure=Redisclosure(rule=RedisclosureRule.AGGREGATES_ONLY)),
        "to whom released tables",
    ),
    "breach": (changed(AUDITED, breach_notice_hours=100), "within 72 hours"),
    "contact": (
        changed(
            AUDITED,
            parties=(msgspec.structs.replace(AUDITED.parties[0], security_contact=""), *AUDITED.parties[1:]),
        ),
        "for riverside it does not say whom to call",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("agreement", "said"), ADVICE.values(), ids=ADVICE)
def test_what_is_missing_is_said_with_why_and_what_to_write(agreement: Agreement, said: str) -> None:
    (advice,) = agreement_advice(agreement)

    assert said in advice.missing
    assert advice.why
    assert advice.write
    assert str(advice).startswith(advice.missing)
