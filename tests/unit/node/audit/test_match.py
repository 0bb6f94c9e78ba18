"""Graph matching: probabilities, known people, growth from landmarks, and no gain where there is nothing to gain."""

from dataclasses import replace

import numpy as np
import pytest
from unit.node.audit.audit_parts import INTEROP, synthetic_columns

from isthmus.node.audit.channels import Expectation
from isthmus.node.audit.match import ROUNDS, Scene, match, posterior
from isthmus.node.audit.vectors import encode_tables, undiffused_tables

ROWS = 120


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Plain CLKs of people in their own order, the first thirty known, and no prior."""
    columns, random_bytes = synthetic_columns(ROWS), np.random.default_rng(4).bytes
    filters = [undiffused_tables(columns, profile=INTEROP, random_bytes=random_bytes) for _ in range(2)]
    return Scene(
        encoded=encode_tables(columns, profile=INTEROP, random_bytes=random_bytes),
        expected=Expectation(filters=filters, present=filters[0], taps=1),
        channels=(("all",),),
        variance=(0.0014,),
        targets=np.arange(30, ROWS),
        prior=np.zeros((ROWS - 30, ROWS), np.float32),
        known_rows=np.arange(30),
        known_people=np.arange(30),
    )


def _quiet(_done: int, _total: int) -> None:
    """Take no notice."""


def test_posterior_shares_rows_and_people() -> None:
    probability = posterior(np.array([[0, 0], [0, -50]], np.float32))

    assert np.allclose(probability, [[0.5, 0.5], [0.5, 0]], atol=1e-6)


def test_known_people_lead_to_everybody_else(scene: Scene) -> None:
    guess = match(scene, progress=_quiet)

    assert (guess.people == scene.targets).mean() > 0.95
    assert guess.probability.max() <= 1


def test_a_known_person_is_never_guessed_again(scene: Scene) -> None:
    misled = replace(scene, prior=np.where(np.arange(ROWS) < 30, 50, 0).astype(np.float32) + scene.prior)

    assert match(misled, progress=_quiet).people.min() >= 30


def test_similarities_with_the_wrong_people_lead_nowhere(scene: Scene) -> None:
    wrong = replace(scene, known_people=np.roll(scene.known_people, 7))

    assert (match(wrong, progress=_quiet).people == scene.targets).mean() < 0.2


def test_progress_ends_at_its_total(scene: Scene) -> None:
    told: list[tuple[int, int]] = []
    match(scene, progress=lambda done, total: told.append((done, total)))

    assert told[0] == (0, ROUNDS)
    assert told[-1] == (ROUNDS, ROUNDS)
