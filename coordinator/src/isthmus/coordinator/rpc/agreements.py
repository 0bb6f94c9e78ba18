"""The calls of ProviderService that are about agreements."""

from collections.abc import Iterator, Mapping

from isthmus.contract.canonical import HASH_BYTES, check_length
from isthmus.contract.convert_agreement import summary_to_wire, version_to_wire
from isthmus.contract.ids import parse_agreement_id
from isthmus.coordinator.actions import agreements
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.rpc.adapter import Call
from isthmus.v1 import provider_pb2 as pb


class AgreementCalls:
    """Those calls over one coordinator's context."""

    def __init__(self, context: Context) -> None:
        """Act in that context."""
        self._context = context

    def table(self) -> Mapping[str, Call]:
        """Give this part of the service's table."""
        return {
            "ListAgreements": self._list_agreements,
            "GetAgreement": self._get_agreement,
            "ProposeAgreement": self._propose_agreement,
            "SignAgreement": self._sign_agreement,
            "DeclineAgreement": self._decline_agreement,
            "WithdrawFromAgreement": self._withdraw_from_agreement,
        }

    def _list_agreements(self, actor: Actor, _request: pb.ListAgreementsRequest) -> pb.ListAgreementsResponse:
        found = agreements.list_agreements(self._context, actor)
        return pb.ListAgreementsResponse(agreements=[summary_to_wire(one) for one in found])

    def _get_agreement(self, actor: Actor, request: pb.GetAgreementRequest) -> Iterator[pb.GetAgreementResponse]:
        agreement = parse_agreement_id(request.agreement_id)
        found = agreements.get_agreement(self._context, actor, agreement=agreement)
        return (version_to_wire(one) for one in found)

    def _propose_agreement(self, actor: Actor, request: pb.ProposeAgreementRequest) -> pb.ProposeAgreementResponse:
        found = agreements.propose_agreement(self._context, actor, text=request.agreement_file)
        return pb.ProposeAgreementResponse(agreement=summary_to_wire(found))

    def _sign_agreement(self, actor: Actor, request: pb.SignAgreementRequest) -> pb.SignAgreementResponse:
        digest = check_length(request.digest, HASH_BYTES, "digest")
        found = agreements.sign_agreement(self._context, actor, digest=digest, signature=request.signature)
        return pb.SignAgreementResponse(agreement=summary_to_wire(found))

    def _decline_agreement(self, actor: Actor, request: pb.DeclineAgreementRequest) -> pb.DeclineAgreementResponse:
        digest = check_length(request.digest, HASH_BYTES, "digest")
        found = agreements.decline_agreement(self._context, actor, digest=digest, reason=request.reason)
        return pb.DeclineAgreementResponse(agreement=summary_to_wire(found))

    def _withdraw_from_agreement(
        self, actor: Actor, request: pb.WithdrawFromAgreementRequest
    ) -> pb.WithdrawFromAgreementResponse:
        found = agreements.withdraw_from_agreement(
            self._context, actor, document=request.withdrawal, signature=request.signature
        )
        return pb.WithdrawFromAgreementResponse(agreement=summary_to_wire(found))
