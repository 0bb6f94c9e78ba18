"""Rows that are struck out while their round is matched: in nothing that comes of it, and no way to put the end off."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import pytest
from harness import Coordinator, Enrolled, Rows, random_rows, small_engine

from isthmus.contract.canonical import Label, sign
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.tombstones import tombstones_document
from isthmus.coordinator.actions import matching, settling
from isthmus.coordinator.actions.tombstones import tombstone_rows
from isthmus.coordinator.domain.pseudonyms import PseudonymRow, unpack_pseudonyms
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Progress
from isthmus.coordinator.store.protocol import Store

PEOPLE_OF_BOTH = 7
PROFILES = ["interop-1", "hardened-single-1", "hardened-1"]
ROW_BYTES = {"hardened-single-1": 256, "hardened-1": 256 + 8 * 16}
"""Of names and birth date: one table, and under hardened-1 the tags of eight match keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A sealed round of two providers: 12 rows and 10 rows, of which the first 7 are the same people."""

    hub: Coordinator
    id: RoundId
    providers: list[Enrolled]
    rows: Rows

    def handle(self, row: int) -> bytes:
        """Give the handle of one of the first provider's rows."""
        return bytes(self.rows.handles[row])

    def strike(self, row: int) -> None:
        """Strike one of the first provider's rows out."""
        party, handles = self.providers[0], [self.handle(row)]
        document = tombstones_document(handles, round_id=self.id, party=party.id)
        signature = sign(party.signing_key, Label.TOMBSTONES, document)
        tombstone_rows(self.hub.context, party.actor, round_id=self.id, handles=handles, signature=signature)

    def map(self, place: int = 0) -> list[PseudonymRow]:
        """Give a provider's IDs."""
        with self.hub.context.store.read() as tx:
            result = tx.results.find(self.id, self.providers[place].id)
        assert result is not None
        return list(unpack_pseudonyms(self.hub.context.blobs.get(result.digest)))

    def linked(self) -> list[int]:
        """Give which of the first provider's rows linked."""
        found = {row.handle for row in self.map()}
        return [row for row in range(len(self.rows)) if self.handle(row) in found]

    def outcome(self) -> tuple[bytes, list[list[PseudonymRow]]]:
        """Give the released table and both maps."""
        with self.hub.context.store.read() as tx:
            (release,) = tx.results.releases()
        return release.document, [self.map(0), self.map(1)]


def _rows(count: int, *, profile: str, seed: int) -> Rows:
    """Give rows of strangers: a quarter of the bits of a plain CLK, half of those of a diffused one and of tags."""
    plain = random_rows(count, seed=seed)
    if profile == "interop-1":
        return plain
    return replace(plain, clks=np.random.default_rng(seed).integers(0, 256, (count, ROW_BYTES[profile]), np.uint8))


def _sealed(hub: Coordinator, profile: str) -> Round:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers, profile=profile, min_cell_count=3)
    rows = _rows(12, profile=profile, seed=1)
    hub.submit(providers[0], round_id, rows)
    hub.submit(providers[1], round_id, _rows(10, profile=profile, seed=2).with_people_of(rows, PEOPLE_OF_BOTH))
    return Round(hub=hub, id=round_id, providers=providers, rows=rows)


class _Striking:
    """An engine in the middle of each of whose runs some people opt out, as long as rows to strike are left."""

    max_pairs = 1_000_000

    def __init__(self, one: Round, *rows: int, at_once: int = 1) -> None:
        self.round, self.left, self.at_once = one, list(rows), at_once
        self.rows: list[int] = []

    def candidate_pairs(
        self, datasets: Sequence[Dataset], *, threshold: float, progress: Progress, **how: Any
    ) -> CandidatePairs:
        self.rows.append(datasets[0].rows)
        pairs = small_engine().candidate_pairs(datasets, threshold=threshold, progress=progress, **how)
        for row in self.left[: self.at_once]:
            self.round.strike(row)
        del self.left[: self.at_once]
        return pairs


class _StrikingStore:
    """The real store, behind whose back somebody opts out after every look at it."""

    def __init__(self, store: Store, strike: Callable[[], None]) -> None:
        self._store, self._strike = store, strike

    def begin(self) -> Any:
        return self._store.begin()

    @contextmanager
    def read(self) -> Iterator[Any]:
        with self._store.read() as tx:
            yield tx
        self._strike()


@pytest.mark.parametrize("profile", PROFILES)
def test_row_that_is_struck_out_while_its_round_is_matched_does_not_link(hub: Coordinator, profile: str) -> None:
    one = _sealed(hub, profile)

    hub.match(_Striking(one, 0))

    assert one.linked() == list(range(1, PEOPLE_OF_BOTH))
    assert len(one.map(1)) == PEOPLE_OF_BOTH - 1
    assert [event["action"] for event in hub.events()].count("result.store") == 2


@pytest.mark.parametrize("profile", PROFILES)
def test_result_is_that_of_a_round_whose_rows_were_struck_out_before(
    make_hub: Callable[[str], Coordinator], profile: str
) -> None:
    before, during = _sealed(make_hub("before"), profile), _sealed(make_hub("during"), profile)
    for row in (0, 9, 11):
        before.strike(row)
    before.hub.match()

    during.hub.match(_Striking(during, 0, 9, 11, at_once=3))

    assert msgspec.json.decode(during.outcome()[0])["rows"] == msgspec.json.decode(before.outcome()[0])["rows"]
    handles = [[[row.handle for row in rows] for rows in one.outcome()[1]] for one in (before, during)]
    assert handles[0] == handles[1]


@pytest.mark.parametrize(
    ("profile", "compared"),
    [("interop-1", [12]), ("hardened-single-1", [12, 11, 10]), ("hardened-1", [12, 11, 10])],
)
def test_provider_that_strikes_out_at_every_run_has_its_round_matched_a_few_times_at_most(
    hub: Coordinator, profile: str, compared: list[int]
) -> None:
    one = _sealed(hub, profile)
    engine = _Striking(one, *range(12))

    hub.match(engine)

    assert engine.rows == compared
    assert hub.state(one.id) is RoundState.RELEASED
    assert one.linked() == list(range(len(compared), PEOPLE_OF_BOTH))


def test_provider_that_strikes_out_whenever_the_store_is_looked_at_does_not_put_the_result_off(
    hub: Coordinator,
) -> None:
    one, struck = _sealed(hub, "interop-1"), list[int]()

    def strike() -> None:
        one.strike(len(struck))
        struck.append(len(struck))

    matching.claim_round(hub.context)
    store: Any = _StrikingStore(hub.context.store, strike)
    watched = replace(hub.context, store=store)
    matching.match_round(watched, one.id, engine=small_engine(), should_stop=lambda: False)

    assert hub.state(one.id) is RoundState.RELEASED
    looks_before = 2  # whether answers are in, and the rows
    assert len(struck) == looks_before + settling.UNLOCKED_TRIES
    assert one.linked() == list(range(len(struck), PEOPLE_OF_BOTH))
