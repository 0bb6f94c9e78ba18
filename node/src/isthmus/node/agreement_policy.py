"""What this node's agreements allow of a round, by its own memory and its own clock, whatever the coordinator says.

The version that a manifest pins has to be one that this node signed, with everybody's signature, on its days. It has
to name the round's parties in their roles. Where it rests on consent, the data set needs a rule that asks for consent.
docs/protocol.md section 16.
"""

from collections.abc import Iterator
from datetime import date

from isthmus.contract.agreement import Agreement
from isthmus.contract.agreement_terms import LegalBasis
from isthmus.contract.errors import SignatureInvalid
from isthmus.contract.ids import PartyId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project_agreement import round_problems
from isthmus.node.config import NodeConfig
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.kept_agreements import KeptAgreements


def check_agreement(
    manifest: RoundManifest, *, party: PartyId, config: NodeConfig, kept: KeptAgreements, day: date, fresh: bool
) -> None:
    """Return only if the agreement allows the round on that day; raise `RefusedByPolicy` with all that it does not.

    A `fresh` round is one that this node has not signed yet: there, a version that a later one took the place of, or
    that this party left, does not count.
    """
    problems = [
        *_memory_problems(manifest.agreement, kept),
        *_signature_problems(manifest),
        *_day_problems(manifest.agreement, day),
        *round_problems(manifest.project, manifest.members, manifest.agreement),
        *_consent_problems(manifest, party, config),
        *(_fresh_problems(manifest.agreement, kept, day) if fresh else ()),
    ]
    if problems:
        raise RefusedByPolicy(round_id=manifest.round_id, problem="; ".join(problems))


def _memory_problems(agreement: Agreement, kept: KeptAgreements) -> Iterator[str]:
    if not kept.was_signed(agreement.digest()):
        yield (
            f"version {agreement.version} of its agreement {agreement.id} was not signed at this node"
            f" (isthmus-node agreement show {agreement.id}, then sign)"
        )


def _signature_problems(manifest: RoundManifest) -> Iterator[str]:
    for party, signature in manifest.agreement_signatures.items():
        try:
            manifest.agreement.check_signature(party, bytes.fromhex(signature))
        except SignatureInvalid:
            yield f"the signature of {party} on its agreement does not hold"


def _day_problems(agreement: Agreement, day: date) -> Iterator[str]:
    if day < agreement.effective:
        yield f"its agreement counts from {agreement.effective} on"
    if day > agreement.expires:
        yield f"its agreement expired on {agreement.expires}"


def _consent_problems(manifest: RoundManifest, party: PartyId, config: NodeConfig) -> Iterator[str]:
    terms = manifest.terms(party)
    dataset = config.datasets.get(terms.dataset) if terms else None
    if manifest.agreement.legal_basis is not LegalBasis.CONSENT or dataset is None:
        return
    if not any(rule.include_if and not rule.selects for rule in dataset.consent):
        yield (
            "its agreement rests on consent, and the data set has no rule that asks for it: add"
            " [[datasets.NAME.consent]] with include_if to node.toml (docs/guides/consent.md)"
        )


def _fresh_problems(agreement: Agreement, kept: KeptAgreements, day: date) -> Iterator[str]:
    known = kept.in_force(agreement.id)
    if known is not None and known.version > agreement.version:
        yield f"it is under version {agreement.version} of its agreement, and version {known.version} is in force"
    left = kept.withdrawal(agreement.digest())
    if left is not None and left.effective <= day:
        yield f"this party left its agreement from {left.effective} on"
