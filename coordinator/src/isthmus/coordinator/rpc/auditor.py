"""AuditorService: logs, manifests and signatures of the projects that name the caller as an auditor."""

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.contract.convert import round_to_wire
from isthmus.contract.ids import parse_project_id, parse_round_id
from isthmus.coordinator.actions import auditing
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.rpc.adapter import Call
from isthmus.coordinator.rpc.log_end import known_end
from isthmus.v1 import auditor_pb2 as pb
from isthmus.v1 import common_pb2


class AuditorCalls:
    """The calls of AuditorService over one coordinator's context."""

    def __init__(self, context: Context, signing_key: Ed25519PrivateKey) -> None:
        """Act in that context; checkpoints are signed with that key."""
        self._context = context
        self._signing_key = signing_key

    def table(self) -> Mapping[str, Call]:
        """Give the service's table."""
        return {
            "ListProjects": self._list_projects,
            "ListProjectRounds": self._list_project_rounds,
            "GetProjectRound": self._get_project_round,
            "FetchProjectLog": self._fetch_project_log,
        }

    def _list_projects(self, actor: Actor, _request: pb.ListProjectsRequest) -> pb.ListProjectsResponse:
        found = auditing.list_projects(self._context, actor)
        return pb.ListProjectsResponse(
            projects=[
                pb.AuditedProject(project_id=one.id, project_hash=one.digest, agreement_id=one.agreement)
                for one in found
            ]
        )

    def _list_project_rounds(self, actor: Actor, request: pb.ListProjectRoundsRequest) -> pb.ListProjectRoundsResponse:
        project = parse_project_id(request.project_id)
        views = auditing.list_project_rounds(self._context, actor, project=project)
        return pb.ListProjectRoundsResponse(rounds=[round_to_wire(view) for view in views])

    def _get_project_round(self, actor: Actor, request: pb.GetProjectRoundRequest) -> pb.GetProjectRoundResponse:
        view, manifest, signatures = auditing.get_project_round(
            self._context, actor, round_id=parse_round_id(request.round_id)
        )
        return pb.GetProjectRoundResponse(
            round=round_to_wire(view),
            manifest=manifest,
            signatures=[
                common_pb2.ManifestSignature(party_id=one.party, signature=one.signature) for one in signatures
            ],
        )

    def _fetch_project_log(
        self, actor: Actor, request: pb.FetchProjectLogRequest
    ) -> Iterator[pb.FetchProjectLogResponse]:
        pieces = auditing.fetch_project_log(
            self._context,
            actor,
            project=parse_project_id(request.project_id),
            known=known_end(sequence=request.sequence, head=request.head),
            signing_key=self._signing_key,
        )
        return (
            pb.FetchProjectLogResponse(events=one.events, checkpoint=one.checkpoint, signature=one.signature)
            for one in pieces
        )
