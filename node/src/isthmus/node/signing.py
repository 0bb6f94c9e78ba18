"""Agreeing to a round: this node's own checks first, then its memory, then its signature."""

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.ids import RoundId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.views import RoundView
from isthmus.node.agree import check_epoch
from isthmus.node.agreement_policy import check_agreement
from isthmus.node.client import Client
from isthmus.node.errors import NeedsConsent, RefusedByPolicy
from isthmus.node.node import Node
from isthmus.node.policy import check_manifest
from isthmus.node.verified import check_same_keys, load_verified


def require_shown(node: Node, round_id: RoundId, data: bytes) -> None:
    """Return only if a person here was shown these very terms.

    Raises:
        NeedsConsent: nobody was shown any terms of the round.
        RefusedByPolicy: the coordinator now gives other terms than it gave then.
    """
    shown = node.vault.shown_manifest(round_id)
    if shown is None:
        raise NeedsConsent(round_id=round_id)
    if shown != data:
        raise RefusedByPolicy(round_id=round_id, problem="its terms changed after they were shown here")


def check_terms(node: Node, manifest: RoundManifest, *, fresh: bool) -> None:
    """Return only if this node's settings and its agreements allow the round; raise `RefusedByPolicy` otherwise.

    `fresh` as in `check_agreement`.
    """
    check_manifest(manifest, identity=node.identity, config=node.config)
    check_agreement(
        manifest,
        party=node.identity.party,
        config=node.config,
        kept=node.vault.agreements,
        day=node.clock.now().date(),
        fresh=fresh,
    )


def sign_manifest(node: Node, client: Client, manifest: RoundManifest, data: bytes) -> RoundView:
    """Agree to a round: check it against this node's policy, remember it, and sign its bytes.

    Raises:
        RefusedByPolicy: this node may not take part, or members' keys are not what they were; nothing is signed.
    """
    check_terms(node, manifest, fresh=node.vault.signed_manifest(manifest.round_id) != data)
    check_same_keys(manifest, load_verified(node.folder))
    check_epoch(node, manifest)
    node.vault.agreements.save_in_force(manifest.agreement)
    node.vault.save_signed(manifest.round_id, data)
    signature = sign(node.identity.signing_key, Label.ROUND_MANIFEST, data)
    return client.sign_round(manifest.round_id, manifest_hash=sha256(data), signature=signature)
