"""Preparing a submission of a project with keyed blocks: bucket numbers, and which are withheld or refused."""

import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import msgspec
import pytest
from unit.node.parts import COLLEGE, RIVERSIDE, manifest, project
from unit.node.preparing_parts import (
    Built,
    by_record,
    left_in,
    made_records,
    new_job,
    prepare_in,
    record_stream,
    silent,
)

from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.project import ProviderTerms
from isthmus.node.errors import BucketTooLarge
from isthmus.node.normalise import normalise_column
from isthmus.node.prepare import preview_submission
from isthmus.node.records import Records
from isthmus.node.round_encoding import encode_pieces

BLOCKS = Blocks(keys=("names-year", "first-birth"), buckets=16, least_rows=2, most_rows=5)
BLOCKED = [manifest(project(profile=profile, blocks=BLOCKS)) for profile in ("interop-1", "hardened-1")]


def _people(*, repeated: int = 0) -> Records:
    """Sound records of which so many have the first one's names and date."""
    records = made_records(40)
    records.columns["first_name"][:] = [f"{ascii_uppercase[index % 26]}maria" for index in range(40)]
    records.columns["dob"][:] = [f"2005-{index % 12 + 1:02}-{index % 28 + 1:02}" for index in range(40)]
    for column in records.columns.values():
        column[:repeated] = [column[0]] * repeated
    return records


def _buckets(built: Built) -> dict[str, tuple[int, ...]]:
    """Give the bucket numbers of each record."""
    return {record: struct.unpack(">2I", row[-8:]) for record, row in by_record(built).items()}


@pytest.mark.parametrize("terms", BLOCKED)
def test_rows_end_in_the_bucket_numbers_of_the_block_keys(build: Callable[..., Built], terms: Any) -> None:
    records, encoding = _people(), new_job(terms=terms).encoding
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
    rows, buckets = by_record(built), _buckets(built)

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
    encoding = new_job(terms=manifest(project(providers=terms, blocks=blocks))).encoding
    columns = [["maria", "maria"], ["", ""], ["20050101", "20050101"], ["", "219099999"]]

    (rows,) = encode_pieces([columns], encoding)

    assert encoding.bucket_encoder(blocks).encode(columns).all()
    assert not rows[0].any()
    assert rows[1, -4:].any()


def test_preview_of_blocks_gives_the_report_of_what_would_leave(build: Callable[..., Built], tmp_path: Path) -> None:
    job = new_job(terms=BLOCKED[0])

    preview = preview_submission(record_stream(_people()), job, folder=tmp_path, progress=silent)

    assert preview == build(_people(), terms=BLOCKED[0]).report
    assert [path.name for path in tmp_path.iterdir()] == ["0"]


@pytest.mark.parametrize("terms", BLOCKED)
def test_bucket_of_more_rows_than_allowed_is_refused_by_columns_and_count(tmp_path: Path, terms: Any) -> None:
    records = _people(repeated=7)

    with pytest.raises(BucketTooLarge) as previewed:
        preview_submission(record_stream(records), new_job(terms=terms), folder=tmp_path, progress=silent)
    with pytest.raises(BucketTooLarge) as prepared:
        prepare_in(tmp_path, record_stream(records), terms=terms)

    assert "first-birth, made from your First and Born, has " in str(prepared.value)
    assert "names-year, made from your First and Last and Born, has " in str(previewed.value)
    assert "most_rows of 5" in str(prepared.value)
    assert not any(text in str(prepared.value) for text in ("maria", "fictional", "2005"))
    assert left_in(tmp_path) == []
