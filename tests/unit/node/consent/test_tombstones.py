"""Which rows that already left are to be struck out."""

from isthmus.node.consent.tombstones import due_tombstones

ROWS = {bytes([byte]) * 16: f"rec-{byte}" for byte in (9, 3, 7, 1)}


def test_handles_of_records_left_out_now_are_due_in_their_order() -> None:
    due = due_tombstones(ROWS, left_out={"rec-9", "rec-1", "rec-5"}.__contains__, tombstoned=())

    assert due == (b"\x01" * 16, b"\x09" * 16)


def test_handles_that_were_struck_out_before_are_not_due_again() -> None:
    due = due_tombstones(ROWS, left_out=lambda _: True, tombstoned={b"\x03" * 16, b"\x07" * 16, b"\x05" * 16})

    assert due == (b"\x01" * 16, b"\x09" * 16)


def test_nothing_is_due_while_nobody_is_left_out() -> None:
    assert due_tombstones(ROWS, left_out=lambda _: False, tombstoned=()) == ()
