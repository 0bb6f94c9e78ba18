"""Agreeing to a round: this node's own checks first, then its memory, then its signature."""

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.project import RoundManifest
from isthmus.contract.views import RoundView
from isthmus.node.client import Client
from isthmus.node.node import Node
from isthmus.node.policy import check_manifest


def sign_manifest(node: Node, client: Client, manifest: RoundManifest, data: bytes) -> RoundView:
    """Agree to a round: check it against this node's policy, remember it, and sign its bytes.

    Raises:
        RefusedByPolicy: this node may not take part; nothing is signed.
    """
    check_manifest(manifest, identity=node.identity, config=node.config)
    node.vault.save_signed(manifest.round_id, data)
    signature = sign(node.identity.signing_key, Label.ROUND_MANIFEST, data)
    return client.sign_round(manifest.round_id, manifest_hash=sha256(data), signature=signature)
