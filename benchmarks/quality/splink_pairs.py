"""Links two files in the clear by a generic Splink model; runs in the environment of `requirements/quality.txt`.

    .venv-quality/bin/python benchmarks/quality/splink_pairs.py left.csv right.csv pairs.csv

The files have normalised columns named by standard field. `pairs.csv` gets the file (0 or 1) and row, from 0, of both
sides of each pair, and its probability; with `--repeats` pairs inside a file, too. Comparisons are Splink's own for
each kind of field, with term frequencies for names; u is sampled, m is trained by expectation maximisation under three
blockings, and rules that need a field that is not there are left out. What Splink cannot train it leaves at its
default.
"""

import argparse
import csv
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

BLOCKS: Final = (
    ("first_name", "last_name"),
    ("last_name", "dob"),
    ("first_name", "dob"),
    ("dob", "zip"),
    ("dob", "street_name"),
    ("last_name", "zip", "substr(first_name, 1, 1)"),
    ("last_name", "street_name"),
    ("first_name", "street_name"),
    ("street_number", "street_name", "substr(first_name, 1, 1)"),
    ("first_name", "zip", "substr(last_name, 1, 2)"),
    ("ssn",),
    ("phone",),
)
"""Pairs that share all of one of these are compared."""

SURE: Final = (("first_name", "last_name", "dob"), ("ssn", "last_name"), ("first_name", "last_name", "phone"),
               ("first_name", "last_name", "street_name"), ("first_name", "last_name", "zip"))  # fmt: skip
"""By the first of these whose fields are there it is estimated how many people both files hold."""

SURE_RECALL: Final = 0.7
TRAINING: Final = (
    ("first_name", "last_name"),
    ("dob",),
    ("ssn",),
    ("street_number", "street_name"),
    ("zip", "last_name"),
)
PASSES: Final = 3
SAMPLED_PAIRS: Final = 1e6
LEAST: Final = 0.001
"""Pairs of a lower probability are not written."""


def fields_of(rule: Sequence[str]) -> set[str]:
    """Give the fields that a rule needs."""
    return {part.removeprefix("substr(").partition(",")[0] for part in rule}


def possible(rules: Sequence[Sequence[str]], columns: set[str]) -> list[Sequence[str]]:
    """Give the rules whose fields are all there."""
    return [rule for rule in rules if fields_of(rule) <= columns]


def comparisons(columns: Sequence[str]) -> Iterator[Any]:
    """Give Splink's own comparison for each field."""
    library: Any = import_module("splink.comparison_library")
    for name in columns:
        if name in {"first_name", "last_name"}:
            yield library.NameComparison(name)
        elif name == "dob":
            yield library.DateOfBirthComparison(name, input_is_string=True, datetime_format="%Y%m%d")
        elif name in {"sex", "state", "birth_year"}:
            yield library.ExactMatch(name)
        elif name in {"middle_name", "street_name", "city"}:
            yield library.JaroWinklerAtThresholds(name, [0.92, 0.8]).configure(
                term_frequency_adjustments=name == "city"
            )
        else:
            yield library.LevenshteinAtThresholds(name, [1, 2])


def trained(tables: list[Any], columns: Sequence[str], *, repeats: bool) -> Any:
    """Give a linker whose model is trained on the two files themselves."""
    splink: Any = import_module("splink")
    there = set(columns)
    settings = splink.SettingsCreator(
        link_type="link_and_dedupe" if repeats else "link_only",
        unique_id_column_name="row",
        comparisons=list(comparisons(columns)),
        blocking_rules_to_generate_predictions=[splink.block_on(*rule) for rule in possible(BLOCKS, there)],
    )
    linker = splink.Linker(tables, settings)
    for rule in possible(SURE, there)[:1]:
        linker.training.estimate_probability_two_random_records_match([splink.block_on(*rule)], recall=SURE_RECALL)
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=1)
    for rule in possible(TRAINING, there)[:PASSES]:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(splink.block_on(*rule))
        except Exception as refused:  # noqa: BLE001 - Splink raises many kinds where a block has too little to learn from
            print(
                f"splink: nothing learnt from pairs that share {', '.join(rule)}: {type(refused).__name__}",
                file=sys.stderr,
            )
    return linker


def main() -> None:
    """Link the two files of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--repeats", action="store_true", help="a person may have several rows in a file")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    # None of these is in the environment that the checks of this repository run in.
    pandas: Any = import_module("pandas")
    database = import_module("splink.backends.duckdb").DuckDBAPI()
    frames = [pandas.read_csv(path, dtype=str) for path in (arguments.left, arguments.right)]
    for frame in frames:
        frame["row"] = range(len(frame))
    tables = [database.register(frame, table_name=f"file_{place}") for place, frame in enumerate(frames)]
    columns = [name for name in frames[0].columns if name != "row"]
    linker = trained(tables, columns, repeats=arguments.repeats)
    found = linker.inference.predict(threshold_match_probability=LEAST).as_pandas_dataframe()
    write_pairs(arguments.pairs, found)


def write_pairs(path: Path, found: Any) -> None:
    """Write Splink's pairs, the side of the first file, or of the lower row, to the left."""
    sides = [
        [(int(name[-1]), row) for name, row in zip(found[f"source_dataset_{side}"], found[f"row_{side}"], strict=True)]
        for side in "lr"
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("left_file", "left_row", "right_file", "right_row", "probability"))
        for left, right, probability in zip(*sides, found["match_probability"], strict=True):
            writer.writerow((*min(left, right), *max(left, right), probability))


if __name__ == "__main__":
    main()
