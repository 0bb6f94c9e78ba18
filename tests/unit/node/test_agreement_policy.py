"""What a node refuses because its agreements do not allow it, by its own memory and clock, whatever it is told."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from unit.node.parts import AGREEMENT, COLLEGE, CONFIG, KEYS, RIVERSIDE, STUDENTS, TODAY, manifest, project

from isthmus.contract.agreement import Agreement, withdrawal_of
from isthmus.contract.agreement_terms import AgreementRole, LegalBasis
from isthmus.contract.ids import PartyId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import ProviderTerms
from isthmus.node.agreement_policy import check_agreement
from isthmus.node.config import NodeConfig
from isthmus.node.consent_settings import ConsentRule
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.kept_agreements import KeptAgreements
from isthmus.node.vault import open_vault

AT = "2026-01-15T12:00:00Z"
MANIFEST = manifest()
STUDENT = ConsentRule(column="Consent", include_if=("Y",))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptAgreements]:
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        vault.agreements.save_signed(AGREEMENT, at=AT)
        yield vault.agreements


def check(
    terms: RoundManifest, kept: KeptAgreements, *, day: date = TODAY, fresh: bool = True, config: NodeConfig = CONFIG
) -> None:
    check_agreement(terms, party=RIVERSIDE, config=config, kept=kept, day=day, fresh=fresh)


def problem(terms: RoundManifest, kept: KeptAgreements, **how: Any) -> str:
    with pytest.raises(RefusedByPolicy) as refused:
        check(terms, kept, **how)
    return refused.value.problem


def under(kept: KeptAgreements, **changes: Any) -> RoundManifest:
    """Give a round under other terms, which all signed, this node too."""
    other: Agreement = msgspec.structs.replace(AGREEMENT, **changes)
    kept.save_signed(other, at=AT)
    return manifest(agreement=other)


def test_round_under_the_agreement_that_was_signed_here_is_taken_part_in(kept: KeptAgreements) -> None:
    check(MANIFEST, kept)
    check(MANIFEST, kept, fresh=False)


def test_agreement_that_this_node_did_not_sign_is_refused_though_everybody_signed_it(kept: KeptAgreements) -> None:
    unknown = manifest(agreement=msgspec.structs.replace(AGREEMENT, breach_notice_hours=720))

    assert "was not signed at this node" in problem(unknown, kept)


def test_agreement_that_was_only_shown_here_is_refused(kept: KeptAgreements) -> None:
    other = msgspec.structs.replace(AGREEMENT, breach_notice_hours=720)
    kept.save_shown(other, at=AT)

    assert "was not signed at this node" in problem(manifest(agreement=other), kept)


def test_signature_of_another_that_does_not_hold_is_refused(kept: KeptAgreements) -> None:
    forged = MANIFEST.agreement_signatures | {COLLEGE: "00" * 64}

    found = problem(msgspec.structs.replace(MANIFEST, agreement_signatures=forged), kept)

    assert found == "the signature of college on its agreement does not hold"


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (AGREEMENT.effective - timedelta(days=1), "counts from 2025-01-15 on"),
        (AGREEMENT.effective, None),
        (AGREEMENT.expires, None),
        (AGREEMENT.expires + timedelta(days=1), "expired on 2027-01-15"),
    ],
)
@pytest.mark.parametrize("fresh", [True, False])
def test_days_count_by_the_nodes_own_clock_in_rounds_under_way_too(
    kept: KeptAgreements, day: date, said: str | None, fresh: bool
) -> None:
    if said is None:
        check(MANIFEST, kept, day=day, fresh=fresh)
    else:
        assert said in problem(MANIFEST, kept, day=day, fresh=fresh)


def test_party_that_the_agreement_does_not_name_in_its_role_is_refused(kept: KeptAgreements) -> None:
    riverside, college, research = AGREEMENT.parties
    other = (riverside, college, msgspec.structs.replace(research, roles=(AgreementRole.AUDITOR,)))
    named = msgspec.structs.replace(
        under(kept, parties=other), project=project(analysts=(PartyId("research"), PartyId("stranger")))
    )

    assert "does not name research, stranger as analyst" in problem(named, kept)


def test_member_with_another_key_than_it_signed_the_agreement_with_is_refused(kept: KeptAgreements) -> None:
    swapped = msgspec.structs.replace(MANIFEST.members[1], identity_key="ab" * 32)

    found = problem(msgspec.structs.replace(MANIFEST, members=(MANIFEST.members[0], swapped)), kept)

    assert "signed with another key of college" in found


def test_number_that_can_never_be_directory_information_is_refused(kept: KeptAgreements) -> None:
    terms = under(kept, legal_basis=LegalBasis.DIRECTORY_INFORMATION)

    assert "ssn of college can never be directory information" in problem(terms, kept)
    without = tuple(
        ProviderTerms(party=party, dataset="students", fields=("first_name", "last_name", "dob")) for party in KEYS
    )
    check(msgspec.structs.replace(terms, project=project(providers=without)), kept)


def test_consent_needs_a_rule_that_asks_for_it_at_the_node(kept: KeptAgreements) -> None:
    terms = under(kept, legal_basis=LegalBasis.CONSENT, consent_rule="Signed forms.")
    opt_out = ConsentRule(column="OptOut", exclude_if=("Y",))
    asking = msgspec.structs.replace(STUDENTS, consent=(STUDENT,))

    for dataset in (STUDENTS, msgspec.structs.replace(STUDENTS, consent=(opt_out,))):
        assert "rests on consent" in problem(terms, kept, config=NodeConfig(datasets={"students": dataset}))
    check(terms, kept, config=NodeConfig(datasets={"students": asking}))


def test_superseded_version_counts_in_no_fresh_round(kept: KeptAgreements) -> None:
    kept.save_in_force(AGREEMENT)
    kept.save_in_force(msgspec.structs.replace(AGREEMENT, title="Amended").placed(before=AGREEMENT))

    assert "version 2 is in force" in problem(MANIFEST, kept)
    check(MANIFEST, kept, fresh=False)


def test_party_that_left_is_in_no_fresh_round_from_the_day_on(kept: KeptAgreements) -> None:
    kept.save_withdrawal(withdrawal_of(AGREEMENT, RIVERSIDE, reason="Our board left.", effective=TODAY))

    assert "left its agreement from 2026-01-15 on" in problem(MANIFEST, kept)
    check(MANIFEST, kept, day=TODAY - timedelta(days=1))
    check(MANIFEST, kept, fresh=False)


def test_all_that_the_agreement_does_not_allow_is_named_at_once(tmp_path: Path) -> None:
    with closing(open_vault(tmp_path / "other.sqlite")) as vault:
        found = problem(MANIFEST, vault.agreements, day=date(2030, 1, 1))

    assert found.count(";") == 1
