"""From records to a submission that is ready to send: normalise, encode, give handles, shuffle, write down.

The submission lies in the outbox, and its handles in the vault, before the coordinator hears of it; so a node that is
killed goes on with the same bytes. Record ids and values stay here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.canonical import sha256
from isthmus.contract.encodings import (
    SUBMISSION_FORMAT,
    Submission,
    chunk_count,
    pack_rows,
    row_bytes,
    rows_per_chunk,
    submission_digest,
)
from isthmus.contract.ids import HANDLE_BYTES, PartyId, RandomBytes
from isthmus.node.config import DatasetConfig
from isthmus.node.keys.linkage_key import key_check_value
from isthmus.node.normalise.norm1 import normalise_column
from isthmus.node.records import Records
from isthmus.node.round_encoding import RoundEncoding, encode_pieces
from isthmus.node.vault import Vault
from isthmus.party.identity import write_private

Report = Callable[[str, int, int], None]
"""(stage, done, total): told how far preparing is."""

PIECE_ROWS: Final = 2**14


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Submittable:
    """A submission in memory: its declaration, its payload, the record of each handle, and what to tell people."""

    submission: Submission
    payload: bytes
    record_of_handle: list[tuple[bytes, str]]
    report: dict[str, Any]


def build_submission(
    records: Records,
    *,
    dataset: DatasetConfig,
    encoding: RoundEncoding,
    party: PartyId,
    random_bytes: RandomBytes,
    progress: Report,
) -> Submittable:
    """Normalise, encode and shuffle records into a submission.

    Rows leave in the order of their random handles, which is a uniform shuffle of the source's order. A row that holds
    too little to link leaves all zero, which links to nothing.
    """
    columns, quality = _normalise(records, dataset, encoding.profile.fields, progress)
    clks = _encode(columns, encoding, progress)
    too_little = int((~clks.any(axis=1)).sum())
    handles = np.frombuffer(random_bytes(HANDLE_BYTES * len(clks)), dtype=np.uint8).reshape(-1, HANDLE_BYTES)
    order = np.lexsort(handles.T[::-1])
    payload = pack_rows(handles[order], clks[order])
    submission = _declare(payload, rows=len(clks), encoding=encoding, party=party)
    record_of_handle = [(handles[i].tobytes(), records.record_ids[i]) for i in order.tolist()]
    report = _report(records, dataset=dataset, encoding=encoding, quality=quality, payload=payload)
    return Submittable(
        submission=submission,
        payload=payload,
        record_of_handle=record_of_handle,
        report=report | {"too_little_to_link": too_little},
    )


def save_submission(submittable: Submittable, *, outbox: Path, vault: Vault) -> None:
    """Write payload, then handles and declaration, so that a declaration never stands without its payload."""
    outbox.mkdir(mode=0o700, exist_ok=True)
    round_id = submittable.submission.round_id
    write_private(payload_path(outbox, submittable.submission), submittable.payload)
    vault.save_prepared(
        round_id,
        document=submittable.submission.to_bytes(),
        report=json.dumps(submittable.report),
        rows=submittable.record_of_handle,
    )


def payload_path(outbox: Path, submission: Submission) -> Path:
    """Give where the payload of a submission lies until its receipt is in."""
    return outbox / f"{submission.round_id}.{submission.digest[:16]}.payload"


def _normalise(
    records: Records, dataset: DatasetConfig, fields: tuple[str, ...], progress: Report
) -> tuple[list[list[str]], dict[str, dict[str, int]]]:
    columns, quality = [], {}
    for done, field in enumerate(fields):
        progress("normalising", done, len(fields))
        column = normalise_column(field, records.columns[field], date_order=dataset.date_order)
        columns.append(column.values)
        quality[field] = {
            "missing": column.missing,
            "placeholder": column.placeholders,
            "damaged": column.damaged,
        }
    progress("normalising", len(fields), len(fields))
    return columns, quality


def _encode(columns: list[list[str]], encoding: RoundEncoding, progress: Report) -> NDArray[np.uint8]:
    """Give the encodings of all rows, uint8 of shape (rows, row_bits / 8)."""
    rows, done, encoded = len(columns[0]), 0, list[NDArray[np.uint8]]()
    pieces = ([column[start : start + PIECE_ROWS] for column in columns] for start in range(0, rows, PIECE_ROWS))
    for clks in encode_pieces(pieces, encoding):
        encoded.append(clks.reshape(len(clks), -1))
        done += len(clks)
        progress("encoding", done, rows)
    return np.concatenate(encoded)


def _declare(payload: bytes, *, rows: int, encoding: RoundEncoding, party: PartyId) -> Submission:
    manifest, profile = encoding.manifest, encoding.profile
    key_check = key_check_value(encoding.key, project=manifest.project.id, round_id=manifest.round_id)
    row_bits = len(profile.table_names) * profile.clk_bits
    return Submission(
        format=SUBMISSION_FORMAT,
        round_id=manifest.round_id,
        party=party,
        rows=rows,
        clk_bits=profile.clk_bits,
        tables=len(profile.table_names),
        chunk_count=chunk_count(rows=rows, row_bits=row_bits),
        digest=_digest(payload, row_bits=row_bits).hex(),
        key_check=key_check.hex(),
        profile_digest=profile.digest(),
        manifest_hash=manifest.digest().hex(),
    )


def _digest(payload: bytes, *, row_bits: int) -> bytes:
    size = rows_per_chunk(row_bits) * row_bytes(row_bits)
    return submission_digest(sha256(payload[start : start + size]) for start in range(0, len(payload), size))


def _report(
    records: Records,
    *,
    dataset: DatasetConfig,
    encoding: RoundEncoding,
    quality: dict[str, dict[str, int]],
    payload: bytes,
) -> dict[str, Any]:
    fields = encoding.profile.fields
    return {
        "rows": len(records.record_ids),
        "bytes": len(payload),
        "profile": encoding.profile.name,
        "clk_bits": encoding.profile.clk_bits,
        "tables": list(encoding.profile.table_names),
        "encoded": {field: dataset.columns[field] for field in fields},
        "stayed": [dataset.id_column, *(name for field, name in dataset.columns.items() if field not in fields)],
        "source": list(records.source.findings),
        "quality": quality,
    }
