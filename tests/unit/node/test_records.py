"""Records in pieces: order and size of the pieces, when a fault is raised, what a stream tells and when."""

from collections.abc import Generator
from pathlib import Path

import pytest
from unit.node.sources.workbooks import write_workbook

from isthmus.node.records import PIECE_ROWS, Piece, RecordStream, SourceDescription, read_all
from isthmus.node.sources.errors import BlankIds, DuplicateIds, RaggedRows, SourceProblems
from isthmus.node.sources.open_source import Source, open_source

SOURCE = SourceDescription(kind="CSV", rows=3, findings=("as made up",))


def _stream(*pieces: Piece) -> RecordStream:
    def made_up() -> Generator[Piece, None, SourceDescription]:
        yield from pieces
        return SOURCE

    return RecordStream(made_up())


def _csv(folder: Path, rows: list[str]) -> RecordStream:
    (folder / "people.csv").write_text("\n".join(["id,name", *rows]))
    return open_source(folder, Source(file="people.csv", id_column="id", columns={"first_name": "name"}))


def test_pieces_joined_are_the_records() -> None:
    records = read_all(
        _stream(
            Piece(record_ids=["a", "b"], columns={"sex": ["F", ""]}), Piece(record_ids=["c"], columns={"sex": ["M"]})
        )
    )

    assert records.record_ids == ["a", "b", "c"]
    assert records.columns == {"sex": ["F", "", "M"]}
    assert records.source is SOURCE


def test_source_is_not_described_before_its_end() -> None:
    stream = _stream(Piece(record_ids=["a"], columns={}))
    next(iter(stream.pieces()))

    with pytest.raises(ValueError, match="read to its end"):
        _ = stream.source


def test_piece_of_unequal_columns_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="one value a record"):
        Piece(record_ids=["a"], columns={"sex": ["F", "M"]})


def test_csv_comes_in_full_pieces_and_a_rest_in_file_order(tmp_path: Path) -> None:
    rows = [f"{number},N{number}" for number in range(PIECE_ROWS + 5)]

    pieces = list(_csv(tmp_path, rows).pieces())

    assert [len(piece.record_ids) for piece in pieces] == [PIECE_ROWS, 5]
    assert [f"{i},{n}" for p in pieces for i, n in zip(p.record_ids, p.columns["first_name"], strict=True)] == rows
    assert pieces[0].expected_rows >= len(rows)


def test_csv_of_exactly_one_full_piece_ends_without_an_empty_one(tmp_path: Path) -> None:
    stream = _csv(tmp_path, [f"{number},N" for number in range(PIECE_ROWS)])

    assert [len(piece.record_ids) for piece in stream.pieces()] == [PIECE_ROWS]
    assert stream.source.rows == PIECE_ROWS


def test_no_piece_comes_after_a_fault_and_all_faults_are_told_at_the_end(tmp_path: Path) -> None:
    rows = [f"{number},N" for number in range(PIECE_ROWS + 20)]
    rows[PIECE_ROWS + 1] = "ragged"
    rows[PIECE_ROWS + 4] = ",no id"
    rows[-1] = "0,the first id again"
    pieces = _csv(tmp_path, rows).pieces()
    next(pieces)  # before the fault

    with pytest.raises(SourceProblems) as refused:
        next(pieces)

    told = [
        (type(one), one.rows) for one in refused.value.problems if isinstance(one, RaggedRows | BlankIds | DuplicateIds)
    ]
    assert told == [
        (RaggedRows, (PIECE_ROWS + 3,)),
        (BlankIds, (PIECE_ROWS + 6,)),
        (DuplicateIds, (PIECE_ROWS + 21,)),
    ]


def test_repeated_ids_are_found_across_batches_of_a_workbook(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="reading workbooks needs isthmus-node[excel]")
    rows = [[f"r{number}", "Ana"] for number in range(10_050)]
    write_workbook(tmp_path / "people.xlsx", {"S": [["id", "name"], *rows, ["r3", "Bo"]]})
    stream = open_source(tmp_path, Source(file="people.xlsx", id_column="id", columns={"first_name": "name"}))

    with pytest.raises(DuplicateIds) as refused:
        read_all(stream)

    assert refused.value.rows == (10_052,)


def test_database_or_workbook_is_opened_when_the_first_piece_is_asked_for(tmp_path: Path) -> None:
    stream = open_source(tmp_path, Source(file="nobody.xlsx", id_column="id"))

    with pytest.raises(Exception, match="nobody"):
        read_all(stream)
