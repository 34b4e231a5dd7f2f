"""A way to a server of this machine that breaks off."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Way:
    """Hands on what comes to `port`, until so many bytes have gone to the server.

    Args:
        server: the server's port.
        limit: bytes that go to the server, of all connections together.
        down: bytes that come back; None: any number.
        stalls: nothing goes on then, and nobody is told; else connections are cut, and no further
            one is taken.

    Attributes:
        port: of 127.0.0.1.
        broken: set once the limit is reached.
    """

    def __init__(self, server: int, limit: int, *, down: int | None, stalls: bool) -> None:
        self._server, self._stalls = server, stalls
        self._left = {True: limit, False: float("inf") if down is None else down}
        self._lock = threading.Lock()
        self.broken = threading.Event()
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for end in (self._listening, *self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                server = socket.create_connection(("127.0.0.1", self._server))
                self._open += [client, server]
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._hand_on, args=ends, daemon=True).start()

    def _hand_on(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        with suppress(OSError):
            while content := source.recv(1 << 16):
                with self._lock:
                    content = content[: int(min(self._left[up], len(content)))]
                    self._left[up] -= len(content)
                    ended = self._left[up] <= 0
                target.sendall(content)
                if ended:
                    self.broken.set()
                    if not self._stalls:
                        self.close()
                    return
            target.shutdown(socket.SHUT_WR)


@contextmanager
def way_to(
    server: int, limit: int, *, down: int | None = None, stalls: bool = False
) -> Iterator[Way]:
    """Such a way, for a block of ``with``."""
    way = Way(server, limit, down=down, stalls=stalls)
    try:
        yield way
    finally:
        way.close()
