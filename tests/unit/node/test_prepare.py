"""Preparing a submission: what goes into it, what does not, and in which order."""

import hashlib
import json
import weakref
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.node.parts import RIVERSIDE, ROUND, manifest, project
from unit.node.preparing_parts import (
    KEY,
    MANIFEST,
    Built,
    by_record,
    made_records,
    new_job,
    prepare_in,
    record_stream,
    silent,
)

from isthmus.contract.encodings import (
    chunk_rows,
    row_bytes,
    submission_digest,
    submission_from_bytes,
    unpack_rows,
)
from isthmus.contract.secret import Secret
from isthmus.node.keys.linkage_key import key_check_value
from isthmus.node.prepare import preview_submission
from isthmus.node.records import Piece, RecordStream, SourceDescription
from isthmus.node.round_encoding import ENCODERS

HARDENED = manifest(project(profile="hardened-1"))


def test_declaration_fits_payload_round_key_and_profile(build: Callable[..., Built]) -> None:
    built = build(made_records())

    declared = built.submission
    assert submission_from_bytes(declared.to_bytes()) == declared
    assert (declared.round_id, declared.party, declared.rows) == (ROUND, RIVERSIDE, 40)
    assert declared.digest == submission_digest([hashlib.sha256(built.payload).digest()]).hex()
    assert declared.key_check == key_check_value(KEY, project=MANIFEST.project.id, round_id=ROUND).hex()
    assert declared.profile_digest == MANIFEST.read_profile().digest()
    assert declared.manifest_hash == MANIFEST.digest().hex()
    assert len(built.payload) == 40 * row_bytes(1024)


def test_digest_of_several_chunks_is_over_each_chunk(build: Callable[..., Built]) -> None:
    built = build(made_records(7_400), piece_rows=1_000)

    first = chunk_rows(rows=7_400, row_bits=1024, index=0) * row_bytes(1024)
    chunks = [built.payload[:first], built.payload[first:]]
    assert built.submission.chunk_count == 2
    assert built.submission.digest == submission_digest(hashlib.sha256(chunk).digest() for chunk in chunks).hex()


def test_no_record_id_and_no_value_is_in_payload_or_declaration(build: Callable[..., Built]) -> None:
    records = made_records()
    built = build(records)
    leaving = built.payload + built.submission.to_bytes()

    for text in [*records.record_ids, *(value for column in records.columns.values() for value in column if value)]:
        assert text.encode() not in leaving
        assert text.lower().encode() not in leaving


def test_handles_are_unique_random_and_the_only_order(build: Callable[..., Built]) -> None:
    built = build(made_records())

    handles = [handle.tobytes() for handle in unpack_rows(built.payload, row_bits=1024)[0]]

    assert len(set(handles)) == 40
    assert handles == sorted(handles)
    assert set(built.record_of_handle) == set(handles)
    in_order_of_handles = [built.record_of_handle[handle] for handle in handles]
    assert in_order_of_handles != made_records().record_ids
    assert sorted(in_order_of_handles) == made_records().record_ids


@pytest.mark.parametrize("terms", [MANIFEST, HARDENED])
def test_each_handle_carries_the_encoding_of_its_record(build: Callable[..., Built], terms: Any) -> None:
    first, second = (by_record(build(made_records(), seed=seed, terms=terms)) for seed in (1, 2))

    assert first == second
    assert len(set(first.values())) == 40


@pytest.mark.parametrize("terms", [MANIFEST, HARDENED])
def test_pieces_of_any_size_give_the_same_submission(build: Callable[..., Built], terms: Any) -> None:
    one, many = (by_record(build(made_records(), piece_rows=rows, terms=terms)) for rows in (40, 7))

    assert one == many


def test_same_records_under_another_key_give_other_encodings(build: Callable[..., Built]) -> None:
    first, second = build(made_records()), build(made_records(), key=Secret(b"x" * 32))

    assert first.submission.key_check != second.submission.key_check
    assert not set(by_record(first).values()) & set(by_record(second).values())


def test_both_encoders_give_the_same_bytes(build: Callable[..., Built]) -> None:
    assert len({build(made_records(), encoder=name).payload for name in ENCODERS}) == 1


def _tags_by_name(built: Built) -> dict[str, NDArray[np.uint8]]:
    """Give the tags of each match key, shape (rows, 16), in the order of the record ids."""
    names, rows = built.report["match_keys"], by_record(built)
    tags = np.array([list(rows[record][-16 * len(names) :]) for record in sorted(rows)], np.uint8)
    return dict(zip(names, tags.reshape(len(rows), -1, 16).swapaxes(0, 1), strict=True))


@pytest.mark.parametrize("piece_rows", [40, 3])
def test_tags_that_several_rows_have_leave_as_random_bytes(build: Callable[..., Built], piece_rows: int) -> None:
    records = made_records()
    records.columns["dob"][:] = ["2005-01-01"] * 40
    one, other = (build(records, seed=seed, piece_rows=piece_rows, terms=HARDENED) for seed in (1, 2))

    hidden = {"first-birth": 24, "initial-birth": 24, "last_initial-birth": 28}
    assert one.report["hidden_tags"] == dict.fromkeys(one.report["match_keys"], 0) | hidden
    for name, tags in _tags_by_name(one).items():
        told = tags[tags.any(axis=1)]
        assert len(np.unique(told, axis=0)) == len(told) == (40 if name.startswith("last") else 24)
        assert (tags != _tags_by_name(other)[name]).any(axis=1).sum() == hidden.get(name, 0)


def test_declaration_counts_tables_and_match_keys(build: Callable[..., Built]) -> None:
    built, profile = build(made_records(), terms=HARDENED), HARDENED.read_profile()

    assert (built.submission.tables, built.submission.match_keys) == (1, 8)
    assert built.report["match_keys"] == list(profile.match_key_names)
    assert len(built.payload) == 40 * (16 + 256 + 8 * 16) == built.report["bytes"]


def test_report_lists_what_was_encoded_what_stayed_and_what_was_odd(build: Callable[..., Built]) -> None:
    report = build(made_records()).report

    assert (report["rows"], report["bytes"], report["clk_bits"]) == (40, 40 * 144, 1024)
    assert report["encoded"] == {"first_name": "First", "last_name": "Last", "dob": "Born"}
    assert report["stayed"] == ["StudentId", "Zip"]
    assert report["source"] == ["encoding utf-8", "delimiter comma"]
    assert report["quality"]["first_name"] == {"missing": 16, "placeholder": 8, "damaged": 0}
    assert report["quality"]["dob"]["damaged"] == 1


def test_report_holds_no_record_id_and_no_value(build: Callable[..., Built]) -> None:
    records = made_records()
    report = json.dumps(build(records).report)

    for text in [*records.record_ids, *records.columns["last_name"], *records.columns["dob"], "Maria", "Lakshmi"]:
        assert text not in report


def test_preview_gives_the_report_of_what_would_leave(build: Callable[..., Built], tmp_path: Path) -> None:
    assert (
        preview_submission(record_stream(made_records()), new_job(), folder=tmp_path, progress=silent)
        == build(made_records()).report
    )


def test_progress_rises_to_the_number_of_rows(build: Callable[..., Built]) -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    build(made_records(), progress=lambda stage, done, total: told.setdefault(stage, []).append((done, total)))

    assert told == {"encoding": [(16, 40), (32, 40), (40, 41), (40, 40)], "writing": [(0, 1), (1, 1)]}


class _Watched(list[str]):
    """A list that may be watched for whether anybody still holds it."""


def test_at_most_one_piece_is_held_while_the_next_is_read(tmp_path: Path) -> None:
    watched: list[weakref.ref[_Watched]] = []
    held: list[int] = []

    def pieces() -> Generator[Piece, None, SourceDescription]:
        for number in range(6):
            held.append(sum(one() is not None for one in watched))
            records = made_records(20)
            ids = _Watched(f"{number}-{one}" for one in records.record_ids)
            watched.append(weakref.ref(ids))
            made = [Piece(record_ids=ids, columns=records.columns)]
            del ids
            yield made.pop()
        return SourceDescription(kind="CSV", rows=120, findings=())

    assert prepare_in(tmp_path, RecordStream(pieces())).rows == 120
    assert max(held) == 1


def test_a_row_that_holds_too_little_leaves_empty_and_is_counted(build: Callable[..., Built]) -> None:
    records = made_records(40)
    records.columns["first_name"][0] = records.columns["dob"][0] = ""  # a last name alone
    records.columns["last_name"][1] = records.columns["first_name"][1] = records.columns["dob"][1] = ""

    built = build(records)

    empty = {record for record, clk in by_record(built).items() if not any(clk)}
    assert empty == {"STUDENT-0000", "STUDENT-0001"}
    assert built.submission.rows == 40
    assert built.report["too_little_to_link"] == 2
