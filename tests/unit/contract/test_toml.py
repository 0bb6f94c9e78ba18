"""What is wrong with a TOML file is said as the person who wrote it sees the file: keys, headings, lines, examples."""

import pytest

from isthmus.contract.project import Project
from isthmus.contract.toml import TomlInvalid, read_toml, toml_text
from isthmus.coordinator.config import CoordinatorConfig
from isthmus.node.config import NodeConfig

STUDENTS = '[datasets.students]\nid_column = "Id"\n[datasets.students.columns]\n'
SECRET = "Zebedeu-Planted"


def _said(text: str, into: type = NodeConfig) -> str:
    with pytest.raises(TomlInvalid) as caught:
        read_toml(text, into)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("encoder = 3", 'encoder has to be one of "clkhash", "isthmus"'),
        ("[datasets.students]", '[datasets.students] lacks id_column: text in quotes, such as id_column = "some text"'),
        ("[datasets.a]\nid_column = 3", 'id_column in [datasets.a] has to be text in quotes, such as id_column = "some text"'),
        ('[datasets.a]\nid_column = "x"', "[datasets.a] lacks columns: a table with keys of its own under a heading, such as [datasets.a.columns]"),
        ("datasets = 3", "datasets has to be a table with keys of its own under a heading, such as [datasets.NAME]"),
        ("[keys]\nsealedby = 3", "[keys] has a key that is not known, sealedby; did you mean sealed_by?"),
        ("zzz = 3", "the file has a key that is not known, zzz; known are datasets, policy, keys, encoder"),
        (f'{STUDENTS}first_name = "a"\ndob = 3', 'dob in [datasets.students.columns] has to be text in quotes, such as dob = "some text"'),
        (f'{STUDENTS}[datasets."my data"]\nid_column = 3', 'id_column in [datasets."my data"] has to be text in quotes, such as id_column = "some text"'),
        (f"{STUDENTS}[[datasets.students.consent]]\ncolumn = 3", 'column in [[datasets.students.consent]] number 1 has to be text in quotes, such as column = "some text"'),
        (f'{STUDENTS}[[datasets.students.consent]]\ncolumn = "x"\nfrom = "x"', "from in [[datasets.students.consent]] number 1 has to be a day, year first, such as from = 2026-09-01"),
        (f"{STUDENTS}[datasets.students.consent]\n", "consent in [datasets.students] has to be a list of tables, each under a heading in double brackets: [[datasets.students.consent]]"),
        ('[policy]\nsign_automatically = ["x"]', "item 1 of sign_automatically in [policy] has to be the hash of a project, 64 digits and letters from a to f, as isthmus-node round show prints it"),
        ("[policy]\nsign_automatically = 3", 'sign_automatically in [policy] has to be a list in brackets, each text in quotes, such as sign_automatically = ["some text", "other text"]'),
    ],
)  # fmt: skip
def test_message_names_key_heading_and_what_belongs_there(text: str, said: str) -> None:
    assert _said(text) == said


def test_message_names_the_range_of_a_number() -> None:
    said = _said("[listen]\nservice_port = 99999", CoordinatorConfig)

    assert said.startswith("service_port in [listen] has to be a whole number without quotes from 1 to 65535")


def test_message_names_true_and_false() -> None:
    assert _said('confine = "yes"', CoordinatorConfig).endswith("such as confine = true")


def test_message_counts_tables_of_a_list_from_one() -> None:
    providers = '[[providers]]\nparty = "a"\ndataset = "d"\nfields = []\n[[providers]]\nparty = 3\n'
    head = 'format = "f"\nid = "i"\ntitle = "t"\npurpose = "p"\nlead = "l"\nreveal = "linked"\n'

    assert _said(head + providers, Project).startswith("party in [[providers]] number 2 has to be text in quotes")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("id_column = StudentId", "a text needs quotes"),
        ('file = "C:\\Users\\students.csv"', "write / for each"),
        ('file = "\\students.csv"', "write / for each"),
        ("[keys]\n[keys]", "stands once"),
        ("a = 1\na = 2", "stands once"),
        ("x = " + "[" * 5000, "it is not TOML"),
    ],
)
def test_text_that_is_no_toml_is_said_with_a_hint(text: str, hint: str) -> None:
    said = _said(text)

    assert said.startswith("it is not TOML: ")
    assert hint in said


@pytest.mark.parametrize(
    "text",
    [f'encoder = "{SECRET}"', f'datasets = "{SECRET}"', f'[policy]\nsign_automatically = ["{SECRET}"]',
     f'[datasets.a]\nid_column = "x"\nheader_row = "{SECRET}"', f"id_column = {SECRET}"],
)  # fmt: skip
def test_message_repeats_no_value(text: str) -> None:
    assert SECRET not in _said(text)


def test_text_after_a_byte_order_mark_is_read() -> None:
    assert read_toml(toml_text(b'\xef\xbb\xbfencoder = "clkhash"'), NodeConfig).encoder == "clkhash"


def test_bytes_that_are_no_utf8_are_said_with_their_line() -> None:
    with pytest.raises(TomlInvalid, match="line 2 is not UTF-8 text; open the file in an editor"):
        toml_text(b"a = 1\nb = '\xfc'\n")
