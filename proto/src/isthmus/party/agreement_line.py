"""A line about a version of an agreement, for the lists of the command line."""

from typing import Any

from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.agreement_views import AgreementSummary

_NEEDS = "read it with isthmus-node agreement show ID, then isthmus-node agreement sign ID (or decline)"


def agreement_line(summary: AgreementSummary) -> str:
    """Give where a version stands, whom it waits for, and what that party has to do."""
    head = f"{summary.agreement_id}, version {summary.version}: {summary.state.value}"
    lines = [f"{head}, {summary.effective} to {summary.expires}: {summary.title}"]
    lines += [f"  waiting for {party}: {_NEEDS}" for party in summary.waiting_for]
    if summary.state is AgreementState.IN_FORCE:
        lines += [f"  {party} withdrew, and is in no new round" for party in summary.withdrawn]
    return "\n".join(lines)


def agreement_data(summary: AgreementSummary) -> dict[str, Any]:
    """Give the same for programs."""
    return {
        "agreement": summary.agreement_id,
        "version": summary.version,
        "digest": summary.digest.hex(),
        "state": summary.state.value,
        "title": summary.title,
        "effective": summary.effective.isoformat(),
        "expires": summary.expires.isoformat(),
        "waiting_for": list(summary.waiting_for),
        "withdrawn": list(summary.withdrawn),
    }
