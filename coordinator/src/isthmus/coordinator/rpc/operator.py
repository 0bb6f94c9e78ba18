"""OperatorService: parties, tokens, projects and rounds. Gives no pseudonym, encoding or table."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from isthmus.contract.convert import (
    kind_from_wire,
    kind_to_wire,
    role_from_wire,
    role_to_wire,
    round_to_wire,
    time_to_wire,
)
from isthmus.contract.convert_agreement import summary_to_wire
from isthmus.contract.ids import parse_party_id, parse_project_id, parse_round_id
from isthmus.coordinator.actions import agreements, enrolment, rounds
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.enrolment import Doors
from isthmus.coordinator.authority import Authority
from isthmus.coordinator.domain.records import PartyRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.rpc.adapter import Call
from isthmus.party.token import token_text
from isthmus.v1 import operator_pb2 as pb


class OperatorCalls:
    """The calls of OperatorService over one coordinator's context."""

    def __init__(self, context: Context, *, authority: Authority, doors: Doors, signing_key: Ed25519PrivateKey) -> None:
        """Act in that context; tokens carry the authority's root and the doors."""
        self._context = context
        self._authority = authority
        self._doors = doors
        self._coordinator_key = signing_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def table(self) -> Mapping[str, Call]:
        """Give the service's table."""
        return {
            "AddParty": self._add_party,
            "ListParties": self._list_parties,
            "MintToken": self._mint_token,
            "RevokeParty": self._revoke_party,
            "AddAgreement": self._add_agreement,
            "ListAllAgreements": self._list_all_agreements,
            "AddProject": self._add_project,
            "ProposeRound": self._propose_round,
            "ListAllRounds": self._list_all_rounds,
            "CancelRound": self._cancel_round,
            "RetryRound": self._retry_round,
        }

    def _add_party(self, actor: Actor, request: pb.AddPartyRequest) -> pb.AddPartyResponse:
        row = enrolment.add_party(
            self._context,
            actor,
            party=parse_party_id(request.party_id),
            name=request.name,
            kind=kind_from_wire(request.kind),
            role=role_from_wire(request.role),
        )
        return pb.AddPartyResponse(party=_party_to_wire(row))

    def _list_parties(self, _actor: Actor, _request: pb.ListPartiesRequest) -> pb.ListPartiesResponse:
        rows = enrolment.list_parties(self._context)
        return pb.ListPartiesResponse(parties=[_party_to_wire(row) for row in rows])

    def _mint_token(self, actor: Actor, request: pb.MintTokenRequest) -> pb.MintTokenResponse:
        token, expires_at = enrolment.mint_token(
            self._context,
            actor,
            party=parse_party_id(request.party_id),
            authority=self._authority,
            doors=self._doors,
        )
        return pb.MintTokenResponse(token=token_text(token), expires_at=time_to_wire(expires_at))

    def _revoke_party(self, actor: Actor, request: pb.RevokePartyRequest) -> pb.RevokePartyResponse:
        count = enrolment.revoke_party(self._context, actor, party=parse_party_id(request.party_id))
        return pb.RevokePartyResponse(certificates=count)

    def _add_agreement(self, actor: Actor, request: pb.AddAgreementRequest) -> pb.AddAgreementResponse:
        found = agreements.propose_agreement(self._context, actor, text=request.agreement_file)
        return pb.AddAgreementResponse(agreement=summary_to_wire(found))

    def _list_all_agreements(self, actor: Actor, _request: pb.ListAllAgreementsRequest) -> pb.ListAllAgreementsResponse:
        found = agreements.list_agreements(self._context, actor)
        return pb.ListAllAgreementsResponse(agreements=[summary_to_wire(one) for one in found])

    def _add_project(self, actor: Actor, request: pb.AddProjectRequest) -> pb.AddProjectResponse:
        row = rounds.add_project(self._context, actor, text=request.project_file)
        return pb.AddProjectResponse(project_id=row.id, project_hash=row.digest)

    def _propose_round(self, actor: Actor, request: pb.ProposeRoundRequest) -> pb.ProposeRoundResponse:
        view = rounds.propose_round(
            self._context,
            actor,
            project_id=parse_project_id(request.project_id),
            coordinator_key=self._coordinator_key,
        )
        return pb.ProposeRoundResponse(round=round_to_wire(view))

    def _list_all_rounds(self, _actor: Actor, _request: pb.ListAllRoundsRequest) -> pb.ListAllRoundsResponse:
        views = rounds.list_all_rounds(self._context)
        return pb.ListAllRoundsResponse(rounds=[round_to_wire(view) for view in views])

    def _cancel_round(self, actor: Actor, request: pb.CancelRoundRequest) -> pb.CancelRoundResponse:
        view = rounds.cancel_round(self._context, actor, round_id=parse_round_id(request.round_id))
        return pb.CancelRoundResponse(round=round_to_wire(view))

    def _retry_round(self, actor: Actor, request: pb.RetryRoundRequest) -> pb.RetryRoundResponse:
        view = rounds.retry_round(self._context, actor, round_id=parse_round_id(request.round_id))
        return pb.RetryRoundResponse(round=round_to_wire(view))


def _party_to_wire(row: PartyRow) -> pb.Party:
    return pb.Party(
        party_id=row.id,
        name=row.name,
        kind=kind_to_wire(row.kind),
        role=role_to_wire(row.role),
        identity_key=row.identity_key or b"",
    )
