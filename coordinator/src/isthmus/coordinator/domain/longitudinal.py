"""IDs that last: which entity of a round is who was an entity of an earlier one. docs/protocol.md section 15.

A project that is `longitudinal` has row handles that come back, and the coordinator keeps, for every row that was ever
in a result of it, whose row it was judged to be. This is all arithmetic on arrays, since there may be millions of rows;
tests/properties/test_longitudinal.py holds it to a plain program.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.id_changes import IdChangeReason
from isthmus.contract.ids import HANDLE_BYTES, PartyId, RoundId
from isthmus.coordinator.domain.entities import ENTITY_BYTES, handle_order

_NAMED_BYTES: Final = 2 + HANDLE_BYTES

NEVER: Final = np.uint32(0)
"""In place of a round's number: the row's provider never got the ID."""

_PREFIX: Final = b"isthmus/entity/2"
_YOUNGEST: Final = np.uint32(2**32 - 1)
_ROW: Final = np.dtype([("handle", np.uint8, HANDLE_BYTES), ("entity", np.uint8, ENTITY_BYTES), ("given", "<u4")])

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Rounds = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownRows:
    """Rows of a provider that were in results so far: handles uint8 (n, 16), entities' ids uint8 (n, 32).

    `given`, uint32 (n,), is the number of the round, from 1, in which the provider first got the row's present ID;
    `NEVER` where it did not.
    """

    handles: Bytes
    ids: Bytes
    given: Rounds

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.handles)

    def only(self, kept: Flags) -> "KnownRows":
        """Give those rows alone."""
        return KnownRows(handles=self.handles[kept], ids=self.ids[kept], given=self.given[kept])

    def without(self, struck: frozenset[bytes]) -> "KnownRows":
        """Give the rows but for those with these handles."""
        if not struck:
            return self
        gone = np.frombuffer(b"".join(sorted(struck)), np.uint8).reshape(-1, HANDLE_BYTES)
        return self.only(_places(gone, self.handles) < 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PresentRows:
    """A provider's rows in a round: handles uint8 (n, 16), the cluster of each, int64 (n,), and who gets an ID.

    Clusters, the round's groups of rows that were judged one person, are numbered over all providers from 0 without a
    gap. `shown`, bool (n,), says whose ID the provider gets.
    """

    party: PartyId
    handles: Bytes
    cluster: Numbers
    shown: Flags


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IdChanges:
    """Rows of a provider whose ID is another than the one it got before: handles, ids before and now, and why.

    uint8 of shapes (n, 16), (n, 32), (n, 32); `why` uint8 (n,), values of `IdChangeReason`.
    """

    handles: Bytes
    before: Bytes
    now: Bytes
    why: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryCounts:
    """Of IDs that any provider ever got: how many were `kept`, given up as `merged`, `split`, or are `absent`.

    `fresh` counts the people of this round who get an ID for the first time. A split ID is one that is kept, though not
    by all who had it.
    """

    kept: int
    fresh: int
    merged: int
    split: int
    absent: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carried:
    """The outcome of a round: of each provider the ids of its rows, what changed, and what is known from now on."""

    ids: Mapping[PartyId, Bytes]
    changes: Mapping[PartyId, IdChanges]
    known: Mapping[PartyId, KnownRows]
    counts: CarryCounts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Old:
    """The ids that are known, numbered by rising bytes: uint8 (ids, 32); `of` gives each known row's number.

    `since`, uint32 (ids,), is the first round in which any provider got the id.
    """

    ids: Bytes
    of: Numbers
    since: Rounds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shares:
    """Clusters and old ids that have rows in common: int64 (n,), and how many; best first."""

    cluster: Numbers
    old: Numbers


def carry_over(
    known: Mapping[PartyId, KnownRows], present: Sequence[PresentRows], *, round_id: RoundId, number: int
) -> Carried:
    """Give every cluster of a round an id: the old one that it has most rows of, or else a fresh one.

    Clusters and old ids that share rows are ranked: most shared rows first; then clusters of several providers; then
    the id that was given out first; then the lower id; then the cluster whose first row comes first. Down that list a
    cluster takes an id where neither has been taken. A fresh id is SHA-256 over round and handles, so none comes
    twice. Rows that are known and not in the round stay as they are.

    Args:
        known: of every provider that ever took part.
        present: of every provider of the round.
        round_id: what fresh ids are bound to.
        number: the how manieth round of the project this is, from 1.
    """
    rows = _joined(present)
    before = {one.party: known.get(one.party, no_rows()) for one in present}
    old = _old_ids(known)
    starts = dict(zip(known, np.cumsum([0, *(len(one) for one in known.values())]).tolist(), strict=False))
    place = [_places(before[one.party].handles, one.handles) for one in present]
    was = [_numbers_of(old, at, starts.get(one.party, 0)) for one, at in zip(present, place, strict=True)]
    several = _of_several(present, rows.clusters)
    shares = _ranked(rows.cluster, np.concatenate([np.empty(0, np.int64), *was]), old, several)
    taken = _taken(shares, clusters=rows.clusters, ids=len(old.ids))
    ids = _ids_of_clusters(rows, taken, old, round_id)
    borne = np.zeros(len(old.ids), np.bool_)
    borne[taken[taken >= 0]] = True
    ids_of_rows, changes, after = {}, {}, dict(known)
    for one, at, number_before in zip(present, place, was, strict=True):
        now = _Now(rows=one, ids=ids[one.cluster], taken=taken[one.cluster], at=at, was=number_before)
        ids_of_rows[one.party] = now.ids
        changes[one.party] = _changes(now, before[one.party], borne)
        after[one.party] = _known_from_now(now, before[one.party], number)
    counts = _counts(shares, taken, old, borne, shown=_shown_clusters(present, rows.clusters))
    return Carried(ids=ids_of_rows, changes=changes, known=after, counts=counts)


def no_rows() -> KnownRows:
    """Give what is known of a provider that never took part."""
    empty = np.empty(0, _ROW)
    return KnownRows(handles=empty["handle"], ids=empty["entity"], given=empty["given"])


def pack_known(rows: KnownRows) -> bytes:
    """Give rows as bytes, 52 a row, by handle."""
    order = handle_order(rows.handles)
    table = np.empty(len(rows), _ROW)
    table["handle"], table["entity"], table["given"] = rows.handles[order], rows.ids[order], rows.given[order]
    return table.tobytes()


def unpack_known(data: bytes) -> KnownRows:
    """Give the rows; raise `SubmissionMalformed` where the bytes were cut."""
    if len(data) % _ROW.itemsize:
        raise SubmissionMalformed(problem="a record of known rows was cut")
    table = np.frombuffer(data, _ROW)
    return KnownRows(handles=table["handle"], ids=table["entity"], given=table["given"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """All rows of a round, provider after provider; `named` are places of providers and handles, uint8 (n, 18)."""

    named: Bytes
    cluster: Numbers

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.cluster.max(initial=-1)) + 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Now:
    """A provider's rows with their new ids, the number of the old id that their cluster took (-1: none), their place
    among the rows known before (-1: none), and the number of the id that they had (-1: none).
    """

    rows: PresentRows
    ids: Bytes
    taken: Numbers
    at: Numbers
    was: Numbers


def _joined(present: Sequence[PresentRows]) -> _Rows:
    cluster = np.concatenate([np.empty(0, np.int64), *(one.cluster for one in present)])
    place = np.repeat(np.arange(len(present), dtype=">u2"), [len(one.handles) for one in present])
    named = np.empty((len(cluster), _NAMED_BYTES), np.uint8)
    named[:, :-HANDLE_BYTES] = place.view(np.uint8).reshape(-1, _NAMED_BYTES - HANDLE_BYTES)
    named[:, -HANDLE_BYTES:] = np.concatenate(
        [np.empty((0, HANDLE_BYTES), np.uint8), *(one.handles for one in present)]
    )
    return _Rows(named=named, cluster=cluster)


def _places(known: Bytes, wanted: Bytes) -> Numbers:
    """Give where each of the wanted handles is among the known ones, -1 where it is not; both have none twice."""
    both = np.concatenate([known, wanted])
    order = handle_order(both)  # stable, so a known handle comes right before the wanted one that equals it
    same = (both[order[1:]] == both[order[:-1]]).all(axis=1)
    places = np.full(len(both), -1, np.int64)
    places[order[1:][same]] = order[:-1][same]
    found: Numbers = places[len(known) :]
    return found


def _numbers_of(old: _Old, at: Numbers, start: int) -> Numbers:
    numbers = np.full(len(at), -1, np.int64)
    numbers[at >= 0] = old.of[start + at[at >= 0]]
    return numbers


def _old_ids(known: Mapping[PartyId, KnownRows]) -> _Old:
    ids = np.concatenate([np.empty((0, ENTITY_BYTES), np.uint8), *(one.ids for one in known.values())])
    given = np.concatenate([np.empty(0, np.uint32), *(one.given for one in known.values())])
    words = np.ascontiguousarray(ids).view(">u8").astype(np.uint64)
    order = np.lexsort(words.T[::-1])
    new = np.ones(len(ids), np.bool_)
    new[1:] = (words[order[1:]] != words[order[:-1]]).any(axis=1)
    of = np.empty(len(ids), np.int64)
    of[order] = np.cumsum(new) - 1
    since = np.full(int(new.sum()), _YOUNGEST)
    np.minimum.at(since, of, np.where(given == NEVER, _YOUNGEST, given))
    return _Old(ids=ids[order[new]], of=of, since=since)


def _of_several(present: Sequence[PresentRows], clusters: int) -> Flags:
    """Say of each cluster whether it has rows of more than one provider."""
    providers = np.zeros(clusters, np.uint8)
    for one in present:
        inside = np.zeros(clusters, np.bool_)
        inside[one.cluster] = True
        providers = np.minimum(providers + inside, 2).astype(np.uint8)
    several: Flags = providers > 1
    return several


def _ranked(cluster: Numbers, was: Numbers, old: _Old, several: Flags) -> _Shares:
    known = was >= 0
    pairs, shared = np.unique(cluster[known] * max(1, len(old.ids)) + was[known], return_counts=True)
    clusters, ids = np.divmod(pairs, max(1, len(old.ids)))
    order = np.lexsort((clusters, ids, old.since[ids], ~several[clusters], -shared))
    return _Shares(cluster=clusters[order], old=ids[order])


def _taken(shares: _Shares, *, clusters: int, ids: int) -> Numbers:
    """Give the number of the old id that each cluster takes, -1 where it takes none."""
    taken, free = np.full(clusters, -1, np.int64), np.ones(ids, np.bool_)
    alone = (np.bincount(shares.cluster, minlength=clusters)[shares.cluster] == 1) & (
        np.bincount(shares.old, minlength=ids)[shares.old] == 1
    )
    taken[shares.cluster[alone]] = shares.old[alone]
    # Few are left, whose turn depends on who came before.
    for cluster, one in zip(shares.cluster[~alone].tolist(), shares.old[~alone].tolist(), strict=True):
        if taken[cluster] < 0 and free[one]:
            taken[cluster], free[one] = one, False
    return taken


def _ids_of_clusters(rows: _Rows, taken: Numbers, old: _Old, round_id: RoundId) -> Bytes:
    ids = np.empty((rows.clusters, ENTITY_BYTES), np.uint8)
    ids[taken >= 0] = old.ids[taken[taken >= 0]]
    ids[taken < 0] = _fresh_ids(rows, taken[rows.cluster] < 0, round_id)
    return ids


def _fresh_ids(rows: _Rows, fresh: Flags, round_id: RoundId) -> Bytes:
    """Give the ids of clusters, by rising number, whose rows are `fresh`."""
    named, cluster = rows.named[fresh], rows.cluster[fresh]
    order = handle_order(named[:, -HANDLE_BYTES:])
    order = order[np.lexsort((named[order, 1], named[order, 0], cluster[order]))]
    data, prefix = named[order].tobytes(), _PREFIX + round_id.encode("ascii") + b"\0"
    ends = np.flatnonzero(np.diff(cluster[order], append=-1)) + 1
    spans = pairwise([0, *(_NAMED_BYTES * ends).tolist()])
    ids = b"".join(hashlib.sha256(prefix + data[start:end]).digest() for start, end in spans)
    return np.frombuffer(ids, np.uint8).reshape(-1, ENTITY_BYTES)


def _changes(now: _Now, before: KnownRows, borne: Flags) -> IdChanges:
    had = now.at >= 0
    given = np.zeros(len(had), np.bool_)
    given[had] = before.given[now.at[had]] != NEVER
    changed = given & now.rows.shown & (now.was != now.taken)
    still, fresh = borne[now.was[changed]], now.taken[changed] < 0
    reasons = np.where(still, np.where(fresh, IdChangeReason.SPLIT, IdChangeReason.MOVED), IdChangeReason.MERGED)
    return IdChanges(
        handles=now.rows.handles[changed],
        before=before.ids[now.at[changed]],
        now=now.ids[changed],
        why=reasons.astype(np.uint8),
    )


def _known_from_now(now: _Now, before: KnownRows, number: int) -> KnownRows:
    same = (now.was == now.taken) & (now.was >= 0)
    given = np.zeros(len(now.at), np.uint32)
    given[same] = before.given[now.at[same]]
    given[(given == NEVER) & now.rows.shown] = number
    absent = np.ones(len(before), np.bool_)
    absent[now.at[now.at >= 0]] = False
    stay = before.only(absent)
    return KnownRows(
        handles=np.concatenate([stay.handles, now.rows.handles]),
        ids=np.concatenate([stay.ids, now.ids]),
        given=np.concatenate([stay.given, given]),
    )


def _shown_clusters(present: Sequence[PresentRows], clusters: int) -> Flags:
    shown = np.zeros(clusters, np.bool_)
    for one in present:
        shown[one.cluster[one.shown]] = True
    return shown


def _counts(shares: _Shares, taken: Numbers, old: _Old, borne: Flags, *, shown: Flags) -> CarryCounts:
    given = old.since != _YOUNGEST
    clusters_of = np.bincount(shares.old, minlength=len(old.ids))
    carried = np.zeros(len(taken), np.bool_)
    carried[taken >= 0] = given[taken[taken >= 0]]
    return CarryCounts(
        kept=int(np.count_nonzero(given & borne)),
        fresh=int(np.count_nonzero(shown & ~carried)),
        merged=int(np.count_nonzero(given & ~borne & (clusters_of > 0))),
        split=int(np.count_nonzero(given & borne & (clusters_of > 1))),
        absent=int(np.count_nonzero(given & (clusters_of == 0))),
    )
