"""A project over the years, at a real coordinator: the same people come back under new keys and keep their IDs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from harness import Coordinator, Enrolled, Rows, empty_database, new_coordinator, random_rows
from project_files import PROJECT

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.errors import NotAMember, NotReady
from isthmus.contract.id_changes import IdChangeReason
from isthmus.contract.ids import RoundId
from isthmus.contract.profile import CLK_BITS
from isthmus.contract.tombstones import tombstones_document
from isthmus.coordinator.actions.housekeeping import sweep_blobs
from isthmus.coordinator.actions.results import fetch_id_changes, fetch_pseudonyms
from isthmus.coordinator.actions.tombstones import tombstone_rows
from isthmus.coordinator.domain.longitudinal import unpack_known
from isthmus.coordinator.domain.pseudonyms import ChangeRow

NAMES = ("alpha", "beta", "gamma")

Brought = Mapping[str, Mapping[str, str]]
"""What each provider brings in a year: by record id who that is, by a name under which rows link."""

PERSON_OF_NOBODY: Brought = {"alpha": {"a0": "x0"}, "beta": {"b0": "y0"}, "gamma": {"g0": "z0"}}


def handle_of(party: str, record: str) -> bytes:
    """Give the handle of a record: it lasts, and no other provider has the same."""
    return sha256(f"{party} {record}".encode())[:16]


@dataclass(slots=True)
class Years:
    """A longitudinal project and its rounds so far."""

    hub: Coordinator
    providers: Mapping[str, Enrolled]
    changes: Mapping[str, object] = field(default_factory=dict)
    rounds: list[RoundId] = field(default_factory=list)

    def year(self, brought: Brought, *, struck: Mapping[str, list[str]] | None = None) -> RoundId:
        """Run a round, with encodings that no other round has."""
        members = list(self.providers.values())
        round_id = self.hub.collecting(members, **{"longitudinal": True, **self.changes})
        for name, provider in self.providers.items():
            self.hub.submit(provider, round_id, self._rows(name, brought[name]))
        for name, records in (struck or {}).items():
            self._strike_out(name, records, round_id)
        self.hub.match()
        self.rounds.append(round_id)
        return round_id

    def _rows(self, party: str, records: Mapping[str, str]) -> Rows:
        handles = sorted((handle_of(party, record), person) for record, person in records.items())
        year = len(self.rounds)
        clks = [random_rows(1, seed=int.from_bytes(sha256(f"{year} {one}".encode())[:4])).clks for _, one in handles]
        own = np.frombuffer(b"".join(handle for handle, _ in handles), np.uint8).reshape(-1, 16)
        return Rows(handles=own, clks=np.vstack([np.empty((0, CLK_BITS // 8), np.uint8), *clks]))

    def _strike_out(self, name: str, records: list[str], round_id: RoundId) -> None:
        provider, handles = self.providers[name], sorted(handle_of(name, record) for record in records)
        document = tombstones_document(handles, round_id=round_id, party=provider.id)
        signature = sign(provider.signing_key, Label.TOMBSTONES, document)
        tombstone_rows(self.hub.context, provider.actor, round_id=round_id, handles=handles, signature=signature)

    def ids(self, name: str, round_id: RoundId, *records: str) -> list[str | None]:
        """Give the IDs that a provider got for its records."""
        _, batches = fetch_pseudonyms(self.hub.context, self.providers[name].actor, round_id=round_id)
        got = {row.handle: row.pseudonym for batch in batches for row in batch}
        return [got.get(handle_of(name, record)) for record in records]

    def changed(self, name: str, round_id: RoundId) -> dict[bytes, ChangeRow]:
        """Give a provider's changed rows by handle."""
        batches = fetch_id_changes(self.hub.context, self.providers[name].actor, round_id=round_id)
        return {row.handle: row for batch in batches for row in batch}

    def known(self) -> dict[str, set[bytes]]:
        """Give the handles that the coordinator knows of each provider."""
        with self.hub.context.store.read() as tx:
            rows = tx.carried.known(PROJECT)
        known = {one.party: unpack_known(self.hub.context.blobs.get(one.digest)) for one in rows}
        return {party: {handle.tobytes() for handle in one.handles} for party, one in known.items()}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("database") / "empty.sqlite")


@pytest.fixture
def open_years(tmp_path: Path, database: Path) -> Iterator[Callable[..., Years]]:
    hub = new_coordinator(tmp_path, database=database)
    providers = dict(zip(NAMES, hub.parties(*NAMES), strict=True))
    yield lambda **changes: Years(hub=hub, providers=providers, changes=changes)
    hub.close()


FIRST: Brought = {
    "alpha": {"a1": "ada", "a2": "ben", "a3": "cy"},
    "beta": {"b1": "ada", "b2": "ben", "b4": "dee"},
    "gamma": {"g1": "ada", "g3": "cy", "g4": "dee"},
}
SECOND: Brought = {  # ben's name changed at beta; eve is new; gamma brings none of its people
    "alpha": {"a1": "ada", "a2": "ben", "a3": "cy", "a5": "eve"},
    "beta": {"b1": "ada", "b2": "ben new", "b5": "eve"},
    "gamma": {"g0": "nobody"},
}


def test_ids_last_over_three_years_with_new_keys_new_people_changed_names_and_a_provider_away(
    open_years: Callable[..., Years],
) -> None:
    years = open_years()
    first, second, third = years.year(FIRST), years.year(SECOND), years.year({**FIRST, "gamma": FIRST["gamma"]})

    ada, ben, cy = years.ids("alpha", first, "a1", "a2", "a3")
    assert None not in (ada, ben, cy)
    assert years.ids("alpha", second, "a1") == [ada]
    assert years.ids("alpha", second, "a2", "a3") == [None, None]  # ben is not found again, cy is with gamma alone
    eve = years.ids("alpha", second, "a5")[0]
    assert eve not in {None, ada, ben, cy}
    assert years.ids("alpha", third, "a1", "a2", "a3") == [ada, ben, cy]
    assert years.ids("gamma", third, "g1", "g3", "g4") == years.ids("gamma", first, "g1", "g3", "g4")
    assert not any(years.changed(name, one) for name in NAMES for one in years.rounds)


def test_row_that_joins_another_person_and_people_who_merge_and_split_are_explained(
    open_years: Callable[..., Years],
) -> None:
    years = open_years(reveal="spine")
    first = years.year({**PERSON_OF_NOBODY, "alpha": {"a1": "ada", "a2": "bea"}, "beta": {"b1": "ada", "b2": "cat"}})
    second = years.year({**PERSON_OF_NOBODY, "alpha": {"a1": "ada", "a2": "bea"}, "beta": {"b1": "bea", "b2": "cat"}})
    third = years.year({**PERSON_OF_NOBODY, "alpha": {"a1": "ada", "a2": "cat"}, "beta": {"b1": "bea", "b2": "cat"}})

    ada = years.ids("alpha", first, "a1")[0]
    changed = {**years.changed("alpha", second), **years.changed("beta", second)}
    assert len(changed) == 1
    (one,) = changed.values()
    assert one.before == (ada if one.handle in years.changed("alpha", second) else years.ids("beta", first, "b1")[0])
    assert one.reason in {IdChangeReason.SPLIT, IdChangeReason.MOVED}
    merged = {**years.changed("alpha", third), **years.changed("beta", third)}
    assert {row.reason for row in merged.values()} <= set(IdChangeReason)
    assert len(merged) >= 1
    for name, record in (("alpha", "a2"), ("beta", "b2")):
        change = merged.get(handle_of(name, record))
        assert change is None or change.now == years.ids(name, third, record)[0]


def test_two_ids_that_turn_out_to_be_one_person_leave_one_and_say_so(open_years: Callable[..., Years]) -> None:
    years = open_years(reveal="spine")
    first = years.year({"alpha": {"a1": "ada"}, "beta": {"b1": "ada by marriage"}, "gamma": {"g1": "else"}})
    second = years.year({"alpha": {"a1": "ada"}, "beta": {"b1": "ada"}, "gamma": {"g1": "else"}})

    changed = {**years.changed("alpha", second), **years.changed("beta", second)}
    assert [row.reason for row in changed.values()] == [IdChangeReason.MERGED]
    kept = years.ids("alpha", first, "a1") == years.ids("alpha", second, "a1")
    assert kept != (years.ids("beta", first, "b1") == years.ids("beta", second, "b1"))
    (event,) = [event for event in years.hub.events() if event["action"] == "entities.carry"][1:]
    assert event["outcome"] == "round 2: 1-9 IDs kept, 0 new, 1-9 merged, 0 split, 0 absent"


def test_row_struck_out_is_forgotten_and_one_that_stays_away_is_not(open_years: Callable[..., Years]) -> None:
    years = open_years()
    first = years.year(FIRST)
    second = years.year({**FIRST, "beta": {"b1": "ada"}}, struck={"alpha": ["a1"]})

    assert handle_of("alpha", "a1") not in years.known()["alpha"]
    assert handle_of("beta", "b2") in years.known()["beta"]
    third = years.year(FIRST)
    assert years.ids("alpha", second, "a1") == [None]
    assert years.ids("beta", third, "b1", "b2") == years.ids("beta", first, "b1", "b2")
    assert years.ids("alpha", third, "a1") == years.ids(
        "alpha", first, "a1"
    )  # with the others' rows of the same person


def test_slots_of_a_spine_are_drawn_anew_where_ids_last(open_years: Callable[..., Years]) -> None:
    years, slots = open_years(reveal="spine"), []
    for round_id in (years.year(FIRST), years.year(FIRST)):
        _, batches = fetch_pseudonyms(years.hub.context, years.providers["alpha"].actor, round_id=round_id)
        slots.append({row.pseudonym: row.slot for batch in batches for row in batch})

    assert slots[0].keys() == slots[1].keys()
    assert slots[0] != slots[1]


def test_only_the_last_record_of_known_rows_is_kept(open_years: Callable[..., Years]) -> None:
    years = open_years()
    years.year(FIRST)
    with years.hub.context.store.read() as tx:
        before = {one.digest for one in tx.carried.known(PROJECT)}
    years.year(SECOND)
    with years.hub.context.store.read() as tx:
        after = {one.digest for one in tx.carried.known(PROJECT)}

    assert not (before - after) & set(years.hub.context.blobs.digests())
    assert after <= set(years.hub.context.blobs.digests())
    assert sweep_blobs(years.hub.context) == 0


def test_other_projects_keep_nothing_over_rounds(open_years: Callable[..., Years]) -> None:
    years = open_years(longitudinal=False)
    first, second = years.year(FIRST), years.year(FIRST)

    assert years.ids("alpha", first, "a1") != [None]
    assert years.known() == {}
    assert years.changed("alpha", second) == {}


def test_changes_are_for_members_of_a_released_round_and_the_fetch_is_recorded(
    open_years: Callable[..., Years],
) -> None:
    years = open_years()
    done = years.year(FIRST)
    stranger = years.hub.party("stranger")
    open_round = years.hub.collecting(list(years.providers.values()), longitudinal=True)

    with pytest.raises(NotAMember):
        fetch_id_changes(years.hub.context, stranger.actor, round_id=done)
    with pytest.raises(NotReady):
        fetch_id_changes(years.hub.context, years.providers["alpha"].actor, round_id=open_round)
    fetch_id_changes(years.hub.context, years.providers["alpha"].actor, round_id=done)
    assert (years.hub.events()[-1]["actor"], years.hub.events()[-1]["action"]) == ("alpha", "result.changes")
