"""Graph matching: rows are told apart by how similar they are to rows that are recognised already.

An attacker expects of two people's encodings the similarity that he computes from their plaintexts, with noise of known
variance. So each person explains a row's similarities with the **landmarks** (recognised rows) with some likelihood.
Known people are landmarks from the start; rows that one person explains well join them, weighted by probability, and
the likelihoods are computed anew. Idea: Vidanage, Christen, Ranbaduge and Schnell (2020), "A graph matching attack on
privacy-preserving record linkage"; growth from seeds: Yartseva and Grossglauser (2013), "On the performance of
percolation graph matching". The likelihood and the weights are our own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.node.audit.channels import Channels, Expectation, channel_similarity
from isthmus.node.audit.vectors import EncodedTables, Floats, Rows

ROUNDS: Final = 10
LANDMARK_PROBABILITY: Final = 0.3
CLAIM_PROBABILITY: Final = 0.9
MOST_LANDMARKS: Final = 2000
CAUTION: Final = 0.7
"""Factor on the likelihood, since landmarks are not certain and what they say is not independent; tried out."""

_CHOICES: Final = 3
_LEAST_LANDMARKS: Final = 0.1
_IMPOSSIBLE: Final = np.float32(-1e4)
_PEOPLE_AT_ONCE: Final = 2048

Progress = Callable[[int, int], None]
"""(done, total)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landmarks:
    """Rows held to be certain people: `rows[k]` is person `people[k]` with probability `weight[k]`, float32."""

    rows: Rows
    people: Rows
    weight: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """All that the matching of some rows needs.

    `targets`: the rows to recognise. `prior`: float32, shape (targets, people), log-likelihood without any landmark.
    `known_rows[k]` is known to be person `known_people[k]`. `variance`: of the noise, one a channel.
    """

    encoded: EncodedTables
    expected: Expectation
    channels: Channels
    variance: tuple[float, ...]
    targets: Rows
    prior: Floats
    known_rows: Rows
    known_people: Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guess:
    """For each target the likeliest person, and with which probability, as far as the attacker can tell."""

    people: Rows
    probability: Floats


def match(scene: Scene, *, progress: Progress) -> Guess:
    """Recognise rows, round after round, until nothing changes or `ROUNDS` are over."""
    if not len(scene.targets):
        return Guess(people=np.zeros(0, np.int64), probability=np.zeros(0, np.float32))
    scores = _barred(scene.prior.copy(), scene)
    before = np.full(len(scene.targets), -1)
    for done in range(ROUNDS):
        progress(done, ROUNDS)
        landmarks = _landmarks(posterior(scores), scene)
        scores = _barred(scene.prior + np.float32(CAUTION) * _likelihood(scene, landmarks), scene)
        best = scores.argmax(axis=1)
        if np.array_equal(best, before):
            break
        before = best
    progress(ROUNDS, ROUNDS)
    return Guess(people=before, probability=posterior(scores).max(axis=1))


def posterior(scores: Floats) -> Floats:
    """Probability that a row is a person, at most what either the row's or the person's alternatives leave of it."""
    rows, people = _log_shares(scores, axis=1), _log_shares(scores, axis=0)
    np.minimum(rows, people, out=rows)
    probability: Floats = np.exp(rows, out=rows)
    return probability


def _log_shares(scores: Floats, *, axis: int) -> Floats:
    shifted: Floats = scores - scores.max(axis=axis, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return shifted


def _barred(scores: Floats, scene: Scene) -> Floats:
    """Nobody else is a known person."""
    scores[:, scene.known_people] = _IMPOSSIBLE
    return scores


def _landmarks(probability: Floats, scene: Scene) -> Landmarks:
    """The known people, then the likeliest pairs: all above a bound, and a share of the rows in any case."""
    choices = min(_CHOICES, probability.shape[1])
    people = np.argpartition(-probability, choices - 1, axis=1)[:, :choices].ravel()
    target = np.repeat(np.arange(len(probability)), choices)
    weight = probability[target, people]
    order = np.argsort(-weight, kind="stable")
    least = int(_LEAST_LANDMARKS * len(probability))
    wanted = max(least, int((weight > LANDMARK_PROBABILITY).sum()))
    kept = order[: min(wanted, max(0, MOST_LANDMARKS - len(scene.known_rows)))]
    return Landmarks(
        rows=np.concatenate([scene.known_rows, scene.targets[target[kept]]]),
        people=np.concatenate([scene.known_people, people[kept]]),
        weight=np.concatenate([np.ones(len(scene.known_rows), np.float32), weight[kept]]),
    )


def _likelihood(scene: Scene, landmarks: Landmarks) -> Floats:
    """How well each person explains each target's similarities with the landmarks, up to a constant for each target."""
    total = np.zeros(scene.prior.shape, dtype=np.float32)
    for channel, variance in zip(scene.channels, scene.variance, strict=True):
        seen = channel_similarity(scene.encoded, channel, scene.targets, landmarks.rows)
        seen[scene.targets[:, None] == landmarks.rows] = 0
        weight = landmarks.weight / np.float32(variance)
        for people in _blocks(len(total.T)):
            expected = scene.expected.similarity(channel, people, landmarks.people)
            expected[people[:, None] == landmarks.people] = 0
            squares = np.square(expected) @ weight
            expected *= weight
            total[:, people[0] : people[-1] + 1] += seen @ expected.T - squares / 2
    return total


def _blocks(count: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, count, _PEOPLE_AT_ONCE):
        yield np.arange(start, min(start + _PEOPLE_AT_ONCE, count))
