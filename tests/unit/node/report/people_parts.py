"""Synthetic people with planted faults for the tests of the report."""

from random import Random

FIELDS = ("first_name", "last_name", "dob", "sex", "zip", "phone")
FIRST = ("Marisol", "Thaddeus", "Jos\u00e9fina", "O'Shaughn", "Wilhelmina", "Bartholomew", "Siobhan", "Xiomara")
LAST = ("Featherstone", "Quattlebaum", "Zwingli-Ruiz", "Abernathy", "Vandermeer", "Oyelaran", "Kowalczyk")


def planted(rows: int = 400, seed: int = 5) -> dict[str, list[str]]:
    """Columns of people: blanks, placeholders, damage and repeats in known places."""
    rng = Random(seed)
    columns: dict[str, list[str]] = {
        "first_name": [f"{rng.choice(FIRST)}{rng.choice('abcdefgh')}{rng.choice('klmnop')}" for _ in range(rows)],
        "last_name": [f"{rng.choice(LAST)}{rng.choice('abcdefgh')}" for _ in range(rows)],
        "dob": [
            f"{rng.randrange(1950, 2011)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}" for _ in range(rows)
        ],
        "sex": [rng.choice("FM") for _ in range(rows)],
        "zip": [f"{rng.randrange(50000, 60000)}" for _ in range(rows)],
        "phone": [f"{rng.randrange(2 * 10**9, 9 * 10**9)}" for _ in range(rows)],
    }
    columns["dob"][0:60] = [""] * 60
    columns["dob"][60:73] = ["1985-02-31"] * 13
    columns["dob"][73:76] = ["1900-01-01"] * 3
    columns["phone"][0:50] = ["9999999999"] * 50
    columns["last_name"][80:85] = ["Mu\u00c3\u00b1ozcorp"] * 5
    for name in ("zip", "phone"):
        columns[name][0:40] = [""] * 40
    for values in columns.values():
        values[200:203] = values[100:103]
    return columns
