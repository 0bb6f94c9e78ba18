"""What a row looks like without knowing anybody: numbers that do not depend on the key, learnt by rehearsal.

The attacker encodes the list of people several times under keys of his own. How a person's numbers vary from key to
key says how far each is to be trusted (Fisher's linear discriminant). How much the whole is to be trusted, one factor,
is tried out on one of the rehearsals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.node.audit.channels import Channels, channel_similarity, presence
from isthmus.node.audit.equality import colours, joined_groups
from isthmus.node.audit.vectors import EncodedTables, Floats, Rows, row_count

QUANTILES: Final = tuple(np.linspace(0, 1, 14))
REFERENCES: Final = 2000
MATES: Final = 4
LARGEST_GROUP: Final = 12
OTHER_COLOUR: Final = 12.0
"""What a row loses against a person whose equality structure is another, in nats: next to certainty."""

_TEMPERATURES: Final = (0.02, 0.04, 0.07, 0.12, 0.2, 0.35, 0.6, 1.0)
_SLAB: Final = 1024
_REHEARSED_ROWS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signatures:
    """`numbers`: float64, shape (rows, numbers). `colour`: one a row, None where equality is not joined."""

    numbers: NDArray[np.float64]
    colour: NDArray[np.uint64] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsal:
    """What rehearsals taught: numbers of each person in the coordinates in which chance has variance 1.

    `people`: float64, shape (people, numbers). `towards`: float64, shape (numbers, numbers), into these coordinates.
    `temperature` multiplies the log-likelihood.
    """

    people: NDArray[np.float64]
    towards: NDArray[np.float64]
    colour: NDArray[np.uint64] | None
    temperature: float


def observe(tables: EncodedTables, *, channels: Channels, join: bool, rng: np.random.Generator) -> Signatures:
    """The signatures of all rows of some encodings, whoever made them."""
    parts = [_profile(tables, channel, rng) for channel in channels]
    if join:
        parts += _mates(tables, channels)
    return Signatures(numbers=np.concatenate(parts, axis=1), colour=colours(tables) if join else None)


def learn(rehearsed: Sequence[Signatures]) -> Rehearsal:
    """What two or more rehearsals of the same people teach."""
    whole = _learn_spread([one.numbers for one in rehearsed])
    colour = rehearsed[0].colour
    rest = _learn_spread([one.numbers for one in rehearsed[1:]]) if len(rehearsed) > 2 else whole
    trial = Rehearsal(people=rest[0], towards=rest[1], colour=colour, temperature=1.0)
    return Rehearsal(
        people=whole[0], towards=whole[1], colour=colour, temperature=_best_temperature(trial, rehearsed[0])
    )


def log_likelihood(seen: Signatures, rehearsal: Rehearsal, rows: Rows) -> Floats:
    """How well each person explains each of some rows, float32, shape (len(rows), people).

    In nats, up to a constant for each row.
    """
    # Numbers that all people share can be large; taken off first, they do not cost single precision its digits.
    middle = rehearsal.people.mean(axis=0)
    here = (seen.numbers[rows] @ rehearsal.towards - middle).astype(np.float32)
    people = (rehearsal.people - middle).astype(np.float32)
    likelihood: Floats = here @ people.T
    likelihood -= np.square(people).sum(axis=1) / 2
    likelihood -= likelihood.max(axis=1, keepdims=True)
    likelihood *= np.float32(rehearsal.temperature)
    if seen.colour is not None and rehearsal.colour is not None:
        likelihood -= np.float32(OTHER_COLOUR) * (seen.colour[rows][:, None] != rehearsal.colour)
    return likelihood


def _profile(tables: EncodedTables, channel: tuple[str, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Quantiles, mean and mean square of a row's similarity with a random sample of the others."""
    rows = row_count(tables)
    references = np.sort(rng.permutation(rows)[:REFERENCES])
    numbers = np.empty((rows, len(QUANTILES) + 2))
    for start in range(0, rows, _SLAB):
        inside = np.arange(start, min(start + _SLAB, rows))
        similarity = channel_similarity(tables, channel, inside, references)
        # A row's similarity with itself says nothing and would be the highest of all.
        own = inside[:, None] == references
        similarity[own] = 0
        ordered = np.sort(similarity, axis=1)
        at = np.round(np.asarray(QUANTILES) * (len(references) - 1)).astype(np.int64)
        numbers[inside, : len(QUANTILES)] = ordered[:, at]
        numbers[inside, -2] = similarity.mean(axis=1)
        numbers[inside, -1] = np.square(similarity).mean(axis=1)
    present = presence(tables, channel)[:, None]
    return np.concatenate([numbers * present, present], axis=1)


def _mates(tables: EncodedTables, channels: Channels) -> list[NDArray[np.float64]]:
    """For each channel a row's similarities with the rows that equality joins to it, largest first, then zeros."""
    numbers = [np.zeros((row_count(tables), MATES)) for _ in channels]
    for group in joined_groups(tables, largest=LARGEST_GROUP):
        kept = min(MATES, len(group) - 1)
        for into, channel in zip(numbers, channels, strict=True):
            similarity = channel_similarity(tables, channel, group, group)
            np.fill_diagonal(similarity, -np.inf)
            into[group, :kept] = -np.sort(-similarity, axis=1)[:, :kept]
    return numbers


def _learn_spread(numbers: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The people's mean numbers, and the way into coordinates in which chance has variance 1."""
    mean = np.mean(numbers, axis=0)
    deviations = np.concatenate([one - mean for one in numbers])
    within = deviations.T @ deviations / (len(mean) * max(1, len(numbers) - 1))
    between = np.var(mean, axis=0)
    scale = 1 / np.sqrt(np.diag(within) + 1e-3 * between + 1e-12)
    within = within * np.outer(scale, scale) + 0.02 * np.eye(len(scale))
    towards = scale[:, None] * np.linalg.cholesky(np.linalg.inv(within))
    return mean @ towards, towards


def _best_temperature(trial: Rehearsal, seen: Signatures) -> float:
    """The factor under which one rehearsal is explained best by the others."""
    rows = np.arange(0, len(seen.numbers), max(1, len(seen.numbers) // _REHEARSED_ROWS))
    likelihood = log_likelihood(seen, trial, rows)
    scores = [_explained(likelihood * np.float32(factor), rows) for factor in _TEMPERATURES]
    return _TEMPERATURES[int(np.argmax(scores))]


def _explained(likelihood: Floats, truth: Rows) -> float:
    shifted = likelihood - likelihood.max(axis=1, keepdims=True)
    own = shifted[np.arange(len(truth)), truth]
    return float(np.mean(own - np.log(np.exp(shifted).sum(axis=1))))
