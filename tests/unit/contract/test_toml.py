"""What is wrong with a TOML file is said as the person who wrote it sees the file: keys, headings, lines, examples."""

import pytest

from isthmus.contract.project import Project
from isthmus.contract.toml import TomlInvalid, read_toml, toml_text
from isthmus.coordinator.config import CoordinatorConfig
from isthmus.node.config import NodeConfig

STUDENTS = '[datasets.students]\nid_column = "Id"\n[datasets.students.columns]\n'
CONSENT = "datasets.students.consent"
RULE = f"[[{CONSENT}]]\n"
ANY = '"some text"'
A_TEXT = "text in quotes, such as"
A_TABLE = "a table with keys of its own under a heading, such as"
TABLES = "a list of tables, each under a heading in double brackets:"
TEXTS = "a list in brackets, each text in quotes, such as"
A_HASH = "the hash of a project, 64 digits and letters from a to f, as isthmus-node round show prints it"
SECRET = "Zebedeu-Planted"


def _said(text: str, into: type = NodeConfig) -> str:
    with pytest.raises(TomlInvalid) as caught:
        read_toml(text, into)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("encoder = 3", 'encoder has to be one of "clkhash", "isthmus"'),
        ("zzz = 3", "the file has a key that is not known, zzz; known are datasets, policy, keys, encoder"),
        ("[keys]\nsealedby = 3", "[keys] has a key that is not known, sealedby; did you mean sealed_by?"),
        ("[datasets.a]", f"[datasets.a] lacks id_column: {A_TEXT} id_column = {ANY}"),
        ("[datasets.a]\nid_column = 3", f"id_column in [datasets.a] has to be {A_TEXT} id_column = {ANY}"),
        ("[datasets.a]\nid_column = 'x'", f"[datasets.a] lacks columns: {A_TABLE} [datasets.a.columns]"),
        ("datasets = 3", f"datasets has to be {A_TABLE} [datasets.NAME]"),
        ("policy = 3", f"policy has to be {A_TABLE} [policy]"),
        (f"{STUDENTS}a = 'a'\ndob = 3", f"dob in [datasets.students.columns] has to be {A_TEXT} dob = {ANY}"),
        (
            f"{STUDENTS}[datasets.'my data']\nid_column = 3",
            f'id_column in [datasets."my data"] has to be {A_TEXT} id_column = {ANY}',
        ),
        (f"{STUDENTS}{RULE}column = 3", f"column in [[{CONSENT}]] number 1 has to be {A_TEXT} column = {ANY}"),
        (
            f"{STUDENTS}{RULE}column = 'x'\nfrom = 'x'",
            f"from in [[{CONSENT}]] number 1 has to be a day, year first, such as from = 2026-09-01",
        ),
        (
            f"{STUDENTS}[{CONSENT}]\n",
            f"consent in [datasets.students] has to be {TABLES} [[{CONSENT}]]",
        ),
        (
            "[policy]\nsign_automatically = ['x']",
            f"item 1 of sign_automatically in [policy] has to be {A_HASH}",
        ),
        (
            "[policy]\nsign_automatically = 3",
            f'sign_automatically in [policy] has to be {TEXTS} sign_automatically = [{ANY}, "other text"]',
        ),
    ],
)
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
