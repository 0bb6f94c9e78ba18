"""A node that answers for its rows and is killed at a chosen point, by itself and without warning.

python -m faults.answer_and_die FOLDER POINT, where POINT is asked, comparing, made, declared or sending; the folder is
one of `two_parties`. What the coordinator has heard and taken by then lies in FOLDER/hub.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from unit.node.answering_parts import Hub, comparing_manifest, even_rows, open_parties_node, question
from unit.node.parts import COLLEGE, RIVERSIDE, ROUND

from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.encodings import submission_from_bytes
from isthmus.node.take_part import take_step
from isthmus.node.vault import open_vault
from isthmus.v1 import provider_pb2 as pb

TERMS = comparing_manifest(comparison=ComparisonTerms(slots=64))
SIZES = (400, 10)
"""Answers take some three chunks."""


@dataclass
class KeepingHub(Hub):
    """A coordinator that keeps what it hears on disk, and at whose calls the node may die."""

    folder: Path = Path()
    point: str = ""

    def OpenAnswers(  # noqa: N802 - as generated
        self, request: pb.OpenAnswersRequest, **options: object
    ) -> pb.OpenAnswersResponse:
        if self.point == "made":
            die()
        self.folder.mkdir(exist_ok=True)
        (self.folder / "declared").write_bytes(request.answers)
        if self.point == "declared":
            die()
        return super().OpenAnswers(request, **options)

    def UploadAnswers(  # noqa: N802 - as generated
        self, requests: Iterator[pb.UploadAnswersRequest], **options: object
    ) -> Iterator[pb.UploadAnswersResponse]:
        for response in super().UploadAnswers(requests, **options):
            (self.folder / f"chunk-{response.index}").write_bytes(self.chunks[response.index])
            if self.point == "sending":
                die()
            yield response


def hub_of(folder: Path, *, point: str = "") -> KeepingHub:
    """Give the coordinator of a folder with what it took so far; it asks the same each time."""
    documents = []
    for party in (RIVERSIDE, COLLEGE):
        with closing(open_vault(folder / party / "vault.sqlite")) as vault:
            prepared = vault.prepared(ROUND)
        documents.append(prepared.document if prepared else b"")
    rows = submission_from_bytes(documents[0]).rows
    asked = question(
        RIVERSIDE,
        even_rows(rows, pairs=64 * rows, seed=1),
        even_rows(10, pairs=64 * rows, seed=2),
        own=documents[0],
        other=documents[1],
        terms=TERMS,
    )
    kept = sorted((folder / "hub").glob("chunk-*"))
    chunks = {index: path.read_bytes() for index, path in enumerate(kept)}
    return KeepingHub(asked, terms=TERMS, folder=folder / "hub", point=point, chunks=chunks)


def die() -> None:
    """End this process as a cut of the power would."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, point: str) -> None:
    """Answer, and die at the point."""

    def report(stage: str, done: int, _total: int) -> None:
        if (point == "asked" and stage == "near misses") or (point == "comparing" and stage[:9] == point and done):
            die()

    with open_parties_node(folder / RIVERSIDE, RIVERSIDE, terms=TERMS, random_bytes=os.urandom) as node:
        take_step(node, hub_of(folder, point=point).client(), ROUND, report=report)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
