"""Calls to the coordinator that are about agreements, in the node's own words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from isthmus.contract.agreement_views import AgreementSummary, AgreementVersion
from isthmus.contract.canonical import same_bytes, sha256
from isthmus.contract.convert_agreement import summary_from_wire, version_from_wire
from isthmus.contract.errors import MalformedMessage
from isthmus.contract.ids import AgreementId
from isthmus.party.dial import CALL_TIMEOUT_S, errors_from, open_channel
from isthmus.party.identity import Identity
from isthmus.v1 import provider_pb2 as pb
from isthmus.v1 import provider_pb2_grpc


class AgreementClient:
    """An open connection. Every call raises typed errors; `Unreachable` may be tried again."""

    def __init__(self, stub: provider_pb2_grpc.ProviderServiceStub, address: str) -> None:
        """Call through that stub."""
        self._stub = stub
        self._address = address

    def list(self) -> Sequence[AgreementSummary]:
        """Give where every version of this party's agreements stands."""
        with errors_from(self._address):
            response = self._stub.ListAgreements(pb.ListAgreementsRequest(), timeout=CALL_TIMEOUT_S)
        return [summary_from_wire(one) for one in response.agreements]

    def get(self, agreement: AgreementId) -> Sequence[AgreementVersion]:
        """Give all versions of an agreement, in order; each document is the one that its summary names."""
        request = pb.GetAgreementRequest(agreement_id=agreement)
        with errors_from(self._address):
            found = [version_from_wire(one) for one in self._stub.GetAgreement(request, timeout=CALL_TIMEOUT_S)]
        if not found or not all(same_bytes(sha256(one.document), one.summary.digest) for one in found):
            raise MalformedMessage(field="agreement", problem="not the one that its summary names")
        return found

    def propose(self, text: str) -> AgreementSummary:
        """Put an agreement file to those who have to sign it."""
        request = pb.ProposeAgreementRequest(agreement_file=text)
        with errors_from(self._address):
            return summary_from_wire(self._stub.ProposeAgreement(request, timeout=CALL_TIMEOUT_S).agreement)

    def sign(self, digest: bytes, signature: bytes) -> AgreementSummary:
        """Sign a proposed version."""
        request = pb.SignAgreementRequest(digest=digest, signature=signature)
        with errors_from(self._address):
            return summary_from_wire(self._stub.SignAgreement(request, timeout=CALL_TIMEOUT_S).agreement)

    def decline(self, digest: bytes, *, reason: str) -> AgreementSummary:
        """Refuse a proposed version, which ends it."""
        request = pb.DeclineAgreementRequest(digest=digest, reason=reason)
        with errors_from(self._address):
            return summary_from_wire(self._stub.DeclineAgreement(request, timeout=CALL_TIMEOUT_S).agreement)

    def withdraw(self, document: bytes, signature: bytes) -> AgreementSummary:
        """Leave the version in force."""
        request = pb.WithdrawFromAgreementRequest(withdrawal=document, signature=signature)
        with errors_from(self._address):
            return summary_from_wire(self._stub.WithdrawFromAgreement(request, timeout=CALL_TIMEOUT_S).agreement)


@contextmanager
def connect_agreements(identity: Identity) -> Iterator[AgreementClient]:
    """Open a connection to the coordinator that the party enrolled with."""
    with open_channel(identity) as channel:
        yield AgreementClient(provider_pb2_grpc.ProviderServiceStub(channel), identity.service_address)
