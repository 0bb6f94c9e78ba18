"""The report: what it says, whom it names, and when a project's limit blocks."""

import json

import numpy as np
import pytest
from unit.node.audit.audit_parts import FIELDS, INTEROP, synthetic_columns

from isthmus.node.audit.attack import AttackResult
from isthmus.node.audit.errors import AuditTooSmall
from isthmus.node.audit.report import LEAST_ROWS, AuditReport, audit_encodings, audit_limit_problem


def _result(*, known: int, right: int, variant: str = "joined") -> AttackResult:
    return AttackResult(
        variant=variant,
        known=known,
        candidates=1000,
        attacked=1000,
        right=right,
        claimed=3,
        claimed_right=2,
        seconds=1.5,
    )


REPORT = AuditReport(
    profile="hardened-1",
    rows=1000,
    attacks=(_result(known=0, right=5), _result(known=100, right=40), _result(known=400, right=700)),
    tables=(),
)


@pytest.fixture(scope="module")
def audited() -> AuditReport:
    """Plain CLKs of ninety people, attacked."""
    rng = np.random.default_rng(3)
    return audit_encodings(
        synthetic_columns(90), profile=INTEROP, random_bytes=rng.bytes, rng=rng, timer=lambda: 0.0, known=(0, 20, 60)
    )


def test_a_limit_is_held_against_the_strongest_attack_with_up_to_a_hundred_known_people() -> None:
    assert audit_limit_problem(REPORT, 4.0) is None
    problem = audit_limit_problem(REPORT, 3.9)

    assert problem is not None
    assert "4.0 % of 1,000 rows (joined, 100 known people), more than the 3.9 %" in problem


def test_a_limit_of_nothing_lets_nothing_pass() -> None:
    assert audit_limit_problem(REPORT, 0.0) is not None


def test_text_and_data_say_that_bucket_numbers_are_not_attacked(audited: AuditReport) -> None:
    said = "Bucket numbers, which leave as well where a project grants keyed blocks"

    assert said in audited.to_text()
    assert said in audited.to_data()["meaning"]


def test_text_and_data_say_the_same(audited: AuditReport) -> None:
    text, data = audited.to_text(), json.loads(json.dumps(audited.to_data()))

    assert f"{data['strongest_percent']:.1f} % in the worst case below" in text
    assert data["result"].split(":")[0] in text
    assert all(step.split()[0] in text for step in data["next_steps"])
    assert [attack["known"] for attack in data["attacks"]] == [0, 20]
    assert data["meaning"] in text
    assert data["tables"][0]["rows"] == data["rows"] == 90


def test_reports_name_nobody(audited: AuditReport) -> None:
    told = (audited.to_text() + json.dumps(audited.to_data())).lower()
    columns = synthetic_columns(90)
    values = {
        value for field in ("first_name", "last_name", "dob", "zip") for value in columns[field] if len(value) > 5
    }

    assert len(values) > 90
    assert not [value for value in values if f" {value} " in told]
    assert set(FIELDS) == set(columns)


def test_the_progress_names_attack_and_known_people() -> None:
    told: set[str] = set()
    rng = np.random.default_rng(3)
    audit_encodings(
        synthetic_columns(60),
        profile=INTEROP,
        random_bytes=rng.bytes,
        rng=rng,
        timer=lambda: 0.0,
        known=(20,),
        report=lambda stage, _done, _total: told.add(stage),
    )

    assert told == {"table all, 20 known"}


def test_too_few_records_are_refused() -> None:
    columns = {field: values[: LEAST_ROWS - 1] for field, values in synthetic_columns(60).items()}
    rng = np.random.default_rng(3)

    with pytest.raises(AuditTooSmall, match="fewer than 50 records"):
        audit_encodings(columns, profile=INTEROP, random_bytes=rng.bytes, rng=rng, timer=lambda: 0.0)
