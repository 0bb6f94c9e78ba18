"""What holds of consent for any history and any data: nobody comes in by an opt-out, pieces are the whole."""

from collections.abc import Iterable
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.node.consent.consent_parts import NOW, OTHER, PROJECT

from isthmus.contract.bands import band
from isthmus.contract.ids import ProjectId
from isthmus.node.consent.opt_outs import Act, Entry, Reason, exclusions, new_entries, revocable
from isthmus.node.consent.rules import Kept, join_kept, keep_rows
from isthmus.node.consent_settings import ConsentRule
from isthmus.node.normalise.dates import DateOrder

FIRST = date(2026, 9, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(4)]
IDS = ["1", "01", "a"]
REASONS = [Reason.COURT_ORDER, Reason.OTHER]
EXAMPLES = settings(max_examples=40)


@st.composite
def entries(draw: st.DrawFn, acts: tuple[Act, ...] = tuple(Act)) -> Entry:
    """Draw an entry of few ids, days, projects and reasons, so that entries meet."""
    act, first = draw(st.sampled_from(acts)), draw(st.sampled_from(DAYS))
    last = draw(st.none() | st.sampled_from([day for day in DAYS if day >= first])) if act is Act.OPT_OUT else None
    return Entry(
        act=act,
        record_id=draw(st.sampled_from(IDS)),
        from_day=first,
        until_day=last,
        project=draw(st.sampled_from([None, PROJECT, OTHER])),
        reason=draw(st.sampled_from(REASONS)),
        entered_at=NOW,
    )


HISTORIES = st.lists(entries(), max_size=6)
OPT_OUTS = st.lists(entries((Act.OPT_OUT,)), max_size=5)
PROJECTS = st.sampled_from([PROJECT, OTHER, ProjectId("never-named")])


def _status(history: Iterable[Entry]) -> dict[tuple[str, date, str], Reason | None]:
    """Give who is left out, of each project on each day and one far later."""
    whole = list(history)
    cases = [(project, day) for project in (PROJECT, OTHER, "never-named") for day in [*DAYS, date(2150, 1, 1)]]
    found = {case: exclusions(whole, project=ProjectId(case[0]), as_of=case[1]) for case in cases}
    return {(*case, record_id): found[case].reason(record_id) for case in cases for record_id in IDS}


def _plainly_out(history: list[Entry], project: str, day: date, record_id: str) -> bool:
    """Say it another way: some reason has an opt-out that speaks of it and no revocation after that one."""
    same = {"1": {"1", "01"}, "01": {"1", "01"}, "a": {"a"}}[record_id]

    def speaks(entry: Entry) -> bool:
        started = entry.from_day <= day
        ended = entry.until_day is not None and day > entry.until_day
        return entry.record_id in same and started and not ended and (entry.project or project) == project

    return any(
        entry.act is Act.OPT_OUT
        and speaks(entry)
        and not any(one.act is Act.REVOKE and one.reason is entry.reason and speaks(one) for one in history[place:])
        for place, entry in enumerate(history)
    )


@EXAMPLES
@given(history=HISTORIES)
def test_exclusions_agree_with_the_rule_said_another_way(history: list[Entry]) -> None:
    for (project, day, record_id), reason in _status(history).items():
        assert (reason is not None) == _plainly_out(history, project, day, record_id)


@EXAMPLES
@given(history=HISTORIES, wanted=OPT_OUTS)
def test_leaving_out_what_is_not_new_changes_nobodys_status(history: list[Entry], wanted: list[Entry]) -> None:
    fresh = new_entries(history, wanted)

    assert _status([*history, *fresh]) == _status([*history, *wanted])
    assert new_entries([*history, *fresh], wanted) == []


@EXAMPLES
@given(history=HISTORIES, wanted=OPT_OUTS)
def test_an_opt_out_lets_nobody_in(history: list[Entry], wanted: list[Entry]) -> None:
    before, after = _status(history), _status([*history, *wanted])

    assert all(after[case] is not None for case, reason in before.items() if reason is not None)


@EXAMPLES
@given(history=HISTORIES, first=st.sampled_from(DAYS), record_id=st.sampled_from(IDS), project=PROJECTS)
def test_reasons_to_revoke_are_exactly_those_that_keep_a_record_out(
    history: list[Entry], first: date, record_id: str, project: ProjectId
) -> None:
    reasons = revocable(history, record_id=record_id, project=project, from_day=first)

    later = [day for day in [*DAYS, date(2150, 1, 1)] if day >= first]
    out = any(exclusions(history, project=project, as_of=day).reason(record_id) for day in later)
    assert bool(reasons) == out
    revoked = [
        Entry(
            act=Act.REVOKE,
            record_id=record_id,
            from_day=first,
            until_day=None,
            project=project,
            reason=reason,
            entered_at=NOW,
        )
        for reason in reasons
    ]
    assert not any(exclusions([*history, *revoked], project=project, as_of=day).reason(record_id) for day in later)


VALUES = st.sampled_from(["Y", "n", "", " ", "?", "1.0", "refused"])
DATES = st.sampled_from(["", "2026-09-01", "2026-09-03", "09/02/2026", "9999-12-31", "soon"])
WORDS = st.lists(st.sampled_from(["y", "n", "1", "0", "", "refused"]), max_size=3, unique=True)
RULES = st.builds(
    ConsentRule,
    column=st.sampled_from(["a", "b"]),
    exclude_if=WORDS.map(tuple),
    include_if=WORDS.map(tuple),
    from_column=st.sampled_from(["", "first"]),
    until_column=st.sampled_from(["", "last"]),
    from_day=st.none() | st.sampled_from(DAYS),
    until_day=st.none() | st.sampled_from(DAYS),
    projects=st.sampled_from([(), (PROJECT,), (OTHER,)]),
)
ROWS = st.lists(st.tuples(st.sampled_from(IDS), VALUES, VALUES, DATES, DATES), max_size=6)


@EXAMPLES
@given(rows=ROWS, rules=st.lists(RULES, max_size=3), history=HISTORIES, cut=st.integers(0, 6))
def test_pieces_give_what_the_whole_gives_and_every_row_left_out_has_a_ground(
    rows: list[tuple[str, ...]], rules: list[ConsentRule], history: list[Entry], cut: int
) -> None:
    listed = exclusions(history, project=PROJECT, as_of=DAYS[2])

    def keep(part: list[tuple[str, ...]]) -> Kept:
        ids, *columns = [list(column) for column in zip(*part, strict=True)] or [[] for _ in range(5)]
        named = dict(zip(["a", "b", "first", "last"], columns, strict=True))
        return keep_rows(ids, named, rules=rules, exclusions=listed, date_order=DateOrder.MDY)

    whole, joined = keep(rows), join_kept([keep(rows[:cut]), keep(rows[cut:])])

    assert whole.mask.tolist() == joined.mask.tolist()
    assert whole.counts == joined.counts
    assert sum(whole.counts.values()) == whole.mask.tolist().count(False)
    assert not any(keeps and listed.reason(row[0]) for keeps, row in zip(whole.mask, rows, strict=True))


@EXAMPLES
@given(rows=ROWS, rules=st.lists(RULES, max_size=3), extra=RULES)
def test_another_rule_lets_nobody_in(rows: list[tuple[str, ...]], rules: list[ConsentRule], extra: ConsentRule) -> None:
    nobody = exclusions([], project=PROJECT, as_of=DAYS[2])
    ids = [row[0] for row in rows]
    named = {name: [row[place] for row in rows] for place, name in enumerate(["a", "b", "first", "last"], 1)}

    few, more = (
        keep_rows(ids, named, rules=some, exclusions=nobody, date_order=DateOrder.YMD).mask
        for some in (rules, [*rules, extra])
    )

    assert not (more & ~few).any()


@EXAMPLES
@given(count=st.integers(1, 10**12))
def test_count_lies_within_its_band_and_bands_do_not_overlap(count: int) -> None:
    low, high = map(int, band(count).split("-"))

    assert low <= count <= high
    assert band(low) == band(high) == band(count)
    assert band(high + 1) != band(count) != (band(low - 1) if low > 1 else band(0))
