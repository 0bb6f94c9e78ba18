"""Answering in a round: what the coordinator can read of both answers, what goes on after a stop, who is left out."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from stat import S_IMODE
from typing import Any, NoReturn

import msgspec
import numpy as np
import pytest
from unit.node.answering_parts import (
    FIELDS,
    MASTER,
    SLOTS,
    Hub,
    Parties,
    Question,
    Rows,
    comparing_manifest,
    let_opt_out,
    let_submit,
    people,
    two_parties,
)
from unit.node.parts import COLLEGE, KEYS, PROJECT, RIVERSIDE, ROUND

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.comparison import PRESENCE_BYTES, comparison_1
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.differences import field_levels
from isthmus.contract.encodings import submission_from_bytes
from isthmus.contract.errors import AnswersMalformed, Unreachable
from isthmus.contract.field_answers import answers_from_bytes, most_pairs
from isthmus.contract.ids import PartyId
from isthmus.contract.levels import LEVELS
from isthmus.contract.project import ProviderTerms
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.node.compare.field_file import CHECK_BYTES
from isthmus.node.compare.near_misses import FEWEST_PAIRS
from isthmus.node.compare.row_fields import RowFields, read_row_fields
from isthmus.node.errors import ConsentChanging, OutboxDamaged, RefusedByPolicy, RoundEnded
from isthmus.node.keys.linkage_key import round_key
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.norm1 import normalise_column
from isthmus.node.outbox import fields_path
from isthmus.node.take_part import take_step
from isthmus.v1 import common_pb2

COMPARISON = comparison_1(FIELDS)


@pytest.fixture
def parties(tmp_path: Path) -> Iterator[Parties]:
    with two_parties(tmp_path) as both:
        yield both


def _asked_of_both(parties: Parties) -> tuple[Rows, Rows]:
    return parties.asked(RIVERSIDE).rows, parties.asked(COLLEGE).rows


def _people_as_sent(parties: Parties, party: PartyId, seed: int) -> list[tuple[str, ...]]:
    """Give a party's people by the row numbers under which the coordinator asks about them."""
    node = parties.nodes[party]
    filed = {person[0]: person for person in people(parties.rows(party), seed=seed)}
    return [filed[record_id] for _, record_id in sorted(node.vault.record_ids(ROUND).items())]


def _row_fields(rows: list[tuple[str, ...]]) -> RowFields:
    columns = {
        field: normalise_column(field, [row[1 + place] for row in rows], date_order=DateOrder.YMD).values
        for place, field in enumerate(FIELDS)
    }
    compare, pad = (round_key(MASTER, project=PROJECT, round_id=ROUND, label=one) for one in ("compare", "pad"))
    return read_row_fields(columns, COMPARISON, compare=compare, pad=pad)


def test_coordinator_reads_from_both_answers_how_the_rows_differ(parties: Parties) -> None:
    rows = dict(zip((RIVERSIDE, COLLEGE), _asked_of_both(parties), strict=True))
    hubs = {party: parties.hub(party) for party in rows}
    fields = {party: _row_fields(_people_as_sent(parties, party, seed)) for seed, party in enumerate(rows, 1)}

    for party, hub in hubs.items():
        parties.step(party, hub)

    told = read_differences(hubs[RIVERSIDE].payload(), hubs[COLLEGE].payload(), COMPARISON)
    for part in ("first_name", "last_name", "dob.year", "dob.day", "zip"):
        left, right = (fields[party].vectors[part][rows[party]] for party in rows)
        both = fields[RIVERSIDE].present[part][rows[RIVERSIDE]] & fields[COLLEGE].present[part][rows[COLLEGE]]
        expected = np.where(both, np.bitwise_count(left ^ right).sum(axis=1).astype(int), -1)
        assert told.of(part).tolist() == expected.tolist()
    levels = field_levels(told, FIELDS)
    assert 0 < (levels[0] < LEVELS["first_name"].names.index("nickname")).sum() < levels.shape[1]


def test_bands_follow_from_the_whole_data_set(parties: Parties) -> None:
    hubs = {party: parties.hub(party) for party in parties.nodes}
    expected = [_row_fields(_people_as_sent(parties, party, seed)) for seed, party in enumerate(hubs, 1)]
    asked = _asked_of_both(parties)

    for party, hub in hubs.items():
        parties.step(party, hub)

    told = read_differences(hubs[RIVERSIDE].payload(), hubs[COLLEGE].payload(), COMPARISON)
    same = told.of("first_name") == 0
    bands = sum(one.bands["first_name"][rows[same]] for one, rows in zip(expected, asked, strict=True))
    assert same.any()
    assert told.of("first_name.band")[same].tolist() == bands.tolist()


def test_budget_is_what_the_project_grants(parties: Parties) -> None:
    hub = parties.hub(COLLEGE)

    parties.step(COLLEGE, hub)

    assert hub.answers.pairs == most_pairs(slots=SLOTS, rows=(60, 40)) == 240
    assert len(hub.payload()) == 240
    assert hub.complete


def test_files_go_when_all_answers_are_closed_and_nothing_is_asked_again(parties: Parties) -> None:
    hub, node = parties.hub(RIVERSIDE), parties.nodes[RIVERSIDE]
    assert [path.suffix for path in node.outbox.iterdir()] == [".fields"]

    parties.step(RIVERSIDE, hub)
    step = parties.step(RIVERSIDE, hub)

    assert step.view.state is RoundState.COMPARING
    assert list(node.outbox.iterdir()) == []
    assert (hub.fetched, len(hub.declared)) == (1, 1)


HALF_WRITTEN = (f"{ROUND}.new", f"{ROUND}.new-fields", f"{ROUND}.new-answers", f"{ROUND}.0123456789abcdef.answers")
"""What a node that was killed leaves in its outbox, beside the fields."""


@pytest.mark.parametrize("state", [common_pb2.ROUND_STATE_CANCELLED, common_pb2.ROUND_STATE_RELEASED])
def test_nothing_of_a_killed_node_outlasts_the_round(parties: Parties, state: Any) -> None:
    hub, node = parties.hub(RIVERSIDE), parties.nodes[RIVERSIDE]
    others = ["k12-to-work-12.new-answers", "notes.txt"]
    for name in (*HALF_WRITTEN, *others):
        (node.outbox / name).write_bytes(b"x")
    node.ids.mkdir()
    (node.ids / f"{ROUND}.csv").write_text("rec_id,pseudonym\n")
    hub.state = state

    with suppress(RoundEnded):
        parties.step(RIVERSIDE, hub)

    assert sorted(path.name for path in node.outbox.iterdir()) == others


def test_what_is_kept_is_private_and_holds_no_value(parties: Parties) -> None:
    node = parties.nodes[RIVERSIDE]
    path = fields_path(node.outbox, submission_from_bytes(parties.submissions[RIVERSIDE]))
    kept, sent = path.read_bytes(), people(60, seed=1)

    assert S_IMODE(path.stat().st_mode) == 0o600
    handles = sorted(node.vault.record_ids(ROUND))
    size = (len(kept) - CHECK_BYTES) // 60
    assert [kept[row * size : row * size + 16] for row in range(60)] == handles
    for person in sent:
        born = person[3].replace("-", "")
        bits = np.packbits(np.eye(10, dtype=np.bool_)[[int(digit) for digit in born[:4]]].reshape(-1)).tobytes()
        assert not any(one in kept for one in (person[0].encode(), person[2].lower().encode(), born.encode(), bits))


def test_same_rows_prepared_anew_leave_other_bytes_on_the_disk(parties: Parties) -> None:
    node = parties.nodes[RIVERSIDE]
    (before,) = (path.read_bytes() for path in node.outbox.glob("*.fields"))

    node.forget_submission(ROUND)
    assert list(node.outbox.iterdir()) == []
    let_submit(node)

    (after,) = (path.read_bytes() for path in node.outbox.glob("*.fields"))
    rows = [np.frombuffer(one[:-CHECK_BYTES], np.uint8).reshape(60, -1)[:, 16:] for one in (before, after)]
    assert not (rows[0] == rows[1]).all(axis=1).any()


def test_line_that_breaks_is_taken_up_again_with_the_same_bytes(tmp_path: Path) -> None:
    with two_parties(tmp_path, sizes=(200, 10), terms=comparing_manifest(comparison=ComparisonTerms(slots=64))) as both:
        node, hub = both.nodes[RIVERSIDE], both.hub(RIVERSIDE)
        hub.lose_after = 1

        with pytest.raises(Unreachable):
            both.step(RIVERSIDE, hub)
        (waiting,) = node.outbox.glob("*.answers")
        whole = waiting.read_bytes()
        hub.lose_after = None
        both.step(RIVERSIDE, hub)

    assert hub.answers.chunk_count > 1
    assert hub.fetched == 1
    assert hub.payload().tobytes() == whole


@pytest.mark.parametrize("party", [RIVERSIDE, COLLEGE])
def test_row_whose_person_opted_out_is_answered_as_one_that_has_nothing(parties: Parties, party: PartyId) -> None:
    hub, node = parties.hub(party), parties.nodes[party]
    record = next(record for _, record in sorted(node.vault.record_ids(ROUND).items()))
    let_opt_out(node, record)

    parties.step(party, hub)

    presence = hub.payload()[:, :PRESENCE_BYTES].copy().view("<u4")[:, 0]
    of_row = hub.asked.rows == 0
    assert (presence[of_row] == 0).all()
    assert (presence[~of_row] != 0).all()
    assert len({answer.tobytes() for answer in hub.payload()[of_row]}) == of_row.sum()


def test_row_that_was_struck_out_is_answered_as_one_that_has_nothing(parties: Parties) -> None:
    hub, node = parties.hub(RIVERSIDE), parties.nodes[RIVERSIDE]
    handles = sorted(node.vault.record_ids(ROUND))
    node.vault.save_tombstones(ROUND, handles[5:7], acknowledged=True)

    parties.step(RIVERSIDE, hub)

    presence = hub.payload()[:, :PRESENCE_BYTES].copy().view("<u4")[:, 0]
    assert set(hub.asked.rows[presence == 0].tolist()) == {5, 6}


def test_answers_are_made_anew_where_somebody_opts_out_while_they_are_made(
    parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opted out once the first answers were written: nobody was told of those."""
    hub, node = parties.hub(RIVERSIDE), parties.nodes[RIVERSIDE]
    records = [record for _, record in sorted(node.vault.record_ids(ROUND).items())]
    made = count()

    def report(stage: str, done: int, total: int) -> None:
        if stage.startswith("comparing") and done == total and next(made) == 0:
            let_opt_out(node, records[3])

    take_step(node, hub.client(), ROUND, report=report)

    presence = hub.payload()[:, :PRESENCE_BYTES].copy().view("<u4")[:, 0]
    assert set(hub.asked.rows[presence == 0].tolist()) == {3}
    assert next(made) == 2


def test_answers_that_were_declared_stay_as_they_are(parties: Parties) -> None:
    """The coordinator holds the declaration; whoever opts out then is struck out of the round."""
    hub, node = parties.hub(RIVERSIDE), parties.nodes[RIVERSIDE]
    hub.lose_after = 0
    with pytest.raises(Unreachable):
        parties.step(RIVERSIDE, hub)
    let_opt_out(node, next(iter(node.vault.record_ids(ROUND).values())))
    hub.lose_after = None

    parties.step(RIVERSIDE, hub)

    assert len(set(hub.declared)) == 1
    assert (hub.payload()[:, :PRESENCE_BYTES].copy().view("<u4")[:, 0] != 0).all()


def test_node_without_a_receipt_answers_nothing(parties: Parties) -> None:
    node, hub = parties.nodes[RIVERSIDE], parties.hub(RIVERSIDE)
    node.vault.drop_prepared(ROUND)

    with pytest.raises(RefusedByPolicy, match="sent it no rows"):
        parties.step(RIVERSIDE, hub)
    assert hub.fetched == 0


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _exchanged(data: bytes, size: int) -> bytes:
    return data[size : 2 * size] + data[:size] + data[2 * size :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-1],
    "a bit of a handle": lambda data: _flipped(data, 3),
    "a bit of a record": lambda data: _flipped(data, 40),
    "a bit of the last record": lambda data: _flipped(data, len(data) - CHECK_BYTES - 1),
    "a bit of the check": lambda data: _flipped(data, len(data) - 1),
    "two rows exchanged": lambda data: _exchanged(data, (len(data) - CHECK_BYTES) // 60),
    "nothing": lambda _data: b"",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_fields_that_are_not_as_they_were_written_are_said(parties: Parties, damage: Callable[[bytes], bytes]) -> None:
    node, hub = parties.nodes[RIVERSIDE], parties.hub(RIVERSIDE)
    (path,) = node.outbox.glob("*.fields")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))

    with pytest.raises(OutboxDamaged):
        parties.step(RIVERSIDE, hub)
    assert hub.declared == []

    path.write_bytes(whole)
    parties.step(RIVERSIDE, hub)
    assert hub.complete


def test_fields_that_are_not_there_are_said(parties: Parties) -> None:
    node, hub = parties.nodes[RIVERSIDE], parties.hub(RIVERSIDE)
    (path,) = node.outbox.glob("*.fields")
    path.unlink()

    with pytest.raises(OutboxDamaged):
        parties.step(RIVERSIDE, hub)
    assert hub.declared == []


def test_fields_of_the_same_rows_prepared_before_are_not_those_of_the_submission(parties: Parties) -> None:
    """Other handles in another order, under the same key: answers would be about other rows than were asked for."""
    node, hub = parties.nodes[COLLEGE], parties.hub(COLLEGE)
    (path,) = node.outbox.glob("*.fields")
    before = path.read_bytes()
    node.forget_submission(ROUND)
    parties.submissions[COLLEGE] = let_submit(node)
    (path,) = node.outbox.glob("*.fields")
    path.write_bytes(before)

    with pytest.raises(OutboxDamaged):
        parties.step(COLLEGE, parties.hub(COLLEGE))
    assert hub.declared == []


class _Refusing(Hub):
    """A coordinator that takes all answers and refuses them."""

    def CompleteAnswers(self, _request: object, **_options: object) -> NoReturn:  # noqa: N802 - as generated
        raise AnswersMalformed(other=COLLEGE, problem="they are damaged")


def test_answers_that_the_coordinator_refused_are_not_sent_again(parties: Parties) -> None:
    hub = _Refusing(parties.asked(RIVERSIDE))
    with pytest.raises(AnswersMalformed):
        parties.step(RIVERSIDE, hub)

    with pytest.raises(RefusedByPolicy, match="would refuse the same ones again"):
        parties.step(RIVERSIDE, parties.hub(RIVERSIDE))

    assert len(hub.declared) == 1


def _prepared_anew(asked: Question) -> Question:
    """Give the question about the other's rows as if these were prepared once more, under other handles."""
    whole = msgspec.structs.replace(submission_from_bytes(asked.other_submission), digest="8" * 64)
    document = whole.to_bytes()
    request = msgspec.structs.replace(asked.request, other_submission=sha256(document).hex())
    signature = sign(KEYS[COLLEGE], Label.SUBMISSION, document)
    return replace(asked, request=request, other_submission=document, other_signature=signature)


def _as_before_answering(parties: Parties, fields: dict[Path, bytes]) -> None:
    """Put a node's folder back as it was when it had sent its rows: it forgets that it ever answered."""
    for path, content in fields.items():
        path.write_bytes(content)
    with parties.nodes[RIVERSIDE].vault._transaction() as tx:
        tx.execute("DELETE FROM answers")


@pytest.mark.parametrize("whose", ["own list", "the other's list", "the other's rows"])
def test_node_that_forgot_its_answers_takes_other_pads_for_another_list(parties: Parties, whose: str) -> None:
    """One pad for two rows would show a coordinator how they differ; even for one row it must not come again."""
    node, first = parties.nodes[RIVERSIDE], parties.asked(RIVERSIDE)
    rows = first.rows.copy()
    rows[[0, -1]] = rows[[-1, 0]]
    second = {
        "own list": first.with_rows(rows),
        "the other's list": replace(first, request=msgspec.structs.replace(first.request, other_rows="7" * 64)),
        "the other's rows": _prepared_anew(first),
    }[whose]
    fields = {path: path.read_bytes() for path in node.outbox.glob("*.fields")}
    hubs = [Hub(first), Hub(second)]

    for hub in hubs:
        parties.step(RIVERSIDE, hub)
        _as_before_answering(parties, fields)

    same = first.rows == second.rows
    start = next(at for part, at in COMPARISON.offsets() if part.name == "dob.year")
    years = [hub.payload()[same, start : start + 5].tolist() for hub in hubs]
    assert same.sum() >= len(rows) - 2
    assert not any(one == again for one, again in zip(*years, strict=True))


def test_answers_are_given_up_where_somebody_opts_out_each_time(parties: Parties) -> None:
    hub, node = parties.hub(RIVERSIDE), parties.nodes[RIVERSIDE]
    records = iter(node.vault.record_ids(ROUND).values())

    def report(stage: str, done: int, total: int) -> None:
        if stage.startswith("comparing") and done == total:
            let_opt_out(node, next(records))

    with pytest.raises(ConsentChanging):
        take_step(node, hub.client(), ROUND, report=report)

    assert hub.declared == []
    assert node.vault.near_misses(ROUND) is None
    assert [path.suffix for path in node.outbox.iterdir()] == [".fields"]


def test_near_misses_leave_rounded_and_once(tmp_path: Path) -> None:
    """On the document that leaves: kinds of 100 pairs or more, and ten pairs or more for each last digit."""
    with two_parties(tmp_path, sizes=(900, 10)) as both:
        hub = both.hub(RIVERSIDE)
        both.step(RIVERSIDE, hub)
        kept = both.nodes[RIVERSIDE].vault.near_misses(ROUND)

    declared = answers_from_bytes(hub.declared[0])
    all_pairs = 900 * 899 // 2
    assert kept is not None
    assert declared.near_misses
    for kind in declared.near_misses:
        pairs = kind.share * all_pairs
        assert pairs >= FEWEST_PAIRS * 0.95  # the share itself is rounded to two digits
        assert kind.share == float(f"{kind.share:.1e}")
        assert 10 ** np.floor(np.log10(pairs)) / 10 >= 10 * 0.95
        for shares in kind.levels.values():
            _check_rounded(shares, pairs)


def _check_rounded(shares: tuple[float, ...], pairs: float) -> None:
    """Each share is a whole number of steps of ten pairs or more, or the least there is, but that all add up to 1."""
    decimals = int(np.log10(pairs / 10))
    step, least = 10.0**-decimals, 10.0**-decimals / 10
    assert step * pairs >= 10 * 0.95
    scale = least / min(shares) if min(shares) < step / 2 else 1.0
    for share in shares:
        whole = share * scale
        assert whole == pytest.approx(least, rel=0.01) or whole / step == pytest.approx(round(whole / step), abs=0.01)


def test_near_misses_are_not_of_rows_left_out(tmp_path: Path) -> None:
    with two_parties(tmp_path, sizes=(900, 10)) as both:
        node, hub = both.nodes[RIVERSIDE], both.hub(RIVERSIDE)
        let_opt_out(node, *(f"REC-1-{row}" for row in range(1, 900, 2)))  # one of each household
        both.step(RIVERSIDE, hub)

    last = [kind.levels["last_name"] for kind in hub.answers.near_misses]
    assert all(sum(shares[:4]) < 0.5 for shares in last)


def test_data_set_that_repeats_people_tells_nothing_of_near_misses(tmp_path: Path) -> None:
    """Two rows of it may be one person, who would pass for two people that are alike."""
    providers = tuple(
        ProviderTerms(party=party, dataset="people", fields=FIELDS, max_rows=1_000, repeats=party == RIVERSIDE)
        for party in (RIVERSIDE, COLLEGE)
    )
    with two_parties(tmp_path, sizes=(900, 10), terms=comparing_manifest(providers=providers)) as both:
        hub = both.hub(RIVERSIDE)
        both.step(RIVERSIDE, hub)

    assert hub.answers.near_misses == ()
