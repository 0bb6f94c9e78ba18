"""Planted rows before they are told: what the coordinator holds of them is what it holds of all others."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.node.parts import COLLEGE, RIVERSIDE, ROUND, STUDENTS, manifest, project

from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.encodings import Submission, unpack_rows
from isthmus.contract.project import ProviderTerms
from isthmus.contract.secret import Secret
from isthmus.node.outbox import payload_path
from isthmus.node.planted.copies import planted_copies
from isthmus.node.prepare import Job, prepare_submission
from isthmus.node.records import Piece, RecordStream, SourceDescription
from isthmus.node.round_encoding import RoundEncoding, encode_pieces
from isthmus.node.vault import open_vault

FIELDS = ("first_name", "last_name", "dob", "zip")
KEY, GUESSED = Secret(b"k" * 32), Secret(b"g" * 32)
PEOPLE = 300


def _encoding(key: Secret) -> RoundEncoding:
    providers = tuple(ProviderTerms(party=party, dataset="students", fields=FIELDS) for party in (RIVERSIDE, COLLEGE))
    comparison = ComparisonTerms(planted=PEOPLE)
    terms = manifest(project(profile="hardened-1", providers=providers, comparison=comparison))
    return RoundEncoding(manifest=terms, profile=terms.read_profile(), key=key, encoder="isthmus")


def _records() -> RecordStream:
    """As many records, of people who are like those that are planted but others."""

    def pieces() -> Iterator[Piece]:
        others = list(planted_copies(Secret(b"others" * 6), party=COLLEGE, count=PEOPLE))
        yield Piece(
            record_ids=[f"STUDENT-{row:04}" for row in range(PEOPLE)],
            columns={field: [person[field] for person in others] for field in FIELDS},
        )

    def whole() -> Any:
        yield from pieces()
        return SourceDescription(kind="CSV", rows=PEOPLE, findings=())

    return RecordStream(whole())


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Show nothing."""


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[Submission, NDArray[np.uint8], NDArray[np.bool_]]:
    """What leaves a node: the declaration and the rows; and, as only the node knows, which of them are planted."""
    folder, encoding = tmp_path_factory.mktemp("node"), _encoding(KEY)
    vault = open_vault(folder / "vault.sqlite")
    submission = prepare_submission(
        _records(),
        Job(dataset=STUDENTS, encoding=encoding, planted=encoding.planted(RIVERSIDE)),
        party=RIVERSIDE,
        outbox=folder / "outbox",
        vault=vault,
        random_bytes=random.Random(1).randbytes,
        progress=_silent,
    )
    rows = _rows(folder / "outbox", submission)
    planted = np.zeros(len(rows), np.bool_)
    planted[list(vault.planted_rows(ROUND).values())] = True
    vault.close()
    return submission, rows, planted


def _rows(outbox: Path, submission: Submission) -> NDArray[np.uint8]:
    payload = payload_path(outbox, submission).read_bytes()
    return unpack_rows(payload, row_bits=submission.row_bits)[1]


def test_declaration_of_rows_says_nothing_of_them(
    sent: tuple[Submission, NDArray[np.uint8], NDArray[np.bool_]],
) -> None:
    submission, _, planted = sent

    assert submission.rows == 2 * PEOPLE == 2 * int(planted.sum())
    assert b"planted" not in submission.to_bytes()


def test_they_stand_anywhere_among_the_others(sent: tuple[Submission, NDArray[np.uint8], NDArray[np.bool_]]) -> None:
    _, _, planted = sent
    places = np.flatnonzero(planted) / len(planted)

    # The largest distance to an even spread, by Kolmogorov and Smirnov; 0.1 would come once in 200 shuffles.
    assert np.abs(places - np.linspace(0, 1, len(places))).max() < 0.1


def test_their_bytes_are_like_those_of_other_rows(
    sent: tuple[Submission, NDArray[np.uint8], NDArray[np.bool_]],
) -> None:
    _, rows, planted = sent
    bits = np.unpackbits(rows, axis=1).mean(axis=1)
    ours, others = bits[planted], bits[~planted]
    noise = np.sqrt(ours.var() / len(ours) + others.var() / len(others))

    assert abs(ours.mean() - others.mean()) < 4 * noise
    # A row that does not enter a table, or lacks a tag, shows: as often on either side.
    zeros = (rows.reshape(len(rows), -1, 16) == 0).all(axis=2).mean(axis=1)
    assert abs(zeros[planted].mean() - zeros[~planted].mean()) < 0.03


def test_who_lacks_the_key_makes_rows_of_the_published_lists_that_are_nobodys(
    sent: tuple[Submission, NDArray[np.uint8], NDArray[np.bool_]],
) -> None:
    _, rows, planted = sent
    own, guessed = _made(KEY), _made(GUESSED)
    size = _encoding(KEY).profile.clk_bits // 8
    known = {row[:size].tobytes() for row in rows[planted] if row[:size].any()}

    assert {row[:size].tobytes() for row in own} >= known
    assert not {row[:size].tobytes() for row in guessed} & known


def _made(key: Secret) -> NDArray[np.uint8]:
    encoding = _encoding(key)
    columns = [[person[field] for person in encoding.planted(RIVERSIDE)] for field in FIELDS]
    (rows,) = encode_pieces([columns], encoding)
    return rows
