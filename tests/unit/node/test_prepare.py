"""Preparing a submission: what goes into it, what does not, in which order, and what is left when it fails."""

import hashlib
import json
import random
import struct
import weakref
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from stat import S_IMODE
from string import ascii_uppercase
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from unit.node.parts import COLLEGE, RIVERSIDE, ROUND, STUDENTS, manifest, project

from isthmus.contract.encodings import (
    Submission,
    chunk_rows,
    row_bytes,
    submission_digest,
    submission_from_bytes,
    unpack_rows,
)
from isthmus.contract.errors import AlreadyExists
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.project import ProviderTerms
from isthmus.contract.secret import Secret
from isthmus.node.errors import BucketTooLarge, FolderBlocked
from isthmus.node.keys.linkage_key import key_check_value
from isthmus.node.normalise import normalise_column
from isthmus.node.outbox import open_outbox, payload_path
from isthmus.node.prepare import Job, prepare_submission, preview_submission
from isthmus.node.records import Piece, Records, RecordStream, SourceDescription
from isthmus.node.round_encoding import ENCODERS, RoundEncoding, encode_pieces
from isthmus.node.sources.errors import DuplicateIds
from isthmus.node.vault import open_vault

MANIFEST = manifest()
HARDENED = manifest(project(profile="hardened-1"))
KEY = Secret(b"k" * 32)
NAMES = ["Maria", "Jonathan", "Lakshmi", "TEST", ""]


def _records(rows: int = 40) -> Records:
    """Records of which up to 120 share no match key."""
    return Records(
        record_ids=[f"STUDENT-{index:04}" for index in range(rows)],
        columns={
            "first_name": [NAMES[index % 5] for index in range(rows)],
            "last_name": [f"{ascii_uppercase[index % 26]}fictional{index}" for index in range(rows)],
            "dob": [f"2005-01-{index % 28 + 1:02}" for index in range(rows - 1)] + ["not a day"],
        },
        source=SourceDescription(kind="CSV", rows=rows, findings=("encoding utf-8", "delimiter comma")),
    )


def _stream(records: Records, *, piece_rows: int = 16, fault: Exception | None = None) -> RecordStream:
    """Records in pieces; at their end the fault, if there is one."""

    def pieces() -> Generator[Piece, None, SourceDescription]:
        whole = Piece(record_ids=records.record_ids, columns=records.columns, expected_rows=len(records.record_ids))
        yield from whole.parts(piece_rows)
        if fault is not None:
            raise fault
        return records.source

    return RecordStream(pieces())


def _job(*, key: Secret = KEY, encoder: str = "isthmus", terms: Any = MANIFEST) -> Job:
    encoding = RoundEncoding(manifest=terms, profile=terms.read_profile(), key=key, encoder=encoder)
    return Job(dataset=STUDENTS, encoding=encoding)


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a preparation left in outbox and vault."""

    submission: Submission
    payload: bytes
    record_of_handle: dict[bytes, str]
    report: dict[str, Any]


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Built]:
    """Prepare in a folder of its own each time."""
    folders = (tmp_path / str(number) for number in range(100))

    def prepare(
        records: Records,
        *,
        seed: int = 1,
        progress: Callable[[str, int, int], None] = _silent,
        piece_rows: int = 16,
        **job: Any,
    ) -> Built:
        folder = next(folders)
        folder.mkdir()
        with closing(open_vault(folder / "vault.sqlite")) as vault:
            submission = prepare_submission(
                _stream(records, piece_rows=piece_rows),
                _job(**job),
                party=RIVERSIDE,
                outbox=folder / "outbox",
                vault=vault,
                random_bytes=random.Random(seed).randbytes,
                progress=progress,
            )
            prepared = vault.prepared(ROUND)
            assert prepared is not None
            assert prepared.document == submission.to_bytes()
            return Built(
                submission=submission,
                payload=payload_path(folder / "outbox", submission).read_bytes(),
                record_of_handle=vault.record_ids(ROUND),
                report=json.loads(prepared.report),
            )

    return prepare


def _by_record(built: Built) -> dict[str, bytes]:
    """Give the encodings of each record."""
    handles, clks = unpack_rows(built.payload, row_bits=built.submission.row_bits)
    return {built.record_of_handle[handle.tobytes()]: clk.tobytes() for handle, clk in zip(handles, clks, strict=True)}


def test_declaration_fits_payload_round_key_and_profile(build: Callable[..., Built]) -> None:
    built = build(_records())

    declared = built.submission
    assert submission_from_bytes(declared.to_bytes()) == declared
    assert (declared.round_id, declared.party, declared.rows) == (ROUND, RIVERSIDE, 40)
    assert declared.digest == submission_digest([hashlib.sha256(built.payload).digest()]).hex()
    assert declared.key_check == key_check_value(KEY, project=MANIFEST.project.id, round_id=ROUND).hex()
    assert declared.profile_digest == MANIFEST.read_profile().digest()
    assert declared.manifest_hash == MANIFEST.digest().hex()
    assert len(built.payload) == 40 * row_bytes(1024)


def test_digest_of_several_chunks_is_over_each_chunk(build: Callable[..., Built]) -> None:
    built = build(_records(7_400), piece_rows=1_000)

    first = chunk_rows(rows=7_400, row_bits=1024, index=0) * row_bytes(1024)
    chunks = [built.payload[:first], built.payload[first:]]
    assert built.submission.chunk_count == 2
    assert built.submission.digest == submission_digest(hashlib.sha256(chunk).digest() for chunk in chunks).hex()


def test_no_record_id_and_no_value_is_in_payload_or_declaration(build: Callable[..., Built]) -> None:
    records = _records()
    built = build(records)
    leaving = built.payload + built.submission.to_bytes()

    for text in [*records.record_ids, *(value for column in records.columns.values() for value in column if value)]:
        assert text.encode() not in leaving
        assert text.lower().encode() not in leaving


def test_handles_are_unique_random_and_the_only_order(build: Callable[..., Built]) -> None:
    built = build(_records())

    handles = [handle.tobytes() for handle in unpack_rows(built.payload, row_bits=1024)[0]]

    assert len(set(handles)) == 40
    assert handles == sorted(handles)
    assert set(built.record_of_handle) == set(handles)
    in_order_of_handles = [built.record_of_handle[handle] for handle in handles]
    assert in_order_of_handles != _records().record_ids
    assert sorted(in_order_of_handles) == _records().record_ids


@pytest.mark.parametrize("terms", [MANIFEST, HARDENED])
def test_each_handle_carries_the_encoding_of_its_record(build: Callable[..., Built], terms: Any) -> None:
    first, second = (_by_record(build(_records(), seed=seed, terms=terms)) for seed in (1, 2))

    assert first == second
    assert len(set(first.values())) == 40


@pytest.mark.parametrize("terms", [MANIFEST, HARDENED])
def test_pieces_of_any_size_give_the_same_submission(build: Callable[..., Built], terms: Any) -> None:
    one, many = (_by_record(build(_records(), piece_rows=rows, terms=terms)) for rows in (40, 7))

    assert one == many


def test_same_records_under_another_key_give_other_encodings(build: Callable[..., Built]) -> None:
    first, second = build(_records()), build(_records(), key=Secret(b"x" * 32))

    assert first.submission.key_check != second.submission.key_check
    assert not set(_by_record(first).values()) & set(_by_record(second).values())


def test_both_encoders_give_the_same_bytes(build: Callable[..., Built]) -> None:
    assert len({build(_records(), encoder=name).payload for name in ENCODERS}) == 1


def _tags_by_name(built: Built) -> dict[str, NDArray[np.uint8]]:
    """Give the tags of each match key, shape (rows, 16), in the order of the record ids."""
    names, rows = built.report["match_keys"], _by_record(built)
    tags = np.array([list(rows[record][-16 * len(names) :]) for record in sorted(rows)], np.uint8)
    return dict(zip(names, tags.reshape(len(rows), -1, 16).swapaxes(0, 1), strict=True))


@pytest.mark.parametrize("piece_rows", [40, 3])
def test_tags_that_several_rows_have_leave_as_random_bytes(build: Callable[..., Built], piece_rows: int) -> None:
    records = _records()
    records.columns["dob"][:] = ["2005-01-01"] * 40
    one, other = (build(records, seed=seed, piece_rows=piece_rows, terms=HARDENED) for seed in (1, 2))

    hidden = {"first-birth": 24, "initial-birth": 24, "last_initial-birth": 28}
    assert one.report["hidden_tags"] == dict.fromkeys(one.report["match_keys"], 0) | hidden
    for name, tags in _tags_by_name(one).items():
        told = tags[tags.any(axis=1)]
        assert len(np.unique(told, axis=0)) == len(told) == (40 if name.startswith("last") else 24)
        assert (tags != _tags_by_name(other)[name]).any(axis=1).sum() == hidden.get(name, 0)


def test_declaration_counts_tables_and_match_keys(build: Callable[..., Built]) -> None:
    built, profile = build(_records(), terms=HARDENED), HARDENED.read_profile()

    assert (built.submission.tables, built.submission.match_keys) == (1, 8)
    assert built.report["match_keys"] == list(profile.match_key_names)
    assert len(built.payload) == 40 * (16 + 256 + 8 * 16) == built.report["bytes"]


BLOCKS = Blocks(keys=("names-year", "first-birth"), buckets=16, least_rows=2, most_rows=5)
BLOCKED = [manifest(project(profile=profile, blocks=BLOCKS)) for profile in ("interop-1", "hardened-1")]


def _people(*, repeated: int = 0) -> Records:
    """Sound records of which so many have the first one's names and date."""
    records = _records(40)
    records.columns["first_name"][:] = [f"{ascii_uppercase[index % 26]}maria" for index in range(40)]
    records.columns["dob"][:] = [f"2005-{index % 12 + 1:02}-{index % 28 + 1:02}" for index in range(40)]
    for column in records.columns.values():
        column[:repeated] = [column[0]] * repeated
    return records


def _buckets(built: Built) -> dict[str, tuple[int, ...]]:
    """Give the bucket numbers of each record."""
    return {record: struct.unpack(">2I", row[-8:]) for record, row in _by_record(built).items()}


@pytest.mark.parametrize("terms", BLOCKED)
def test_rows_end_in_the_bucket_numbers_of_the_block_keys(build: Callable[..., Built], terms: Any) -> None:
    records, encoding = _people(), _job(terms=terms).encoding
    columns = [normalise_column(field, values).values for field, values in records.columns.items()]
    every = encoding.bucket_encoder(BLOCKS).encode(columns)
    sizes = [Counter(of_key) for of_key in every.T.tolist()]

    built = build(records, terms=terms)

    assert built.submission.blocks == 2
    assert len(built.payload) == 40 * (16 + encoding.profile.row_bits // 8 + 8) == built.report["bytes"]
    assert _buckets(built) == {
        record: tuple(one if size[one] >= 2 else 0 for one, size in zip(numbers, sizes, strict=True))
        for record, numbers in zip(records.record_ids, every.tolist(), strict=True)
    }


@pytest.mark.parametrize("piece_rows", [40, 3])
def test_tags_that_several_rows_have_are_hidden_beside_bucket_numbers(
    build: Callable[..., Built], piece_rows: int
) -> None:
    built = build(_people(repeated=3), terms=BLOCKED[1], piece_rows=piece_rows)
    rows, buckets = _by_record(built), _buckets(built)

    same = [rows[f"STUDENT-{index:04}"] for index in range(3)]
    tags = [row[256:-8] for row in same]
    assert len({row[:256] for row in same}) == 1
    assert len({tag[:16] for tag in tags}) == 3
    assert len({buckets[f"STUDENT-{index:04}"] for index in range(3)}) == 1
    assert built.report["hidden_tags"]["names-year"] == 3


def test_report_counts_withheld_buckets_and_rows_in_none(build: Callable[..., Built]) -> None:
    records = _people()
    records.columns["first_name"][0] = ""  # in no bucket of either key
    records.columns["first_name"][1] = records.columns["dob"][1] = ""  # too little to link
    built = build(records, terms=manifest(project(blocks=msgspec.structs.replace(BLOCKS, least_rows=3))))

    buckets = _buckets(built)
    assert built.report["blocks"] == ["names-year", "first-birth"]
    assert built.report["in_no_block"] == sum(one == (0, 0) for one in buckets.values()) >= 2
    for place, key in enumerate(BLOCKS.keys):
        zero = sum(one[place] == 0 for one in buckets.values())
        assert built.report["withheld_blocks"][key] == zero - 2 > 0


def test_row_that_holds_too_little_is_in_no_bucket() -> None:
    fields = ("first_name", "last_name", "dob", "ssn")
    terms = tuple(ProviderTerms(party=party, dataset="students", fields=fields) for party in (RIVERSIDE, COLLEGE))
    blocks = Blocks(keys=("first-birth",), buckets=16)
    encoding = _job(terms=manifest(project(providers=terms, blocks=blocks))).encoding
    columns = [["maria", "maria"], ["", ""], ["20050101", "20050101"], ["", "219099999"]]

    (rows,) = encode_pieces([columns], encoding)

    assert encoding.bucket_encoder(blocks).encode(columns).all()
    assert not rows[0].any()
    assert rows[1, -4:].any()


def test_preview_of_blocks_gives_the_report_of_what_would_leave(build: Callable[..., Built], tmp_path: Path) -> None:
    job = _job(terms=BLOCKED[0])

    preview = preview_submission(_stream(_people()), job, folder=tmp_path, progress=_silent)

    assert preview == build(_people(), terms=BLOCKED[0]).report
    assert [path.name for path in tmp_path.iterdir()] == ["0"]


@pytest.mark.parametrize("terms", BLOCKED)
def test_bucket_of_more_rows_than_allowed_is_refused_by_columns_and_count(tmp_path: Path, terms: Any) -> None:
    records = _people(repeated=7)

    with pytest.raises(BucketTooLarge) as previewed:
        preview_submission(_stream(records), _job(terms=terms), folder=tmp_path, progress=_silent)
    with pytest.raises(BucketTooLarge) as prepared:
        _prepare(tmp_path, _stream(records), terms=terms)

    assert "first-birth, made from your First and Born, has " in str(prepared.value)
    assert "names-year, made from your First and Last and Born, has " in str(previewed.value)
    assert "most_rows of 5" in str(prepared.value)
    assert not any(text in str(prepared.value) for text in ("maria", "fictional", "2005"))
    assert _left(tmp_path) == []


def test_report_lists_what_was_encoded_what_stayed_and_what_was_odd(build: Callable[..., Built]) -> None:
    report = build(_records()).report

    assert (report["rows"], report["bytes"], report["clk_bits"]) == (40, 40 * 144, 1024)
    assert report["encoded"] == {"first_name": "First", "last_name": "Last", "dob": "Born"}
    assert report["stayed"] == ["StudentId", "Zip"]
    assert report["source"] == ["encoding utf-8", "delimiter comma"]
    assert report["quality"]["first_name"] == {"missing": 16, "placeholder": 8, "damaged": 0}
    assert report["quality"]["dob"]["damaged"] == 1


def test_report_holds_no_record_id_and_no_value(build: Callable[..., Built]) -> None:
    records = _records()
    report = json.dumps(build(records).report)

    for text in [*records.record_ids, *records.columns["last_name"], *records.columns["dob"], "Maria", "Lakshmi"]:
        assert text not in report


def test_preview_gives_the_report_of_what_would_leave(build: Callable[..., Built], tmp_path: Path) -> None:
    assert (
        preview_submission(_stream(_records()), _job(), folder=tmp_path, progress=_silent) == build(_records()).report
    )


def test_progress_rises_to_the_number_of_rows(build: Callable[..., Built]) -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    build(_records(), progress=lambda stage, done, total: told.setdefault(stage, []).append((done, total)))

    assert told == {"encoding": [(16, 40), (32, 40), (40, 41), (40, 40)], "writing": [(0, 1), (1, 1)]}


class _Watched(list[str]):
    """A list that may be watched for whether anybody still holds it."""


def test_at_most_one_piece_is_held_while_the_next_is_read(tmp_path: Path) -> None:
    watched: list[weakref.ref[_Watched]] = []
    held: list[int] = []

    def pieces() -> Generator[Piece, None, SourceDescription]:
        for number in range(6):
            held.append(sum(one() is not None for one in watched))
            records = _records(20)
            ids = _Watched(f"{number}-{one}" for one in records.record_ids)
            watched.append(weakref.ref(ids))
            made = [Piece(record_ids=ids, columns=records.columns)]
            del ids
            yield made.pop()
        return SourceDescription(kind="CSV", rows=120, findings=())

    assert _prepare(tmp_path, RecordStream(pieces())).rows == 120
    assert max(held) == 1


def test_a_row_that_holds_too_little_leaves_empty_and_is_counted(build: Callable[..., Built]) -> None:
    records = _records(40)
    records.columns["first_name"][0] = records.columns["dob"][0] = ""  # a last name alone
    records.columns["last_name"][1] = records.columns["first_name"][1] = records.columns["dob"][1] = ""

    built = build(records)

    empty = {record for record, clk in _by_record(built).items() if not any(clk)}
    assert empty == {"STUDENT-0000", "STUDENT-0001"}
    assert built.submission.rows == 40
    assert built.report["too_little_to_link"] == 2


def _prepare(folder: Path, stream: RecordStream, *, terms: Any = MANIFEST) -> Submission:
    with closing(open_vault(folder / "vault.sqlite")) as vault:
        return prepare_submission(
            stream,
            _job(terms=terms),
            party=RIVERSIDE,
            outbox=folder / "outbox",
            vault=vault,
            random_bytes=random.Random(1).randbytes,
            progress=_silent,
        )


def _left(folder: Path) -> list[Path]:
    return sorted((folder / "outbox").iterdir())


def test_outbox_holds_the_payload_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    submission = _prepare(tmp_path, _stream(_records()))

    (payload,) = _left(tmp_path)
    assert payload == payload_path(tmp_path / "outbox", submission)
    assert S_IMODE(payload.stat().st_mode) == 0o600
    assert S_IMODE(payload.parent.stat().st_mode) == 0o700


def test_nothing_is_kept_where_the_last_row_has_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DuplicateIds):
        _prepare(tmp_path, _stream(_records(), fault=DuplicateIds(rows=(41,), total=1)))

    assert _left(tmp_path) == []
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        assert vault.prepared(ROUND) is None
        assert vault.record_ids(ROUND) == {}


def test_second_submission_of_a_round_is_refused_and_the_first_one_stays(tmp_path: Path) -> None:
    submission = _prepare(tmp_path, _stream(_records()))

    with pytest.raises(AlreadyExists):
        _prepare(tmp_path, _stream(_records(8)))

    assert _left(tmp_path) == [payload_path(tmp_path / "outbox", submission)]
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        assert len(vault.record_ids(ROUND)) == 40


def test_declaration_does_not_stand_where_its_payload_could_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")

    with pytest.raises(FolderBlocked, match="outbox"):
        _prepare(tmp_path, _stream(_records()))

    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        assert vault.prepared(ROUND) is None


def test_opening_the_outbox_leaves_alone_what_is_not_the_nodes(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    (outbox / "another-round-1.new").mkdir(parents=True)
    (outbox / "kept").mkdir()
    for name in ("notes.txt", "tmpabcdef", ".nfs0001", "payload", "another-round-2.0123.payload", "UPPER-1.new"):
        (outbox / name).write_bytes(b"somebody's")
    before = sorted(path.name for path in outbox.iterdir())

    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        open_outbox(outbox, vault)

    assert sorted(path.name for path in outbox.iterdir()) == before


def test_opening_the_outbox_removes_what_no_submission_is_about(tmp_path: Path) -> None:
    submission = _prepare(tmp_path, _stream(_records()))
    for name in ("another-round-1.0123456789abcdef.payload", "another-round-1.new", "spool-ab_cdef1"):
        (tmp_path / "outbox" / name).write_bytes(b"left behind")

    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        open_outbox(tmp_path / "outbox", vault)

    assert _left(tmp_path) == [payload_path(tmp_path / "outbox", submission)]
