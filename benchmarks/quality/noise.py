"""Makes pseudopeople's data sets with its own noise; runs in the environment of `requirements/quality.txt`.

    .venv-quality/bin/python benchmarks/quality/noise.py --noise heavy --seed 1 --out scratch

Writes `NAME.csv` for a census of 2020 and one of 2030, WIC of 2020, the social security registry and wages of 2030,
all columns as they come. `default` is pseudopeople's own configuration; `heavy` has every rate of its cells five times.
"""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any, Final

HEAVY: Final = 5
"""So many times the default rates: a field of a row is then wrong or blank about once in four."""

FILES: Final = {
    "census-2020": ("decennial_census", 2020),
    "census-2030": ("decennial_census", 2030),
    "wic-2020": ("women_infants_and_children", 2020),
    "registry-2030": ("social_security", 2030),
    "wages-2030": ("taxes_w2_and_1099", 2030),
}
"""Name -> data set of pseudopeople and year; the registry is everybody who was registered by then."""


def heavier(config: dict[str, Any], times: int) -> dict[str, Any]:
    """Give the configuration's rates of cells, so many times what they are."""
    return {
        name: {
            "column_noise": {
                column: {
                    kind: {"cell_probability": min(1.0, times * rates["cell_probability"])}
                    for kind, rates in kinds.items()
                }
                for column, kinds in parts["column_noise"].items()
            }
        }
        for name, parts in config.items()
    }


def write_noisy(folder: Path, *, noise: str, seed: int) -> None:
    """Write every file of `FILES` into the folder."""
    # Neither has types, and neither is in the environment that the checks of this repository run in.
    pseudopeople: Any = import_module("pseudopeople")
    config: Any = import_module("pseudopeople.configuration.interface").get_config()
    chosen = heavier(config, HEAVY) if noise == "heavy" else None
    for place, (name, (dataset, year)) in enumerate(FILES.items()):
        generate = getattr(pseudopeople, f"generate_{dataset}")
        rows = generate(seed=1000 * seed + place, year=year, config=chosen)
        rows.to_csv(folder / f"{name}.csv", index=False)


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the files; it is there already")
    parser.add_argument("--noise", choices=("default", "heavy"), default="default")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same files (default 1)")
    arguments = parser.parse_args()
    write_noisy(arguments.out, noise=arguments.noise, seed=arguments.seed)


if __name__ == "__main__":
    main()
