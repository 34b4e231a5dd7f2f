"""Addresses where no Ray cluster is: each is refused within seconds, and Ray is not asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from trtcolor.cluster import connection
from trtcolor.cluster.connection import answers, connected
from trtcolor.errors import ClusterError


@contextmanager
def _server(reply: bytes | None) -> Iterator[str]:
    """One that takes a connection and sends these bytes; None: it says nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Event()

        def serve() -> None:
            with listening.accept()[0] as taken:
                if reply is None:
                    done.wait(30)
                else:
                    taken.recv(1000)
                    taken.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        thread.join(30)


def _refused(address: str) -> str:
    with pytest.raises(ClusterError) as caught, connected(address):
        pass
    return str(caught.value)


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:", ":6379", "head:port", ""])
def test_what_is_no_host_and_port_is_refused(address: str) -> None:
    assert "HOST:PORT" in _refused(address)


def test_a_port_where_nobody_listens_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    assert f"no Ray cluster answers at {address}" in _refused(address)


def test_a_port_that_does_not_exist_is_refused() -> None:
    assert "no Ray cluster answers" in _refused("127.0.0.1:99999")


def test_a_web_server_is_no_cluster() -> None:
    with _server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        assert "no Ray cluster answers" in _refused(address)


def test_a_server_that_hangs_up_is_no_cluster() -> None:
    with _server(b"\0\0") as address:
        assert not answers(address)


def test_a_server_that_says_nothing_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SECONDS_TO_ANSWER", 0.2)
    with _server(None) as address:
        assert "no Ray cluster answers" in _refused(address)


def test_an_http2_server_answers() -> None:
    with _server(bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))) as address:
        assert answers(address)


def test_auto_heeds_the_address_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert "127.0.0.1:1" in _refused("auto")
