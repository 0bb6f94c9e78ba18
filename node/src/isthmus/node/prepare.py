"""From records to a submission that is ready to send: normalise, encode, give handles, shuffle, write down.

Records come and go in pieces, so memory does not grow with their number; nothing counts before the last is read and
found good. The submission lies in the outbox, and its handles in the vault, before the coordinator hears of it; so a
node that is killed goes on with the same bytes. Record ids and values stay here.
"""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import SUBMISSION_FORMAT, Submission, chunk_count, row_bytes, tag_words
from isthmus.contract.ids import HANDLE_BYTES, PartyId, RandomBytes
from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.blocking import Blocking
from isthmus.node.compare.field_file import FieldFileWriter
from isthmus.node.compare.kept import Kept
from isthmus.node.compare.report import compared_report
from isthmus.node.config import DatasetConfig
from isthmus.node.consent_settings import columns_needed
from isthmus.node.encode.match_keys import TAG_BYTES
from isthmus.node.encode.repeated_tags import Repeated, hide_repeated
from isthmus.node.keys.handles import lasting_handles
from isthmus.node.keys.linkage_key import key_check_value
from isthmus.node.normalise.norm1 import ColumnNormaliser
from isthmus.node.outbox import (
    SPOOL_PREFIX,
    Content,
    named_content,
    new_content,
    open_outbox,
    sync_file,
    write_rows,
)
from isthmus.node.planted.people import Person
from isthmus.node.records import PIECE_ROWS, Piece, RecordStream
from isthmus.node.round_encoding import RoundEncoding, encode_pieces
from isthmus.node.spool import Whose, open_spool
from isthmus.node.tag_file import open_tag_file
from isthmus.node.vault import Vault

Progress = Callable[[str, int, int], None]
"""(stage, done, total): told how far preparing is. Where a source does not say how many rows come, total is a guess."""

_SLAB_BYTES: Final = 2**24
"""Encodings that are made at a time; several times as much is in memory while they are sorted."""

_KEPT_VALUES: Final = 2**19
"""The most values, of all fields together, whose normal forms are kept from slab to slab: some 100 MB at worst."""

Encodings = NDArray[np.uint8]
Columns = Mapping[str, list[str]]
"""Normalised values by field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is encoded for a round: which data set, and under what; and what is `kept` to answer from, if it is.

    `planted` are made-up people whose rows leave among the others. `handle_key` is there in longitudinal projects,
    where a record has the same handle in every round; planted people have random ones nevertheless.
    """

    dataset: DatasetConfig
    encoding: RoundEncoding
    kept: Kept | None = None
    planted: Sequence[Person] = ()
    handle_key: Secret | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are read: those that are encoded and those that are compared, in standard order."""
        used = {*self.encoding.profile.fields, *(self.kept.fields if self.kept else ())}
        return tuple(field for field in STANDARD_FIELDS if field in used)

    @property
    def row_bits(self) -> int:
        """How many bits the encodings and bucket numbers of a row take together."""
        return self.encoding.row_bits

    def blocking(self) -> Blocking:
        """Give what counts and withholds the round's keyed blocks."""
        return Blocking(self.encoding.blocks, fields=self.encoding.profile.fields)


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What is counted while records go by."""

    blocking: Blocking
    rows: int = 0
    too_little: int = 0
    quality: dict[str, Counter[str]] = field(default_factory=dict)
    hidden_tags: Counter[str] = field(default_factory=Counter)


Notes = Callable[[], Mapping[str, Any]]
"""Gives what else the report says of the records, once they have come to their end."""


def preview_submission(
    stream: RecordStream, job: Job, *, folder: Path, notes: Notes = dict, progress: Progress
) -> dict[str, Any]:
    """Give the report of what would leave; all is read and encoded, nothing is kept, and no tag hidden.

    Bucket numbers lie on the disk of `folder` meanwhile, in a file without a name.

    Raises:
        BadInput: what the stream raises.
        BucketTooLarge: the round's keyed blocks do not fit the data set.
    """
    tally = _Tally(blocking=job.blocking())
    encoded = (made.rows for made in _encoded(stream, job, tally, progress))
    tally.blocking.rehearse(encoded, job.dataset.columns, folder=folder)
    return _report(job, tally, stream, notes)


def prepare_submission(
    stream: RecordStream,
    job: Job,
    *,
    party: PartyId,
    outbox: Path,
    vault: Vault,
    random_bytes: RandomBytes,
    notes: Notes = dict,
    progress: Progress,
) -> Submission:
    """Write a submission into the outbox and the vault, and beside it what field comparison is answered from.

    Rows leave in the order of their handles, which is a uniform shuffle of the source's order. A row that holds
    too little to link leaves all zero, which links to nothing. The payload is written before the declaration, so that
    none stands without the other; what was written is removed where anything fails.

    Raises:
        BadInput: what the stream raises, when it has come to its end; nothing is kept then.
        BucketTooLarge: the round's keyed blocks do not fit the data set; nothing is kept then.
        AlreadyExists: the round has a prepared submission.
    """
    tally, round_id = _Tally(blocking=job.blocking()), job.encoding.manifest.round_id
    open_outbox(outbox, vault)
    with (
        open_spool(outbox, prefix=SPOOL_PREFIX) as spool,
        open_tag_file(outbox, prefix=SPOOL_PREFIX) as tags,
        new_content(outbox, round_id, Content.PAYLOAD) as payload,
        new_content(outbox, round_id, Content.FIELDS) as fields,
    ):
        for made in _encoded(stream, job, tally, progress):
            tags.add(tag_words(_tags_of(made.rows, job)))
            tally.blocking.count(made.rows)
            handles = _handles(made, job, random_bytes)
            spool.add(handles, _with_fields(made, handles, job), made.whose)
        tally.blocking.check(job.dataset.columns)
        progress("writing", 0, 1)
        beside = FieldFileWriter(fields, job.kept.disk) if job.kept else None
        rows = _leaving(_apart(spool.rows(), beside, job), tags.repeated(), job, tally, random_bytes)
        digest = write_rows(payload, (block.data for block in rows), row_bits=job.row_bits)
        submission = _declare(job, rows=tally.rows, digest=digest, party=party)
        if beside is not None:
            beside.finish(submission.digest)
        sync_file(fields)
        report = json.dumps(_report(job, tally, stream, notes))
        with _named(outbox, submission, job):
            whose = spool.whose_handles()
            vault.save_prepared(round_id, document=submission.to_bytes(), report=report, rows=whose)
        progress("writing", 1, 1)
    return submission


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Made:
    """What was made of some records or people: `rows` are their encodings, uint8 of shape (rows, row_bits / 8)."""

    whose: Sequence[Whose]
    columns: Columns
    rows: Encodings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Slab:
    """Normalised records, or planted people, that are encoded at a time."""

    whose: Sequence[Whose]
    columns: Columns
    expected_rows: int
    planted: bool


def _encoded(stream: RecordStream, job: Job, tally: _Tally, progress: Progress) -> Iterator[_Made]:
    """Give the encodings of the records, then those of the people who are planted among them."""
    slabs: deque[_Slab] = deque()

    def columns() -> Iterator[list[list[str]]]:
        for slab in chain(_records(stream, job, tally), _people(job)):
            slabs.append(slab)
            yield [slab.columns[name] for name in job.encoding.profile.fields]

    for clks in encode_pieces(columns(), job.encoding):
        slab = slabs.popleft()
        tally.rows += len(clks)
        progress("encoding", tally.rows, max(slab.expected_rows, tally.rows + 1))
        if not slab.planted:
            tally.too_little += int((~clks.any(axis=1)).sum())
        yield _Made(whose=slab.whose, columns=slab.columns, rows=clks)
    progress("encoding", tally.rows, tally.rows)


def _records(stream: RecordStream, job: Job, tally: _Tally) -> Iterator[_Slab]:
    normalisers = _normalisers(job)
    for piece in stream.pieces():
        for part in piece.parts(_slab_rows(job)):
            columns = _normalise(part, normalisers, tally)
            yield _Slab(whose=part.record_ids, columns=columns, expected_rows=part.expected_rows, planted=False)


def _people(job: Job) -> Iterator[_Slab]:
    """Give the planted people: their values are in normal form, and in no count of the data set's quality."""
    for start in range(0, len(job.planted), _slab_rows(job)):
        some = job.planted[start : start + _slab_rows(job)]
        columns = {name: [person[name] for person in some] for name in job.fields}
        yield _Slab(whose=range(start, start + len(some)), columns=columns, expected_rows=0, planted=True)


def _with_fields(made: _Made, handles: Encodings, job: Job) -> Encodings:
    """Give rows as they lie in the spool: encodings and, where fields are compared, encrypted records behind them."""
    if job.kept is None:
        return made.rows
    return np.hstack([made.rows, job.kept.seal(made.columns, handles)])


def _apart(rows: Iterator[Encodings], beside: FieldFileWriter | None, job: Job) -> Iterator[Encodings]:
    """Give rows as they leave, and write what is kept of them, behind the same handles, into the file of fields."""
    end = row_bytes(job.row_bits)
    for some in rows:
        if beside is not None:
            beside.write(np.hstack([some[:, :HANDLE_BYTES], some[:, end:]]))
        yield np.ascontiguousarray(some[:, :end])


@contextmanager
def _named(outbox: Path, submission: Submission, job: Job) -> Iterator[None]:
    contents = [Content.PAYLOAD, *([Content.FIELDS] if job.kept else [])]
    with ExitStack() as stack:
        for content in contents:
            stack.enter_context(named_content(outbox, submission.round_id, submission.digest, content))
        yield


def _tags_of(rows: Encodings, job: Job) -> Encodings:
    """Give the tags of rows, which only bucket numbers come after, shape (rows, match keys, 16); a view."""
    keys = len(job.encoding.profile.match_key_names)
    end = rows.shape[1] - (job.row_bits - job.encoding.profile.row_bits) // 8
    return rows[:, end - keys * TAG_BYTES : end].reshape(len(rows), keys, TAG_BYTES)


def _leaving(
    sorted_rows: Iterator[Encodings], repeated: Repeated, job: Job, tally: _Tally, random_bytes: RandomBytes
) -> Iterator[Encodings]:
    """Give the rows by rising handle, with random bytes in place of tags that several have, small buckets withheld."""
    names = job.encoding.profile.match_key_names
    for rows in sorted_rows:
        hidden = hide_repeated(_tags_of(rows, job), repeated, random_bytes=random_bytes)
        tally.hidden_tags.update(dict(zip(names, hidden, strict=True)))
        tally.blocking.withhold(rows)
        yield rows


def _slab_rows(job: Job) -> int:
    kept = job.kept.layout.dtype.itemsize if job.kept else 0
    return max(1, min(PIECE_ROWS, _SLAB_BYTES // (row_bytes(job.row_bits) + kept)))


def _normalisers(job: Job) -> dict[str, ColumnNormaliser]:
    order, kept = job.dataset.date_order, _KEPT_VALUES // len(job.fields)
    return {name: ColumnNormaliser(name, date_order=order, kept_values=kept) for name in job.fields}


def _normalise(slab: Piece, normalisers: Mapping[str, ColumnNormaliser], tally: _Tally) -> Columns:
    columns = {}
    for name, normaliser in normalisers.items():
        column = normaliser.normalise(slab.columns[name])
        columns[name] = column.values
        noted = {"missing": column.missing, "placeholder": column.placeholders, "damaged": column.damaged}
        tally.quality.setdefault(name, Counter()).update(noted)
    return columns


def _handles(made: _Made, job: Job, random_bytes: RandomBytes) -> NDArray[np.uint8]:
    records = [one for one in made.whose if isinstance(one, str)]
    if job.handle_key is not None and records:
        return lasting_handles(job.handle_key, records)
    return np.frombuffer(random_bytes(HANDLE_BYTES * len(made.rows)), dtype=np.uint8).reshape(-1, HANDLE_BYTES)


def _declare(job: Job, *, rows: int, digest: bytes, party: PartyId) -> Submission:
    manifest, profile = job.encoding.manifest, job.encoding.profile
    key_check = key_check_value(job.encoding.key, project=manifest.project.id, round_id=manifest.round_id)
    return Submission(
        format=SUBMISSION_FORMAT,
        round_id=manifest.round_id,
        party=party,
        rows=rows,
        clk_bits=profile.clk_bits,
        tables=len(profile.table_names),
        match_keys=len(profile.match_key_names),
        blocks=len(job.encoding.blocks.keys) if job.encoding.blocks else 0,
        chunk_count=chunk_count(rows=rows, row_bits=job.row_bits),
        digest=digest.hex(),
        key_check=key_check.hex(),
        profile_digest=profile.digest(),
        manifest_hash=manifest.digest().hex(),
    )


def _report(job: Job, tally: _Tally, stream: RecordStream, notes: Notes) -> dict[str, Any]:
    profile, columns, asked = job.encoding.profile, job.dataset.columns, columns_needed(job.dataset.consent)
    stayed = [column for name, column in columns.items() if name not in job.fields]
    return {
        "rows": tally.rows,
        "planted": len(job.planted),
        "longitudinal": job.encoding.manifest.project.longitudinal,
        "bytes": tally.rows * row_bytes(job.row_bits),
        "profile": profile.name,
        "clk_bits": profile.clk_bits,
        "tables": list(profile.table_names),
        "match_keys": list(profile.match_key_names),
        "encoded": {name: columns[name] for name in profile.fields},
        "stayed": list(dict.fromkeys([job.dataset.id_column, *stayed, *asked])),
        "source": list(stream.source.findings),
        "quality": {name: dict(counts) for name, counts in tally.quality.items()},
        "too_little_to_link": tally.too_little,
        "hidden_tags": dict(tally.hidden_tags),
        **tally.blocking.report(),
        **(compared_report(job.kept, columns, rows=tally.rows) if job.kept else {}),
        **notes(),
    }
