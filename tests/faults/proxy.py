"""A TCP relay on loopback that can be told to stop passing bytes: a line that breaks at a chosen place."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Passes bytes between clients and one server until `limit` bytes went towards the server; then holds."""

    def __init__(self, target: int, limit: int) -> None:
        """Relay to that port of the loopback address."""
        self._target = target
        self._limit = limit
        self._sent = 0
        self._open = threading.Event()
        self._open.set()
        self._cut = False
        self._lock = threading.Lock()
        self.blocked = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        """The port to connect to."""
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for source, sink, counted in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=(source, sink, counted), daemon=True).start()

    def cut(self) -> None:
        """Pass nothing any more, nor what was sent and is still held here."""
        self._cut = True
        self._open.set()

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with suppress(OSError), source, sink:
            while data := source.recv(65536):
                if counted:
                    self._count(len(data))
                    self._open.wait()
                if self._cut:
                    return
                sink.sendall(data)

    def _count(self, size: int) -> None:
        with self._lock:
            self._sent += size
            if self._sent > self._limit:
                self._open.clear()
                self.blocked.set()


@contextmanager
def relay(target: int, *, limit: int) -> Iterator[Relay]:
    """Run a relay while the block runs."""
    one = Relay(target, limit)
    threading.Thread(target=one.serve, daemon=True).start()
    try:
        yield one
    finally:
        one.cut()
        one.listener.close()
