"""Who received what of this party's rows, when, for which purpose: the record of disclosures (34 CFR 99.32).

Made from the kept log and the manifests that this party signed, of any version. docs/protocol.md section 12 says which
outcomes are read.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from isthmus.contract.audit_log import LoggedEvent
from isthmus.contract.ids import COORDINATOR, PartyId, RoundId
from isthmus.contract.outline import TermsOutline

_RECEIVED: Final = re.compile(r"(\d+) rows received")
_ANSWERED: Final = re.compile(r"(\d+) pairs with ([a-z0-9-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTerms:
    """What of a round's signed terms the record needs.

    `agreement` and `terms` say what it is under, with hashes. `names` are the providers' legal names; `planted` and
    `struck_out` count rows of this party's that are nobody's, and that were taken back.
    """

    project: str
    title: str
    purpose: str
    agreement: str
    terms: str
    names: Mapping[str, str]
    analysts: Sequence[str]
    planted: int = 0
    struck_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One thing that somebody received. `rows` is of how many people's records of this party it is made."""

    at: str
    project: str
    round_id: str
    recipient: str
    recipient_name: str
    interest: str
    received: str
    rows: int
    purpose: str
    agreement: str
    terms: str
    event: int


def round_terms(signed: TermsOutline, *, planted: int, struck_out: int) -> RoundTerms:
    """Give what the record needs of terms that this party signed; see `RoundTerms` for the counts."""
    project, digest = signed.read_project()
    return RoundTerms(
        project=project.id,
        title=project.title,
        purpose=project.purpose,
        agreement=_agreement(signed),
        terms=f"terms {digest.hex()}, signed by this party",
        names={member.party: member.name for member in signed.members},
        analysts=project.analysts,
        planted=planted,
        struck_out=struck_out,
    )


def _agreement(signed: TermsOutline) -> str:
    found = signed.read_agreement()
    if found is None:
        return "no agreement; the round is of a version that knew none"
    agreement, digest = found
    return f"agreement {agreement.id}, version {agreement.version} ({agreement.title}), {digest.hex()}"


def disclosures(
    events: Iterable[LoggedEvent], *, own: PartyId, rounds: Mapping[RoundId, RoundTerms]
) -> Iterator[Disclosure]:
    """Give the disclosures in a project's log, in order; of rounds to which this party sent rows, and no others."""
    sent: dict[RoundId, int] = {}
    for event in events:
        round_id = RoundId(event.object)
        terms = rounds.get(round_id)
        if terms is None:
            continue
        found = _RECEIVED.fullmatch(event.outcome) if event.action == "submission.complete" else None
        if found is not None and event.actor == own:
            sent[round_id] = max(0, int(found[1]) - terms.planted)
        if round_id in sent:
            struck = 0 if event.action == "submission.complete" else terms.struck_out
            yield from _of_event(event, own, terms, rows=max(0, sent[round_id] - struck))


def _of_event(event: LoggedEvent, own: PartyId, terms: RoundTerms, *, rows: int) -> Iterator[Disclosure]:
    received = _received(event, own, terms)
    if received is None:
        return
    recipient, name, interest, what = received
    yield Disclosure(
        at=event.at,
        project=terms.project,
        round_id=event.object,
        recipient=recipient,
        recipient_name=name,
        interest=interest,
        received=what,
        rows=rows,
        purpose=terms.purpose,
        agreement=terms.agreement,
        terms=terms.terms,
        event=event.sequence,
    )


def _received(event: LoggedEvent, own: PartyId, terms: RoundTerms) -> tuple[str, str, str, str] | None:
    """Give recipient, its name, its interest and what it received; none where the event discloses nothing of ours."""
    if event.actor == own:
        return _of_own_act(event)
    if event.actor == COORDINATOR and event.action in _RELEASED:
        analysts = ", ".join(terms.analysts) or "nobody"
        return analysts, "", "analysts that the terms name; they may fetch it", _RELEASED[event.action]
    if event.action in _FETCHED:
        is_provider = event.actor in terms.names
        interest = "provider of the project" if is_provider else "analyst that the terms name"
        return event.actor, terms.names.get(event.actor, ""), interest, _FETCHED[event.action]
    return None


_LINKAGE_UNIT: Final = (COORDINATOR, "the coordinator", "compares encodings for the project; holds no key of them")
_RELEASED: Final = {
    "table.release": "a table of counts after disclosure control",
    "quality.store": "estimates of how good the links are, after disclosure control",
}
_FETCHED: Final = {
    "result.fetch": "IDs of its own rows, some of which show that a person is in other data, too",
    "table.fetch": "a table of counts after disclosure control",
    "quality.fetch": "estimates of how good the links are, after disclosure control",
}


def _of_own_act(event: LoggedEvent) -> tuple[str, str, str, str] | None:
    if event.action == "submission.complete":
        return *_LINKAGE_UNIT, "encoded records (pseudonymous), under a key of the providers"
    answered = _ANSWERED.fullmatch(event.outcome) if event.action == "answers.complete" else None
    if answered is not None:
        return *_LINKAGE_UNIT, f"masked answers about {answered[1]} pairs of rows with {answered[2]}"
    return None


def disclosures_csv(found: Iterable[Disclosure]) -> str:
    """Give the record as CSV with a header, for a spreadsheet."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Disclosure)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(one) for one in found)
    return out.getvalue()


def disclosures_data(found: Iterable[Disclosure]) -> list[dict[str, Any]]:
    """Give the record as JSON has it."""
    return [asdict(one) for one in found]


def disclosures_text(found: Sequence[Disclosure]) -> str:
    """Give the record in lines."""
    return "\n".join(map(_text, found)) or "nothing of this party's rows was disclosed to anybody yet"


def _text(one: Disclosure) -> str:
    who = f"{one.recipient} ({one.recipient_name})" if one.recipient_name else one.recipient
    return (
        f"{one.at}  {who} received {one.received}\n"
        f"    of {one.rows} rows, in round {one.round_id}; {one.interest}\n"
        f"    purpose: {one.purpose}\n"
        f"    under {one.agreement}; {one.terms}"
    )
