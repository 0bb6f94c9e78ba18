"""Preparing rows in a round that compares fields: what lies beside the payload, and what the report says of columns."""

import json
import random
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unit.node.parts import COLLEGE, RIVERSIDE, ROUND, STUDENTS, manifest, project

from isthmus.contract.comparison import comparison_1
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.encodings import Submission
from isthmus.contract.ids import PartyId
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import ProviderTerms
from isthmus.contract.secret import Secret
from isthmus.node.compare.field_file import open_field_file
from isthmus.node.compare.row_fields import read_row_fields
from isthmus.node.normalise import normalise_column
from isthmus.node.outbox import fields_path, payload_path
from isthmus.node.prepare import Job, prepare_submission, preview_submission
from isthmus.node.records import Piece, RecordStream, SourceDescription
from isthmus.node.round_encoding import RoundEncoding
from isthmus.node.sources.errors import DuplicateIds
from isthmus.node.vault import open_vault

REGISTRY = PartyId("registry")
PROVIDERS = tuple(
    ProviderTerms(party=party, dataset="students", fields=("first_name", "last_name", "dob", *more), max_rows=1_000)
    for party, more in ((RIVERSIDE, ("zip",)), (COLLEGE, ("zip", "ssn")), (REGISTRY, ()))
)
"""All bring three fields; two of them ZIP as well, which is compared between these and encoded by nobody."""

ROWS = 90
COLUMNS = {
    "first_name": [("Maria", "Jonathan", "Lakshmi", "TEST", "")[row % 5] for row in range(ROWS)],
    "last_name": [f"{chr(65 + row % 26)}fictional{row}" for row in range(ROWS)],
    "dob": [f"2005-01-{row % 28 + 1:02}" for row in range(ROWS - 1)] + ["not a day"],
    "zip": [f"{10_000 + row % 40}" if row % 3 else "" for row in range(ROWS)],
}
KEY = Secret(b"k" * 32)


def _terms(*, compared: bool = True, **changes: Any) -> RoundManifest:
    comparison = ComparisonTerms(slots=4) if compared else None
    return manifest(project(providers=PROVIDERS, comparison=comparison, **changes))


def _job(terms: RoundManifest) -> Job:
    encoding = RoundEncoding(manifest=terms, profile=terms.read_profile(), key=KEY, encoder="isthmus")
    return Job(dataset=STUDENTS, encoding=encoding, kept=encoding.kept(RIVERSIDE))


def _stream(fields: tuple[str, ...], *, fault: Exception | None = None) -> RecordStream:
    def pieces() -> Generator[Piece, None, SourceDescription]:
        ids, columns = [f"STUDENT-{row:03}" for row in range(ROWS)], {name: COLUMNS[name] for name in fields}
        yield from Piece(record_ids=ids, columns=columns, expected_rows=ROWS).parts(16)
        if fault is not None:
            raise fault
        return SourceDescription(kind="CSV", rows=ROWS, findings=())

    return RecordStream(pieces())


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a preparation left."""

    job: Job
    outbox: Path
    submission: Submission
    payload: bytes
    fields: Path
    records: dict[bytes, str]
    report: dict[str, Any]


def _build(folder: Path, terms: RoundManifest, *, fault: Exception | None = None) -> Built:
    job, outbox = _job(terms), folder / "outbox"
    folder.mkdir(exist_ok=True)
    with closing(open_vault(folder / "vault.sqlite")) as vault:
        submission = prepare_submission(
            _stream(job.fields, fault=fault),
            job,
            party=RIVERSIDE,
            outbox=outbox,
            vault=vault,
            random_bytes=random.Random(3).randbytes,
            progress=lambda *_: None,
        )
        prepared = vault.prepared(ROUND)
        assert prepared is not None
        return Built(
            job=job,
            outbox=outbox,
            submission=submission,
            payload=payload_path(outbox, submission).read_bytes(),
            fields=fields_path(outbox, submission),
            records=vault.record_ids(ROUND),
            report=json.loads(prepared.report),
        )


BLOCKS = Blocks(keys=("names-year", "first-birth"), buckets=64, least_rows=2, most_rows=40)


@pytest.mark.parametrize(
    "changes", [{}, {"profile": "hardened-1"}, {"profile": "hardened-1", "blocks": BLOCKS}], ids=str
)
def test_what_is_sent_is_the_same_with_and_without_comparison(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Handles are drawn alike, so every byte of tags, withheld buckets and order has to be the same."""
    without, compared = (_build(tmp_path / str(number), _terms(compared=number == 1, **changes)) for number in range(2))

    assert compared.payload == without.payload
    assert not without.fields.exists()
    assert {path.suffix for path in compared.outbox.iterdir()} == {".payload", ".fields"}


@pytest.mark.parametrize("profile", ["interop-1", "hardened-1"])
def test_file_beside_the_payload_holds_the_fields_of_its_rows_in_its_order(tmp_path: Path, profile: str) -> None:
    built = _build(tmp_path / "one", _terms(profile=profile))
    kept = built.job.kept
    assert kept is not None
    source = {record: row for row, record in enumerate(f"STUDENT-{row:03}" for row in range(ROWS))}
    order = [source[record] for _, record in sorted(built.records.items())]
    fields = ("first_name", "last_name", "dob", "zip")
    columns = {name: normalise_column(name, COLUMNS[name]).values for name in fields}
    plain = read_row_fields(columns, comparison_1(fields), compare=kept.compare, pad=kept.pad)

    file = open_field_file(built.fields, kept.layout, submission=built.submission, key=kept.disk)
    found = file.take(np.arange(ROWS, dtype=np.uint32))

    assert [file.sealed[row, :16].tobytes() for row in range(ROWS)] == sorted(built.records)
    for name, vectors in plain.vectors.items():
        assert np.array_equal(found.vectors[name], vectors[order]), name
        assert np.array_equal(found.present[name], plain.present[name][order]), name
    assert all(np.array_equal(found.numbers[one], plain.numbers[one][order]) for one in plain.numbers)
    for name, bands in plain.bands.items():
        there = plain.present[name][order]
        assert np.array_equal(found.bands[name][there], bands[order][there])


def test_report_tells_encoded_columns_from_compared_ones(tmp_path: Path) -> None:
    report = _build(tmp_path / "one", _terms()).report

    assert report["encoded"] == {"first_name": "First", "last_name": "Last", "dob": "Born"}
    assert report["compared"] == {**report["encoded"], "zip": "Zip"}
    assert report["stayed"] == ["StudentId"]
    assert report["quality"]["zip"]["missing"] == 30
    assert list(report["answers"]) == [COLLEGE, REGISTRY]
    assert report["answers"][COLLEGE]["fields"] == ["first_name", "last_name", "dob", "zip"]
    assert report["answers"][REGISTRY]["fields"] == ["first_name", "last_name", "dob"]
    assert report["answers"][COLLEGE]["most"] == 4 * 1_000
    assert report["answers"][COLLEGE]["most_if_smaller"] == 4 * ROWS


def test_without_comparison_a_field_that_not_all_bring_is_not_read(tmp_path: Path) -> None:
    built = _build(tmp_path / "one", _terms(compared=False))

    assert built.job.fields == ("first_name", "last_name", "dob")
    assert built.report["stayed"] == ["StudentId", "Zip"]
    assert "compared" not in built.report


def test_preview_gives_the_report_and_writes_nothing(tmp_path: Path) -> None:
    job = _job(_terms())

    preview = preview_submission(_stream(job.fields), job, folder=tmp_path, progress=lambda *_: None)

    assert list(tmp_path.iterdir()) == []
    assert preview == _build(tmp_path / "one", _terms()).report


def test_nothing_is_kept_where_the_last_row_has_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DuplicateIds):
        _build(tmp_path / "one", _terms(), fault=DuplicateIds(rows=(41,), total=1))

    assert list((tmp_path / "one" / "outbox").iterdir()) == []
