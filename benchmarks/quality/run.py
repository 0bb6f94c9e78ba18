"""How well the product links many different data sets with one setting, beside an exact key, one CLK, and Splink.

    .venv/bin/python benchmarks/quality/run.py --data small
    .venv/bin/python benchmarks/quality/run.py --seeds 1 2 --json quality.json --chart quality.svg
    .venv/bin/python benchmarks/quality/run.py --from quality.json --chart quality.svg --estimates estimates.svg

Every set is linked as a project would be: encoded by the nodes' encoders, candidates of the profile's tables, request
lists, both nodes' padded answers, levels, the model, groups. Nobody looks at the truth, but for the thresholds called
`best`. Settings may be chosen on the sets of the half `choose`; `report` is what counts.

Splink and pseudopeople's noise need an environment of their own, made once by:

    .venv/bin/uv venv .venv-quality
    .venv/bin/uv pip install --python .venv-quality/bin/python --no-deps --require-hashes -r requirements/quality.txt

Without it, what needs it is left out, and said so.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
# The benchmarks and the people are no packages.
from isthmus_people.population import read_marginals

from benchmarks.quality import estimate_chart, f1_chart, report
from benchmarks.quality.baselines import QUALITY_PYTHON
from benchmarks.quality.estimate_tables import by_pair
from benchmarks.quality.measure import Measured, baselines_of, measure, measure_baselines
from benchmarks.quality.people import Sources
from benchmarks.quality.pipeline import PROFILES
from benchmarks.quality.sets import SETS, make_set

NOISE_TIMEOUT_S = 900
TITLE = "F1 by data set, one setting for all; Splink and CLK with the best threshold by truth"

ESTIMATES_TITLE = "What a round says of its links without truth, beside the truth; balanced acceptance"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyFiles:
    """Makes pseudopeople's files in its own environment, once in a folder for each kind of noise and seed."""

    folder: Path
    seed: int
    tell: Callable[[str], None]

    def __call__(self, noise: str) -> Mapping[str, Path]:
        """Give the files by name; those of an earlier run are taken as they are.

        Raises:
            subprocess.CalledProcessError: the program failed.
        """
        folder = self.folder / f"{noise}-{self.seed}"
        if not folder.exists():
            self.tell(f"pseudopeople's files with {noise} noise; half a minute of processor time")
            self._make(folder, noise)
        return {path.stem: path for path in folder.glob("*.csv")}

    def _make(self, folder: Path, noise: str) -> None:
        made = folder.with_suffix(".part")
        made.mkdir(parents=True, exist_ok=True)
        program = Path(__file__).with_name("noise.py")
        options = ["--out", str(made), "--noise", noise, "--seed", str(self.seed)]
        subprocess.run([QUALITY_PYTHON, program, *options], check=True, capture_output=True, timeout=NOISE_TIMEOUT_S)
        # All files are there, or none.
        made.rename(folder)


def run(
    names: Sequence[str],
    seeds: Sequence[int],
    *,
    profile: str,
    splink: bool,
    earlier: Sequence[Measured],
    noisy_folder: Path | None,
) -> Iterator[Measured]:
    """Measure every set of every seed, one after the other; baselines only where `earlier` has none."""
    known = {(one.name, one.seed): baselines_of(one) for one in earlier}
    began, marginals = time.perf_counter(), read_marginals()
    for number, seed in enumerate(seeds):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            noisy = NoisyFiles(folder=noisy_folder or folder, seed=seed, tell=say)
            sources = Sources(marginals=marginals, folder=folder, seed=seed, noisy=noisy)
            for place, name in enumerate(names, start=1 + number * len(names)):
                say(f"[{place} of {len(names) * len(seeds)}, {time.perf_counter() - began:.0f} s] {name}, seed {seed}")
                here = known.get((name, seed))
                yield measure(
                    make_set(name, sources),
                    half=SETS[name].half,
                    seed=seed,
                    profile=profile,
                    others=partial(measure_baselines, profile=profile, folder=folder, with_splink=splink)
                    if here is None
                    else lambda *_, here=here: here,
                    tell=lambda what: say(f"    {what}"),
                )


def say(what: str) -> None:
    """Tell whoever waits."""
    print(what, file=sys.stderr, flush=True)


def chosen_sets(asked: Sequence[str] | None, *, large: bool, noisy: bool) -> list[str]:
    """Give the names of the sets to measure: those asked for, or all but large ones; noisy ones need their files."""
    wanted = asked or [name for name, recipe in SETS.items() if large or not recipe.large]
    left_out = [name for name in wanted if SETS[name].noisy and not noisy]
    if left_out:
        say(f"left out, for there is no .venv-quality (see --help): {'; '.join(left_out)}")
    return [name for name in wanted if name not in left_out]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=tuple(SETS), metavar="SET", help=f"which sets: {'; '.join(SETS)}")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], help="other seeds make other people (default 1)")
    parser.add_argument("--profile", choices=tuple(PROFILES), default="hardened-1")
    parser.add_argument("--large", action="store_true", help="a hundred thousand students, too; minutes more")
    parser.add_argument("--no-splink", action="store_true", help="leave Splink out, which takes most of the time")
    parser.add_argument("--baselines", type=Path, help="take baselines from what --json wrote, and measure ours alone")
    parser.add_argument("--noisy", type=Path, help="folder to keep pseudopeople's files in, for the next run")
    parser.add_argument("--json", type=Path, help="write what was measured")
    parser.add_argument("--chart", type=Path, help="draw F1 by set as SVG, with its numbers in a JSON file beside it")
    parser.add_argument("--estimates", type=Path, help="draw estimates beside the truth, likewise; the first seed's")
    parser.add_argument(
        "--from", dest="read", type=Path, nargs="+", help="print and draw what --json wrote, without measuring"
    )
    return parser


def main() -> int:
    """Measure, print, write and draw."""
    arguments = _parser().parse_args()
    there = QUALITY_PYTHON.exists()
    if arguments.read:
        measured = [one for path in arguments.read for one in report.read_measured(path)]
    else:
        names = chosen_sets(arguments.data, large=arguments.large, noisy=there)
        splink = there and not arguments.no_splink
        earlier = report.read_measured(arguments.baselines) if arguments.baselines else []
        measured = []
        for one in run(
            names,
            arguments.seeds,
            profile=arguments.profile,
            splink=splink,
            earlier=earlier,
            noisy_folder=arguments.noisy,
        ):
            measured.append(one)
            # After each set: whoever stops a long run keeps what is done.
            if arguments.json:
                report.write_measured(arguments.json, measured)
    if not measured:
        say("nothing to measure: every set asked for needs .venv-quality (see --help)")
        return 1
    print(report.tables(measured))
    if arguments.json and arguments.read:
        report.write_measured(arguments.json, measured)
    if arguments.chart:
        f1_chart.write_chart(arguments.chart, report.f1_by_set(measured), title=TITLE)
    if arguments.estimates:
        estimate_chart.write_chart(arguments.estimates, by_pair(measured), title=ESTIMATES_TITLE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
