"""Memory that matching takes: how far the process peaks beyond what it has at rest, and beyond what was sent.

    .venv/bin/python benchmarks/coordinator_memory.py --profile interop-1 --rows 100000 100000
    .venv/bin/python benchmarks/coordinator_memory.py --profile hardened-1 --rows 980000 20000
    .venv/bin/python benchmarks/coordinator_memory.py --profile interop-1 --alike 3162
    .venv/bin/python benchmarks/coordinator_memory.py --compared --rows 20000 20000

Made-up rows: random bits, of which each provider shares a quarter of its people with the first. Memory follows from
the numbers of rows and bits and from how many pairs are found; `--alike` makes two files of that many equal rows, whose
pairs all reach the threshold. Everything from stored chunks to packed results is done, in a process of its own whose
compiled code is loaded (Linux: VmHWM, reset by clear_refs). `input` is what the providers sent: handles, CLKs, tags.
`--compared` is a round of two providers under `hardened-2` that compares fields: candidates and requests, then answers
(`answered`), model, groups and quality report, one after the other in one process as a coordinator does them.
"""

import argparse
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypedDict

import msgspec
import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import comparison_1
from isthmus.contract.encodings import SUBMISSION_FORMAT, Submission, chunk_count, pack_rows, rows_per_chunk
from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_2
from isthmus.contract.ids import HANDLE_BYTES, PartyId, RoundId
from isthmus.contract.match_keys import MATCH_KEY_BITS
from isthmus.coordinator.actions.round_rows import Entities, RoundRows, find_entities, load_rows
from isthmus.coordinator.domain.entities import pack_entities
from isthmus.coordinator.domain.pseudonyms import pack_pseudonyms, pseudonyms
from isthmus.coordinator.match import DEFAULT_MAX_PAIRS, WORKER_BYTES
from isthmus.coordinator.match.encodings import Dataset, split_rows
from isthmus.coordinator.match.engine import CandidatePairs, Progress
from isthmus.coordinator.match.field_candidates import field_candidates
from isthmus.coordinator.match.group import group_rows
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.memory import Demand, Memory, needed_bytes
from isthmus.coordinator.match.runs import Runs
from isthmus.coordinator.match.search import DEFAULT_MEMORY_BYTES
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import at_least, link_tables
from isthmus.coordinator.store.blobs import BlobFolder
from isthmus.coordinator.store.runs import RunFolder

sys.path.insert(0, str(Path(__file__).parents[1]))
# The benchmarks are no package; this finds what another of them has.
from benchmarks.answered import TERMS, answer, ask, link_answers

FIELDS: Final = ("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "city", "zip")
PROFILES: Final = {"hardened-1": hardened_1(FIELDS), "hardened-2": hardened_2(FIELDS)}
COMPARISON: Final = comparison_1(FIELDS)
THRESHOLD: Final = 0.9
PLAIN_BITS: Final = 1024
SHARED: Final = 0.25
DAMAGE: Final = 0.04
KEY: Final = bytes(32)

Profile = Literal["interop-1", "hardened-1", "hardened-2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What to measure; `limit_bytes` is a limit on the data of the process (RLIMIT_DATA), 0 for none."""

    profile: Profile
    sizes: list[int]
    alike: bool = False
    compared: bool = False
    workers: int = 2
    max_pairs: int = DEFAULT_MAX_PAIRS
    search_bytes: int = DEFAULT_MEMORY_BYTES
    limit_bytes: int = 0


class _Looking(TypedDict):
    engine: KernelEngine
    max_pairs: int
    progress: Progress
    runs: Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What one provider sent: the document of its submission and the digests of its chunks."""

    submission: Submission
    chunks: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Bytes and seconds of a case; `pairs` reach the threshold, `needed_bytes` is the estimate, `digest` of results."""

    input_bytes: int
    needed_bytes: int
    peak_bytes: int
    at_rest_bytes: int
    pairs: int
    digest: str
    seconds: float


def store_rows(blobs: BlobFolder, profile: Profile, sizes: Sequence[int], *, alike: bool) -> list[Stored]:
    """Keep made-up submissions, chunk by chunk."""
    known = PROFILES.get(profile)
    bits, keys, tables = _shape(known) if known else (PLAIN_BITS, 0, 1)
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
            blocks=0,
            chunk_count=chunk_count(rows=rows, row_bits=row_bits),
            digest="0" * 64,
            key_check="0" * 32,
            profile_digest="0" * 64,
            manifest_hash="0" * 64,
        )
        chunks = [blobs.put(chunk) for chunk in made_up_chunks(submission, place, alike=alike)]
        stored.append(Stored(submission=submission, chunks=chunks))
    return stored


def _shape(profile: HardenedProfile) -> tuple[int, int, int]:
    """Give the bits of a table, and how many match keys and tables there are."""
    rules = link_rules(profile)
    return rules.clk_bits, len(rules.keys), len(rules.tables)


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


def matched(folder: Path, stored: Sequence[Stored], case: Case) -> tuple[int, str]:
    """Do all that matching does, from chunks to packed results; give the number of links and the results' digest."""
    blobs = BlobFolder(folder / "blobs")
    loaded = [load_rows(blobs, one.chunks, submission=one.submission, struck=frozenset()) for one in stored]
    rows = [one for one, _ in loaded]
    pairs = found_pairs([encoded for _, encoded in loaded], case, RunFolder(folder / "runs"))
    del loaded
    sizes = [len(one) for one in rows]
    if case.compared:
        asked = ask(blobs, pairs, (sizes[0], sizes[1]))
        chunks = answer(blobs, asked, COMPARISON)
        pairs, groups = link_answers(blobs, asked, chunks, COMPARISON, sizes)
    else:
        groups = group_rows(pairs, sizes=sizes)
    digest = hashlib.sha256()
    for packed in pack(rows, find_entities(rows, groups, of_all=True)):
        digest.update(packed)
    return len(pairs), digest.hexdigest()


def found_pairs(encoded: Sequence[NDArray[np.uint8]], case: Case, runs: Runs) -> CandidatePairs:
    """Give the pairs that reach the threshold, or all candidates where fields are compared."""
    engine = KernelEngine(workers=case.workers, max_pairs=case.max_pairs, memory_bytes=case.search_bytes)
    if case.profile == "interop-1":
        datasets = [Dataset(party=PartyId("p"), clks=one) for one in encoded]
        return engine.candidate_pairs(datasets, threshold=THRESHOLD, progress=_silent, runs=runs)
    profile = PROFILES[case.profile]
    rules = link_rules(profile)
    submissions = [split_rows(one, tables=len(rules.tables), clk_bits=rules.clk_bits) for one in encoded]
    looking: _Looking = {"engine": engine, "max_pairs": case.max_pairs, "progress": _silent, "runs": runs}
    if case.compared:
        return field_candidates(submissions, profile=profile, **looking)
    return at_least(link_tables(submissions, rules=rules, **looking), threshold=rules.threshold)


def pack(rows: Sequence[RoundRows], entities: Sequence[Entities]) -> Iterator[bytes]:
    """Give the results that would be stored, of a round in which every row gets an ID."""
    pairs = list(zip(rows, entities, strict=True))
    yield from (pack_pseudonyms(one.handles, pseudonyms(KEY, known.ids)) for one, known in pairs)
    yield pack_entities([(one.handles[known.grouped], known.ids[known.grouped]) for one, known in pairs])


def _silent(_done: int, _total: int) -> None:
    """Take no note of the progress."""


def memory_bytes(name: str) -> int:
    """Give a number of this process's status, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def needed(stored: Sequence[Stored], case: Case) -> int:
    """Give the coordinator's own estimate."""
    one = stored[0].submission
    demand = Demand(
        sizes=[each.submission.rows for each in stored],
        row_bytes=one.row_bits // 8,
        clk_bytes=one.clk_bits // 8,
        tables=one.tables,
        match_keys=one.match_keys,
        best_of_row=link_rules(PROFILES[case.profile]).best_of_row if case.profile in PROFILES else None,
        spine=False,
        slots=TERMS.slots if case.compared else 0,
        fields=len(COMPARISON.fields) if case.compared else 0,
    )
    memory = Memory(
        allowed_bytes=0,
        search_bytes=case.search_bytes,
        workers=case.workers,
        worker_bytes=WORKER_BYTES["kernels"],
    )
    return needed_bytes(demand, memory, max_pairs=case.max_pairs)


def measure(folder: Path, case: Case) -> Measured:
    """Match what the folder holds; a small round goes before, which loads the compiled code."""
    if case.limit_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (case.limit_bytes, case.limit_bytes))
    (folder / "small").mkdir()
    small = BlobFolder(folder / "small" / "blobs")
    small.prepare()
    matched(folder / "small", store_rows(small, case.profile, [300, 300], alike=False), case)
    stored = msgspec.json.decode((folder / "stored.json").read_bytes(), type=list[Stored])
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    at_rest, began = memory_bytes("VmRSS"), time.monotonic()
    pairs, digest = matched(folder, stored, case)
    sent = sum(one.submission.rows * (HANDLE_BYTES + one.submission.row_bits // 8) for one in stored)
    return Measured(
        input_bytes=sent,
        needed_bytes=needed(stored, case),
        peak_bytes=memory_bytes("VmHWM"),
        at_rest_bytes=at_rest,
        pairs=pairs,
        digest=digest,
        seconds=time.monotonic() - began,
    )


def measured(case: Case) -> Measured:
    """Measure a case in a process of its own; raise `CalledProcessError` where that process dies."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blobs = BlobFolder(folder / "blobs")
        blobs.prepare()
        stored = store_rows(blobs, case.profile, case.sizes, alike=case.alike)
        (folder / "stored.json").write_bytes(msgspec.json.encode(stored))
        (folder / "case.json").write_bytes(msgspec.json.encode(case))
        done = subprocess.run([sys.executable, __file__, "--folder", name], check=True, stdout=subprocess.PIPE)
        return msgspec.json.decode(done.stdout, type=Measured)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="memory of matching at the coordinator")
    parser.add_argument("--profile", choices=["interop-1", *PROFILES], default="hardened-1")
    parser.add_argument("--compared", action="store_true", help="two providers whose fields are compared, hardened-2")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 100_000], help="rows of each provider")
    parser.add_argument("--alike", type=int, help="two files of that many equal rows")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--case", help="a case as JSON; what was measured is printed as JSON too")
    parser.add_argument("--folder", type=Path, help="match what is there; for the process that is measured")
    arguments = parser.parse_args()
    if arguments.folder:
        case = msgspec.json.decode((arguments.folder / "case.json").read_bytes(), type=Case)
        sys.stdout.buffer.write(msgspec.json.encode(measure(arguments.folder, case)))
        return 0
    if arguments.case:
        sys.stdout.buffer.write(msgspec.json.encode(measured(msgspec.json.decode(arguments.case, type=Case))))
        return 0
    sizes = [arguments.alike] * 2 if arguments.alike else arguments.rows
    profile: Profile = "hardened-2" if arguments.compared else arguments.profile
    if arguments.compared and len(sizes) != 2:
        parser.error("--compared takes the rows of two providers")
    alike, compared = bool(arguments.alike), arguments.compared
    show(Case(profile=profile, sizes=sizes, alike=alike, compared=compared, workers=arguments.workers))
    return 0


def show(case: Case) -> None:
    """Measure a case and print it."""
    found = measured(case)
    rows, taken = sum(case.sizes), found.peak_bytes - found.at_rest_bytes
    print(f"{case.profile}, {' + '.join(f'{size:,}' for size in case.sizes)} rows, {found.pairs:,} pairs")
    print(
        f"{found.peak_bytes / 2**20:,.0f} MiB at most, {found.at_rest_bytes / 2**20:,.0f} at rest, "
        f"{found.input_bytes / 2**20:,.0f} of input, {found.needed_bytes / 2**20:,.0f} by the estimate; "
        f"{found.seconds:.1f} s"
    )
    print(
        f"bytes a record: input {found.input_bytes / rows:.0f}, taken {taken / rows:.0f}, "
        f"beyond the input {(taken - found.input_bytes) / rows:.0f}"
    )


if __name__ == "__main__":
    sys.exit(main())
