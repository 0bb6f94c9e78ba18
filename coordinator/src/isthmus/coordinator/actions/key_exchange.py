"""Relaying the key agreement of a locked round: documents go in once and come out as they are.

The coordinator sees who sent what for which round and can open none of it. Whether wraps and confirmations agree with
each other is for the members to judge, who hold what it takes; here only the sender's own words are checked.
docs/protocol.md section 4.
"""

from collections.abc import Iterator, Sequence

from isthmus.contract.errors import NotReady, WrongManifest
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.key_agreement import (
    Confirmation,
    KeyTerms,
    SignedWraps,
    confirmation_from_bytes,
    verify_confirmation,
    verify_wraps,
    wraps_from_bytes,
)
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView
from isthmus.coordinator.actions.access import member_round
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_views import round_view
from isthmus.coordinator.actions.rounds import advance, require_state, round_event
from isthmus.coordinator.domain.records import KeyDocumentRow, RoundRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.store.protocol import Transaction


def send_wraps(context: Context, actor: Actor, *, round_id: RoundId, document: bytes) -> RoundView:
    """Keep a provider's part of the key, sealed to the others. The same again changes nothing.

    Raises:
        NotAMember, RoundStateMismatch: the round is not the caller's, or is not locked.
        MalformedDocument, MalformedMessage, UnsupportedVersion: the document is none.
        WrongManifest: it is another party's, another round's, another epoch's, or not for exactly the other members.
        SignatureInvalid: the caller's identity key did not sign it.
        SubmissionConflict: the caller sent another one before.
    """
    wraps = wraps_from_bytes(document)
    with context.store.begin() as tx:
        row, terms = _locked_round(tx, actor, round_id, known=_documents(tx.keys.wraps(round_id)), document=document)
        if row.state is RoundState.LOCKED:
            _check_wraps(wraps, terms=terms, party=actor.party, round_id=round_id)
            sent = KeyDocumentRow(round_id=round_id, party=actor.party, document=document)
            tx.keys.add_wraps(sent, audit=round_event(context, row, actor, "round.wrap", wraps.digest().hex()))
        return round_view(context, tx, row)


def send_confirmation(context: Context, actor: Actor, *, round_id: RoundId, document: bytes) -> RoundView:
    """Keep a provider's confirmation; the last one opens the preflight. The same again changes nothing.

    Raises:
        NotAMember, RoundStateMismatch: the round is not the caller's, or is not locked.
        MalformedDocument, MalformedMessage, UnsupportedVersion: the document is none.
        WrongManifest: it is another party's, another round's or epoch's, or not about exactly the members.
        NotReady: not every member's part is here yet.
        SignatureInvalid: the caller's identity key did not sign it.
        SubmissionConflict: the caller sent another one before.
    """
    confirmation = confirmation_from_bytes(document)
    with context.store.begin() as tx:
        known = _documents(tx.keys.confirmations(round_id))
        row, terms = _locked_round(tx, actor, round_id, known=known, document=document)
        if row.state is RoundState.LOCKED:
            _check_confirmation(tx, confirmation, terms=terms, party=actor.party, round_id=round_id)
            sent = KeyDocumentRow(round_id=round_id, party=actor.party, document=document)
            event = round_event(context, row, actor, "round.confirm", "holds the round's key")
            tx.keys.add_confirmation(sent, audit=event)
            if len(tx.keys.confirmations(round_id)) == len(terms.members):
                advance(context, tx, row, to=RoundState.PREFLIGHT)
        return round_view(context, tx, tx.rounds.get(round_id))


def fetch_wraps(context: Context, actor: Actor, *, round_id: RoundId) -> Iterator[bytes]:
    """Give the documents that members sent so far, one a member; raise `NotAMember`."""
    with context.store.read() as tx:
        member_round(tx, actor, round_id)
        return iter([one.document for one in tx.keys.wraps(round_id)])


def fetch_confirmations(context: Context, actor: Actor, *, round_id: RoundId) -> Iterator[bytes]:
    """Give the confirmations that members sent so far, one a member; raise `NotAMember`."""
    with context.store.read() as tx:
        member_round(tx, actor, round_id)
        return iter([one.document for one in tx.keys.confirmations(round_id)])


def _documents(rows: Sequence[KeyDocumentRow]) -> dict[PartyId, bytes]:
    return {row.party: row.document for row in rows}


def _locked_round(
    tx: Transaction, actor: Actor, round_id: RoundId, *, known: dict[PartyId, bytes], document: bytes
) -> tuple[RoundRow, KeyTerms]:
    """Give the round if it is locked, or past that and the caller merely repeats itself."""
    row, manifest = member_round(tx, actor, round_id)
    if known.get(actor.party) != document:
        require_state(row, RoundState.LOCKED)
    return row, manifest.key_terms()


def _check_wraps(wraps: SignedWraps, *, terms: KeyTerms, party: PartyId, round_id: RoundId) -> None:
    _check_place(wraps, wraps.sender, terms=terms, party=party, round_id=round_id)
    if tuple(wrap.recipient for wrap in wraps.wraps) != terms.others(party):
        raise WrongManifest(round_id=round_id, problem="the key contribution is not for exactly the other members")
    verify_wraps(wraps, _identity_key(terms, party))


def _check_confirmation(
    tx: Transaction, confirmation: Confirmation, *, terms: KeyTerms, party: PartyId, round_id: RoundId
) -> None:
    _check_place(confirmation, confirmation.party, terms=terms, party=party, round_id=round_id)
    if tuple(seen.sender for seen in confirmation.seen) != terms.parties():
        raise WrongManifest(round_id=round_id, problem="the key confirmation is not about exactly the members")
    verify_confirmation(confirmation, _identity_key(terms, party))
    if len(tx.keys.wraps(round_id)) < len(terms.members):
        raise NotReady(kind="key of round", id=round_id, waiting_for="not every member has sent its part")


def _check_place(
    document: SignedWraps | Confirmation, said: str, *, terms: KeyTerms, party: PartyId, round_id: RoundId
) -> None:
    if said != party:
        raise WrongManifest(round_id=round_id, problem="the document names another party than its sender")
    if document.agreement != terms.agreement.hex() or document.epoch != terms.epoch:
        raise WrongManifest(round_id=round_id, problem="the document is for another round, manifest or epoch")


def _identity_key(terms: KeyTerms, party: PartyId) -> bytes:
    member = terms.member(party)
    return member.identity_key if member else b""
