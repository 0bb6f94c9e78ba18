"""Towns and ZIP codes for streets whose source knows only one town; a street always lies in the same ZIP.

The towns are invented, and the ZIP codes are numbers of one range that stand for them and for no real place.
"""

from hashlib import sha256
from typing import Final, NamedTuple


class Place(NamedTuple):
    """A town and one of its ZIP codes."""

    city: str
    zip: str


_TOWNS: Final = (
    ("Portage Mills", 12),
    ("Fort Alder", 7),
    ("Lake Sabine", 5),
    ("Harrow Junction", 4),
    ("New Bellamy", 3),
    ("Cedar Narrows", 3),
    ("Quill City", 2),
    ("Mount Osprey", 2),
    ("Tamarack", 1),
    ("Saltwater Bend", 1),
)
"""Town and how many ZIP codes it has; larger towns have more, so that towns are as unequal as real ones."""

PLACES: Final = tuple(
    Place(city=city, zip=f"{98000 + 40 * town + 3 * part}")
    for town, (city, parts) in enumerate(_TOWNS)
    for part in range(parts)
)
"""Every ZIP code with its town."""


def place_of(street: str) -> Place:
    """The town and ZIP code of a street, always the same for the same name."""
    return PLACES[int.from_bytes(sha256(street.encode()).digest()[:8], "big") % len(PLACES)]
