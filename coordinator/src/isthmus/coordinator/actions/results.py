"""Giving results out: to each provider its own map, to analysts the released tables of their projects.

Quality reports go to both: to the members of a round, and to the analysts of its project.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, TypeVar

from isthmus.contract.bands import band
from isthmus.contract.errors import NoQualityReport, NotAMember, NotFound, NotReady
from isthmus.contract.ids import RoundId, TableId
from isthmus.contract.outline import project_analysts
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import TableView
from isthmus.coordinator.actions.access import member_row
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.rounds import round_event
from isthmus.coordinator.disclosure.quality import ReleasedQuality, reopen_quality
from isthmus.coordinator.disclosure.release import ReleasedTable, reopen
from isthmus.coordinator.domain.pseudonyms import ChangeRow, PseudonymRow, unpack_changes, unpack_pseudonyms
from isthmus.coordinator.domain.records import ReleaseRow, RoundRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.store.protocol import Transaction

ROWS_PER_MESSAGE: Final = 10_000

_Row = TypeVar("_Row")


def fetch_pseudonyms(context: Context, actor: Actor, *, round_id: RoundId) -> tuple[int, Iterator[list[PseudonymRow]]]:
    """Give the number of spine slots and the caller's own rows in batches; the fetch is recorded.

    Raises:
        NotAMember: the round is not the caller's.
        NotReady: the round is not released.
    """
    with context.store.begin() as tx:
        row = member_row(tx, actor, round_id)
        result = tx.results.find(round_id, actor.party)
        if row.state is not RoundState.RELEASED or result is None:
            raise NotReady(kind="result of round", id=round_id, waiting_for=_unreleased(row))
        tx.record(round_event(context, row, actor, "result.fetch", f"{band(result.rows)} rows"))
    return result.slot_count, _batches(unpack_pseudonyms(context.blobs.get(result.digest)))


def fetch_id_changes(context: Context, actor: Actor, *, round_id: RoundId) -> Iterator[list[ChangeRow]]:
    """Give the caller's own rows whose ID the round changed, in batches; the fetch is recorded.

    None in a project that is not longitudinal, whose IDs are new in every round.

    Raises:
        NotAMember: the round is not the caller's.
        NotReady: the round is not released.
    """
    with context.store.begin() as tx:
        row = member_row(tx, actor, round_id)
        if row.state is not RoundState.RELEASED:
            raise NotReady(kind="result of round", id=round_id, waiting_for=f"the round is {row.state.value}")
        digest = tx.carried.changes(round_id, actor.party)
        tx.record(round_event(context, row, actor, "result.changes", round_id))
    return _batches(unpack_changes(context.blobs.get(digest) if digest else b""))


def list_tables(context: Context, actor: Actor) -> list[TableView]:
    """Give the released tables of the projects that name the caller as an analyst, newest first."""
    with context.store.read() as tx:
        return [_view(release) for release in tx.results.releases() if _is_analyst(tx, actor, release)]


def fetch_table(context: Context, actor: Actor, *, table_id: TableId) -> tuple[TableView, ReleasedTable]:
    """Give a released table; the fetch is recorded.

    Raises:
        NotAMember: the project does not name the caller as an analyst, or there is no such table.
    """
    refusal = NotAMember(kind="table", id=table_id)
    with context.store.begin() as tx:
        try:
            release = tx.results.release(table_id)
        except NotFound:
            raise refusal from None
        if not _is_analyst(tx, actor, release):
            raise refusal
        row = tx.rounds.get(release.round_id)
        tx.record(round_event(context, row, actor, "table.fetch", table_id))
    return _view(release), reopen(release.document)


def fetch_quality(context: Context, actor: Actor, *, round_id: RoundId) -> ReleasedQuality:
    """Give the quality report of one of the caller's rounds as a provider; the fetch is recorded.

    Raises:
        NotAMember: the round is not the caller's.
        NotReady: the round is not released.
        NoQualityReport: the round has none.
    """
    with context.store.begin() as tx:
        return _quality(context, tx, actor, member_row(tx, actor, round_id))


def fetch_quality_of_project(context: Context, actor: Actor, *, round_id: RoundId) -> ReleasedQuality:
    """Give the quality report of a round of a project that names the caller as an analyst; the fetch is recorded.

    Raises:
        NotAMember: the project does not name the caller as an analyst, or there is no such round.
        NotReady: the round is not released.
        NoQualityReport: the round has none.
    """
    refusal = NotAMember(kind="round", id=round_id)
    with context.store.begin() as tx:
        try:
            row = tx.rounds.get(round_id)
        except NotFound:
            raise refusal from None
        if actor.party not in project_analysts(tx.rounds.project(row.project).document):
            raise refusal
        return _quality(context, tx, actor, row)


def _quality(context: Context, tx: Transaction, actor: Actor, row: RoundRow) -> ReleasedQuality:
    if row.state is not RoundState.RELEASED:
        raise NotReady(kind="quality report of round", id=row.id, waiting_for=_unreleased(row))
    document = tx.results.quality(row.id)
    if document is None:
        raise NoQualityReport(round_id=row.id)
    tx.record(round_event(context, row, actor, "quality.fetch", row.id))
    return reopen_quality(document)


def _unreleased(row: RoundRow) -> str:
    return f"the round is {row.state.value}, and there is nothing to fetch before it is released"


def _is_analyst(tx: Transaction, actor: Actor, release: ReleaseRow) -> bool:
    return actor.party in project_analysts(tx.rounds.project(release.project).document)


def _view(release: ReleaseRow) -> TableView:
    return TableView(
        table_id=release.id,
        project_id=release.project,
        round_id=release.round_id,
        title=release.title,
        released_at=release.released_at,
    )


def _batches(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while batch := list(islice(rows, ROWS_PER_MESSAGE)):
        yield batch
