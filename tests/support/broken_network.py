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
        stalls: nothing goes on then, and nobody is told; else connections are cut, and no further
            one is taken.

    Attributes:
        port: of 127.0.0.1.
        broken: set once the limit is reached.
    """

    def __init__(self, server: int, limit: int, *, stalls: bool) -> None:
        self._server, self._left, self._stalls = server, limit, stalls
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
                threading.Thread(target=self._up, args=(client, server), daemon=True).start()
                threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while content := client.recv(1 << 16):
                with self._lock:
                    content = content[: self._left]
                    self._left -= len(content)
                    ended = self._left <= 0
                server.sendall(content)
                if ended:
                    self.broken.set()
                    if not self._stalls:
                        self.close()
                    return
            server.shutdown(socket.SHUT_WR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while content := server.recv(1 << 16):
                client.sendall(content)
            client.shutdown(socket.SHUT_WR)


@contextmanager
def way_to(server: int, limit: int, *, stalls: bool = False) -> Iterator[Way]:
    """Such a way, for a block of ``with``."""
    way = Way(server, limit, stalls=stalls)
    try:
        yield way
    finally:
        way.close()
