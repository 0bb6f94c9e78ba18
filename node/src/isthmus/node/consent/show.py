"""The list of opt-outs as people see it: entries, counts, and what an entry brings about."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from isthmus.contract.bands import band
from isthmus.contract.clock import to_text
from isthmus.contract.ids import ProjectId
from isthmus.node.consent.opt_outs import Act, Entry, Reason, exclusions, record_key, rows_text

ALL_PROJECTS: Final = "all projects"


def entry_data(entry: Entry) -> dict[str, Any]:
    """Give an entry as data; `until` null is no end, `project` null is all projects."""
    return {
        "act": entry.act.value,
        "record_id": entry.record_id,
        "from": entry.from_day.isoformat(),
        "until": None if entry.until_day is None else entry.until_day.isoformat(),
        "project": entry.project,
        "reason": entry.reason.value,
        "entered_at": to_text(entry.entered_at),
    }


def entry_text(entry: Entry) -> str:
    """Give an entry as one line."""
    until = "" if entry.until_day is None else f" until {entry.until_day}"
    what = "left out" if entry.act is Act.OPT_OUT else "revoked"
    scope = entry.project or ALL_PROJECTS
    return f"{entry.record_id}  {what} from {entry.from_day}{until}  {scope}  {entry.reason}"


def counts_data(entries: Sequence[Entry], *, today: date) -> dict[str, Any]:
    """Give how many records the list leaves out today, by project and reason, exactly and as the band that may leave.

    A project that has entries of its own counts those for all projects too.
    """
    named = sorted({entry.project for entry in entries if entry.project is not None})
    return {
        "as_of": today.isoformat(),
        "entries": len(entries),
        "records": len({record_key(entry.record_id) for entry in entries}),
        "left_out": {name or ALL_PROJECTS: _counts(entries, name, today) for name in (None, *named)},
    }


def counts_text(counts: dict[str, Any]) -> str:
    """Give the counts as lines; they are exact, for this node's own people."""
    lines = [f"{counts['entries']:,} entries about {counts['records']:,} records; left out on {counts['as_of']}:"]
    for scope, found in counts["left_out"].items():
        reasons = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found["reasons"].items())
        lines.append(f"  {scope}: {found['records']:,}" + (f" ({reasons})" if reasons else ""))
    return "\n".join(lines)


def consequence(*, record_is: str, from_day: date, today: date) -> str:
    """Say what an opt-out brings about: in the next round, and in one that is open."""
    begins = "rounds" if from_day <= today else f"from {from_day} on, rounds"
    return (
        f"{record_is}; {begins} that have not sent their rows yet leave it out. A round whose rows were sent"
        " already still holds it: isthmus-node opt-out apply strikes it out there, as long as nothing is released"
    )


def project_hint(project: ProjectId, known: Sequence[ProjectId]) -> str:
    """Say of which project the record is left out, and what to do where this node does not know it."""
    if project in known:
        return f"it takes part in every project but {project}"
    others = f"only of {', '.join(known)}" if known else "nor of any other"
    return (
        f"look at the project's id again: this node has taken part in no round of {project} yet, {others}; where the id"
        f" is mistyped, nobody is left out: take it back with isthmus-node opt-out revoke --project {project}"
    )


def struck_out_text(round_id: str, *, rows: int, too_late: bool) -> str:
    """Say what came of striking out of one round."""
    if too_late:
        return f"{round_id}: too late for {rows_text(rows)}, its result is made; the next round leaves them out"
    return f"{round_id}: {rows_text(rows)} struck out"


def _counts(entries: Sequence[Entry], project: ProjectId | None, today: date) -> dict[str, Any]:
    held = exclusions(entries, project=project, as_of=today).reasons
    reasons = Counter(held.values())
    return {
        "records": len(held),
        "band": band(len(held)),
        "reasons": {reason.value: reasons[reason] for reason in Reason if reasons[reason]},
    }
