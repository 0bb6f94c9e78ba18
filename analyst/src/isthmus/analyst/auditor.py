"""A typed client for auditors, who may look at logs, manifests and signatures; no other call is open to that role.

from isthmus.analyst.auditor import connect_auditor

with connect_auditor("auditor") as auditor:
    for project in auditor.list_projects():
        print(auditor.fetch_log(project).end)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from isthmus.contract.audit_log import EMPTY, Head, Link, check_chain
from isthmus.contract.canonical import SIGNATURE_BYTES, check_length
from isthmus.contract.checkpoint import read_checkpoint
from isthmus.contract.clock import SystemClock
from isthmus.contract.convert import round_from_wire
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId, ProjectId, RoundId, parse_party_id, parse_project_id
from isthmus.contract.manifest import RoundManifest, manifest_from_bytes
from isthmus.contract.views import RoundView
from isthmus.party.dial import CALL_TIMEOUT_S, errors_from, open_channel
from isthmus.party.identity import load_identity
from isthmus.v1 import auditor_pb2 as pb
from isthmus.v1 import auditor_pb2_grpc

LOG_TIMEOUT_S = 600.0
"""How long a whole log may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedManifest:
    """A round's manifest, read and as canonical bytes, and the signatures on it (64 bytes) by party, unchecked."""

    manifest: RoundManifest
    document: bytes
    signatures: dict[PartyId, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedLog:
    """A log that follows from what was known, event by event, and whose end the coordinator signed.

    `checkpoint` and `signature` are empty where nothing happened since.
    """

    links: Sequence[Link]
    end: Head
    checkpoint: bytes = b""
    signature: bytes = b""


class Auditor:
    """An open connection. Every call raises the typed errors of `isthmus.contract.errors`."""

    def __init__(self, stub: auditor_pb2_grpc.AuditorServiceStub, address: str, *, coordinator_key: bytes) -> None:
        """Call through that stub; checkpoints have to be signed with that key."""
        self._stub = stub
        self._address = address
        self.coordinator_key = coordinator_key

    def list_projects(self) -> list[ProjectId]:
        """Give the projects whose agreement names this auditor."""
        with errors_from(self._address):
            response = self._stub.ListProjects(pb.ListProjectsRequest(), timeout=CALL_TIMEOUT_S)
        return [parse_project_id(one.project_id) for one in response.projects]

    def list_rounds(self, project: ProjectId) -> list[RoundView]:
        """Give a project's rounds, the latest change first; raise `NotAMember` where it does not name this auditor."""
        request = pb.ListProjectRoundsRequest(project_id=project)
        with errors_from(self._address):
            response = self._stub.ListProjectRounds(request, timeout=CALL_TIMEOUT_S)
        return [round_from_wire(one) for one in response.rounds]

    def get_manifest(self, round_id: RoundId) -> SignedManifest:
        """Give what was signed for a round, and the signatures; raise `NotAMember`."""
        with errors_from(self._address):
            response = self._stub.GetProjectRound(pb.GetProjectRoundRequest(round_id=round_id), timeout=CALL_TIMEOUT_S)
        return SignedManifest(
            manifest=manifest_from_bytes(response.manifest),
            document=response.manifest,
            signatures={
                parse_party_id(one.party_id): check_length(one.signature, SIGNATURE_BYTES, "signature")
                for one in response.signatures
            },
        )

    def fetch_log(self, project: ProjectId, known: Head = EMPTY) -> AuditedLog:
        """Give what happened in a project after what is known, checked to follow from it.

        Raises:
            NotAMember: the project's agreement does not name this auditor.
            MalformedDocument: an event does not follow from the one before it, or the log has another end than the
                coordinator signed; then the coordinator shows another history than it did before.
            SignatureInvalid: the coordinator did not sign the end.
        """
        request = pb.FetchProjectLogRequest(project_id=project, sequence=known.sequence, head=known.hash)
        events: list[bytes] = []
        checkpoint = signature = b""
        with errors_from(self._address):
            for response in self._stub.FetchProjectLog(request, timeout=LOG_TIMEOUT_S):
                events += response.events
                checkpoint, signature = response.checkpoint, response.signature
        if not events and not checkpoint:
            return AuditedLog(links=(), end=known)
        stated = read_checkpoint(checkpoint, signature, scope=project, coordinator_key=self.coordinator_key).end()
        links = list(check_chain(events, scope=project, head=known))
        if stated != (links[-1].head if links else known):
            problem = f"it ends at event {stated.sequence}, which is not the end of what it should continue"
            raise MalformedDocument(document=f"log of {project}", problem=problem)
        return AuditedLog(links=links, end=stated, checkpoint=checkpoint, signature=signature)


@contextmanager
def connect_auditor(folder: str | Path = "isthmus-analyst") -> Iterator[Auditor]:
    """Connect with the identity in an auditor's folder, which `isthmus enrol` made."""
    identity = load_identity(Path(folder) / "identity", now=SystemClock().now())
    with open_channel(identity) as channel:
        stub = auditor_pb2_grpc.AuditorServiceStub(channel)
        yield Auditor(stub, identity.service_address, coordinator_key=identity.coordinator_key)
