"""AnalystService: released tables and quality reports.

What leaves here are the bytes of a `ReleasedTable` or of a `ReleasedQuality`, and nothing else.
"""

from collections.abc import Mapping

from isthmus.contract.convert import table_to_wire
from isthmus.contract.ids import parse_round_id, parse_table_id
from isthmus.contract.views import TableView
from isthmus.coordinator.actions import results
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.disclosure.release import ReleasedTable
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.rpc.adapter import Call
from isthmus.v1 import analyst_pb2 as pb


class AnalystCalls:
    """The calls of AnalystService over one coordinator's context."""

    def __init__(self, context: Context) -> None:
        """Act in that context."""
        self._context = context

    def table(self) -> Mapping[str, Call]:
        """Give the service's table."""
        return {
            "ListTables": self._list_tables,
            "FetchTable": self._fetch_table,
            "FetchRoundQuality": self._fetch_round_quality,
        }

    def _list_tables(self, actor: Actor, _request: pb.ListTablesRequest) -> pb.ListTablesResponse:
        views = results.list_tables(self._context, actor)
        return pb.ListTablesResponse(tables=[table_to_wire(view) for view in views])

    def _fetch_table(self, actor: Actor, request: pb.FetchTableRequest) -> pb.FetchTableResponse:
        view, table = results.fetch_table(self._context, actor, table_id=parse_table_id(request.table_id))
        return _table_response(view, table)

    def _fetch_round_quality(self, actor: Actor, request: pb.FetchRoundQualityRequest) -> pb.FetchRoundQualityResponse:
        round_id = parse_round_id(request.round_id)
        quality = results.fetch_quality_of_project(self._context, actor, round_id=round_id)
        return pb.FetchRoundQualityResponse(report=quality.to_bytes())


def _table_response(view: TableView, table: ReleasedTable) -> pb.FetchTableResponse:
    """Give a released table's message; no other type of table has a way onto the wire."""
    return pb.FetchTableResponse(summary=table_to_wire(view), table=table.to_bytes())
