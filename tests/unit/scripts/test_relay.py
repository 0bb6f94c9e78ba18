"""The relay that counts what goes through it."""

import socket
import threading

from isthmus_local.relay import relaying


def _said(connection: socket.socket, size: int) -> bytes:
    """Give the next so many bytes, or fewer where the other side ends before."""
    said = b""
    while len(said) < size and (piece := connection.recv(size - len(said))):
        said += piece
    return said


def _answer_twice(listening: socket.socket) -> None:
    with listening.accept()[0] as connection:
        connection.sendall(2 * _said(connection, 3000))


def test_relay_passes_on_what_comes_and_counts_both_ways() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = threading.Thread(target=_answer_twice, args=(listening,), daemon=True)
        answering.start()

        with (
            relaying(listening.getsockname()) as relay,
            socket.create_connection(("127.0.0.1", relay.port), timeout=10) as caller,
        ):
            caller.sendall(b"x" * 3000)
            said = _said(caller, 7000)
        answering.join(10)

    assert said == b"x" * 6000
    assert (relay.sent.size, relay.received.size) == (3000, 6000)
