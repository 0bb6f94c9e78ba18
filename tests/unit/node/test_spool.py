"""The spool: all rows come back, by handle, with their ids; and no file of it can be found."""

import random
from pathlib import Path

import numpy as np
import pytest

from isthmus.node.spool import Spool, open_spool

WIDTH = 3000
"""Bytes a row, so that some thousand rows are more than one range."""


def _fill(spool: Spool, sizes: list[int], *, width: int = WIDTH) -> dict[bytes, tuple[bytes, str]]:
    """Add runs of random rows; give encoding and record id by handle."""
    drawn = np.random.default_rng(3)
    added: dict[bytes, tuple[bytes, str]] = {}
    for size in sizes:
        handles = drawn.integers(0, 256, (size, 16), dtype=np.uint8)
        clks = drawn.integers(0, 256, (size, width), dtype=np.uint8)
        ids = [f"id-{len(added) + row}" for row in range(size)]
        spool.add(handles, clks, ids)
        added |= {h.tobytes(): (c.tobytes(), i) for h, c, i in zip(handles, clks, ids, strict=True)}
    return added


def test_all_rows_come_back_by_rising_handle_with_their_encodings(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        added = _fill(spool, [900, 1, 2000, 1500])

        blocks = list(spool.rows())

    rows = np.vstack(blocks)
    assert len(blocks) > 1
    assert [row[:16].tobytes() for row in rows] == sorted(added)
    assert all(row[16:].tobytes() == added[row[:16].tobytes()][0] for row in rows)


def test_rows_that_come_back_can_be_changed(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        _fill(spool, [900, 600])

        assert all(block.flags.writeable for block in spool.rows())


def test_all_record_ids_come_back_by_rising_handle(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        added = _fill(spool, [40, 60], width=8)

        pairs = list(spool.whose_handles())

    assert pairs == [(handle, added[handle][1]) for handle in sorted(added)]


@pytest.mark.parametrize("record_id", ["line\nbreak\r\n", 'quote "', "Ünïcødé \u2028", "\0", "0" * 5000])
def test_record_id_of_any_characters_comes_back(tmp_path: Path, record_id: str) -> None:
    with open_spool(tmp_path) as spool:
        spool.add(np.full((1, 16), 10, np.uint8), np.zeros((1, 4), np.uint8), [record_id])

        assert list(spool.whose_handles()) == [(b"\n" * 16, record_id)]


def test_number_of_a_planted_person_comes_back_as_a_number(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        spool.add(np.full((1, 16), 10, np.uint8), np.zeros((1, 4), np.uint8), range(7, 8))

        assert list(spool.whose_handles()) == [(b"\n" * 16, 7)]


def test_rows_whose_handles_differ_only_at_the_end_are_sorted(tmp_path: Path) -> None:
    handles = np.zeros((256, 16), np.uint8)
    handles[:, 15] = random.Random(1).sample(range(256), 256)
    with open_spool(tmp_path) as spool:
        for start in (0, 128):
            inside = slice(start, start + 128)
            spool.add(handles[inside], handles[inside, 15:], [str(value) for value in handles[inside, 15]])

        (rows,) = spool.rows()
        ids = [record_id for _, record_id in spool.whose_handles()]

    assert rows[:, 16].tolist() == list(range(256))
    assert ids == [str(value) for value in range(256)]


def test_empty_spool_gives_nothing(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        assert list(spool.rows()) == []
        assert list(spool.whose_handles()) == []


def test_spool_has_no_file_that_can_be_found(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        _fill(spool, [100])

        assert list(tmp_path.iterdir()) == []
