"""The record of disclosures: what counts as one, and to whom."""

import csv
import io
import json

import msgspec
import pytest
from unit.node.parts import AGREEMENT, COLLEGE, RIVERSIDE, manifest

from isthmus.contract.audit_log import EVENT_FORMAT, LoggedEvent
from isthmus.contract.canonical import canonical_bytes
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.outline import terms_outline
from isthmus.node.disclosures import (
    Disclosure,
    RoundTerms,
    disclosures,
    disclosures_csv,
    disclosures_data,
    disclosures_text,
    round_terms,
)

OWN, ROUND = PartyId("riverside"), "k12-to-work-1"
TERMS = RoundTerms(
    project="k12-to-work",
    title="From school to work",
    purpose="Count how many pupils are in training, a year later.",
    agreement="agreement school-and-work, version 2 (School and work), a9a9",
    terms="terms 5e5e, signed by this party",
    names={"riverside": "Riverside USD", "college": "City College"},
    analysts=("research-office",),
    planted=20,
    struck_out=3,
)


def _log(*happened: tuple[str, str, str]) -> list[LoggedEvent]:
    return [
        LoggedEvent(
            format=EVENT_FORMAT,
            scope="k12-to-work",
            sequence=number,
            previous="0" * 64,
            at=f"2026-01-15T12:00:{number:02}Z",
            actor=actor,
            action=action,
            object=ROUND,
            outcome=outcome,
        )
        for number, (actor, action, outcome) in enumerate(happened, start=1)
    ]


SENT = ("riverside", "submission.complete", "120 rows received")


def _found(*happened: tuple[str, str, str]) -> list[Disclosure]:
    return list(disclosures(_log(*happened), own=OWN, rounds={RoundId(ROUND): TERMS}))


def test_submission_is_a_disclosure_of_all_rows_but_the_made_up_ones_to_the_coordinator() -> None:
    (one,) = _found(SENT)

    assert (one.recipient, one.rows, one.at, one.event) == ("coordinator", 100, "2026-01-15T12:00:01Z", 1)
    assert one.purpose == TERMS.purpose
    assert one.terms == TERMS.terms


@pytest.mark.parametrize(
    ("event", "recipient", "interest"),
    [
        (("college", "result.fetch", "10-49 rows"), "college", "provider of the project"),
        (("research-office", "table.fetch", "t"), "research-office", "analyst that the terms name"),
        (("college", "quality.fetch", ROUND), "college", "provider of the project"),
        (("coordinator", "table.release", "t"), "research-office", "analysts that the terms name; they may fetch it"),
        (("riverside", "answers.complete", "80 pairs with college"), "coordinator", "compares encodings"),
    ],
    ids=["ids", "table", "quality", "release", "answers"],
)
def test_whatever_others_receive_of_the_rows_is_a_disclosure(
    event: tuple[str, str, str], recipient: str, interest: str
) -> None:
    _, one = _found(SENT, event)

    assert one.recipient == recipient
    assert one.interest.startswith(interest)
    assert one.rows == 97, "those that were struck out are in no result"


@pytest.mark.parametrize(
    "event",
    [
        ("riverside", "result.fetch", "10-49 rows"),
        ("college", "submission.complete", "50 rows received"),
        ("college", "round.sign", "aa"),
        ("coordinator", "round.advance", "collecting to sealed"),
    ],
)
def test_what_tells_nobody_of_the_rows_is_none(event: tuple[str, str, str]) -> None:
    assert len(_found(SENT, event)) == 1


def test_rounds_to_which_no_row_was_sent_or_that_were_not_signed_are_not_in_it() -> None:
    assert _found(("college", "result.fetch", "10-49 rows")) == []
    assert list(disclosures(_log(SENT), own=OWN, rounds={})) == []


def test_csv_and_json_say_the_same_as_the_record() -> None:
    found = _found(SENT, ("college", "result.fetch", "10-49 rows"))

    rows = list(csv.DictReader(io.StringIO(disclosures_csv(found))))

    assert [{**row, "rows": int(row["rows"]), "event": int(row["event"])} for row in rows] == disclosures_data(found)
    assert json.loads(json.dumps(disclosures_data(found))) == disclosures_data(found)


def test_text_names_recipient_purpose_and_terms() -> None:
    text = disclosures_text(_found(SENT, ("college", "result.fetch", "10-49 rows")))

    assert "college (City College) received IDs of its own rows" in text
    assert text.count(TERMS.purpose) == text.count(TERMS.agreement) == text.count(TERMS.terms) == 2
    assert disclosures_text([]) == "nothing of this party's rows was disclosed to anybody yet"


def test_terms_name_agreement_and_project_with_the_hashes_that_were_signed() -> None:
    signed = manifest()

    terms = round_terms(terms_outline(signed.to_bytes()), planted=20, struck_out=3)

    assert terms.agreement == f"agreement school-and-work, version 1 ({AGREEMENT.title}), {AGREEMENT.digest().hex()}"
    assert terms.terms == f"terms {signed.project.digest().hex()}, signed by this party"
    assert (terms.project, terms.title, terms.purpose) == (
        signed.project.id,
        signed.project.title,
        signed.project.purpose,
    )
    assert set(terms.names) == {RIVERSIDE, COLLEGE}
    assert (terms.analysts, terms.planted, terms.struck_out) == (signed.project.analysts, 20, 3)


def test_rounds_signed_before_there_were_agreements_are_in_the_record_and_say_so() -> None:
    document = msgspec.to_builtins(manifest()) | {"format": "isthmus/round-manifest/4"}
    del document["agreement"], document["agreement_signatures"], document["project"]["agreement"]

    terms = round_terms(terms_outline(canonical_bytes(document)), planted=0, struck_out=0)
    (one,) = disclosures(_log(SENT), own=OWN, rounds={RoundId(ROUND): terms})

    assert one.purpose == document["project"]["purpose"]
    assert one.agreement == "no agreement; the round is of a version that knew none"
