"""Planted people among the rows of a submission: sent like all others, and in no count of the provider's data."""

import json
import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unit.node.parts import COLLEGE, RIVERSIDE, ROUND, STUDENTS, manifest, project

from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.encodings import Submission, unpack_rows
from isthmus.contract.ids import PartyId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import ProviderTerms
from isthmus.contract.secret import Secret
from isthmus.node.compare.field_file import open_field_file
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.outbox import fields_path, payload_path
from isthmus.node.prepare import Job, prepare_submission, preview_submission
from isthmus.node.records import Piece, RecordStream, SourceDescription
from isthmus.node.round_encoding import RoundEncoding, encode_pieces
from isthmus.node.show import report_text
from isthmus.node.vault import Vault, open_vault

KEY = Secret(b"k" * 32)
FIELDS = ("first_name", "last_name", "dob", "zip")
PLANTED, RECORDS = 25, 40


def _terms(planted: int, **changes: Any) -> RoundManifest:
    providers = tuple(ProviderTerms(party=party, dataset="students", fields=FIELDS) for party in (RIVERSIDE, COLLEGE))
    comparison = ComparisonTerms(planted=planted)
    return manifest(project(profile="hardened-1", providers=providers, comparison=comparison, **changes))


def _job(planted: int = PLANTED, *, party: PartyId = RIVERSIDE) -> Job:
    terms = _terms(planted)
    encoding = RoundEncoding(manifest=terms, profile=terms.read_profile(), key=KEY, encoder="isthmus")
    return Job(dataset=STUDENTS, encoding=encoding, kept=encoding.kept(party), planted=encoding.planted(party))


def _stream() -> RecordStream:
    def pieces() -> Generator[Piece, None, SourceDescription]:
        rows = range(RECORDS)
        yield Piece(
            record_ids=[f"STUDENT-{row:04}" for row in rows],
            columns={
                "first_name": ["Maria" if row % 5 else "" for row in rows],
                "last_name": [f"Fictional{row}" for row in rows],
                "dob": [f"2005-01-{row % 28 + 1:02}" if row % 7 else "not a day" for row in rows],
                "zip": [f"{10000 + row}" for row in rows],
            },
        )
        return SourceDescription(kind="CSV", rows=RECORDS, findings=())

    return RecordStream(pieces())


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a preparation left."""

    job: Job
    submission: Submission
    outbox: Path
    vault: Vault

    @property
    def report(self) -> dict[str, Any]:
        prepared = self.vault.prepared(ROUND)
        assert prepared is not None
        report: dict[str, Any] = json.loads(prepared.report)
        return report


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Built]]:
    """Prepare in a folder of its own each time."""
    vaults: list[Vault] = []

    def prepare(planted: int = PLANTED) -> Built:
        folder, job = tmp_path / str(len(vaults)), _job(planted)
        folder.mkdir()
        vault = open_vault(folder / "vault.sqlite")
        vaults.append(vault)
        submission = prepare_submission(
            _stream(),
            job,
            party=RIVERSIDE,
            outbox=folder / "outbox",
            vault=vault,
            random_bytes=random.Random(1).randbytes,
            progress=_silent,
        )
        return Built(job=job, submission=submission, outbox=folder / "outbox", vault=vault)

    yield prepare
    for vault in vaults:
        vault.close()


def test_planted_rows_are_declared_and_lie_in_the_vault_without_a_record(build: Callable[..., Built]) -> None:
    built = build()
    records, planted = built.vault.record_ids(ROUND), built.vault.planted_rows(ROUND)

    assert built.submission.rows == RECORDS + PLANTED
    assert sorted(records.values()) == [f"STUDENT-{row:04}" for row in range(RECORDS)]
    assert len(planted) == PLANTED
    assert not planted.keys() & records.keys()
    order = sorted([*records, *planted])
    assert [order[row] for row in planted.values()] == list(planted)


def test_rows_at_these_numbers_are_the_encodings_of_the_persons_in_order(build: Callable[..., Built]) -> None:
    built = build()
    payload = payload_path(built.outbox, built.submission).read_bytes()
    _, rows = unpack_rows(payload, row_bits=built.submission.row_bits)
    columns = [[person[field] for person in built.job.planted] for field in FIELDS]
    (expected,) = encode_pieces([columns], built.job.encoding)
    tables = len(built.job.encoding.profile.table_names) * built.submission.clk_bits // 8

    found = rows[list(built.vault.planted_rows(ROUND).values())]

    assert np.array_equal(found[:, :tables], expected[:, :tables])
    assert found.any(axis=1).all()


def test_what_answers_are_made_of_has_planted_rows_too(build: Callable[..., Built]) -> None:
    built = build()
    assert built.job.kept is not None
    path, kept = fields_path(built.outbox, built.submission), built.job.kept
    file = open_field_file(path, kept.layout, submission=built.submission, key=kept.disk)
    numbers = np.array(list(built.vault.planted_rows(ROUND).values()), np.uint32)

    present = file.take(numbers).present["last_name"]

    assert len(file) == RECORDS + PLANTED
    assert present.tolist() == [person["last_name"] != "" for person in built.job.planted]


def test_counts_of_the_data_set_are_those_without_planted_rows(build: Callable[..., Built]) -> None:
    planted, alone = build().report, build(0).report

    assert planted["quality"] == alone["quality"]
    assert planted["too_little_to_link"] == alone["too_little_to_link"]
    assert (planted["rows"], planted["planted"]) == (RECORDS + PLANTED, PLANTED)
    assert (alone["rows"], alone["planted"]) == (RECORDS, 0)


def test_preview_counts_them_as_the_submission_does(build: Callable[..., Built], tmp_path: Path) -> None:
    preview = preview_submission(_stream(), _job(), folder=tmp_path, progress=_silent)

    assert preview["planted"] == PLANTED
    assert preview["rows"] == build().report["rows"]


def test_people_are_told_that_rows_are_made_up(build: Callable[..., Built]) -> None:
    assert "25 of these rows are made-up people" in report_text(build().report)
    assert "planted" not in report_text(build(0).report)


def test_forgetting_a_submission_forgets_its_planted_rows(build: Callable[..., Built]) -> None:
    for forget in ("drop_prepared", "drop_handles"):
        vault = build().vault
        getattr(vault, forget)(ROUND)
        assert vault.planted_rows(ROUND) == {}


def test_id_for_a_planted_row_is_refused_and_nothing_kept(build: Callable[..., Built]) -> None:
    vault = build().vault
    record, made_up = next(iter(vault.record_ids(ROUND))), next(iter(vault.planted_rows(ROUND)))

    with pytest.raises(RefusedByPolicy, match="rows not of this node"):
        vault.save_pseudonyms(ROUND, [(record, "A", None), (made_up, "B", None)])

    assert list(vault.linked_records(ROUND)) == []


def test_providers_plant_the_same_people_in_other_copies() -> None:
    ours, theirs = (_job(200, party=party).planted for party in (RIVERSIDE, COLLEGE))

    assert ours != theirs
    assert sum(one["ssn"][:5] == other["ssn"][:5] for one, other in zip(ours, theirs, strict=True)) > 150


def test_project_that_plants_nobody_gives_no_people() -> None:
    assert _job(0).planted == ()
