"""A node that prepares a submission of made-up people and is killed at a chosen point, by itself and without warning.

python -m faults.prepare_and_die FOLDER POINT, where POINT is encoding, writing or saving.
"""

import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from unit.node.parts import RIVERSIDE, STUDENTS, manifest, project

from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.ids import RoundId
from isthmus.contract.secret import Secret
from isthmus.node.prepare import Job, prepare_submission
from isthmus.node.round_encoding import RoundEncoding
from isthmus.node.sources.open_source import open_source
from isthmus.node.vault import Vault, open_vault

ROWS = 40_000
"""More than one piece."""

FILE, OUTBOX, VAULT = STUDENTS.file, "outbox", "vault.sqlite"


def write_people(folder: Path) -> None:
    """Write the file of people that is prepared."""
    with (folder / FILE).open("w", encoding="utf-8") as file:
        file.write("StudentId,First,Last,Born,Zip\n")
        file.writelines(f"PLANTED-{row},Maria,Quorimble{row},2005-01-02,00000\n" for row in range(ROWS))


def main(folder: Path, point: str) -> None:
    """Prepare, and die at the point."""
    terms = manifest(project(comparison=ComparisonTerms()))
    encoding = RoundEncoding(manifest=terms, profile=terms.read_profile(), key=Secret(b"k" * 32), encoder="isthmus")
    prepare_submission(
        open_source(folder, STUDENTS, fields=encoding.profile.fields),
        Job(dataset=STUDENTS, encoding=encoding, kept=encoding.kept(RIVERSIDE)),
        party=RIVERSIDE,
        outbox=folder / OUTBOX,
        vault=_DyingVault(open_vault(folder / VAULT), point),
        random_bytes=os.urandom,
        progress=lambda stage, done, _total: _die() if stage == point and done in {0, ROWS} else None,
    )


class _DyingVault(Vault):
    """A vault whose process is killed amid the transaction that saves a submission, if that is the point."""

    def __init__(self, vault: Vault, point: str) -> None:
        super().__init__(vault._connection)
        self._point = point

    def save_prepared(
        self, round_id: RoundId, *, document: bytes, report: str, rows: Iterable[tuple[bytes, str | int]]
    ) -> None:
        def dying() -> Iterable[tuple[bytes, str | int]]:
            for number, row in enumerate(rows):
                if number == ROWS // 2 and self._point == "saving":
                    _die()
                yield row

        super().save_prepared(round_id, document=document, report=report, rows=dying())


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
