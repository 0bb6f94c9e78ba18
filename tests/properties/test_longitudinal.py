"""IDs over rounds: the arrays give what a plain program gives, and no ID is ever another person's."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.id_changes import IdChangeReason
from isthmus.contract.ids import PartyId, RoundId
from isthmus.coordinator.domain.entities import ENTITY_BYTES
from isthmus.coordinator.domain.longitudinal import (
    Carried,
    KnownRows,
    PresentRows,
    carry_over,
    no_rows,
    pack_known,
    unpack_known,
)

calm = settings(max_examples=60, deadline=None)

PARTIES = (PartyId("alpha"), PartyId("beta"), PartyId("gamma"))

Row = tuple[int, bytes]
"""A provider's place and a handle."""

Clusters = list[list[Row]]
"""The people of a round, each by its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a plain program says of a row whose ID is another than before."""

    before: bytes
    now: bytes
    why: IdChangeReason


@dataclass(slots=True, kw_only=True)
class Plain:
    """Carries IDs over, row by row, in the words of docs/protocol.md section 15."""

    spine: bool
    entity: dict[Row, bytes] = field(default_factory=dict)
    given: dict[Row, int] = field(default_factory=dict)
    rounds: int = 0

    def next_round(self, clusters: Clusters) -> dict[Row, Change]:
        """Take a round in; give what changed for rows whose provider got an ID before and gets one now."""
        self.rounds += 1
        ids = self._ids(clusters)
        changes = {}
        for cluster, now in zip(clusters, ids, strict=True):
            for row in cluster:
                if self._shown(cluster) and self.given.get(row) and self.entity[row] != now:
                    changes[row] = Change(before=self.entity[row], now=now, why=self._why(row, now, ids))
        for cluster, now in zip(clusters, ids, strict=True):
            for row in cluster:
                if self.entity.get(row) != now:
                    self.given.pop(row, None)
                if self._shown(cluster):
                    self.given.setdefault(row, self.rounds)
        self.entity |= {row: now for cluster, now in zip(clusters, ids, strict=True) for row in cluster}
        return changes

    def _shown(self, cluster: list[Row]) -> bool:
        return self.spine or len({place for place, _ in cluster}) > 1

    def _ids(self, clusters: Clusters) -> list[bytes]:
        since: dict[bytes, int] = {}
        for row, number in self.given.items():
            since[self.entity[row]] = min(number, since.get(self.entity[row], number))
        ranked = []
        for cluster in clusters:
            several = len({place for place, _ in cluster}) > 1
            for old, shared in Counter(self.entity[row] for row in cluster if row in self.entity).items():
                ranked.append((-shared, not several, since.get(old, 10**9), old, min(cluster)))
        taken: dict[Row, bytes] = {}
        for *_, old, first in sorted(ranked):
            if first not in taken and old not in taken.values():
                taken[first] = old
        return [taken.get(min(cluster)) or self._fresh(cluster) for cluster in clusters]

    def _fresh(self, cluster: list[Row]) -> bytes:
        rows = b"".join(place.to_bytes(2, "big") + handle for place, handle in sorted(cluster))
        return hashlib.sha256(b"isthmus/entity/2" + _round(self.rounds).encode() + b"\0" + rows).digest()

    def _why(self, row: Row, now: bytes, ids: list[bytes]) -> IdChangeReason:
        if self.entity[row] not in ids:
            return IdChangeReason.MERGED
        return IdChangeReason.MOVED if now in self.entity.values() else IdChangeReason.SPLIT


def _round(number: int) -> RoundId:
    return RoundId(f"k12-to-work-{number:010x}")


def _handle(number: int) -> bytes:
    return hashlib.sha256(bytes([number])).digest()[:16]


@st.composite
def _histories(draw: st.DrawFn) -> list[Clusters]:
    """Rounds in which each of a few rows is away, or of one of a few people; the same handles at every provider."""
    rounds = []
    for _ in range(draw(st.integers(1, 4))):
        people: dict[int, list[Row]] = defaultdict(list)
        for place in range(len(PARTIES)):
            for number in range(4):
                person = draw(st.integers(-1, 5))
                if person >= 0:
                    people[person].append((place, _handle(number)))
        rounds.append(sorted(people.values(), key=min))
    return rounds


def _array(parts: list[bytes], width: int) -> np.ndarray:
    return np.frombuffer(b"".join(parts), np.uint8).reshape(-1, width)


def _present(clusters: Clusters, *, spine: bool) -> list[PresentRows]:
    present = []
    for place, party in enumerate(PARTIES):
        rows = sorted((row[1], number) for number, one in enumerate(clusters) for row in one if row[0] == place)
        several = [len({row[0] for row in clusters[number]}) > 1 for _, number in rows]
        present.append(
            PresentRows(
                party=party,
                handles=_array([handle for handle, _ in rows], 16),
                cluster=np.array([number for _, number in rows], np.int64),
                shown=np.array(several, np.bool_) | spine,
            )
        )
    return present


def _ids_by_row(carried: Carried, present: list[PresentRows]) -> dict[Row, bytes]:
    return {
        (place, handle.tobytes()): entity.tobytes()
        for place, one in enumerate(present)
        for handle, entity in zip(one.handles, carried.ids[one.party], strict=True)
    }


def _changes_by_row(carried: Carried) -> dict[Row, Change]:
    return {
        (place, handle.tobytes()): Change(before=before.tobytes(), now=now.tobytes(), why=IdChangeReason(why))
        for place, party in enumerate(PARTIES)
        for handle, before, now, why in zip(
            carried.changes[party].handles,
            carried.changes[party].before,
            carried.changes[party].now,
            carried.changes[party].why,
            strict=True,
        )
    }


@calm
@given(_histories(), st.booleans())
def test_ids_and_changes_are_those_of_a_plain_program(history: list[Clusters], spine: bool) -> None:
    plain, known = Plain(spine=spine), dict.fromkeys(PARTIES, no_rows())
    for number, clusters in enumerate(history, start=1):
        present = _present(clusters, spine=spine)
        carried = carry_over(known, present, round_id=_round(number), number=number)
        known = {party: unpack_known(pack_known(rows)) for party, rows in carried.known.items()}

        assert _changes_by_row(carried) == plain.next_round(clusters)
        here = {row for cluster in clusters for row in cluster}
        assert _ids_by_row(carried, present) == {row: plain.entity[row] for row in here}
        for place, party in enumerate(PARTIES):
            assert _given(known[party], place) == {
                row: plain.given.get(row, 0) for row in plain.entity if row[0] == place
            }


def _given(rows: KnownRows, place: int) -> dict[Row, int]:
    return {(place, handle.tobytes()): int(given) for handle, given in zip(rows.handles, rows.given, strict=True)}


@calm
@given(_histories(), st.booleans())
def test_id_is_borne_by_one_person_at_a_time_and_by_none_who_shares_no_row(
    history: list[Clusters], spine: bool
) -> None:
    known = dict.fromkeys(PARTIES, no_rows())
    owners: dict[bytes, set[Row]] = {}
    for number, clusters in enumerate(history, start=1):
        present = _present(clusters, spine=spine)
        carried = carry_over(known, present, round_id=_round(number), number=number)
        known, ids = dict(carried.known), _ids_by_row(carried, present)
        borne = [{ids[row] for row in cluster} for cluster in clusters]

        assert all(len(one) == 1 for one in borne)
        assert len(set.union(set(), *borne)) == len(clusters)
        for cluster in clusters:
            entity = ids[cluster[0]]
            assert entity not in owners or owners[entity] & set(cluster)
        for cluster in clusters:
            for rows in owners.values():
                rows.difference_update(cluster)
        for cluster in clusters:
            owners.setdefault(ids[cluster[0]], set()).update(cluster)


@calm
@given(_histories())
def test_counts_of_a_spine_add_up(history: list[Clusters]) -> None:
    known = dict.fromkeys(PARTIES, no_rows())
    for number, clusters in enumerate(history, start=1):
        old = {entity.tobytes() for rows in known.values() for entity in rows.ids}
        carried = carry_over(known, _present(clusters, spine=True), round_id=_round(number), number=number)
        known = dict(carried.known)

        assert carried.counts.kept + carried.counts.merged + carried.counts.absent == len(old)
        assert carried.counts.kept + carried.counts.fresh == len(clusters)
        assert carried.counts.split <= carried.counts.kept


def test_same_people_again_keep_all_ids_and_nothing_changes() -> None:
    clusters: Clusters = [[(0, _handle(1)), (1, _handle(1))], [(0, _handle(2))]]
    first = carry_over({}, _present(clusters, spine=True), round_id=_round(1), number=1)

    again = carry_over(first.known, _present(clusters, spine=True), round_id=_round(2), number=2)

    assert all(np.array_equal(again.ids[party], first.ids[party]) for party in PARTIES)
    assert not any(_changes_by_row(again))
    assert (again.counts.kept, again.counts.fresh) == (2, 0)


def test_provider_that_was_away_finds_its_ids_again() -> None:
    pair: Clusters = [[(0, _handle(1)), (1, _handle(7))]]
    first = carry_over({}, _present(pair, spine=True), round_id=_round(1), number=1)
    alone = carry_over(first.known, _present([[(1, _handle(9))]], spine=True)[1:], round_id=_round(2), number=2)

    third = carry_over(alone.known, _present(pair, spine=True), round_id=_round(3), number=3)

    assert alone.counts.absent == 1
    assert np.array_equal(third.ids[PARTIES[0]], first.ids[PARTIES[0]])


def test_person_linked_elsewhere_keeps_the_id_before_one_who_stays_alone() -> None:
    pair: Clusters = [[(0, _handle(1)), (1, _handle(1))]]
    first = carry_over({}, _present(pair, spine=False), round_id=_round(1), number=1)
    apart: Clusters = [[(0, _handle(1))], [(1, _handle(1)), (2, _handle(3))]]

    second = carry_over(first.known, _present(apart, spine=False), round_id=_round(2), number=2)

    assert second.ids[PARTIES[1]].tobytes() == first.ids[PARTIES[1]].tobytes()
    assert second.ids[PARTIES[0]].tobytes() != first.ids[PARTIES[0]].tobytes()


def test_row_that_is_forgotten_is_as_if_it_never_came() -> None:
    rows = carry_over({}, _present([[(0, _handle(1))], [(0, _handle(2))]], spine=True), round_id=_round(1), number=1)

    left = rows.known[PARTIES[0]].without(frozenset({_handle(1), _handle(5)}))

    assert [handle.tobytes() for handle in left.handles] == [_handle(2)]
    assert len(left.ids[0]) == ENTITY_BYTES
    assert rows.known[PARTIES[0]].without(frozenset()) is rows.known[PARTIES[0]]


def test_record_of_known_rows_that_was_cut_is_refused() -> None:
    with pytest.raises(SubmissionMalformed):
        unpack_known(bytes(51))
