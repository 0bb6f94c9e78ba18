"""The expected effect on linkage: a pure function of how many rows hold which fields.

A row can be linked if it holds two groups of fields together that let it into a table of the profile `hardened-1`
(docs/decisions/0009-diffusion.md); under `interop-1`, if it holds enough fields and bits (docs/protocol.md, section 5).
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.errors import InvalidProfile
from isthmus.contract.hardened import NAME_PAIR, Group, hardened_1
from isthmus.contract.profile import interop_1
from isthmus.node.report.model import Gap, Linkage, Route

Mask: TypeAlias = NDArray[np.bool_]


def expected_linkage(fields: Sequence[str], patterns: NDArray[np.int64]) -> Linkage[int]:
    """The expected effect on linkage of rows that hold these fields.

    Args:
        fields: standard fields in standard order.
        patterns: int64, shape (2 ** len(fields),): rows by the set of fields that they hold, field i as bit i.
    """
    held = _held(fields)
    groups, pairs = _groups_and_pairs(fields)
    holds = {group.name: _any_of(group.anchors, fields, held) for group in groups}
    linkable = np.zeros(len(patterns), dtype=np.bool_)
    for left, right in pairs:
        linkable |= holds[left] & holds[right]
    names = ~linkable & np.logical_and.reduce([holds.get(name, np.zeros_like(linkable)) for name in NAME_PAIR])
    return Linkage(
        unlinkable=int(patterns[~linkable].sum()),
        names_only=int(patterns[names].sum()),
        too_little=int(patterns[~_enough_for_interop(fields, held)].sum()),
        routes=tuple(Route(groups=pair, rows=int(patterns[holds[pair[0]] & holds[pair[1]]].sum())) for pair in pairs),
        gaps=tuple(
            _gap(field, patterns, lacking=~held[place], linkable=linkable, holds=holds)
            for place, field in enumerate(fields)
        ),
    )


def _held(fields: Sequence[str]) -> NDArray[np.bool_]:
    """Whether field i is in pattern p: bool, shape (len(fields), 2 ** len(fields))."""
    patterns = np.arange(1 << len(fields))
    return np.array([(patterns >> place) & 1 == 1 for place in range(len(fields))])


def _any_of(anchors: Sequence[str], fields: Sequence[str], held: NDArray[np.bool_]) -> Mask:
    return np.asarray(held[[fields.index(anchor) for anchor in anchors]].any(axis=0))


def _groups_and_pairs(fields: Sequence[str]) -> tuple[tuple[Group, ...], tuple[tuple[str, str], ...]]:
    try:
        profile = hardened_1(fields)
    except InvalidProfile:  # the fields are of a single group, or names alone: no row of such a file can be linked
        return (), ()
    return profile.groups, tuple(dict.fromkeys(pair for table in profile.tables for pair in table.pairs))


def _enough_for_interop(fields: Sequence[str], held: NDArray[np.bool_]) -> Mask:
    if len(fields) < 2:
        return np.zeros(held.shape[1], dtype=np.bool_)
    profile = interop_1(fields)
    bits = np.array([profile.field_bits()[field] for field in profile.fields])
    enough: Mask = (held.sum(axis=0) >= profile.least_fields) & (bits @ held >= profile.least_bits)
    return enough


def _gap(field: str, patterns: NDArray[np.int64], *, lacking: Mask, linkable: Mask, holds: dict[str, Mask]) -> Gap[int]:
    missing = int(patterns[lacking].sum())
    still = int(patterns[lacking & linkable].sum())
    by = [group for group, held in holds.items() if 2 * int(patterns[lacking & linkable & held].sum()) >= still > 0]
    return Gap(field=field, missing=missing, linkable=still / missing if missing else None, by=tuple(by))
