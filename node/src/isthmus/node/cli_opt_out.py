"""`isthmus-node opt-out`: the list of people who are left out, kept at the node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Final

import click

from isthmus.contract.clock import SystemClock
from isthmus.contract.ids import ProjectId, parse_project_id
from isthmus.node.config import FILE_NAME
from isthmus.node.consent.days import clock_is_behind, local_day
from isthmus.node.consent.opt_out_csv import read_opt_outs
from isthmus.node.consent.opt_outs import Act, Entry, Reason, entry_problems, revocable
from isthmus.node.consent.show import (
    consequence,
    counts_data,
    counts_text,
    entry_data,
    entry_text,
    project_hint,
    struck_out_text,
)
from isthmus.node.consent.store import OptOutList, open_opt_outs
from isthmus.node.errors import OptOutUnknown
from isthmus.node.log_first import opened, warn_first
from isthmus.node.normalise.dates import LAST_YEAR, DateOrder
from isthmus.node.options import folder_option
from isthmus.node.vault import VAULT_NAME, open_vault
from isthmus.party.commands import emit, json_option, say
from isthmus.party.errors import SettingsInvalid
from isthmus.party.folder import with_given_folder
from isthmus.party.typed_ids import typed

_DAY: Final = click.DateTime(formats=["%Y-%m-%d"])
_PROJECT: Final = typed(parse_project_id)
_REASON: Final = click.Choice([reason.value for reason in Reason])


def _from_option(text: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    return click.option("--from", "from_day", type=_DAY, help=f"{text} (YYYY-MM-DD); today where it is not given.")


@click.group("opt-out")
def opt_out() -> None:
    """Keep the list of people who are left out of rounds; it never leaves this node."""


@opt_out.command()
@folder_option
@click.argument("record_id")
@_from_option("The first day")
@click.option("--until", "until_day", type=_DAY, help="The last day (YYYY-MM-DD); no end where it is not given.")
@click.option("--project", "project_id", callback=_PROJECT, help="Leave out of this project only.")
@click.option("--reason", type=_REASON, default=Reason.OTHER.value, show_default=True, help="Why.")
def add(
    folder: Path,
    record_id: str,
    from_day: datetime | None,
    until_day: datetime | None,
    project_id: ProjectId | None,
    reason: str,
) -> None:
    """Leave out the record of your own id RECORD_ID.

    \b
    Example: isthmus-node opt-out add 4711 --reason parent_opt_out
    """
    now = SystemClock().now()
    today = local_day(now)
    entry = _entry(
        Act.OPT_OUT,
        record_id,
        from_day=from_day.date() if from_day else today,
        until_day=until_day.date() if until_day and until_day.year <= LAST_YEAR else None,
        project=project_id,
        reason=Reason(reason),
        entered_at=now,
    )
    with _opened(folder) as opt_outs:
        added = opt_outs.opt_out([entry])
    record_is = "the record is on the list" if added else "the record was on the list already"
    say(with_given_folder(consequence(record_is=record_is, from_day=entry.from_day, today=today)))
    if project_id is not None:
        say(with_given_folder(project_hint(project_id, _projects_known(folder))))
    say(with_given_folder("an id that is in no data set leaves nobody out; isthmus-node round preview counts such ids"))


@opt_out.command("import")
@folder_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--dates",
    type=click.Choice([order.value for order in DateOrder]),
    default=DateOrder.YMD.value,
    show_default=True,
    help="How FILE writes its dates.",
)
def import_(folder: Path, file: Path, dates: str) -> None:
    """Add the opt-outs of the CSV FILE: record_id,from,until,project,reason. All of them, or none where one is wrong.

    \b
    Example: isthmus-node opt-out import opt-outs.csv --dates MDY
    """
    now = SystemClock().now()
    with _opened(folder) as opt_outs:
        wanted = read_opt_outs(file.read_bytes(), today=local_day(now), entered_at=now, date_order=DateOrder(dates))
        added = opt_outs.opt_out(wanted)
    say(f"{added:,} opt-outs added, {len(wanted) - added:,} were on the list already; the next round leaves them out")
    say(with_given_folder("in rounds whose rows were sent already, isthmus-node opt-out apply strikes them out"))


@opt_out.command("list")
@folder_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """List every entry, in the order in which they were made. It shows record ids: for your own eyes."""
    with _opened(folder) as opt_outs:
        entries = opt_outs.entries()
    emit(as_json, [entry_data(one) for one in entries], lambda: "\n".join(map(entry_text, entries)) or "nobody yet")


@opt_out.command()
@folder_option
@click.argument("record_id")
@_from_option("The first day on which the record takes part again")
@click.option(
    "--project", "project_id", callback=_PROJECT, help="Let it take part in this project again, and in no other."
)
@click.option("--reason", type=_REASON, help="Which opt-out to revoke, where there are several.")
def revoke(
    folder: Path, record_id: str, from_day: datetime | None, project_id: ProjectId | None, reason: str | None
) -> None:
    """Let the record of your own id RECORD_ID take part again. The list keeps what was, and adds this.

    \b
    Example: isthmus-node opt-out revoke 4711 --from 2026-09-01
    """
    now = SystemClock().now()
    day = from_day.date() if from_day else local_day(now)
    with _opened(folder) as opt_outs:
        standing = revocable(opt_outs.entries(), record_id=record_id, project=project_id, from_day=day)
        chosen = _chosen_reason(standing, Reason(reason) if reason else None)
        if chosen is None:
            raise OptOutUnknown(day=day.isoformat(), scope=f"project {project_id}" if project_id else "any project")
        opt_outs.revoke(
            [
                _entry(
                    Act.REVOKE,
                    record_id,
                    from_day=day,
                    until_day=None,
                    project=project_id,
                    reason=chosen,
                    entered_at=now,
                )
            ]
        )
    say(f"revoked from {day} on: {chosen}; the record takes part in rounds that are prepared from then on")


@opt_out.command()
@folder_option
@json_option
def apply(folder: Path, as_json: bool) -> None:
    """Strike rows out of open rounds whose people are left out by now. `run` does the same by itself.

    \b
    Example: isthmus-node opt-out apply
    """
    from isthmus.node.strike_out import strike_out_all  # noqa: PLC0415 - needs numpy; the others start faster without

    with opened(folder) as at:
        warn_first(at, at.client.list_rounds())
        found = list(strike_out_all(at.node, at.client))
    data = [{"round_id": one.round_id, "rows": one.rows, "too_late": one.too_late} for one in found]
    lines = [struck_out_text(one.round_id, rows=one.rows, too_late=one.too_late) for one in found]
    emit(as_json, data, lambda: "\n".join(lines) or "nothing to strike out")


@opt_out.command()
@folder_option
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Count who is left out today, by project and reason. The counts are exact: for your own eyes."""
    with _opened(folder) as opt_outs:
        counts = counts_data(opt_outs.entries(), today=local_day(SystemClock().now()))
        latest = opt_outs.latest_day()
    emit(as_json, counts, lambda: counts_text(counts))
    if latest is not None and latest > local_day(SystemClock().now()):
        say(clock_is_behind(latest))


@opt_out.command("trust-clock")
@folder_option
def trust_clock(folder: Path) -> None:
    """Take this machine's clock for right, after it was wrong: forget later days that this node has seen.

    \b
    Example: isthmus-node opt-out trust-clock
    """
    today = local_day(SystemClock().now())
    with _opened(folder) as opt_outs:
        latest = opt_outs.latest_day()
        opt_outs.forget_latest_day()
    behind = latest is not None and latest > today
    say(f"{latest} is forgotten; today is {today}" if behind else f"this node has seen no day after {today}")


@contextmanager
def _opened(folder: Path) -> Iterator[OptOutList]:
    if not (folder / FILE_NAME).exists():
        problem = f"there is none in {folder.name}; make one with isthmus-node init"
        raise SettingsInvalid(file=FILE_NAME, problem=problem)
    opt_outs = open_opt_outs(folder)
    try:
        yield opt_outs
    finally:
        opt_outs.close()


def _projects_known(folder: Path) -> tuple[ProjectId, ...]:
    """Give the projects of which this node has taken part in a round."""
    path = folder / VAULT_NAME
    if not path.exists():
        return ()
    vault = open_vault(path)
    try:
        return vault.projects()
    finally:
        vault.close()


def _entry(
    act: Act,
    record_id: str,
    *,
    from_day: date,
    until_day: date | None,
    project: ProjectId | None,
    reason: Reason,
    entered_at: datetime,
) -> Entry:
    """Give an entry; what is wrong with what was typed is told as wrong usage."""
    if problems := entry_problems(record_id.strip(), from_day, until_day):
        raise click.UsageError("; ".join(problems))
    return Entry(
        act=act,
        record_id=record_id.strip(),
        from_day=from_day,
        until_day=until_day,
        project=project,
        reason=reason,
        entered_at=entered_at,
    )


def _chosen_reason(standing: set[Reason], wanted: Reason | None) -> Reason | None:
    """Give the one reason that is revoked, if there is one; a person chooses where there are several."""
    if wanted is None and len(standing) > 1:
        raise click.UsageError(
            f"the record is left out on several grounds; say which with --reason: {_named(standing)}"
        )
    found = standing & {wanted} if wanted else standing
    return next(iter(found), None)


def _named(reasons: set[Reason]) -> str:
    return ", ".join(reason for reason in Reason if reason in reasons)
