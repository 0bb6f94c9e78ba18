"""The profiles that a project may choose from, by name: built from its fields, read back from a document.

`hardened-1` is the default. What each protects from, and what not: docs/threat-model.md.
"""

from collections.abc import Sequence
from typing import Any, Final

from isthmus.contract import profile as interop
from isthmus.contract.errors import InvalidProfile
from isthmus.contract.hardened import (
    HARDENED_1,
    HARDENED_2,
    HARDENED_FORMAT,
    HARDENED_SINGLE_1,
    HardenedProfile,
    hardened_1,
    hardened_2,
    hardened_from_document,
    hardened_single_1,
)
from isthmus.contract.profile import INTEROP_1, Profile, interop_1, profile_from_document

DEFAULT_PROFILE: Final = HARDENED_1
PROFILE_NAMES: Final = (HARDENED_1, HARDENED_2, HARDENED_SINGLE_1, INTEROP_1)

DEFAULT_COMPARED: Final = HARDENED_2
"""What to begin with where fields are compared."""

HARDENED_THRESHOLD: Final = "0.50"

AnyProfile = Profile | HardenedProfile


def build_profile(name: str, fields: Sequence[str], *, name_table: bool = False) -> AnyProfile:
    """Give the profile of that name for these standard fields; `name_table` is for `hardened-1` and `hardened-2`.

    Raises:
        InvalidProfile: there is no such profile, or it cannot be built from these fields (with the reason).
    """
    if name == HARDENED_1:
        return hardened_1(fields, name_table=name_table)
    if name == HARDENED_2:
        return hardened_2(fields, name_table=name_table)
    if name == HARDENED_SINGLE_1:
        return hardened_single_1(fields)
    if name == INTEROP_1:
        return interop_1(fields)
    raise InvalidProfile(problem=f"there is no profile of that name; choose one of {', '.join(PROFILE_NAMES)}")


def read_profile(document: dict[str, Any]) -> AnyProfile:
    """Give the profile that a document holds; raise `InvalidProfile` where it is not, to the last bit, one of ours."""
    if document.get("format") == HARDENED_FORMAT:
        return hardened_from_document(document)
    return profile_from_document(document)


def default_threshold(name: str, fields: Sequence[str]) -> str:
    """Give the declared threshold of a profile for these fields, as decimal text such as "0.80".

    For `interop-1` it is a Dice similarity, by the rule of `isthmus.contract.profile`; for the hardened profiles it is
    a link score (docs/protocol.md section 7), the same for all fields.
    """
    return interop.default_threshold(fields) if name == INTEROP_1 else HARDENED_THRESHOLD
