"""How much two rows speak for one person: from the bits of their tables and the tags they share to a score in [0, 1].

Three steps. (1) Diffusion with t taps and boxes of eight turns a share d of differing input bits into an excess of
equal over unequal output bits of (1 - 2d)^t (1 - d)^8; that is inverted. (2) Each table adds up the disagreement of
its groups, so that those of the single groups follow from several tables, by least squares within what a shared tag
leaves open of each (`key_bound`). (3) The groups' evidence is added up in bits and held against the chance of meeting
another person (Fellegi and Sunter, 1969), and of meeting a member of the same household. Formulas and constants:
docs/decisions/0012-linking-by-tables.md and 0015-match-keys.md.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import BOX_BITS
from isthmus.coordinator.match.table_rules import GroupRule, LinkRules

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_EXCESS: Final = 0.03
"""A lower excess is chance; the inverse would run away towards it."""

_NEWTON_STEPS: Final = 8

BLURRED_EXCESS: Final = 0.08
"""Three standard deviations of unrelated rows: what lies under it looks like strangers and says nothing."""

MODEL_ERROR: Final = 0.008
"""Standard deviation of a table's input disagreement beside that of chance: fields share bits only on average."""

UNKNOWN_BITS: Final = 1.0
"""What a group of which nothing is seen takes off the evidence: damage comes together, and is rarer than none."""

SWEEPS: Final = 25
RELAXATION: Final = 1.5
"""More sweeps change nothing that counts: 20, 60 and 200 gave the same mean F1 to a thousandth."""

HOUSEHOLD_BITS: Final = 1.0
"""A row meets about as many members of the same household in another file as itself, or two."""

SCORE_BITS: Final = 8.0
"""Bits of evidence that double the odds of the score: so many that the surest pairs keep their order as floats."""


def compute_excess(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> Floats:
    """Give, for each pair of rows and table, how far the share of equal bits exceeds that of unequal bits.

    Args:
        left, right: uint8, shape (pairs, bytes), contiguous, whole 64-bit words; row i is held against row i.

    Returns:
        float64, shape (pairs,), in [-1, 1]: 1 for equal rows, about 0 for unrelated ones, NaN where one is all zero.
    """
    unequal = np.bitwise_count(left.view(np.uint64) ^ right.view(np.uint64)).sum(axis=1, dtype=np.int64)
    excess = 1 - 2 * unequal / (8 * left.shape[1])
    return np.where(left.any(axis=1) & right.any(axis=1), excess, np.nan)


def input_disagreement(excess: Floats, *, taps: int) -> Floats:
    """Give the share of differing bits before diffusion, in [0, 0.5), any shape; NaN stays.

    Newton's method on the logarithm of (1 - 2d)^taps (1 - d)^8, which is concave, from 0: the first step
    goes past the root by a sixth of it at most, and eight come to the last bits of a float.
    """
    wanted = np.log(np.clip(excess, LEAST_EXCESS, 1))
    share = np.zeros_like(wanted)
    for _ in range(_NEWTON_STEPS):
        log_excess = taps * np.log1p(-2 * share) + BOX_BITS * np.log1p(-share)
        share = share + (wanted - log_excess) / _log_slope(share, taps)
    return np.asarray(share)


def group_disagreement(excess: Floats, *, both: Flags, one: Flags, bound: Floats, rules: LinkRules) -> Floats:
    """Give how far each group disagrees, from what the tables show, within what the match keys leave open.

    Simultaneous iterative least squares from what nothing is known of (SIRT; Gilbert, 1972): independent of the
    order of tables and groups, and what no table shows stays a disagreement.

    Args:
        excess: float64, shape (tables, pairs); NaN where a row is not in the table.
        both, one: bool, shape (groups, pairs): both rows hold the group; one of them alone does.
        bound: float64, shape (groups, pairs), in [0, 1]: the most that the group can disagree.

    Returns:
        float64, shape (groups, pairs), in [0, bound]; of no meaning where not both rows hold the group.
    """
    shares = np.array([table.shares for table in rules.tables])
    # A group that one side alone holds sets bits on that side only.
    seen = np.nan_to_num(np.maximum(input_disagreement(excess, taps=rules.taps) - shares @ one / 2, 0))
    weights = _weights(excess, rules)
    reach = np.maximum(shares @ both, 1e-12)
    unknown = np.array([_unknown(rule) for rule in rules.groups])[:, np.newaxis]
    found: Floats = np.minimum(bound, unknown)
    for _ in range(SWEEPS):
        lacking = seen - shares @ (found * both)
        step = shares.T @ (weights * lacking / reach) / np.maximum(shares.T @ weights, 1e-12)
        np.clip(found + RELAXATION * step, 0, bound, out=found)
    return found


def key_bound(equal: Flags, *, rules: LinkRules) -> Floats:
    """Give how much each group of each pair can disagree, by the match keys that the pair shares.

    Args:
        equal: bool, shape (keys, pairs).

    Returns:
        float64, shape (groups, pairs), in [0, 1].
    """
    bound: Floats = np.ones((len(rules.groups), equal.shape[1]))
    for rule, shared in zip(rules.keys, equal, strict=True):
        bounds = np.array(rule.bounds)[:, np.newaxis]
        np.minimum(bound, bounds, out=bound, where=shared)
    return bound


def evidence_bits(disagreement: Floats, both: Flags, *, rules: LinkRules, other_rows: int) -> Floats:
    """Give the evidence that each pair is one person, in bits; 0 is as likely as not.

    The pair is held against a chance meeting among `other_rows` rows and, where the rules have a group that tells the
    people of a household apart, against two of a household, who share the rest. A group that a row lacks says nothing.
    """
    bits = np.stack([
        both[place] * _group_bits(disagreement[place], rule.agree_bits, rule.differ_bits, rule.gone_at)
        for place, rule in enumerate(rules.groups)
    ])  # fmt: skip
    by_chance = bits.sum(axis=0) - np.log2(max(other_rows, 1))
    personal = [place for place, rule in enumerate(rules.groups) if rule.personal]
    if not personal:
        return np.asarray(by_chance)
    in_household = bits[personal].sum(axis=0) - HOUSEHOLD_BITS
    return np.asarray(-np.logaddexp2(-by_chance, -in_household))


def score_of_bits(bits: Floats) -> Floats:
    """Give 1 / (1 + 2^(-bits / SCORE_BITS)) to nine decimals: 0.5 at 0 bits. It ranks and is no probability.

    Rounded, so that the last bits of a processor's arithmetic decide nothing.
    """
    return np.asarray(np.round(1 / (1 + np.exp2(-bits / SCORE_BITS)), 9))


def _unknown(rule: GroupRule) -> float:
    """Give the disagreement at which a group speaks against the pair with `UNKNOWN_BITS`, or all that it can."""
    against = min(UNKNOWN_BITS, rule.differ_bits)
    return rule.gone_at * (rule.agree_bits + against) / max(rule.agree_bits + rule.differ_bits, 1e-12)


def _weights(excess: Floats, rules: LinkRules) -> Floats:
    """Give the inverse variances of the input disagreements; 0 where a row is not in the table, or it is blurred."""
    # Derivative of the inverse at the excess, times the standard deviation of an excess of so many bits.
    kept = np.clip(np.nan_to_num(excess), LEAST_EXCESS, 1)
    slope = kept * _log_slope(input_disagreement(kept, taps=rules.taps), rules.taps)
    deviation = 1 / np.abs(slope) / np.sqrt(rules.clk_bits)
    seen = np.nan_to_num(excess) >= BLURRED_EXCESS
    return np.where(seen, 1 / (deviation**2 + MODEL_ERROR**2), 0)


def _log_slope(share: Floats, taps: int) -> Floats:
    """Give the derivative of the logarithm of the excess by the share of differing input bits; negative."""
    return np.asarray(-2 * taps / (1 - 2 * share) - BOX_BITS / (1 - share))


def _group_bits(disagreement: Floats, agree: float, differ: float, gone_at: float) -> Floats:
    return np.asarray(agree - (agree + differ) * np.minimum(disagreement / gone_at, 1))
