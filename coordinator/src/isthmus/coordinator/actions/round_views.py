"""How a round looks from outside: its state, whom it waits for, and how far it is."""

from collections.abc import Collection

from isthmus.contract.field_answers import answers_per_chunk
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.manifest import manifest_from_bytes
from isthmus.contract.outline import manifest_outline
from isthmus.contract.project import Project
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView, Waiting
from isthmus.coordinator.actions.context import Compared, Context
from isthmus.coordinator.domain.records import ComparisonRow, RoundRow
from isthmus.coordinator.domain.waiting import waiting_for, waiting_for_cancel, waiting_for_key
from isthmus.coordinator.store.protocol import Transaction


def round_view(context: Context, tx: Transaction, row: RoundRow) -> RoundView:
    """Give a round as members see it, with whom it waits for; one that another version made waits to be cancelled."""
    compared = _compared(context, tx, row)
    return RoundView(
        round_id=row.id,
        project_id=row.project,
        state=row.state,
        manifest_hash=row.manifest_hash,
        waiting_for=_waiting(tx, row),
        updated_at=row.updated_at,
        pairs_done=compared.done,
        pairs_total=compared.total,
        pairs_a_second=compared.pairs_a_second,
    )


def _waiting(tx: Transaction, row: RoundRow) -> tuple[Waiting, ...]:
    outline = manifest_outline(row.manifest)
    if not outline.is_current:
        return waiting_for_cancel(row.state)
    providers = outline.parties()
    if row.state is RoundState.LOCKED:
        return waiting_for_key(
            providers=providers,
            contributed={one.party for one in tx.keys.wraps(row.id)},
            confirmed={one.party for one in tx.keys.confirmations(row.id)},
            require_verified=outline.project.require_verified,
        )
    return waiting_for(row.state, providers=providers, done=_done(tx, row))


def _done(tx: Transaction, row: RoundRow) -> Collection[PartyId]:
    if row.state is RoundState.PROPOSED:
        return signers(tx, row.id)
    if row.state is RoundState.PREFLIGHT:
        return {preflight.party for preflight in tx.rounds.preflights(row.id)}
    if row.state is RoundState.COLLECTING:
        return {one.party for one in tx.submissions.of_round(row.id) if one.receipt is not None}
    if row.state is RoundState.COMPARING:
        closed = {(one.party, one.other) for one in tx.answers.of_round(row.id) if one.complete}
        asked = {side for one in tx.comparisons.of_round(row.id) for side in one.sides()}
        return {party for party, _ in asked} - {party for party, _ in asked - closed}
    return ()


def _compared(context: Context, tx: Transaction, row: RoundRow) -> Compared:
    """Give how many record pairs are compared; while nodes answer, how many answers of how many are stored."""
    if row.state is not RoundState.COMPARING or not manifest_outline(row.manifest).is_current:
        return context.progress.of(row.id)
    project, asked = manifest_from_bytes(row.manifest).project, tx.comparisons.of_round(row.id)
    done = sum(_answered(tx, project, one, side) for one in asked for side in one.sides())
    return Compared(done=done, total=2 * sum(one.pairs for one in asked))


def _answered(tx: Transaction, project: Project, asked: ComparisonRow, side: tuple[PartyId, PartyId]) -> int:
    full = answers_per_chunk(project.comparison_of(*side).answer_bytes)
    return min(asked.pairs, full * tx.answers.chunk_count(asked.round_id, *side))


def signers(tx: Transaction, round_id: RoundId) -> set[PartyId]:
    return {signature.party for signature in tx.rounds.signatures(round_id)}
