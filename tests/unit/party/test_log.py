"""The log: a field that is not on the list never reaches it, whatever a caller passes."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from isthmus.party.log import ALLOWED_FIELDS, configure_logging, keep_allowed


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logging(stream)
    yield stream
    structlog.reset_defaults()


def test_allowed_fields_pass_unchanged() -> None:
    event = {"event": "matching", "round_id": "k12-to-work-1", "rows": 12}

    assert keep_allowed(None, "info", dict(event)) == event


@pytest.mark.parametrize("name", ["handle", "pseudonym", "first_name", "secret", "exc_info", "stack_info", "Event"])
def test_other_fields_are_withheld_and_counted(name: str) -> None:
    kept = keep_allowed(None, "info", {"event": "stored", "party": "riverside", name: "Maria", "clk": b"\x01"})

    assert kept == {"event": "stored (2 field(s) withheld)", "party": "riverside"}


def test_event_without_a_name_is_still_logged() -> None:
    assert keep_allowed(None, "info", {"handle": 1}) == {"event": " (1 field(s) withheld)"}


def test_list_holds_nothing_that_could_name_a_person() -> None:
    forbidden = {
        "name",
        "value",
        "record_id",
        "handle",
        "pseudonym",
        "clk",
        "key",
        "token",
        "secret",
        "error",
        "exc_info",
    }

    assert not forbidden & ALLOWED_FIELDS


def test_log_is_json_lines_without_what_was_withheld(stream: io.StringIO) -> None:
    log = structlog.get_logger()
    try:
        raise ValueError("Maria Lopez is in row 4")
    except ValueError:
        log.exception("failed", round_id="r-1", record="Maria")

    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["round_id"]) == ("failed (2 field(s) withheld)", "error", "r-1")
    assert "Maria" not in stream.getvalue()
