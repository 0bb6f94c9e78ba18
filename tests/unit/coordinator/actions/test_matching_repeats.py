"""Matching with one provider of three whose data set repeats people: who gets which IDs, and what is counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from harness import Coordinator, Enrolled, Rows, new_coordinator, random_rows

from isthmus.contract.canonical import Label, sign
from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import Pseudonym, RoundId
from isthmus.contract.tombstones import tombstones_document
from isthmus.coordinator.actions.tombstones import tombstone_rows
from isthmus.coordinator.domain.entities import unpack_entities
from isthmus.coordinator.domain.pseudonyms import PseudonymRow, unpack_pseudonyms
from isthmus.coordinator.match import ENGINES

NAMES = ("riverside", "college", "agency")
REPEATS = ["college"]
ELSEWHERE, AGAIN, TWICE_HERE = 40, 15, 10
"""The college's first people are those of riverside; some of them have a second row, as have some people of its own."""

IDs = dict[bytes, Pseudonym]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A sealed round."""

    id: RoundId
    providers: Sequence[Enrolled]
    rows: Sequence[Rows]

    def handles(self, provider: int, first: int, last: int) -> set[bytes]:
        """The handles of some rows."""
        return {handle.tobytes() for handle in self.rows[provider].handles[first:last]}


def _again(rows: Rows, source: Sequence[int], places: slice, *, seed: int = 0) -> Rows:
    """Give the rows with near-copies of some of them in the places of others."""
    clks = rows.clks.copy()
    flips = np.random.default_rng(seed).random((len(source), clks.shape[1] * 8)) < 0.01
    clks[places] = clks[list(source)] ^ np.packbits(flips, axis=1)
    return replace(rows, clks=clks)


def _files() -> list[Rows]:
    riverside = random_rows(60, seed=1)
    college = random_rows(90, seed=2).with_people_of(riverside, ELSEWHERE)
    college = _again(college, range(AGAIN), slice(65, 80))
    college = _again(college, range(40, 40 + TWICE_HERE), slice(80, 90))
    return [riverside, college, random_rows(50, seed=3).with_people_of(riverside, 20)]


def _sealed(hub: Coordinator, repeats: Sequence[str] = REPEATS, **changes: object) -> Round:
    providers, files = hub.parties(*NAMES), _files()
    round_id = hub.collecting(providers, min_cell_count=3, repeats=repeats, **changes)
    for provider, rows in zip(providers, files, strict=True):
        hub.submit(provider, round_id, rows)
    return Round(id=round_id, providers=providers, rows=files)


def _map(hub: Coordinator, one: Round, place: int) -> list[PseudonymRow]:
    with hub.context.store.read() as tx:
        result = tx.results.find(one.id, one.providers[place].id)
    assert result is not None
    return list(unpack_pseudonyms(hub.context.blobs.get(result.digest)))


def _ids(hub: Coordinator, one: Round, place: int) -> IDs:
    return {row.handle: row.pseudonym for row in _map(hub, one, place)}


def _document(hub: Coordinator) -> bytes:
    with hub.context.store.read() as tx:
        return tx.results.releases()[0].document


def _counts(hub: Coordinator) -> dict[tuple[str, str], int | None]:
    table = msgspec.json.decode(_document(hub))
    return {(row["key"][0], row["key"][1]): row["count"] for row in table["rows"]}


def test_all_rows_of_a_person_who_is_elsewhere_too_get_one_id(hub: Coordinator) -> None:
    one = _sealed(hub)
    hub.match()
    ids, handles = _ids(hub, one, 1), [handle.tobytes() for handle in one.rows[1].handles]
    assert ids.keys() == one.handles(1, 0, ELSEWHERE) | one.handles(1, 65, 80)
    assert [ids[handles[65 + row]] for row in range(AGAIN)] == [ids[handles[row]] for row in range(AGAIN)]
    assert len(set(ids.values())) == ELSEWHERE


def test_people_who_are_twice_in_one_file_and_nowhere_else_get_no_id(hub: Coordinator) -> None:
    one = _sealed(hub)
    hub.match()
    assert not _ids(hub, one, 1).keys() & (one.handles(1, 40, 40 + TWICE_HERE) | one.handles(1, 80, 90))


def test_no_map_shows_more_links_than_without_repeats(hub: Coordinator, tmp_path: Path) -> None:
    before = new_coordinator(tmp_path)
    once, again = _sealed(before, repeats=[]), _sealed(hub)
    before.match()
    hub.match()
    for place in (0, 2):
        assert _ids(hub, again, place).keys() == _ids(before, once, place).keys()
        assert len(set(_ids(hub, again, place).values())) == len(_ids(hub, again, place))
    shown, shown_before = _ids(hub, again, 1), _ids(before, once, 1)
    # What is new are other rows of people who were linked before.
    assert {shown[handle] for handle in shown} == {shown[handle] for handle in shown_before}
    before.close()


def test_ids_of_two_recipients_have_nothing_in_common_where_rows_repeat(hub: Coordinator) -> None:
    one = _sealed(hub)
    hub.match()
    college, riverside = set(_ids(hub, one, 1).values()), set(_ids(hub, one, 0).values())
    assert college
    assert not college & riverside


def test_rows_of_one_person_share_slot_and_id_in_the_spine(hub: Coordinator) -> None:
    one = _sealed(hub, reveal="spine")
    hub.match()
    by_handle = {row.handle: (row.pseudonym, row.slot) for row in _map(hub, one, 1)}
    rows = [by_handle[handle.tobytes()] for handle in one.rows[1].handles]
    assert rows[65:80] == rows[:AGAIN]
    assert rows[80:90] == rows[40 : 40 + TWICE_HERE]
    assert len(set(rows)) == len({slot for _, slot in rows}) == 90 - AGAIN - TWICE_HERE


def test_table_counts_people_and_not_rows(hub: Coordinator) -> None:
    _sealed(hub)
    hub.match()
    counts = _counts(hub)
    assert counts["all people of", "college"] == 90 - AGAIN - TWICE_HERE
    assert (counts["all rows of", "riverside"], counts["all rows of", "agency"]) == (60, 50)
    assert counts["in the data of both", "riverside + college"] == ELSEWHERE
    assert ("all rows of", "college") not in counts


def test_entities_are_kept_of_people_who_are_twice_in_one_file(hub: Coordinator) -> None:
    one = _sealed(hub)
    hub.match()
    with hub.context.store.read() as tx:
        digest = tx.results.entities(one.id)
    kept = list(unpack_entities(hub.context.blobs.get(digest or b"")))
    here = one.handles(1, 40, 40 + TWICE_HERE) | one.handles(1, 80, 90)
    names = [row.entity for row in kept if row.handle in here]
    assert (len(names), len(set(names))) == (2 * TWICE_HERE, TWICE_HERE)


def test_result_is_the_same_bytes_from_every_engine_where_rows_repeat(hub: Coordinator, tmp_path: Path) -> None:
    results = []
    for place, name in enumerate(ENGINES):
        folder = tmp_path / name
        folder.mkdir()
        other = new_coordinator(folder)
        one = _sealed(other)
        other.match(ENGINES[name](workers=1, max_pairs=10_000))
        results.append((_document(other), [_map(other, one, provider) for provider in range(3)]))
        other.close()
        assert results[place] == results[0]
    assert len(results) > 1


def test_rows_struck_out_leave_the_other_rows_of_their_person(hub: Coordinator) -> None:
    one = _sealed(hub)
    gone, college = one.rows[1].handles[0].tobytes(), one.providers[1]
    document = tombstones_document([gone], round_id=one.id, party=college.id)
    signature = sign(college.signing_key, Label.TOMBSTONES, document)
    tombstone_rows(hub.context, college.actor, round_id=one.id, handles=[gone], signature=signature)
    hub.match()
    ids = _ids(hub, one, 1)
    assert gone not in ids
    assert one.rows[1].handles[65].tobytes() in ids
    assert _counts(hub)["all people of", "college"] == 90 - AGAIN - TWICE_HERE


@pytest.mark.parametrize(("repeats", "refused"), [([], True), (REPEATS, False)])
def test_identical_rows_are_taken_of_data_sets_that_repeat_people(
    hub: Coordinator, repeats: Sequence[str], refused: bool
) -> None:
    providers = hub.parties(*NAMES)
    round_id = hub.collecting(providers, repeats=repeats)
    rows = random_rows(40, seed=1)
    rows.clks[20:] = rows.clks[:20]
    if refused:
        with pytest.raises(SubmissionMalformed, match="identical"):
            hub.submit(providers[1], round_id, rows)
    else:
        hub.submit(providers[1], round_id, rows)


def _tabled(profile: HardenedProfile, count: int, *, seed: int) -> Rows:
    clks = np.random.default_rng(seed).integers(0, 256, (count, profile.row_bits // 8), np.uint8)
    return Rows(handles=random_rows(count, seed=seed).handles, clks=clks)


def test_tables_find_people_whom_one_file_repeats(hub: Coordinator) -> None:
    providers = hub.parties(*NAMES)
    round_id = hub.collecting(providers, profile="hardened-1", repeats=REPEATS, min_cell_count=3)
    profile = hub.manifest(round_id).read_profile()
    assert isinstance(profile, HardenedProfile)
    files = [_tabled(profile, 30, seed=seed) for seed in range(3)]
    files[1] = files[1].with_people_of(files[0], 12)
    # The tables of a row again, and other tags: a tag that two rows of a file have never leaves the node.
    end = len(profile.tables) * profile.clk_bits // 8
    files[1].clks[20:25, :end] = files[1].clks[:5, :end]
    for provider, rows in zip(providers, files, strict=True):
        hub.submit(provider, round_id, rows)
    hub.match()
    one = Round(id=round_id, providers=providers, rows=files)
    ids, handles = _ids(hub, one, 1), [handle.tobytes() for handle in files[1].handles]
    assert [ids[handle] for handle in handles[20:25]] == [ids[handle] for handle in handles[:5]]
    assert _counts(hub)["all people of", "college"] == 25
