"""Students of a college by the hundred thousand, many of them more than once, and the truth about who is who.

dupehell draws them from lists of names and a seed, with typing errors; no real person is among them. Of the people that
are hard to tell apart (same name and birth date, another person) some are made on purpose. Rows that it plants to know
its files again are the last ones and differ from run to run; all else follows from the seed.

Source: dupehell 0.5.5, domain `education`, entity `student`. It has wheels for few machines (requirements/size.txt).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
from dupehell import generate

COLUMNS: Final = {
    "first_name": "first_name",
    "last_name": "last_name",
    "dob": "date_of_birth",
    "street_name": "address_line1",
    "city": "city",
    "state": "state_code",
    "zip": "postal_code",
    "phone": "phone",
}
"""Standard field -> column of the file. An address has its house number before the street."""

ID_COLUMN: Final = "record_id"
PERSON_COLUMN: Final = "master_id"
"""The column that says who a row is: the truth, beside the data as in no real file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentFile:
    """A Parquet file as its maker wrote it, and what its maker says of it.

    `rows` is their number and `repeated` of them are of a person who has an earlier row. `entities` tells who each row
    is, in file order; `copies` are the numbers, from 0, of the rows that are in two exact copies or more.
    """

    path: Path
    rows: int
    repeated: int
    entities: list[str]
    copies: list[int]


def write_students(folder: Path, *, rows: int, seed: int) -> StudentFile:
    """Write some more rows than asked for into `folder`; about two in three are people of one row."""
    made = generate("education", rows, seed=seed, difficulty="light", output_dir=str(folder), only_entity="student")
    truth = pl.read_parquet(made.ground_truth)
    return StudentFile(
        path=Path(made.dataset),
        rows=made.total_records,
        repeated=made.uniques + made.exact_dups + made.fuzzy_dups - made.masters,
        entities=truth[PERSON_COLUMN].to_list(),
        copies=(truth["match_type"] == "exact_dup").arg_true().to_list(),
    )


def read_students(file: StudentFile) -> dict[str, list[str]]:
    """Give the columns by standard field, values as they are, "" where there is none."""
    rows = pl.read_parquet(file.path, columns=[*COLUMNS.values()])
    return {field: rows[column].fill_null("").to_list() for field, column in COLUMNS.items()}
