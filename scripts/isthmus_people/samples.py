"""The synthetic people that the pseudopeople wheel carries as Parquet files, read as files.

The package itself is never imported: its own requirements are not installed. pseudopeople puts everyone into one
town with one ZIP, so `places` gives each street a town of its own.

Source: pseudopeople 1.3 sample data (a simulated population of Anytown; no real person is in it).
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import polars as pl

_FOLDER: Final = Path("data", "sample_datasets")


def package_folder(name: str) -> Path:
    """Folder of an installed package, found without importing it; raise `FileNotFoundError` where there is none."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        message = f"the package {name} is not installed; scripts/env installs it"
        raise FileNotFoundError(message)
    return Path(spec.submodule_search_locations[0])


def read_sample(name: str, where: pl.Expr | None = None) -> pl.DataFrame:
    """The rows of one sample data set for which `where` holds (all, without it), categories as text.

    Names are `decennial_census`, `social_security`, `taxes_w2_and_1099`. Rows come in the order of the file, so that
    whatever is drawn from them depends on the seed alone.
    """
    path = package_folder("pseudopeople") / _FOLDER / name / f"{name}.parquet"
    rows = pl.scan_parquet(path)
    chosen = rows if where is None else rows.filter(where)
    return chosen.with_columns(pl.col(pl.Categorical).cast(pl.String)).collect()
