"""What one party may see of another's things, as values: the far side of `convert`."""

from dataclasses import dataclass
from datetime import datetime

from isthmus.contract.ids import ProjectId, RoundId, TableId
from isthmus.contract.round_state import RoundState


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One party for whom a round waits (`party`, or "coordinator"), and what it has to do, as a sentence."""

    party: str
    needs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundView:
    """A round as its members see it.

    In MATCHING `pairs_done` and `pairs_total` count record pairs compared, `pairs_a_second` is their pace. In COMPARING
    they count answers that are stored, of all that providers are asked for: two a pair. 0 in other states.
    """

    round_id: RoundId
    project_id: ProjectId
    state: RoundState
    manifest_hash: bytes
    waiting_for: tuple[Waiting, ...]
    updated_at: datetime
    pairs_done: int = 0
    pairs_total: int = 0
    pairs_a_second: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A released table's name and origin, without its cells."""

    table_id: TableId
    project_id: ProjectId
    round_id: RoundId
    title: str
    released_at: datetime
