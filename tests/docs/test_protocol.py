"""What docs/protocol.md states as bytes is what the code computes."""

import re
from pathlib import Path

import numpy as np
import pytest
from docs.pages import DOCS, ROOT, numbered_sections, read, source_files, table_rows

from isthmus.contract.agreement import AGREEMENT_FORMAT, WITHDRAWAL_FORMAT
from isthmus.contract.audit_log import EVENT_FORMAT
from isthmus.contract.canonical import Label
from isthmus.contract.checkpoint import ACKNOWLEDGEMENT_FORMAT, CHECKPOINT_FORMAT
from isthmus.contract.encodings import (
    CHUNK_BYTES,
    MAX_ROWS,
    RECEIPT_FORMAT,
    SUBMISSION_FORMAT,
    row_bytes,
    rows_per_chunk,
)
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.log_export import EXPORT_FORMAT
from isthmus.contract.manifest import MANIFEST_FORMAT
from isthmus.contract.profile import PROFILE_FORMAT, default_threshold, interop_1
from isthmus.contract.project import PROJECT_FORMAT
from isthmus.contract.quality import QUALITY_FORMAT
from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.contract.tombstones import TOMBSTONES_FORMAT
from isthmus.coordinator.disclosure.release import FORMAT as TABLE_FORMAT
from isthmus.coordinator.domain.entities import entity_id
from isthmus.coordinator.domain.longitudinal import PresentRows, carry_over
from isthmus.coordinator.domain.pseudonyms import pseudonym
from isthmus.node.keys.handles import lasting_handles
from isthmus.node.keys.linkage_key import kdf_info, key_check_value, round_key

PROTOCOL = read(DOCS / "protocol.md")
KEY = Secret(bytes(range(32)))
PROJECT, ROUND = ProjectId("demo"), RoundId("demo-0000000001")
FORMATS = (
    *(PROJECT_FORMAT, MANIFEST_FORMAT, SUBMISSION_FORMAT, RECEIPT_FORMAT),
    *(AGREEMENT_FORMAT, WITHDRAWAL_FORMAT),
    *(TOMBSTONES_FORMAT, TABLE_FORMAT, PROFILE_FORMAT, QUALITY_FORMAT),
    *(EVENT_FORMAT, CHECKPOINT_FORMAT, ACKNOWLEDGEMENT_FORMAT, EXPORT_FORMAT),
)
CITATION = re.compile(r"docs/protocol\.md,?[\s#\"/*]*sections?\s+(\d+)(?:\s+(?:to|and)\s+(\d+))?")


def _section(number: int) -> str:
    return PROTOCOL.partition(f"\n## {number}. ")[2].partition("\n## ")[0]


def _cited_sections(path: Path) -> set[int]:
    found = (map(int, filter(None, numbers)) for numbers in CITATION.findall(read(path)))
    return {number for numbers in found for number in numbers}


def test_protocol_has_sections_one_to_sixteen() -> None:
    assert numbered_sections(PROTOCOL) == set(range(1, 17))


def test_sections_that_code_cites_are_there() -> None:
    cited = {number for path in source_files() for number in _cited_sections(path)}

    assert {2, 3, 4, 6, 8, 10, 12, 13, 14, 15, 16} <= cited <= numbered_sections(PROTOCOL)


@pytest.mark.parametrize("label", Label)
def test_every_signature_label_is_in_section_three(label: Label) -> None:
    assert f"| `{label.value}` |" in _section(3)


@pytest.mark.parametrize("name", FORMATS)
def test_every_document_format_is_named(name: str) -> None:
    assert f"`{name}`" in PROTOCOL


def test_round_key_and_key_check_examples_are_what_the_code_derives() -> None:
    encode = round_key(KEY, project=PROJECT, round_id=ROUND, label="encode").reveal().hex()
    check = key_check_value(KEY, project=PROJECT, round_id=ROUND).hex()

    assert f"encode     {encode}\n" in _section(4)
    assert f"key check  {check}\n" in _section(4)


def test_encoder_info_is_as_stated() -> None:
    assert kdf_info(PROJECT, ROUND).decode().replace("demo-0000000001", "ROUND").replace("demo", "PROJECT") in _section(
        4
    )


def _field_rows() -> list[list[str]]:
    """Give the rows of the table of fields: name, comparison, weight, points."""
    return [row for row in table_rows(_section(5)) if len(row) == 4 and row[0].startswith("`")]


def test_field_table_has_every_standard_field_in_order() -> None:
    rows = [row[0].strip("`") for row in _field_rows()]

    assert rows == list(STANDARD_FIELDS)


def test_field_table_gives_the_bits_that_the_profile_sets() -> None:
    weights = {row[0].strip("`"): int(row[2]) for row in _field_rows()}
    features = interop_1(tuple(STANDARD_FIELDS)).linkage_schema["features"]

    stated = [round(500 * weights[field] / sum(weights.values())) for field in STANDARD_FIELDS]
    assert stated == [feature["hashing"]["strategy"]["bitsPerFeature"] for feature in features]


def test_field_table_gives_the_comparisons_of_the_profile() -> None:
    said = {row[0].strip("`"): row[1] for row in _field_rows()}

    for feature in interop_1(tuple(STANDARD_FIELDS)).linkage_schema["features"]:
        comparison = feature["hashing"]["comparison"]
        words = ("positional " if comparison.get("positional") else "") + f"{comparison.get('n')}-grams"
        assert said[feature["identifier"]] == ("exact" if comparison["type"] == "exact" else words)


@pytest.mark.parametrize(
    "fields", [("first_name", "last_name", "dob"), ("sex", "zip"), ("first_name", "ssn"), tuple(STANDARD_FIELDS)]
)
def test_field_table_gives_the_declared_threshold(fields: tuple[str, ...]) -> None:
    points = {row[0].strip("`"): int(row[3]) for row in _field_rows()}

    stated = min(90, max(62, 80 - sum(points[field] for field in fields)))
    assert default_threshold(fields) == f"0.{stated}"


def test_submission_sizes_are_as_stated() -> None:
    section = " ".join(_section(6).split())

    assert f"{row_bytes(1024)} bytes" in section
    assert f"{CHUNK_BYTES:,} bytes" in section
    assert f"{rows_per_chunk(1024):,}, fewer in the last" in section
    assert f"(1 to {MAX_ROWS:,})" in section


def test_entity_and_pseudonym_examples_are_what_the_code_computes() -> None:
    entity = entity_id([b"\xff" * 16, bytes(16)])

    assert entity.hex() in _section(8)
    assert f"`{pseudonym(bytes(32), entity)}`" in _section(8)


def test_lasting_handle_and_fresh_id_examples_are_what_the_code_makes() -> None:
    handle = lasting_handles(Secret(bytes(range(32))), ["STUDENT-1"])
    shown, one = np.ones(1, np.bool_), np.zeros(1, np.int64)
    handles = {PartyId("first"): np.zeros((1, 16), np.uint8), PartyId("second"): np.full((1, 16), 255, np.uint8)}
    rows = [PresentRows(party=party, handles=own, cluster=one, shown=shown) for party, own in handles.items()]
    carried = carry_over({}, rows, round_id=RoundId("k12-to-work-0000000001"), number=1)

    assert handle.tobytes().hex() in _section(15)
    assert {ids.tobytes().hex() for ids in carried.ids.values()} <= set(re.findall(r"[0-9a-f]{64}", _section(15)))


def test_every_audit_action_in_the_code_is_in_section_twelve() -> None:
    sources = (ROOT / "coordinator" / "src", ROOT / "proto" / "src" / "isthmus" / "contract")
    code = "".join(read(path) for source in sources for path in source.rglob("*.py"))
    scopes = "party|token|identity|certificate|access|project|round|submission|comparison|answers|pseudonym-key|result"
    scopes += "|entities|table|quality|log|agreement"
    actions = set(re.findall(rf'"((?:{scopes})\.[a-z]+)"', code))

    assert set(re.findall(r"`([a-z-]+\.[a-z]+)`", _section(12))) == actions
