"""This node's part in agreeing on a round's key: give a part, take the others', prove the key, check their proofs.

Every step may be repeated after any interruption: the part is kept before it is sent and the very same bytes are sent
again. The others' parts are kept as they first came whole, so a coordinator that later shows others changes nothing.
The master reaches the disk, and so the encoder, only once every member has proved that it holds the same one.
docs/protocol.md section 4.
"""

from collections.abc import Iterable
from itertools import islice

from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.key_agreement import KeyTerms, confirmation_from_bytes, wraps_from_bytes
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.membership import changed_parties, membership_of
from isthmus.contract.views import RoundView
from isthmus.node.client import Client
from isthmus.node.errors import KeyMissing, RefusedByPolicy
from isthmus.node.keys.agreement import (
    Contribution,
    OwnKeys,
    combine,
    confirmation,
    make_contribution,
    new_secret,
    open_all,
    verify_confirmations,
)
from isthmus.node.keys.errors import ContributionsMissing
from isthmus.node.node import Node
from isthmus.node.vault import Mark
from isthmus.node.verified import check_verified, load_verified
from isthmus.party.errors import SettingsInvalid


def agree(node: Node, client: Client, manifest: RoundManifest, view: RoundView) -> RoundView:
    """Do what a locked round needs of this node: send its part, and once all parts are there, its proof.

    Raises:
        MembersUnverified: a member's fingerprint was not compared here; nothing was sent.
        RefusedByPolicy: this node has agreed on the round's key already, or the epoch or a verified party's keys went
            where they must not; nothing was sent.
        WeakSecret: this machine's randomness is dead; nothing was sent.
        ContributionRefused, OwnKeyDiffers, MemberKeyUnusable: somebody disturbs the agreement; they name whom.
    """
    _check_not_agreed(node, manifest.round_id)
    check_members(node, manifest)
    if all(waiting.party != node.identity.party for waiting in view.waiting_for):
        return view
    terms, own = manifest.key_terms(), own_keys(node)
    mine = _own_part(node, manifest.round_id, terms=terms, own=own)
    view = client.send_key_wraps(manifest.round_id, mine.wraps.to_bytes())
    try:
        parts = _all_parts(node, client, manifest.round_id, mine=mine, terms=terms, own=own)
    except ContributionsMissing:
        return view  # others are not that far; the round says who
    proof = confirmation(combine(parts, terms=terms), contributions=parts, terms=terms, own=own)
    return client.send_key_confirmation(manifest.round_id, proof.to_bytes())


def conclude(node: Node, client: Client, manifest: RoundManifest) -> None:
    """Return only if the round's master is kept here, checked against every member's proof.

    Raises:
        MembersUnverified, RefusedByPolicy: as in `agree`.
        KeyMissing: this node gave no part, so the coordinator went on without it.
        ContributionsMissing, ConfirmationsMissing: the coordinator went on though a member's part or proof is not here.
        ContributionRefused, ContributionsDiffer, ConfirmationRefused: somebody disturbs the agreement; they name whom.
    """
    check_members(node, manifest)
    round_id = manifest.round_id
    if node.keys.has_master(round_id):
        return
    terms, own = manifest.key_terms(), own_keys(node)
    mine = node.keys.contribution(round_id, terms=terms, own=own)
    if mine is None:
        raise KeyMissing(round_id=round_id)
    parts = _all_parts(node, client, round_id, mine=mine, terms=terms, own=own)
    master = combine(parts, terms=terms)
    proofs = [confirmation_from_bytes(one) for one in _bounded(client.fetch_key_confirmations(round_id), terms)]
    verify_confirmations(proofs, master=master, contributions=parts, terms=terms, own=own)
    node.keys.save_master(round_id, master)
    node.vault.drop_key_wraps(round_id)


def check_members(node: Node, manifest: RoundManifest) -> None:
    """Return only if the members' keys are such that this node may agree on a key with them.

    Raises:
        RefusedByPolicy: the project's epoch went back, keys changed within one, or a verified party has others now.
        MembersUnverified: the project wants all members verified, and some are not.
    """
    check_epoch(node, manifest)
    check_verified(manifest, load_verified(node.folder), own=node.identity.party)


def check_epoch(node: Node, manifest: RoundManifest) -> None:
    """Return only if the epoch is the last one that this node saw, with the same keys, or a later one; remember it.

    Raises:
        RefusedByPolicy: it is an earlier one, or the same one with other members or keys.
    """
    now = membership_of(manifest.key_terms())
    seen = node.vault.membership(manifest.project.id)
    if seen is not None and now.epoch < seen.epoch:
        problem = f"its key epoch {now.epoch} is over: this node saw epoch {seen.epoch}; ask the lead for a new round"
        raise RefusedByPolicy(round_id=manifest.round_id, problem=problem)
    if seen is not None and now.epoch == seen.epoch and now != seen:
        names = ", ".join(changed_parties(seen, now))
        problem = f"the keys of {names} changed within key epoch {now.epoch}; ask them, not over the coordinator"
        raise RefusedByPolicy(round_id=manifest.round_id, problem=problem)
    node.vault.save_membership(manifest.project.id, now)


def _check_not_agreed(node: Node, round_id: RoundId) -> None:
    """Return only if this node does not hold, and never held, the round's master: no state leads back to LOCKED.

    A second part would make a second key, under which the coordinator could have the same rows encoded once more.
    """
    if node.keys.has_master(round_id) or node.vault.marked(round_id, Mark.CONFIRMED):
        problem = "it asks for a key once more, though this node has agreed on it; the coordinator went back in time"
        raise RefusedByPolicy(round_id=round_id, problem=problem)


def own_keys(node: Node) -> OwnKeys:
    """Give this node's id and private keys; raise `SettingsInvalid` where it has no agreement key yet."""
    identity = node.identity
    if identity.agreement_key is None:
        problem = "it is not there; ask the coordinator's operator for a token and enrol again"
        raise SettingsInvalid(file="identity/agreement.key", problem=problem)
    return OwnKeys(party=identity.party, signing_key=identity.signing_key, agreement_key=identity.agreement_key)


def _own_part(node: Node, round_id: RoundId, *, terms: KeyTerms, own: OwnKeys) -> Contribution:
    kept = node.keys.contribution(round_id, terms=terms, own=own)
    if kept is not None:
        return kept
    made = make_contribution(new_secret(node.random_bytes), terms=terms, own=own)
    node.keys.save_contribution(round_id, made)
    return made


def _all_parts(
    node: Node, client: Client, round_id: RoundId, *, mine: Contribution, terms: KeyTerms, own: OwnKeys
) -> dict[PartyId, Contribution]:
    kept = node.vault.key_wraps(round_id)
    documents = kept or _bounded(client.fetch_key_wraps(round_id), terms)
    parts = open_all(map(wraps_from_bytes, documents), mine=mine, terms=terms, own=own)
    if not kept:
        node.vault.save_key_wraps(round_id, [parts[party].wraps.to_bytes() for party in terms.parties()])
    return parts


def _bounded(documents: Iterable[bytes], terms: KeyTerms) -> list[bytes]:
    """Take no more than each member's document twice, however much is sent."""
    return list(islice(documents, 2 * len(terms.members)))
