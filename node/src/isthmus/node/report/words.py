"""The words of the report: names of fields and groups, numbers and shares as people read them."""

from math import floor
from typing import Final

from isthmus.node.report.model import Bin, Count, Hidden

FIELD_NAMES: Final = {
    "first_name": "First name",
    "middle_name": "Middle name",
    "last_name": "Last name",
    "dob": "Date of birth",
    "birth_year": "Year of birth",
    "sex": "Sex",
    "street_number": "House number",
    "street_name": "Street",
    "city": "City",
    "state": "State",
    "zip": "ZIP code",
    "phone": "Telephone",
    "ssn": "Social security number",
}
"""Every standard field as people call it."""

GROUP_NAMES: Final = {
    "first": "first name",
    "last": "last name",
    "birth": "birth date",
    "address": "address",
    "phone": "telephone",
    "ssn": "social security number",
}
"""The groups of the hardened profiles as people call them."""


def amount(count: Count) -> str:
    """A count with thousands parted, or the words in its place."""
    return str(count) if isinstance(count, Hidden) else f"{count:,}"


def share_of(count: Count, total: int) -> float | None:
    """The share of a count in `total`, None where it is hidden or nothing is there; nearly all is 1."""
    if isinstance(count, Hidden) or not total:
        return 1.0 if count is Hidden.NEARLY_ALL else None
    return min(1.0, count / total)


def percent(share: float) -> str:
    """A share to a tenth of a percent, half up, as people read it; never 0 % or 100 % where it is not.

    The same digits for small and large shares: parts that stand side by side add up to 100 % but for their last digit.
    """
    if share in {0.0, 1.0}:
        return f"{share:.0%}".replace("%", " %")
    if share < 0.001:
        return "under 0.1 %"
    if share >= 0.9995:
        return "over 99.9 %"
    whole, tenth = divmod(floor(1000 * share + 0.5), 10)
    return f"{whole}.{tenth} %" if tenth else f"{whole} %"


def percent_of(count: Count, total: int) -> str:
    """The share of a count in `total` as people read it, or "" where it is hidden."""
    share = None if isinstance(count, Hidden) else share_of(count, total)
    return "" if share is None else percent(share)


def span(one: Bin) -> str:
    """What a bar stands for: a number, two ends, or an open end."""
    if one.low is None:
        return f"up to {one.high}"
    if one.high is None:
        return f"{one.low} and over"
    return str(one.low) if one.low == one.high else f"{one.low} to {one.high}"


def listed(words: list[str]) -> str:
    """Words as a sentence lists them."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
