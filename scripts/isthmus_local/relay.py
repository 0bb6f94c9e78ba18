"""A relay on the loopback address that counts what goes through it, so that bytes on the wire are seen as they are."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

PIECE_BYTES: Final = 2**16


@dataclass(slots=True)
class Count:
    """Bytes that went one way."""

    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where it listens, and what those who dial in `sent` and `received` so far: one count for all connections."""

    port: int
    sent: Count = field(default_factory=Count)
    received: Count = field(default_factory=Count)


@contextmanager
def relaying(target: tuple[str, int]) -> Iterator[Relay]:
    """Pass on connections to the target while the block runs. It reads nothing of them: TLS is between both ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        relay = Relay(port=listening.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(relay, listening, target), daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(relay: Relay, listening: socket.socket, target: tuple[str, int]) -> None:
    """Take connections until the socket is shut, then wait until the last one has ended."""
    pumps = list[threading.Thread]()
    with suppress(OSError):
        while True:
            near, far = listening.accept()[0], socket.create_connection(target)
            pumps.append(threading.Thread(target=_pass_on, args=(relay, near, far), daemon=True))
            pumps[-1].start()
    for one in pumps:
        one.join()


def _pass_on(relay: Relay, near: socket.socket, far: socket.socket) -> None:
    with near, far:
        back = threading.Thread(target=_pump, args=(far, near, relay.received), daemon=True)
        back.start()
        _pump(near, far, relay.sent)
        back.join()


def _pump(source: socket.socket, sink: socket.socket, count: Count) -> None:
    """Pass on what comes until one side ends, and end both then."""
    with suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            count.size += len(piece)
            sink.sendall(piece)
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
