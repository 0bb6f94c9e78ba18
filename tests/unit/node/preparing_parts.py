"""Records to prepare, and what a preparation leaves behind. All people are made up."""

import random
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from unit.node.parts import RIVERSIDE, STUDENTS, manifest

from isthmus.contract.encodings import (
    Submission,
    unpack_rows,
)
from isthmus.contract.secret import Secret
from isthmus.node.prepare import Job, prepare_submission
from isthmus.node.records import Piece, Records, RecordStream, SourceDescription
from isthmus.node.round_encoding import RoundEncoding
from isthmus.node.vault import open_vault

MANIFEST = manifest()
KEY = Secret(b"k" * 32)
NAMES = ["Maria", "Jonathan", "Lakshmi", "TEST", ""]


def made_records(rows: int = 40) -> Records:
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


def record_stream(records: Records, *, piece_rows: int = 16, fault: Exception | None = None) -> RecordStream:
    """Records in pieces; at their end the fault, if there is one."""

    def pieces() -> Generator[Piece, None, SourceDescription]:
        whole = Piece(record_ids=records.record_ids, columns=records.columns, expected_rows=len(records.record_ids))
        yield from whole.parts(piece_rows)
        if fault is not None:
            raise fault
        return records.source

    return RecordStream(pieces())


def new_job(*, key: Secret = KEY, encoder: str = "isthmus", terms: Any = MANIFEST) -> Job:
    encoding = RoundEncoding(manifest=terms, profile=terms.read_profile(), key=key, encoder=encoder)
    return Job(dataset=STUDENTS, encoding=encoding)


def silent(_stage: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a preparation left in outbox and vault."""

    submission: Submission
    payload: bytes
    record_of_handle: dict[bytes, str]
    report: dict[str, Any]


def by_record(built: Built) -> dict[str, bytes]:
    """Give the encodings of each record."""
    handles, clks = unpack_rows(built.payload, row_bits=built.submission.row_bits)
    return {built.record_of_handle[handle.tobytes()]: clk.tobytes() for handle, clk in zip(handles, clks, strict=True)}


def prepare_in(folder: Path, stream: RecordStream, *, terms: Any = MANIFEST) -> Submission:
    with closing(open_vault(folder / "vault.sqlite")) as vault:
        return prepare_submission(
            stream,
            new_job(terms=terms),
            party=RIVERSIDE,
            outbox=folder / "outbox",
            vault=vault,
            random_bytes=random.Random(1).randbytes,
            progress=silent,
        )


def left_in(folder: Path) -> list[Path]:
    return sorted((folder / "outbox").iterdir())
