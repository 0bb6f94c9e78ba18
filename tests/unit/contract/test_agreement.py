"""Agreements: every reason for which one is refused, what each basis asks for, and that nothing changes unseen."""

import json
import runpy
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from isthmus_local.agreement_file import agreement_file

from isthmus.contract.agreement import (
    Agreement,
    agreement_from_bytes,
    agreement_from_toml,
    checked_agreement,
    withdrawal_from_bytes,
    withdrawal_of,
)
from isthmus.contract.agreement_check import MOST_PARTIES
from isthmus.contract.agreement_terms import AgreementParty, AgreementRole, LegalBasis
from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.errors import InvalidAgreement, MalformedDocument, SignatureInvalid, UnsupportedVersion
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import PartyKind

ROOT = Path(__file__).resolve().parents[3]
START = date(2026, 1, 1)
PROVIDERS = ("riverside", "college")
KEYS = {PartyId(name): Ed25519PrivateKey.from_private_bytes(sha256(name.encode())) for name in PROVIDERS}
PUBLIC = {party: key.public_key().public_bytes_raw() for party, key in KEYS.items()}
RIVERSIDE, COLLEGE = KEYS


def text(**changes: Any) -> str:
    return agreement_file("school-work", providers=PROVIDERS, analysts=["research"], effective=START, **changes)


LAWFUL = agreement_from_toml(text())
PINNED = LAWFUL.pinned(PUBLIC)


def changed(**changes: Any) -> Agreement:
    return msgspec.structs.replace(LAWFUL, **changes)


def party(name: str, /, **changes: Any) -> AgreementParty:
    named = AgreementParty(
        party=PartyId(name), name=name.title(), kind=PartyKind.DISTRICT, roles=(AgreementRole.PROVIDER,)
    )
    return msgspec.structs.replace(named, **changes)


def test_agreement_comes_back_from_its_canonical_bytes() -> None:
    assert agreement_from_bytes(PINNED.to_bytes()) == PINNED


def test_days_may_stand_in_the_file_with_quotes_or_without() -> None:
    quoted = text().replace("effective = 2026-01-01", 'effective = "2026-01-01"')
    assert quoted != text()
    assert agreement_from_toml(quoted) == LAWFUL


@given(field=st.sampled_from(["title", "purpose", "scope", "frequency"]), word=st.sampled_from(["x", "y z"]))
def test_another_word_anywhere_makes_another_hash(field: str, word: str) -> None:
    assert changed(**{field: word}).digest() != LAWFUL.digest()


def test_signers_are_the_providers_and_nobody_else() -> None:
    assert LAWFUL.signers() == (RIVERSIDE, COLLEGE)
    assert LAWFUL.in_role(AgreementRole.ANALYST) == ("research",)


def test_both_ends_of_the_term_count() -> None:
    assert LAWFUL.covers(LAWFUL.effective)
    assert LAWFUL.covers(LAWFUL.expires)
    assert not LAWFUL.covers(date(2025, 12, 31))
    assert not LAWFUL.covers(date.fromordinal(LAWFUL.expires.toordinal() + 1))


def test_signature_holds_for_the_very_bytes_and_the_pinned_key() -> None:
    signature = sign(KEYS[RIVERSIDE], Label.AGREEMENT, PINNED.to_bytes())

    PINNED.check_signature(RIVERSIDE, signature)
    for wrong in (COLLEGE, PartyId("research"), PartyId("stranger")):
        with pytest.raises(SignatureInvalid):
            PINNED.check_signature(wrong, signature)
    with pytest.raises(SignatureInvalid):
        msgspec.structs.replace(PINNED, breach_notice_hours=49).check_signature(RIVERSIDE, signature)


def test_signature_on_another_kind_of_document_is_none_on_an_agreement() -> None:
    with pytest.raises(SignatureInvalid):
        PINNED.check_signature(RIVERSIDE, sign(KEYS[RIVERSIDE], Label.ROUND_MANIFEST, PINNED.to_bytes()))


def test_next_version_names_the_hash_of_the_one_before() -> None:
    second = changed(title="More").placed(before=PINNED)

    assert (second.version, second.previous) == (2, PINNED.digest().hex())
    assert second.same_terms(changed(title="More"))
    assert not second.same_terms(LAWFUL)
    assert second.placed(before=None).version == 1


def test_file_of_another_format_is_refused_as_that() -> None:
    with pytest.raises(UnsupportedVersion):
        agreement_from_toml(text().replace("isthmus/agreement/1", "isthmus/agreement/9"))
    with pytest.raises(UnsupportedVersion):
        checked_agreement(changed(format="isthmus/agreement/9"))


@pytest.mark.parametrize(
    ("old", "new"),
    [("purpose = ", "purpos = "), ('legal_basis = "studies"', 'legal_basis = "research"'), ("format = ", "= ")],
)
def test_file_that_is_no_agreement_is_malformed(old: str, new: str) -> None:
    with pytest.raises(MalformedDocument):
        agreement_from_toml(text().replace(old, new))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "id": ({"id": "No Id"}, "its id is"),
    "version zero": ({"version": 0}, "number from 1"),
    "no previous": ({"version": 2}, "previous one"),
    "previous of the first": ({"previous": "ab" * 32}, "previous one"),
    "hash": ({"pdf_sha256": "AB" * 32}, "64 hex digits"),
    "title": ({"title": " "}, "its title"),
    "purpose": ({"purpose": "two\nlines"}, "its purpose"),
    "frequency": ({"frequency": "\u202eonce"}, "its frequency"),
    "days": ({"expires": START}, "expires before"),
    "days of review": ({"publication_review_days": 366}, "publication_review_days"),
    "hours": ({"breach_notice_hours": 0}, "breach_notice_hours"),
    "lead": ({"lead": "research"}, "its lead"),
    "scope of a study": ({"scope": ""}, "needs a scope"),
    "rule of consent": ({"legal_basis": LegalBasis.CONSENT}, "consent_rule"),
    "other law": ({"legal_basis": LegalBasis.NOT_EDUCATION_RECORDS, "other_law": ""}, "other_law"),
    "one provider": ({"parties": (party("riverside"),)}, "two parties"),
    "twice": ({"parties": (party("riverside"), party("riverside"))}, "listed twice"),
    "many": ({"parties": (party("riverside"),) * (MOST_PARTIES + 1)}, "more than 400"),
    "party's id": ({"parties": (party("riverside"), party("A"))}, "party's id"),
    "no role": ({"parties": (party("riverside"), party("college"), party("other", roles=()))}, "roles of other"),
    "name": ({"parties": (party("riverside"), party("college", name=""))}, "name of college"),
    "contact": ({"parties": (party("riverside"), party("college", steward="a\nb"))}, "steward of college"),
    "same key": (
        {"parties": tuple(party(name, identity_key="ab" * 32) for name in PROVIDERS)},
        "same identity key",
    ),
}


@pytest.mark.parametrize(("changes", "problem"), REFUSED.values(), ids=REFUSED)
def test_unlawful_agreement_is_refused_with_the_reason(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidAgreement, match=problem):
        checked_agreement(changed(**changes))


@pytest.mark.parametrize(
    ("keep_days", "destroy_by", "problem"),
    [(-1, START, "keep_days"), (30, date(2025, 12, 31), "before effective"), (30, None, "destroyed")],
)
def test_retention_is_bounded_and_a_study_has_a_last_day(keep_days: int, destroy_by: date | None, problem: str) -> None:
    retention = msgspec.structs.replace(LAWFUL.retention, keep_days=keep_days, destroy_by=destroy_by)

    with pytest.raises(InvalidAgreement, match=problem):
        checked_agreement(changed(retention=retention))


@pytest.mark.parametrize("basis", sorted(set(LegalBasis) - {LegalBasis.STUDIES, LegalBasis.AUDIT_OR_EVALUATION}))
def test_other_bases_need_no_last_day_of_data(basis: LegalBasis) -> None:
    retention = msgspec.structs.replace(LAWFUL.retention, destroy_by=None)

    checked_agreement(changed(legal_basis=basis, retention=retention, consent_rule="Signed forms, kept by schools."))


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(InvalidAgreement, match=r"its title.*its lead"):
        checked_agreement(changed(title="", lead=PartyId("stranger")))


def _verifier() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Describe how pupils", "Describe how people"),
        ("studies", "consent"),
        ('"version": 2', '"version": 3'),
        ("The board", "The bored"),
    ],
)
def test_independent_program_notices_any_change_of_a_vector(old: str, new: str) -> None:
    verifier, path = _verifier(), ROOT / "tests" / "vectors" / "agreement.json"
    verifier["verify_agreement_chain"](json.loads(path.read_text("utf-8")))
    changed_vector = path.read_text("utf-8").replace(old, new, 1)

    with pytest.raises(verifier["Mismatch"]):
        verifier["verify_agreement_chain"](json.loads(changed_vector))


def test_withdrawal_comes_back_from_its_bytes_and_names_the_version() -> None:
    made = withdrawal_of(PINNED, COLLEGE, reason="The board decided so.", effective=START)

    assert withdrawal_from_bytes(made.to_bytes()) == made
    assert made.digest == PINNED.digest().hex()


@pytest.mark.parametrize("reason", ["", "two\nlines", "x" * 1001])
def test_withdrawal_needs_a_reason_of_one_line(reason: str) -> None:
    with pytest.raises(MalformedDocument, match="reason"):
        withdrawal_of(PINNED, COLLEGE, reason=reason, effective=START)
