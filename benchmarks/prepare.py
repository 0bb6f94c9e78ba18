"""Time and memory of preparing a submission: source file to payload in the outbox, by source, profile and rows.

    .venv/bin/python benchmarks/prepare.py
    .venv/bin/python benchmarks/prepare.py --rows 100000 1000000 --sources csv parquet excel --folder /var/tmp
    .venv/bin/python benchmarks/prepare.py --rows 100000 --sources csv --compared

The people are those of `scripts/make_people`, as their providers filed them. Each measurement has a process of its own,
which does what `isthmus-node run` does before it sends: it reads, normalises and encodes, writes the payload in the
order of random handles, and notes the record id of each in a vault. Peak memory is of that whole process, libraries
included; `start` is what it was before the first row. Excel files hold at most 1,048,575 people. With `--compared` each
is measured again in a project that grants field comparison, where encrypted fields are written beside the payload.
"""

import argparse
import csv
import json
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any, Final

from isthmus.contract.agreement import agreement_from_toml
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.ids import AgreementId, PartyId, ProjectId, RoundId
from isthmus.contract.manifest import Member, RoundManifest, build_manifest
from isthmus.contract.profiles import PROFILE_NAMES
from isthmus.contract.project import PROJECT_FORMAT, Project, ProviderTerms, RevealMode
from isthmus.contract.secret import Secret
from isthmus.node.cli_agreement import template_text
from isthmus.node.config import DatasetConfig
from isthmus.node.prepare import Job, prepare_submission
from isthmus.node.round_encoding import RoundEncoding
from isthmus.node.sources.open_source import open_source
from isthmus.node.vault import open_vault

FIELDS: Final = ("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "city", "zip")
ENDINGS: Final = {"csv": "csv", "parquet": "parquet", "excel": "xlsx"}
HEADING: Final = (
    f"{'rows':>9}  {'source':<8} {'profile':<18} {'fields':<8} {'wall s':>7} {'CPU s':>7}"
    f" {'start MB':>8} {'peak MB':>7} {'payload MB':>10}"
)
PARTIES: Final = (PartyId("riverside"), PartyId("college"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One preparation; memory in 10**6 bytes."""

    source: str
    profile: str
    compared: bool
    rows: int
    wall_s: float
    cpu_s: float
    start_mb: float
    peak_mb: float
    payload_mb: float


def write_people(path: Path, rows: int) -> None:
    """Write a CSV file of people with an id each."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
    # Only the process that makes people needs what makes them.
    from isthmus_people.population import as_filed, people, read_marginals  # noqa: PLC0415

    marginals, rng = read_marginals(), random.Random(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["rec_id", *FIELDS])
        for number, person in enumerate(islice(people(marginals, rng), rows)):
            filed = as_filed(person, marginals, rng)
            writer.writerow([f"R{number:08}", *(filed[field] for field in FIELDS)])


def write_parquet(people: Path, path: Path) -> None:
    """Write the people of a CSV file as Parquet."""
    import polars as pl  # noqa: PLC0415 - its memory is not to count for who reads CSV

    pl.read_csv(people, infer_schema=False).write_parquet(path)


def write_excel(people: Path, path: Path) -> None:
    """Write the people of a CSV file as a workbook."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from unit.node.sources.workbooks import write_workbook  # noqa: PLC0415 - only who asks for Excel needs it

    with people.open(encoding="utf-8", newline="") as file:
        write_workbook(path, {"People": list(csv.reader(file))})


WRITERS: Final[dict[str, Callable[[Path, Path], None]]] = {"parquet": write_parquet, "excel": write_excel}


def manifest(profile: str, fields: tuple[str, ...], *, compared: bool) -> RoundManifest:
    """Give a round of two providers under a profile, with or without field comparison."""
    terms = tuple(ProviderTerms(party=party, dataset="people", fields=fields) for party in PARTIES)
    project = Project(
        format=PROJECT_FORMAT,
        id=ProjectId("benchmark"),
        title="Benchmark",
        purpose="Measure.",
        agreement=AgreementId("mentoring-evaluation"),
        lead=PARTIES[0],
        reveal=RevealMode.LINKED,
        profile=profile,
        providers=terms,
        comparison=ComparisonTerms() if compared else None,
    )
    agreement = agreement_from_toml(template_text("one-off-evaluation"))
    return build_manifest(
        project,
        agreement=agreement,
        agreement_signatures=dict.fromkeys(agreement.signers(), bytes(64)),
        epoch=1,
        round_id=RoundId("benchmark-1"),
        members=tuple(
            Member(
                party=party,
                name=party,
                identity_key=bytes([number] * 32).hex(),
                agreement_key=bytes([number + 100] * 32).hex(),
            )
            for number, party in enumerate(PARTIES, 1)
        ),
        coordinator_key=bytes(32),
        proposed_at="2026-01-15T12:00:00Z",
    )


def measure(folder: Path, dataset: DatasetConfig, source: str, profile: str, compared: bool) -> Measurement:
    """Prepare the people of a file in its folder, in this process."""
    terms = manifest(profile, tuple(dataset.columns), compared=compared)
    encoding = RoundEncoding(manifest=terms, profile=terms.read_profile(), key=Secret(b"k" * 32), encoder="isthmus")
    job, start_mb = Job(dataset=dataset, encoding=encoding, kept=encoding.kept(PARTIES[0])), _peak_mb()
    with tempfile.TemporaryDirectory(dir=folder) as scratch, closing(open_vault(Path(scratch) / "vault")) as vault:
        wall, cpu = time.perf_counter(), time.process_time()
        submission = prepare_submission(
            open_source(folder, dataset, fields=job.fields),
            job,
            party=PARTIES[0],
            outbox=Path(scratch) / "outbox",
            vault=vault,
            random_bytes=os.urandom,
            progress=lambda _stage, _done, _total: None,
        )
        wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
        payload_mb = sum(path.stat().st_size for path in (Path(scratch) / "outbox").iterdir()) / 10**6
    return Measurement(
        source=source,
        profile=profile,
        compared=compared,
        rows=submission.rows,
        wall_s=wall_s,
        cpu_s=cpu_s,
        start_mb=start_mb,
        peak_mb=_peak_mb(),
        payload_mb=payload_mb,
    )


def _peak_mb() -> float:
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 10**6


def alone(work: Callable[..., Any], *arguments: object) -> Any:
    """Do something in a process of its own, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def run(
    folder: Path, rows: int, sources: Sequence[str], profiles: Sequence[str], compared: Sequence[bool]
) -> list[Measurement]:
    """Make people once, and measure every source and profile."""
    people = folder / f"people-{rows}.csv"
    alone(write_people, people, rows)
    found = []
    for source in sources:
        file = people.with_suffix(f".{ENDINGS[source]}")
        if source in WRITERS:
            alone(WRITERS[source], people, file)
        dataset = DatasetConfig(file=file.name, id_column="rec_id", columns={field: field for field in FIELDS})
        for profile, also in product(profiles, compared):
            found.append(alone(measure, folder, dataset, source, profile, also))
            print(line_of(found[-1]), file=sys.stderr, flush=True)
    return found


def line_of(one: Measurement) -> str:
    return (
        f"{one.rows:>9,}  {one.source:<8} {one.profile:<18} {'compared' if one.compared else '':<8}"
        f" {one.wall_s:>7.1f} {one.cpu_s:>7.1f}"
        f" {one.start_mb:>8.0f} {one.peak_mb:>7.0f} {one.payload_mb:>10,.0f}"
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="time and memory of preparing a submission")
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000], help="how many people")
    parser.add_argument("--sources", nargs="+", default=["csv", "parquet"], choices=ENDINGS, help="kinds of source")
    parser.add_argument("--profiles", nargs="+", default=["interop-1", "hardened-1"], choices=PROFILE_NAMES)
    parser.add_argument("--compared", action="store_true", help="also with field comparison")
    parser.add_argument("--folder", type=Path, help="where files go meanwhile; on a disk, not in memory")
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        found = [
            one
            for rows in arguments.rows
            for one in run(
                Path(folder), rows, arguments.sources, arguments.profiles, (False, True)[: 1 + arguments.compared]
            )
        ]
    text = "\n".join([HEADING, *map(line_of, found)])
    print(json.dumps([asdict(one) for one in found], indent=2) if arguments.json else text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
