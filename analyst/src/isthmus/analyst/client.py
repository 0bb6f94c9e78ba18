"""A typed client for analysts, who may fetch released tables and quality reports; no other call is open to that role.

from isthmus.analyst import connect

with connect("analyst") as analyst:
    for view in analyst.list_tables():
        print(analyst.fetch_table(view.table_id).to_text())
        print(analyst.fetch_quality(view.round_id).pairs)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isthmus.analyst.table import Table, table_from_bytes
from isthmus.contract.clock import SystemClock
from isthmus.contract.convert import table_from_wire
from isthmus.contract.ids import RoundId, TableId
from isthmus.contract.quality import QualityReport, quality_of_round
from isthmus.contract.views import TableView
from isthmus.party.dial import CALL_TIMEOUT_S, errors_from, open_channel
from isthmus.party.identity import load_identity
from isthmus.v1 import analyst_pb2 as pb
from isthmus.v1 import analyst_pb2_grpc


class Analyst:
    """An open connection. Every call raises the typed errors of `isthmus.contract.errors`."""

    def __init__(self, stub: analyst_pb2_grpc.AnalystServiceStub, address: str) -> None:
        """Call through that stub."""
        self._stub = stub
        self._address = address

    def list_tables(self) -> list[TableView]:
        """Give the released tables of the projects that name this analyst, newest first."""
        with errors_from(self._address):
            response = self._stub.ListTables(pb.ListTablesRequest(), timeout=CALL_TIMEOUT_S)
        return [table_from_wire(one) for one in response.tables]

    def fetch_table(self, table_id: TableId) -> Table:
        """Give one released table; raise `NotAMember` where it is not of this analyst's projects."""
        with errors_from(self._address):
            response = self._stub.FetchTable(pb.FetchTableRequest(table_id=table_id), timeout=CALL_TIMEOUT_S)
        return table_from_bytes(response.table)

    def fetch_quality(self, round_id: RoundId) -> QualityReport:
        """Give the quality report of a released round.

        Raises:
            NotAMember: the round is not of this analyst's projects.
            NoQualityReport: it compared no fields.
        """
        request = pb.FetchRoundQualityRequest(round_id=round_id)
        with errors_from(self._address):
            response = self._stub.FetchRoundQuality(request, timeout=CALL_TIMEOUT_S)
        return quality_of_round(response.report, round_id)


@contextmanager
def connect(folder: str | Path = "isthmus-analyst") -> Iterator[Analyst]:
    """Connect with the identity in an analyst's folder, which `isthmus enrol` made."""
    identity = load_identity(Path(folder) / "identity", now=SystemClock().now())
    with open_channel(identity) as channel:
        yield Analyst(analyst_pb2_grpc.AnalystServiceStub(channel), identity.service_address)
