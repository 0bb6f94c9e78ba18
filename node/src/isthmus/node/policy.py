"""What this node refuses, by itself, whatever the coordinator says.

A round is lawful here only if its manifest pins this node's own identity key and the coordinator's, names a data set
that this node has, asks for no field that the data set does not map, and encodes by a profile that this node knows.
Before anything derived from a record is sent, every member's signature on the manifest is checked as well.
"""

from collections.abc import Mapping

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from isthmus.contract.canonical import Label, verify
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.manifest import RoundManifest, manifest_from_bytes
from isthmus.contract.profile import Profile
from isthmus.node.chosen_rows import selection_problems
from isthmus.node.config import NodeConfig
from isthmus.node.errors import RefusedByPolicy
from isthmus.party.identity import Identity


def read_manifest(data: bytes, round_id: RoundId) -> RoundManifest:
    """Read the manifest of a round; raise `RefusedByPolicy` where it is another round's."""
    manifest = manifest_from_bytes(data)
    if manifest.round_id != round_id:
        raise RefusedByPolicy(round_id=round_id, problem="the coordinator sent the manifest of another round")
    return manifest


def check_manifest(manifest: RoundManifest, *, identity: Identity, config: NodeConfig) -> None:
    """Return only if this node may take part; raise `RefusedByPolicy` with all that stands against it."""
    problems = [*_key_problems(manifest, identity), *_profile_problems(manifest, config)]
    problems += _dataset_problems(manifest, identity.party, config)
    if problems:
        raise RefusedByPolicy(round_id=manifest.round_id, problem="; ".join(problems))


def check_signatures(manifest: RoundManifest, data: bytes, signatures: Mapping[PartyId, bytes]) -> None:
    """Return only if every member signed these very bytes with the key that the manifest pins for it.

    Raises:
        RefusedByPolicy: a member's signature is missing.
        SignatureInvalid: a signature does not hold.
    """
    for member in manifest.members:
        if member.party not in signatures:
            problem = f"it goes on without the signature of {member.party}"
            raise RefusedByPolicy(round_id=manifest.round_id, problem=problem)
        verify(bytes.fromhex(member.identity_key), Label.ROUND_MANIFEST, data, signatures[member.party])


def _key_problems(manifest: RoundManifest, identity: Identity) -> list[str]:
    problems = []
    own = identity.signing_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    member = manifest.member(identity.party)
    sealed_to = identity.agreement_key
    agreement = sealed_to.public_key().public_bytes_raw().hex() if sealed_to else None
    if member is None or (member.identity_key, member.agreement_key) != (own, agreement):
        problems.append("it pins other keys for this party than this node's")
    if manifest.coordinator_key != identity.coordinator_key.hex():
        problems.append("it pins another coordinator than the one that this node enrolled with")
    return problems


def _profile_problems(manifest: RoundManifest, config: NodeConfig) -> list[str]:
    profile = manifest.read_profile()
    if profile.digest() != manifest.project.build_profile().digest():
        return ["its profile is not one that this node knows; update the node"]
    if config.encoder != "isthmus" and not isinstance(profile, Profile):
        return [f'its profile {profile.name} needs encoder = "isthmus" in node.toml; clkhash encodes interop-1 only']
    return []


def _dataset_problems(manifest: RoundManifest, party: PartyId, config: NodeConfig) -> list[str]:
    terms = manifest.terms(party)
    if terms is None:
        return ["it asks nothing of this party"]
    dataset = config.datasets.get(terms.dataset)
    if dataset is None:
        return [f"it asks for data set {terms.dataset[:60]}, which node.toml does not have"]
    problems = list(selection_problems(dataset, terms))
    unmapped = [field for field in terms.fields if field not in dataset.columns]
    if unmapped:
        problems.append(f"it asks for fields that {terms.dataset} does not map: {', '.join(unmapped)}")
    return problems
