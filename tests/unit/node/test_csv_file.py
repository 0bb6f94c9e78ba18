"""CSV files: what is detected and told, what is refused and how, and that no message holds a value."""

import codecs
import csv
import io
import random
from pathlib import Path

import pytest

from isthmus.contract.errors import BadInput
from isthmus.node.records import Records, SourceDescription
from isthmus.node.sources.csv_file import inspect_csv, read_csv
from isthmus.node.sources.errors import (
    BlankIds,
    ColumnMissing,
    DelimiterInvalid,
    DelimiterWrong,
    DuplicateIds,
    EncodingUnknown,
    HeaderDuplicate,
    QuoteOpen,
    RaggedRows,
    SourceEmpty,
    SourceMissing,
    SourceProblems,
)

HEADER = "id,given name,surname"
COLUMNS = {"first_name": "given name", "last_name": "surname"}


def written(folder: Path, content: str | bytes) -> Path:
    """A file of `content`, text as UTF-8."""
    path = folder / "people.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, content: str | bytes, **declared: str) -> Records:
    """What `read_csv` gives for a file of `content`."""
    return read_csv(written(folder, content), columns=COLUMNS, id_column="id", **declared)


def test_columns_come_by_standard_field_in_file_order(tmp_path: Path) -> None:
    records = read(tmp_path, "surname,note,id,given name\nGarcía,x,7,Ana\nLee,y,3,Bo\n")

    assert records.record_ids == ["7", "3"]
    assert records.columns == {"first_name": ["Ana", "Bo"], "last_name": ["García", "Lee"]}
    assert records.source.findings == (
        "encoding utf-8: every byte decodes",
        "delimiter comma: it parts the header into 4 columns, more than any other",
        "header of 4 columns, 2 records",
    )


def test_spaces_around_names_and_values_are_stripped(tmp_path: Path) -> None:
    records = read(tmp_path, 'id, given name , surname\n r1 ,  Ana , "Lee, Jr "\n')

    assert records.record_ids == ["r1"]
    assert records.columns == {"first_name": ["Ana"], "last_name": ["Lee, Jr"]}


@pytest.mark.parametrize(
    ("prefix", "codec", "detected", "reason"),
    [
        (b"", "utf-8", "utf-8", "every byte decodes"),
        (codecs.BOM_UTF8, "utf-8", "utf-8-sig", "the file starts with its byte order mark"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16", "the file starts with its byte order mark"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16", "the file starts with its byte order mark"),
        (b"", "utf-16-le", "utf-16-le", "every second byte is zero"),
        (b"", "utf-16-be", "utf-16-be", "every second byte is zero"),
        (b"", "cp1252", "cp1252", "it is not UTF-8"),
    ],
)
def test_encoding_is_detected_and_told(tmp_path: Path, prefix: bytes, codec: str, detected: str, reason: str) -> None:
    records = read(tmp_path, prefix + f"{HEADER}\n1,José,Núñez\n".encode(codec))

    assert records.columns == {"first_name": ["José"], "last_name": ["Núñez"]}
    assert records.source.findings[0] == f"encoding {detected}: {reason}"


@pytest.mark.parametrize(
    ("prefix", "codec", "declared"),
    [
        (b"", "latin-1", "latin-1"),
        (b"", "utf-8", "UTF-8"),
        (codecs.BOM_UTF8, "utf-8", "utf8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
    ],
)
def test_declared_encoding_is_taken_and_its_byte_order_mark_dropped(
    tmp_path: Path, prefix: bytes, codec: str, declared: str
) -> None:
    records = read(tmp_path, prefix + f"{HEADER}\n1,José,Núñez\n".encode(codec), encoding=declared)

    assert records.columns["first_name"] == ["José"]
    assert "as declared" in records.source.findings[0]


def test_mostly_utf8_file_stays_utf8_and_its_lost_characters_are_told(tmp_path: Path) -> None:
    records = read(tmp_path, f"{HEADER}\n1,José,Núñez\n2,Zo".encode() + b"\xff,Lee\n")

    assert records.columns["first_name"] == ["José", "Zo\ufffd"]
    assert records.source.findings[0] == "encoding utf-8: most characters beyond ASCII decode"
    assert "1 characters do not decode; they are kept as damaged (rows: 3)" in records.source.findings


def test_byte_that_windows_1252_does_not_define_is_kept_as_damage(tmp_path: Path) -> None:
    records = read(tmp_path, f"{HEADER}\n1,Jos".encode() + b"\xe9\x81,Lee\n")

    assert records.columns["first_name"] == ["José\ufffd"]


@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")]
)
def test_delimiter_is_detected_and_told(tmp_path: Path, delimiter: str, name: str) -> None:
    records = read(tmp_path, f"{HEADER}\n1,Ana,Lee\n".replace(",", delimiter))

    assert records.columns["last_name"] == ["Lee"]
    assert records.source.findings[1].startswith(f"delimiter {name}: it parts the header into 3 columns")


def test_declared_delimiter_of_any_character_is_taken(tmp_path: Path) -> None:
    records = read(tmp_path, f"{HEADER}\n1,Ana,Lee\n".replace(",", "~"), delimiter="~")

    assert records.columns["last_name"] == ["Lee"]
    assert records.source.findings[1] == 'delimiter "~": as declared'


def test_file_of_one_column_is_read(tmp_path: Path) -> None:
    records = read_csv(written(tmp_path, "id\n1\n2\n"), columns={}, id_column="id")

    assert records.record_ids == ["1", "2"]
    assert records.source.findings[1] == "delimiter comma: the header is a single column"


def test_quoted_values_may_hold_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    records = read(tmp_path, f'{HEADER}\r\n1,"An""a","Lee,\r\nJr"\r\n2,5" Bo,Li\r\n')

    assert records.columns == {"first_name": ['An"a', '5" Bo'], "last_name": ["Lee,\r\nJr", "Li"]}


def test_column_name_may_hold_a_line_break(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,"given\nname"\n1,Ana\n')

    assert read_csv(path, columns={"first_name": "given\nname"}, id_column="id").columns == {"first_name": ["Ana"]}


def test_nul_characters_and_blank_rows_are_passed_over_and_told(tmp_path: Path) -> None:
    records = read(tmp_path, f"\n \n{HEADER}\n1,A\0na,Lee\n\n,,\n2,Bo,Li\n\0\n")

    assert records.columns["first_name"] == ["Ana", "Bo"]
    assert records.source.rows == 2
    assert "2 NUL characters were passed over" in records.source.findings
    assert "3 blank rows were passed over" in records.source.findings


def test_very_long_value_is_read(tmp_path: Path) -> None:
    records = read(tmp_path, f"{HEADER}\n1,{'a' * 300_000},Lee\n")

    assert len(records.columns["first_name"][0]) == 300_000


def test_unnamed_columns_and_blank_values_at_the_end_are_passed_over(tmp_path: Path) -> None:
    records = read(tmp_path, f"{HEADER},,\n1,Ana,Lee\n2,Bo,Li,,,\n")

    assert records.record_ids == ["1", "2"]


def test_one_column_may_serve_two_fields(tmp_path: Path) -> None:
    path = written(tmp_path, "id,dob\n1,2001-02-03\n")

    records = read_csv(path, columns={"dob": "dob", "birth_year": "dob"}, id_column="id")

    assert records.columns == {"dob": ["2001-02-03"], "birth_year": ["2001-02-03"]}


@pytest.mark.parametrize("there", [False, True])
def test_file_that_cannot_be_opened_is_missing(tmp_path: Path, there: bool) -> None:
    path = tmp_path if there else tmp_path / "nobody.csv"

    with pytest.raises(SourceMissing) as caught:
        inspect_csv(path)
    assert caught.value.source == str(path)


@pytest.mark.parametrize("content", ["", "\n \r\n\n", f"{HEADER}\n", f"{HEADER}\n,,\n"])
def test_file_without_records_is_empty(tmp_path: Path, content: str) -> None:
    with pytest.raises(SourceEmpty):
        read(tmp_path, content)


@pytest.mark.parametrize("encoding", ["klingon", "base64", "undefined"])
def test_unknown_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(EncodingUnknown):
        read(tmp_path, f"{HEADER}\n1,Ana,Lee\n", encoding=encoding)


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", " "])
def test_impossible_delimiter_is_refused(tmp_path: Path, delimiter: str) -> None:
    with pytest.raises(DelimiterInvalid):
        read(tmp_path, f"{HEADER}\n1,Ana,Lee\n", delimiter=delimiter)


def test_missing_columns_are_named_beside_the_header(tmp_path: Path) -> None:
    with pytest.raises(ColumnMissing) as caught:
        read(tmp_path, "id,first,last\n1,Ana,Lee\n")

    assert caught.value.columns == ("given name", "surname")
    assert str(caught.value) == (
        'the header has no column "given name", "surname"; it has "id", "first", "last"; '
        "correct the column names of this source in the configuration"
    )


@pytest.mark.parametrize(
    "first_row", ["Ana,Lee,1985-02-11", "Ana,Lee,Springfield", "id,name,ana@example.org", 'id,name,"x\nAna,Lee,3"']
)
def test_first_row_that_may_be_a_record_is_not_shown(tmp_path: Path, first_row: str) -> None:
    path = written(tmp_path, f"{first_row}\nBo,Li,1\n")

    with pytest.raises(ColumnMissing) as caught:
        read_csv(path, columns={"dob": "birth date"}, id_column="number")
    assert caught.value.header == ()
    assert not any(value in str(caught.value) for value in ("Ana", "Lee", "1985", "Springfield"))


def test_wrong_delimiter_is_told_with_the_better_one(tmp_path: Path) -> None:
    with pytest.raises(DelimiterWrong) as caught:
        read(tmp_path, f"{HEADER}\n1,Ana,Lee\n".replace(",", ";"), delimiter=",")

    assert (caught.value.declared, caught.value.better) == ("comma", "semicolon")


def test_wrong_delimiter_that_no_other_mends_is_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(ColumnMissing):
        read(tmp_path, "id;name\n1;Ana\n", delimiter=",")


def test_repeated_column_is_refused_only_where_it_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(HeaderDuplicate) as caught:
        read(tmp_path, "id,given name,surname,surname\n1,Ana,Lee,Li\n")
    assert caught.value.columns == ("surname",)
    assert '"surname"' in str(caught.value)

    assert read(tmp_path, f"{HEADER},note,note\n1,Ana,Lee,a,b\n").record_ids == ["1"]


def test_header_problems_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(SourceProblems) as caught:
        read(tmp_path, "id,id,surname\n1,2,Lee\n")

    assert [type(problem) for problem in caught.value.problems] == [ColumnMissing, HeaderDuplicate]


def test_row_problems_are_told_together_by_spreadsheet_row(tmp_path: Path) -> None:
    rows = ["1,Ana,Lee", "2,Bo", ",Cy,Li", "", "1,Di,Ng", "3,Ed,Ito,x", "1,Fay,Orr"]
    with pytest.raises(SourceProblems) as caught:
        read(tmp_path, "\n".join([HEADER, *rows]))

    ragged, blank, repeated = caught.value.problems
    assert isinstance(ragged, RaggedRows)
    assert ragged.rows == (3, 7)
    assert isinstance(blank, BlankIds)
    assert blank.rows == (4,)
    assert isinstance(repeated, DuplicateIds)
    assert repeated.rows == (6, 8)
    assert "the source has 3 problems: (1) rows with more or fewer values" in str(caught.value)


def test_many_faulty_rows_are_counted_and_the_first_twenty_listed(tmp_path: Path) -> None:
    with pytest.raises(DuplicateIds) as caught:
        read(tmp_path, HEADER + "\n1,Ana,Lee" * 31)

    assert caught.value.rows == tuple(range(3, 23))
    assert caught.value.total == 30
    assert "22 and 10 more;" in str(caught.value)


@pytest.mark.parametrize("after", [1, 40, 150])
def test_open_quote_is_refused_before_it_swallows_rows(tmp_path: Path, after: int) -> None:
    rest = "".join(f"\n{number},Bo,Li" for number in range(2, 2 + after))

    with pytest.raises(QuoteOpen) as caught:
        read(tmp_path, f'{HEADER}\n1,Ana,"Lee{rest}')
    assert caught.value.row == 2


def test_every_error_has_its_own_code_and_a_sentence_that_formats() -> None:
    errors: list[BadInput] = [
        SourceMissing(source="a.csv", problem="no such file"),
        SourceEmpty(source="a.csv", problem="it has no bytes"),
        EncodingUnknown(encoding="klingon"),
        DelimiterInvalid(),
        ColumnMissing(columns=("a",), header=()),
        HeaderDuplicate(columns=("a",)),
        DelimiterWrong(declared="comma", better="tab"),
        QuoteOpen(row=2),
        RaggedRows(rows=(2,), total=1),
        BlankIds(rows=(2,), total=1),
        DuplicateIds(rows=(2,), total=1),
    ]

    assert len({error.code for error in errors}) == len(errors)
    assert "{" not in str(SourceProblems(problems=tuple(errors)))


def test_records_of_unequal_columns_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="one value a record"):
        Records(
            record_ids=["1", "2"],
            columns={"zip": ["63101"]},
            source=SourceDescription(kind="CSV", rows=2, findings=()),
        )


LONG_FILE_ROWS = 9_000
"""So many that the file is read in several blocks."""


def _drawn_rows() -> list[list[str]]:
    """Rows of which many take several lines, and some are blank."""
    drawn = random.Random(5)
    parts = ["Ana", " ", "\n", "\r\n", '"', ",", "O'Neil", "\ufffd", ""]
    rows = [[str(n), "".join(drawn.choices(parts, k=4)), "Ruiz"] for n in range(LONG_FILE_ROWS)]
    return [["", "", ""] if drawn.random() < 0.01 else row for row in rows]


@pytest.mark.parametrize("every", [1, 1500])
def test_long_file_is_read_as_row_by_row_wherever_values_go_on_over_lines(tmp_path: Path, every: int) -> None:
    rows = [[row[0], row[1] and "Ana", row[2]] if n % every else row for n, row in enumerate(_drawn_rows())]
    text = io.StringIO()
    csv.writer(text).writerows([["id", "first", "last"], *rows])

    path = written(tmp_path, text.getvalue())
    records = read_csv(path, columns={"first_name": "first"}, id_column="id", encoding="utf-8")

    whole = [row for row in rows if row[0]]
    assert records.record_ids == [row[0] for row in whole]
    assert records.columns["first_name"] == [row[1].strip() for row in whole]
    damaged = [n for n, row in enumerate(rows, 2) if "\ufffd" in row[1]]
    assert any(f"rows: {', '.join(map(str, damaged[:3]))}" in finding for finding in records.source.findings)


def test_faults_far_down_a_long_file_are_told_by_their_rows(tmp_path: Path) -> None:
    lines = ["id,first,last", *(f"{n},Ana,Ruiz" for n in range(LONG_FILE_ROWS))]
    lines[7_001], lines[7_002], lines[7_003], lines[8_000] = "7,Ana", ",,", ",Ana,Ruiz", "7,Ana,Ruiz"

    with pytest.raises(SourceProblems) as caught:
        read_csv(written(tmp_path, "\n".join(lines)), columns={"first_name": "first"}, id_column="id")

    assert [(type(one), getattr(one, "rows", None)) for one in caught.value.problems] == [
        (RaggedRows, (7_002,)),
        (BlankIds, (7_004,)),
        (DuplicateIds, (8_001,)),
    ]


def test_quote_that_opens_far_down_a_long_file_is_told_by_its_row(tmp_path: Path) -> None:
    lines = ["id,first,last", *(f"{n},Ana,Ruiz" for n in range(LONG_FILE_ROWS))]
    lines[7_001] = '7000,"Ana,Ruiz'

    with pytest.raises(QuoteOpen) as caught:
        read_csv(written(tmp_path, "\n".join(lines)), columns={"first_name": "first"}, id_column="id")

    assert caught.value.row == 7_002
