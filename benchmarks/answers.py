"""Field comparison at a node: answers a second and core, bytes, and time and memory of near misses, on made-up people.

    .venv/bin/python benchmarks/answers.py
    .venv/bin/python benchmarks/answers.py --rows 100000 1000000 --pairs 200000

Each number of rows and set of fields has a process of its own. Rows become the encrypted records that a node keeps
beside its submission; pairs are random rows. CPU seconds are those of the whole process, in one thread. `record` is
bytes a row on the node's disk, `answer` bytes a pair on the wire; `near` is what near misses take, from opening the
file to rounded shares; peak memory is of the whole process, less what makes the people.
"""

import argparse
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from isthmus.contract.comparison import comparison_1
from isthmus.contract.differences import GRADES
from isthmus.contract.encodings import SUBMISSION_FORMAT, Submission
from isthmus.contract.ids import HANDLE_BYTES, PartyId, RoundId
from isthmus.contract.secret import Secret
from isthmus.node.answering import SAMPLE_ROWS
from isthmus.node.compare.answers import Side
from isthmus.node.compare.field_file import FieldFileWriter, open_field_file
from isthmus.node.compare.near_misses import own_near_misses
from isthmus.node.compare.pads import PadKeys
from isthmus.node.compare.records import RecordLayout, seal_records
from isthmus.node.compare.row_fields import Column, read_values
from isthmus.node.compare.write import AnswerWriter
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.norm1 import normalise_column

SIX: Final = ("first_name", "last_name", "dob", "street_number", "street_name", "zip")
NINE: Final = ("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "city", "zip")
KEY: Final = Secret(b"k" * 32)
DIGEST: Final = "0" * 64
SLAB: Final = 2**15
HEADING: Final = (
    f"{'rows':>9} {'fields':>6} {'record B':>8} {'answer B':>8} {'seal us/row':>11} {'pairs/s':>8}"
    f" {'near s':>7} {'kinds':>5} {'peak MB':>8}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One number of rows and set of fields; times are of the CPU, memory in 10**6 bytes."""

    rows: int
    fields: int
    record_bytes: int
    answer_bytes: int
    seal_us: float
    pairs_a_second: float
    near_s: float
    kinds: int
    peak_mb: float

    def line(self) -> str:
        """Give it as a line of the table."""
        return (
            f"{self.rows:>9,} {self.fields:>6} {self.record_bytes:>8} {self.answer_bytes:>8} {self.seal_us:>11.1f}"
            f" {self.pairs_a_second:>8,.0f} {self.near_s:>7.1f} {self.kinds:>5} {self.peak_mb:>8,.0f}"
        )


def write_people(path: Path, rows: int, fields: Sequence[str]) -> float:
    """Write the encrypted records of people; give the CPU seconds that making and sealing them took."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
    # Only the process that makes people needs what makes them.
    from isthmus_people.population import as_filed, people, read_marginals  # noqa: PLC0415

    marginals, rng, layout = read_marginals(), random.Random(rows), RecordLayout(comparison=comparison_1(fields))
    handles, filed = _rising_handles(rows), (as_filed(one, marginals, rng) for one in people(marginals, rng))
    spent = 0.0
    with path.open("wb") as opened:
        file = FieldFileWriter(opened, KEY)
        for start in range(0, rows, SLAB):
            some = list(islice(filed, min(SLAB, rows - start)))
            columns = {name: _normal(name, [one[name] for one in some]) for name in fields}
            spent += _seal(file, columns, handles[start : start + len(some)], layout)
        file.finish(DIGEST)
    return spent


def _normal(field: str, values: list[str]) -> list[str]:
    return normalise_column(field, values, date_order=DateOrder.YMD).values


def _rising_handles(rows: int) -> np.ndarray:
    numbers = np.sort(np.random.default_rng(rows).integers(0, 2**64, (rows,), np.uint64)).astype(">u8")
    return np.hstack([numbers.view(np.uint8).reshape(-1, 8), np.zeros((rows, HANDLE_BYTES - 8), np.uint8)])


def _seal(file: FieldFileWriter, columns: Mapping[str, Column], handles: np.ndarray, layout: RecordLayout) -> float:
    begun = time.process_time()
    values = read_values(columns, layout.comparison, compare=KEY, pad=KEY)
    file.write(np.hstack([handles, seal_records(values, handles, layout, KEY)]))
    return time.process_time() - begun


def measure(path: Path, rows: int, fields: Sequence[str], pairs: int, sealing_s: float) -> Measurement:
    """Answer, and look for near misses, from the file of records, in this process."""
    layout, rng = RecordLayout(comparison=comparison_1(fields)), np.random.default_rng(1)
    begun = time.process_time()
    file = open_field_file(path, layout, submission=_declared(rows), key=KEY)
    sample = np.sort(rng.choice(len(file), min(len(file), SAMPLE_ROWS), replace=False)).astype(np.uint32)
    kinds = own_near_misses(file.take(sample), layout.comparison, grades=GRADES, rng=rng)
    near_s, begun = time.process_time() - begun, time.process_time()
    writer = AnswerWriter(
        comparison=layout.comparison,
        file=file,
        keys=PadKeys(pad=KEY, left=PartyId("riverside"), right=PartyId("college")),
        side=Side.LEFT,
        random_bytes=os.urandom,
        threads=1,
    )
    for _ in writer.chunks(rng.integers(0, len(file), pairs, np.uint32), done=lambda _done: None):
        pass
    return Measurement(
        rows=len(file),
        fields=len(fields),
        record_bytes=layout.sealed_bytes,
        answer_bytes=layout.comparison.answer_bytes,
        seal_us=sealing_s / len(file) * 10**6,
        pairs_a_second=pairs / (time.process_time() - begun),
        near_s=near_s,
        kinds=len(kinds),
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 2**10) / 10**6,
    )


def _declared(rows: int) -> Submission:
    return Submission(
        format=SUBMISSION_FORMAT, round_id=RoundId("benchmark-1"), party=PartyId("riverside"), rows=rows, clk_bits=1024,
        tables=1, match_keys=0, blocks=0, chunk_count=1, digest=DIGEST, key_check="0" * 32, profile_digest=DIGEST,
        manifest_hash=DIGEST,
    )  # fmt: skip


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="field comparison at a node")
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000], help="how many people")
    parser.add_argument("--pairs", type=int, default=100_000, help="how many pairs are answered for")
    parser.add_argument("--folder", type=Path, help="where files go meanwhile; on a disk, not in memory")
    arguments = parser.parse_args()
    alone = multiprocessing.get_context("spawn")
    print(HEADING)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for rows in arguments.rows:
            for fields in (SIX, NINE):
                path = Path(folder) / "records"
                with alone.Pool(1) as pool:
                    sealing_s = pool.apply(write_people, (path, rows, fields))
                with alone.Pool(1) as pool:
                    print(pool.apply(measure, (path, rows, fields, arguments.pairs, sealing_s)).line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
