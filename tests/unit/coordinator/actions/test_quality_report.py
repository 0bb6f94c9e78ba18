"""The quality report of a round: made with its result, the same whatever happens, and given to whom it concerns."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from field_nodes import FieldNode, compared, field_round, strike
from harness import Coordinator, random_rows, small_engine

from isthmus.contract.canonical import sha256
from isthmus.contract.errors import NoQualityReport, NotAMember, NotReady
from isthmus.contract.ids import RoundId, TableId
from isthmus.contract.parties import Role
from isthmus.contract.quality import Interval, NotEnoughData, PairQuality, QualityReport, TooLittle, quality_from_bytes
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import quality_report
from isthmus.coordinator.actions.matching import MatchingInterrupted, match_round
from isthmus.coordinator.actions.results import fetch_quality, fetch_quality_of_project, fetch_table

Make = Callable[[str], Coordinator]
SIZE = 150
LEFT, RIGHT = [*range(SIZE), -SIZE], [*range(50, SIZE), *range(SIZE, SIZE + 51)]
"""A hundred people are in both; the candidate of number 150 is another person."""


def _answered(hub: Coordinator, *groups: Any, **changes: Any) -> list[FieldNode]:
    nodes = field_round(hub, *(groups or (LEFT, RIGHT)), **changes)
    hub.match()
    compared(nodes)
    return nodes


def _document(node: FieldNode) -> bytes:
    return fetch_quality(node.hub.context, node.party.actor, round_id=node.round_id).to_bytes()


def _report(node: FieldNode) -> QualityReport:
    return quality_from_bytes(_document(node))


def _both(pair: PairQuality, acceptance: float) -> int | None:
    return {rung.acceptance: rung.both for rung in pair.ladder}[acceptance]


def test_member_and_analyst_fetch_the_same_report_and_the_fetches_are_recorded(hub: Coordinator) -> None:
    analyst = hub.party("research", Role.ANALYST)
    left, right = _answered(hub, analysts=["research"])
    hub.match()

    given = fetch_quality_of_project(hub.context, analyst.actor, round_id=left.round_id)

    assert _document(left) == _document(right) == given.to_bytes()
    actions = [(one["actor"], one["action"]) for one in hub.events()]
    assert actions[-3:] == [("research", "quality.fetch"), (left.id, "quality.fetch"), (right.id, "quality.fetch")]
    assert [action for _, action in actions].count("quality.store") == 1


def test_report_says_of_two_providers_how_many_linked_and_how_well(hub: Coordinator) -> None:
    left, right = _answered(hub, comparison={"slots": 16})
    hub.match()

    report = _report(left)

    (pair,) = report.pairs
    assert (report.round_id, report.acceptance, report.min_cell_count) == (left.round_id, 0.1, 3)
    assert (pair.left, pair.right, pair.rows) == (left.id, right.id, (len(LEFT), len(RIGHT)))
    assert pair.accepted == len(left.linked()) == _both(pair, 0.1) == 100
    assert isinstance(pair.precision, Interval)
    assert pair.precision.value > 0.95
    assert pair.recall == pair.planted.recall == NotEnoughData(reason=TooLittle.FEW_PLANTED)
    assert pair.weights


def test_counts_of_few_people_are_hidden_by_the_projects_own_rule(hub: Coordinator) -> None:
    left, _ = _answered(hub, min_cell_count=200)
    hub.match()

    (pair,) = _report(left).pairs

    assert (pair.accepted, pair.candidate_pairs, pair.ladder, pair.patterns) == (None, None, (), ())
    assert pair.precision == NotEnoughData(reason=TooLittle.HIDDEN)


def test_every_two_of_three_providers_have_a_report_by_the_fields_they_share(hub: Coordinator) -> None:
    fields = {"riverside": ["zip"], "college": ["zip"], "wages": ["sex"]}
    nodes = _answered(hub, range(12), range(3, 15), range(6, 12), fields=fields)
    hub.match()

    pairs = _report(nodes[0]).pairs

    assert [(pair.left, pair.right) for pair in pairs] == [
        ("riverside", "college"),
        ("riverside", "wages"),
        ("college", "wages"),
    ]
    assert ["zip" in pair.fields for pair in pairs] == [True, False, False]
    assert {pair.accepted for pair in pairs} == {None}, "with a third provider totals would say who links through it"
    assert all(pair.precision == NotEnoughData(reason=TooLittle.FEW_ROWS) for pair in pairs)
    assert [_both(pair, 0.1) for pair in pairs] == [9, 6, 6]


def test_report_shows_the_rows_that_the_overlap_table_shows_and_no_others(hub: Coordinator) -> None:
    analyst = hub.party("research", Role.ANALYST)
    # One person of the first is nowhere else: its rows less its overlaps would say so.
    nodes = _answered(hub, range(14), range(1, 20), [*range(4, 14), *range(16, 26)], analysts=["research"])
    hub.match()

    _, table = fetch_table(hub.context, analyst.actor, table_id=TableId(f"{nodes[0].round_id}-overlap"))

    shown = {row.key[1]: row.count for row in table.rows if row.key[0] == "all rows of"}
    assert None in shown.values()
    assert set(shown.values()) != {None}
    assert all(pair.rows == (shown[pair.left], shown[pair.right]) for pair in _report(nodes[0]).pairs)


def test_rows_that_repeat_people_count_as_people(hub: Coordinator) -> None:
    left, _ = _answered(hub, [*range(12), 2, 5], range(4, 15), repeats=["riverside"])
    hub.match()

    (pair,) = _report(left).pairs

    assert pair.rows == (12, 11)
    assert _both(pair, 0.1) == _both(pair, 0.5) == 8


def test_rows_struck_out_at_any_time_are_in_no_count(make_hub: Make) -> None:
    reports = []
    for name in ("before", "while"):
        hub = make_hub(name)
        left, _ = _answered(hub, range(20), range(5, 25))
        once = iter([name == "while"])
        if name == "before":
            strike(left, 5, 6, 7)

        def told(_: Any, once: Any = once, left: FieldNode = left) -> None:
            if next(once, False):
                strike(left, 5, 6, 7)

        match_round(hub.context, left.round_id, engine=small_engine(), should_stop=lambda: False, told=told)
        reports.append(_document(left))
        (pair,) = _report(left).pairs
        assert (pair.rows, _both(pair, 0.1)) == ((17, 20), 12)

    assert reports[0] == reports[1]


def test_matching_that_was_stopped_and_taken_up_again_gives_the_same_report(make_hub: Make) -> None:
    undisturbed, stopped = (_answered(make_hub(name))[0] for name in ("undisturbed", "stopped"))
    undisturbed.hub.match()

    asked = iter([False])
    with pytest.raises(MatchingInterrupted):
        stopped.hub.match(should_stop=partial(next, asked, True))
    stopped.hub.match()

    assert sha256(_document(stopped)) == sha256(_document(undisturbed))


def test_report_is_refused_before_release(hub: Coordinator) -> None:
    analyst = hub.party("research", Role.ANALYST)
    left, _ = _answered(hub, analysts=["research"])

    with pytest.raises(NotReady, match="matching"):
        fetch_quality(hub.context, left.party.actor, round_id=left.round_id)
    with pytest.raises(NotReady, match="matching"):
        fetch_quality_of_project(hub.context, analyst.actor, round_id=left.round_id)

    assert "quality.fetch" not in {one["action"] for one in hub.events()}


def test_report_is_refused_to_strangers_who_do_not_learn_that_the_round_exists(hub: Coordinator) -> None:
    left, _ = _answered(hub, range(6), range(6))
    hub.match()
    stranger, analyst = hub.party("stranger"), hub.party("elsewhere", Role.ANALYST)
    missing = RoundId(left.round_id[:-10] + "0000000000")

    for fetch, actor in ((fetch_quality, stranger.actor), (fetch_quality_of_project, analyst.actor)):
        said = []
        for round_id in (left.round_id, missing):
            with pytest.raises(NotAMember) as refused:
                fetch(hub.context, actor, round_id=round_id)
            said.append(str(refused.value).replace(round_id, "ROUND"))
        assert said[0] == said[1]


def test_round_that_compares_no_fields_has_no_report_and_says_so(hub: Coordinator) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers)
    for seed, provider in enumerate(providers):
        hub.submit(provider, round_id, random_rows(8, seed=seed))
    hub.match()

    with pytest.raises(NoQualityReport, match="compare fields"):
        fetch_quality(hub.context, providers[0].actor, round_id=round_id)


def test_round_of_too_many_providers_is_released_without_a_report(
    hub: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality_report, "MOST_PROVIDERS", 1)
    left, _ = _answered(hub, range(6), range(6))

    hub.match()

    assert hub.state(left.round_id) is RoundState.RELEASED
    with pytest.raises(NoQualityReport):
        _report(left)
