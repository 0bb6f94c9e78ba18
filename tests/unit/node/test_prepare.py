"""Preparing a submission: what goes into it, what does not, and in which order it is written down."""

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from stat import S_IMODE

import numpy as np
import pytest
from unit.node.parts import RIVERSIDE, ROUND, STUDENTS, manifest

from isthmus.contract.encodings import (
    chunk_rows,
    row_bytes,
    submission_digest,
    submission_from_bytes,
    unpack_rows,
)
from isthmus.contract.secret import Secret
from isthmus.node.keys.linkage_key import key_check_value
from isthmus.node.prepare import (
    Submittable,
    build_submission,
    payload_path,
    save_submission,
)
from isthmus.node.records import Records, SourceDescription
from isthmus.node.round_encoding import ENCODERS, RoundEncoding
from isthmus.node.vault import open_vault

MANIFEST = manifest()
KEY = Secret(b"k" * 32)
NAMES = ["Maria", "Jonathan", "Lakshmi", "TEST", ""]


def _records(rows: int = 40) -> Records:
    return Records(
        record_ids=[f"STUDENT-{index:04}" for index in range(rows)],
        columns={
            "first_name": [NAMES[index % 5] for index in range(rows)],
            "last_name": [f"Fictional{index}" for index in range(rows)],
            "dob": [f"2005-01-{index % 28 + 1:02}" for index in range(rows - 1)] + ["not a day"],
        },
        source=SourceDescription(kind="CSV", rows=rows, findings=("encoding utf-8", "delimiter comma")),
    )


def _build(
    records: Records,
    *,
    key: Secret = KEY,
    encoder: str = "isthmus",
    seed: int = 1,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Submittable:
    return build_submission(
        records,
        dataset=STUDENTS,
        encoding=RoundEncoding(manifest=MANIFEST, profile=MANIFEST.read_profile(), key=key, encoder=encoder),
        party=RIVERSIDE,
        random_bytes=random.Random(seed).randbytes,
        progress=progress,
    )


def test_declaration_fits_payload_round_key_and_profile() -> None:
    built = _build(_records())

    declared = built.submission
    assert submission_from_bytes(declared.to_bytes()) == declared
    assert (declared.round_id, declared.party, declared.rows) == (ROUND, RIVERSIDE, 40)
    assert declared.digest == submission_digest([hashlib.sha256(built.payload).digest()]).hex()
    assert declared.key_check == key_check_value(KEY, project=MANIFEST.project.id, round_id=ROUND).hex()
    assert declared.profile_digest == MANIFEST.read_profile().digest()
    assert declared.manifest_hash == MANIFEST.digest().hex()
    assert len(built.payload) == 40 * row_bytes(1024)


def test_digest_of_several_chunks_is_over_each_chunk() -> None:
    records = _records(7_400)

    built = _build(records)

    first = chunk_rows(rows=7_400, row_bits=1024, index=0) * row_bytes(1024)
    chunks = [built.payload[:first], built.payload[first:]]
    assert built.submission.chunk_count == 2
    assert built.submission.digest == submission_digest(hashlib.sha256(chunk).digest() for chunk in chunks).hex()


def test_no_record_id_and_no_value_is_in_payload_or_declaration() -> None:
    records = _records()
    built = _build(records)
    leaving = built.payload + built.submission.to_bytes()

    for text in [*records.record_ids, *(value for column in records.columns.values() for value in column if value)]:
        assert text.encode() not in leaving
        assert text.lower().encode() not in leaving


def test_handles_are_unique_random_and_the_only_order() -> None:
    built = _build(_records())

    handles = [handle.tobytes() for handle in unpack_rows(built.payload, row_bits=1024)[0]]

    assert len(set(handles)) == 40
    assert handles == sorted(handles)
    assert [handle for handle, _ in built.record_of_handle] == handles
    assert [record for _, record in built.record_of_handle] != _records().record_ids
    assert sorted(record for _, record in built.record_of_handle) == _records().record_ids


def test_each_handle_carries_the_encoding_of_its_record() -> None:
    records = _records()
    by_record = [
        dict(
            zip(
                (record for _, record in built.record_of_handle),
                unpack_rows(built.payload, row_bits=1024)[1],
                strict=True,
            )
        )
        for built in (_build(records, seed=1), _build(records, seed=2))
    ]

    assert all(np.array_equal(by_record[0][record], by_record[1][record]) for record in records.record_ids)
    assert len({clk.tobytes() for clk in by_record[0].values()}) == 40


def test_same_records_under_another_key_give_other_encodings() -> None:
    first, second = _build(_records()), _build(_records(), key=Secret(b"x" * 32))

    same = unpack_rows(first.payload, row_bits=1024)[1] == unpack_rows(second.payload, row_bits=1024)[1]

    assert first.submission.key_check != second.submission.key_check
    assert not same.all(axis=1).any()


def test_both_encoders_give_the_same_bytes() -> None:
    assert len({_build(_records(), encoder=name).payload for name in ENCODERS}) == 1


def test_report_lists_what_was_encoded_what_stayed_and_what_was_odd() -> None:
    report = _build(_records()).report

    assert (report["rows"], report["bytes"], report["clk_bits"]) == (40, 40 * 144, 1024)
    assert report["encoded"] == {"first_name": "First", "last_name": "Last", "dob": "Born"}
    assert report["stayed"] == ["StudentId", "Zip"]
    assert report["source"] == ["encoding utf-8", "delimiter comma"]
    assert report["quality"]["first_name"] == {"missing": 16, "placeholder": 8, "damaged": 0}
    assert report["quality"]["dob"]["damaged"] == 1


def test_report_holds_no_record_id_and_no_value() -> None:
    records = _records()
    report = json.dumps(_build(records).report)

    for text in [*records.record_ids, *records.columns["last_name"], *records.columns["dob"], "Maria", "Lakshmi"]:
        assert text not in report


def test_progress_of_each_stage_ends_at_its_total() -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    _build(_records(), progress=lambda stage, done, total: told.setdefault(stage, []).append((done, total)))

    assert told["normalising"] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert told["encoding"][-1] == (40, 40)


def test_saved_submission_lies_in_outbox_and_vault(tmp_path: Path) -> None:
    built, vault, outbox = _build(_records()), open_vault(tmp_path / "vault.sqlite"), tmp_path / "outbox"

    save_submission(built, outbox=outbox, vault=vault)

    payload, prepared = payload_path(outbox, built.submission), vault.prepared(ROUND)
    assert payload.read_bytes() == built.payload
    assert S_IMODE(payload.stat().st_mode) == 0o600
    assert S_IMODE(outbox.stat().st_mode) == 0o700
    assert prepared is not None
    assert prepared.document == built.submission.to_bytes()
    assert json.loads(prepared.report) == built.report
    assert vault.record_ids(ROUND) == dict(built.record_of_handle)
    vault.close()


def test_declaration_does_not_stand_where_its_payload_could_not_be_written(tmp_path: Path) -> None:
    vault, outbox = open_vault(tmp_path / "vault.sqlite"), tmp_path / "outbox"
    outbox.write_text("a file where the folder should be")

    with pytest.raises(OSError, match="outbox"):
        save_submission(_build(_records()), outbox=outbox, vault=vault)

    assert vault.prepared(ROUND) is None
    vault.close()


def test_a_row_that_holds_too_little_leaves_empty_and_is_counted() -> None:
    records = _records(40)
    records.columns["first_name"][0] = records.columns["dob"][0] = ""  # a last name alone
    records.columns["last_name"][1] = records.columns["first_name"][1] = records.columns["dob"][1] = ""

    built = _build(records)

    handles, clks = unpack_rows(built.payload, row_bits=1024)
    empty = {built.record_of_handle[place][1] for place in np.flatnonzero(~clks.any(axis=1)).tolist()}
    assert empty == {"STUDENT-0000", "STUDENT-0001"}
    assert len(handles) == 40
    assert built.report["too_little_to_link"] == 2
