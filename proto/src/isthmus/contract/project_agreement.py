"""What an agreement allows of a round, whoever asks: who may be in it, and what they may bring.

Both ends hold a round to it by themselves. Whether all signed the agreement, and its days, are theirs to check too.
docs/protocol.md section 16.
"""

from collections.abc import Iterator

from isthmus.contract.agreement import Agreement
from isthmus.contract.agreement_terms import AgreementRole, LegalBasis
from isthmus.contract.manifest import Member
from isthmus.contract.project import Project

NO_DIRECTORY_INFORMATION = ("ssn",)
"""Fields that can never be directory information (34 CFR 99.3)."""


def round_problems(project: Project, members: tuple[Member, ...], agreement: Agreement) -> Iterator[str]:
    """Say all for which the agreement does not allow a round of the project with these members."""
    named = {
        AgreementRole.PROVIDER: project.provider_ids(),
        AgreementRole.ANALYST: project.analysts,
    }
    for role, parties in named.items():
        if strangers := [party for party in parties if party not in agreement.in_role(role)]:
            yield f"its agreement does not name {', '.join(strangers)} as {role.value}"
    for member in members:
        party = agreement.party(member.party)
        if party is not None and party.identity_key != member.identity_key:
            yield f"its agreement was signed with another key of {member.party} than the round lists"
    if agreement.legal_basis is LegalBasis.DIRECTORY_INFORMATION:
        for terms in project.providers:
            if never := [field for field in terms.fields if field in NO_DIRECTORY_INFORMATION]:
                yield f"{', '.join(never)} of {terms.party} can never be directory information"
