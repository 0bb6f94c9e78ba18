"""AnalystService: released tables, and nothing else. What leaves here is a `ReleasedTable`'s bytes."""

from collections.abc import Mapping

from isthmus.contract.convert import table_to_wire
from isthmus.contract.ids import parse_table_id
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
        return {"ListTables": self._list_tables, "FetchTable": self._fetch_table}

    def _list_tables(self, actor: Actor, _request: pb.ListTablesRequest) -> pb.ListTablesResponse:
        views = results.list_tables(self._context, actor)
        return pb.ListTablesResponse(tables=[table_to_wire(view) for view in views])

    def _fetch_table(self, actor: Actor, request: pb.FetchTableRequest) -> pb.FetchTableResponse:
        view, table = results.fetch_table(self._context, actor, table_id=parse_table_id(request.table_id))
        return _table_response(view, table)


def _table_response(view: TableView, table: ReleasedTable) -> pb.FetchTableResponse:
    """Give a released table's message; no other type of table has a way onto the wire."""
    return pb.FetchTableResponse(summary=table_to_wire(view), table=table.to_bytes())
