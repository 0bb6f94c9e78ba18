"""Memory that matching takes: how far the process peaks beyond what it has at rest, and beyond what was sent.

    .venv/bin/python benchmarks/coordinator_memory.py --profile interop-1 --rows 100000 100000
    .venv/bin/python benchmarks/coordinator_memory.py --profile hardened-1 --rows 980000 20000
    .venv/bin/python benchmarks/coordinator_memory.py --profile interop-1 --alike 3162

Made-up rows: random bits, of which each provider shares a quarter of its people with the first. Memory follows from
the numbers of rows and bits and from how many pairs are found; `--alike` makes two files of that many equal rows, whose
pairs all reach the threshold. Everything from stored chunks to packed results is done, in a process of its own whose
compiled code is loaded (Linux: VmHWM, reset by clear_refs). `input` is what the providers sent: handles, CLKs, tags.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from isthmus.contract.encodings import SUBMISSION_FORMAT, Submission, chunk_count, pack_rows, rows_per_chunk
from isthmus.contract.hardened import hardened_1
from isthmus.contract.ids import HANDLE_BYTES, PartyId, RoundId
from isthmus.contract.match_keys import MATCH_KEY_BITS
from isthmus.coordinator.actions.round_rows import Entities, RoundRows, entity_ids, load_rows
from isthmus.coordinator.domain.entities import EntityRow, pack_entities
from isthmus.coordinator.domain.pseudonyms import PseudonymRow, pack_pseudonyms, pseudonym
from isthmus.coordinator.match.encodings import Dataset, split_rows
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import group_rows, pairs_of_kept_rows
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.runs import Runs
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import at_least, link_tables
from isthmus.coordinator.store.blobs import BlobFolder
from isthmus.coordinator.store.runs import RunFolder

FIELDS: Final = ("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "city", "zip")
RULES: Final = link_rules(hardened_1(FIELDS))
THRESHOLD: Final = 0.9
PLAIN_BITS: Final = 1024
SHARED: Final = 0.25
DAMAGE: Final = 0.04
KEY: Final = bytes(32)

Profile = Literal["interop-1", "hardened-1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What one provider sent: the document of its submission and the digests of its chunks."""

    submission: Submission
    chunks: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Bytes and seconds of one case; `pairs` reach the threshold."""

    input_bytes: int
    peak_bytes: int
    at_rest_bytes: int
    pairs: int
    seconds: float


def store_rows(blobs: BlobFolder, profile: Profile, sizes: Sequence[int], *, alike: bool) -> list[Stored]:
    """Keep made-up submissions, chunk by chunk."""
    bits, keys = (RULES.clk_bits, len(RULES.keys)) if profile == "hardened-1" else (PLAIN_BITS, 0)
    tables = len(RULES.tables) if profile == "hardened-1" else 1
    stored = []
    for place, rows in enumerate(sizes):
        row_bits = tables * bits + keys * MATCH_KEY_BITS
        submission = Submission(
            format=SUBMISSION_FORMAT,
            round_id=RoundId("r1"),
            party=PartyId(f"provider-{place}"),
            rows=rows,
            clk_bits=bits,
            tables=tables,
            match_keys=keys,
            chunk_count=chunk_count(rows=rows, row_bits=row_bits),
            digest="0" * 64,
            key_check="0" * 32,
            profile_digest="0" * 64,
            manifest_hash="0" * 64,
        )
        chunks = [blobs.put(chunk) for chunk in made_up_chunks(submission, place, alike=alike)]
        stored.append(Stored(submission=submission, chunks=chunks))
    return stored


def made_up_chunks(submission: Submission, place: int, *, alike: bool) -> Iterator[bytes]:
    """Give the chunks of a provider's rows: the first quarter are people of all, and the bits of some are damaged."""
    at_once, shared = rows_per_chunk(submission.row_bits), int(SHARED * submission.rows)
    own = np.random.default_rng(place + 1)
    for first in range(0, submission.rows, at_once):
        rows = min(at_once, submission.rows - first)
        people = np.random.default_rng([0, first]) if first < shared else own
        clks = _clks(submission, rows, people)
        if first < shared:
            clks ^= _some_bits(own, clks.shape, DAMAGE)
        tags = own.integers(0, 256, (rows, submission.match_keys * MATCH_KEY_BITS // 8), np.uint8)
        if alike:
            clks[:] = _clks(submission, 1, np.random.default_rng(0))
        handles = own.integers(0, 256, (rows, HANDLE_BYTES), np.uint8)
        yield pack_rows(handles, np.hstack([clks, tags]))


def _clks(submission: Submission, rows: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    shape = (rows, submission.tables * submission.clk_bits // 8)
    return rng.integers(0, 256, shape, np.uint8) if submission.tables > 1 else _some_bits(rng, shape, 0.375)


def _some_bits(rng: np.random.Generator, shape: tuple[int, int], share: float) -> NDArray[np.uint8]:
    """Give bytes of which about that share of bits is set."""
    return np.packbits(rng.random((shape[0], 8 * shape[1]), np.float32) < share, axis=1)


def matched(folder: Path, stored: Sequence[Stored], profile: Profile, *, workers: int) -> int:
    """Do all that matching does, from chunks to packed results; give the number of links."""
    blobs = BlobFolder(folder / "blobs")
    loaded = [load_rows(blobs, one.chunks, submission=one.submission, struck=frozenset()) for one in stored]
    rows = [one for one, _ in loaded]
    pairs = linked_pairs([encoded for _, encoded in loaded], profile, RunFolder(folder / "runs"), workers=workers)
    del loaded
    kept = [one.kept(frozenset()) for one in rows]
    groups = group_rows(pairs_of_kept_rows(pairs, kept), sizes=[len(one) for one in rows])
    pack(rows, entity_ids(rows, groups))
    return len(pairs)


def linked_pairs(encoded: Sequence[NDArray[np.uint8]], profile: Profile, runs: Runs, *, workers: int) -> CandidatePairs:
    """Give the pairs that reach the threshold."""
    engine = KernelEngine(workers=workers, max_pairs=10**7)
    if profile == "interop-1":
        datasets = [Dataset(party=PartyId("p"), clks=one) for one in encoded]
        return engine.candidate_pairs(datasets, threshold=THRESHOLD, progress=_silent, runs=runs)
    submissions = [split_rows(one, tables=len(RULES.tables), clk_bits=RULES.clk_bits) for one in encoded]
    pairs = link_tables(submissions, rules=RULES, engine=engine, max_pairs=10**7, progress=_silent, runs=runs)
    return at_least(pairs, threshold=RULES.threshold)


def pack(rows: Sequence[RoundRows], entities: Sequence[Entities]) -> None:
    """Make the results that would be stored."""
    for one, known in zip(rows, entities, strict=True):
        pack_pseudonyms(
            PseudonymRow(handle=handle, pseudonym=pseudonym(KEY, name), slot=None)
            for handle, name, _ in known.rows(one)
        )
    pack_entities(
        EntityRow(dataset=place, handle=handle, entity=name)
        for place, (one, known) in enumerate(zip(rows, entities, strict=True))
        for handle, name, linked in known.rows(one)
        if linked
    )


def _silent(_done: int, _total: int) -> None:
    """Take no note of the progress."""


def memory(name: str) -> int:
    """Give a number of this process's status, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def measure(folder: Path, profile: Profile, workers: int) -> Measured:
    """Match what the folder holds; a small round goes before, which loads the compiled code."""
    (folder / "small").mkdir()
    small = BlobFolder(folder / "small" / "blobs")
    small.prepare()
    matched(folder / "small", store_rows(small, profile, [300, 300], alike=False), profile, workers=workers)
    stored = msgspec.json.decode((folder / "stored.json").read_bytes(), type=list[Stored])
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    at_rest, began = memory("VmRSS"), time.monotonic()
    pairs = matched(folder, stored, profile, workers=workers)
    sent = sum(one.submission.rows * (HANDLE_BYTES + one.submission.row_bits // 8) for one in stored)
    return Measured(
        input_bytes=sent,
        peak_bytes=memory("VmHWM"),
        at_rest_bytes=at_rest,
        pairs=pairs,
        seconds=time.monotonic() - began,
    )


def measured(profile: Profile, sizes: Sequence[int], *, alike: bool, workers: int) -> Measured:
    """Measure a case in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blobs = BlobFolder(folder / "blobs")
        blobs.prepare()
        stored = store_rows(blobs, profile, sizes, alike=alike)
        (folder / "stored.json").write_bytes(msgspec.json.encode(stored))
        command = [sys.executable, __file__, "--profile", profile, "--workers", str(workers), "--folder", name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        return msgspec.json.decode(done.stdout, type=Measured)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="memory of matching at the coordinator")
    parser.add_argument("--profile", choices=["interop-1", "hardened-1"], default="hardened-1")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 100_000], help="rows of each provider")
    parser.add_argument("--alike", type=int, help="two files of that many equal rows")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="match what is there; for the process that is measured")
    arguments = parser.parse_args()
    if arguments.folder:
        case = measure(arguments.folder, arguments.profile, arguments.workers)
        sys.stdout.buffer.write(msgspec.json.encode(case))
        return 0
    sizes = [arguments.alike] * 2 if arguments.alike else arguments.rows
    case = measured(arguments.profile, sizes, alike=bool(arguments.alike), workers=arguments.workers)
    rows, taken = sum(sizes), case.peak_bytes - case.at_rest_bytes
    print(f"{arguments.profile}, {' + '.join(f'{size:,}' for size in sizes)} rows, {case.pairs:,} pairs")
    print(
        f"{case.peak_bytes / 2**20:,.0f} MiB at most, {case.at_rest_bytes / 2**20:,.0f} at rest, "
        f"{case.input_bytes / 2**20:,.0f} of input; {case.seconds:.1f} s"
    )
    print(
        f"bytes a record: input {case.input_bytes / rows:.0f}, taken {taken / rows:.0f}, "
        f"beyond the input {(taken - case.input_bytes) / rows:.0f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
