"""The outbox: what is written into it is whole or not there, and chunks are digested as they will be sent."""

import hashlib
import itertools
from pathlib import Path
from stat import S_IMODE

import numpy as np
import pytest

from isthmus.contract.encodings import SUBMISSION_FORMAT, Submission, chunk_rows, row_bytes, submission_digest
from isthmus.contract.ids import PartyId, RoundId
from isthmus.node.outbox import Content, named_content, new_content, payload_path, write_rows

ROUND = RoundId("school-to-work-1")
ROW_BITS = 5 * 2048 + 15 * 128
ROWS = 2_000


def _rows() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (ROWS, row_bytes(ROW_BITS)), dtype=np.uint8)


def _submission() -> Submission:
    return Submission(
        format=SUBMISSION_FORMAT,
        round_id=ROUND,
        party=PartyId("riverside"),
        rows=1,
        clk_bits=1024,
        tables=1,
        match_keys=0,
        blocks=0,
        chunk_count=1,
        digest="ab" * 32,
        key_check="00" * 16,
        profile_digest="00" * 32,
        manifest_hash="00" * 32,
    )


@pytest.mark.parametrize("block_rows", [1, 333, ROWS])
def test_digest_is_that_of_the_chunks_whatever_the_blocks(tmp_path: Path, block_rows: int) -> None:
    rows = _rows()
    blocks = (rows[start : start + block_rows].data for start in range(0, ROWS, block_rows))

    with new_content(tmp_path, ROUND, Content.PAYLOAD) as file:
        digest = write_rows(file, blocks, row_bits=ROW_BITS)
        written = (tmp_path / f"{ROUND}.new").read_bytes()

    sizes = [chunk_rows(rows=ROWS, row_bits=ROW_BITS, index=index) * row_bytes(ROW_BITS) for index in range(3)]
    ends = list(itertools.accumulate(sizes))
    whole = rows.tobytes()
    assert ends[-1] == len(whole)
    assert written == whole
    chunks = [whole[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    assert digest == submission_digest(hashlib.sha256(chunk).digest() for chunk in chunks)


def test_payload_is_private_and_goes_unless_it_is_named(tmp_path: Path) -> None:
    with new_content(tmp_path, ROUND, Content.PAYLOAD) as file:
        file.write(b"half a payload")
        (path,) = tmp_path.iterdir()
        assert S_IMODE(path.stat().st_mode) == 0o600

    assert list(tmp_path.iterdir()) == []


def test_named_payload_stays(tmp_path: Path) -> None:
    with new_content(tmp_path, ROUND, Content.PAYLOAD) as file:
        file.write(b"whole")
        file.flush()
        with named_content(tmp_path, ROUND, _submission().digest, Content.PAYLOAD):
            pass

    assert payload_path(tmp_path, _submission()).read_bytes() == b"whole"


def test_named_payload_goes_where_its_declaration_is_not_saved(tmp_path: Path) -> None:
    def fail_to_save() -> None:
        with (
            new_content(tmp_path, ROUND, Content.PAYLOAD),
            named_content(tmp_path, ROUND, _submission().digest, Content.PAYLOAD),
        ):
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        fail_to_save()

    assert list(tmp_path.iterdir()) == []
