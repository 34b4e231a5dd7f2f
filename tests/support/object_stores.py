"""An S3 server in a process of its own, and a web server, each with what a test puts there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec

WEB_SECRET = "thrownsignature"
KEY, SECRET = "AKIDTHROWNINBYTESTS", "thrown/in+by=tests"
"""Credentials that no log, report or message may show."""


@dataclass
class S3Server:
    """moto's server of S3, which this machine alone reaches.

    Attributes:
        port: of 127.0.0.1.
    """

    port: int
    process: subprocess.Popen[bytes]
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def post(self, path: str, content: bytes = b"") -> None:
        """Ask it for something of moto's own, as ``reset`` or ``reset-auth``."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/moto-api/{path}",
            data=content,
            method="POST",
            headers={"Content-Type": "text/plain"},
        )
        urllib.request.urlopen(request).close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def s3_server(port: int | None = None) -> Iterator[S3Server]:
    """Start one; it is gone, with all that it stores, when the block ends."""
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
    )
    server = S3Server(port, process)
    try:
        _wait(server)
        yield server
    finally:
        server.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number: int = listening.getsockname()[1]
        return number


@dataclass(frozen=True)
class Bucket:
    """A bucket of such a server, looked into by a client that is not trtcolor's."""

    server: S3Server
    name: str

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def fill(self, objects: dict[str, bytes]) -> None:
        for key, content in objects.items():
            self._client.call_s3("put_object", Bucket=self.name, Key=key, Body=content)

    def content(self, prefix: str = "") -> dict[str, bytes]:
        """All objects below a prefix by their names there, those of .trtcolor apart."""
        start = f"{self.name}/{prefix}"
        return {
            name.removeprefix(start).lstrip("/"): self._client.cat_file(name)
            for name in self._find(start.rstrip("/"))
            if "/.trtcolor/" not in name
        }

    def load(self, key: str) -> bytes:
        content: bytes = self._client.cat_file(f"{self.name}/{key}")
        return content

    def remove(self, key: str) -> None:
        self._client.rm_file(f"{self.name}/{key}")

    def begin_upload(self, key: str) -> None:
        """One that nobody ends."""
        self._client.call_s3("create_multipart_upload", Bucket=self.name, Key=key)

    def inner(self, prefix: str) -> list[str]:
        """Names of what trtcolor keeps below a prefix beside the outputs."""
        start = f"{self.name}/{prefix}/.trtcolor"
        return [name.removeprefix(f"{start}/") for name in self._find(start)]

    def uploads(self) -> list[str]:
        """Keys of uploads that were begun and not ended."""
        listed = self._client.call_s3("list_multipart_uploads", Bucket=self.name)
        return [upload["Key"] for upload in listed.get("Uploads", [])]

    def _find(self, prefix: str) -> list[str]:
        """All objects below a prefix; one that is filled meanwhile is itself found as a folder."""
        found = self._client.find(prefix, refresh=True, detail=True)
        return [name for name, about in found.items() if about["type"] == "file"]

    @property
    def _client(self) -> fsspec.AbstractFileSystem:
        return fsspec.filesystem(
            "s3",
            key=KEY,
            secret=SECRET,
            endpoint_url=self.server.environment["AWS_ENDPOINT_URL"],
            use_listings_cache=False,
        )


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Serve a folder; the address of it. What is asked for as ``/secret/...`` needs a query."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def send_head(self) -> Any:
            if self.path.startswith("/secret/") and f"signature={WEB_SECRET}" not in self.path:
                return self.send_error(403)
            return super().send_head()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def make_bucket(server: S3Server, name: str) -> Bucket:
    bucket = Bucket(server, name)
    bucket._client.call_s3("create_bucket", Bucket=name)
    return bucket


def _wait(server: S3Server) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/moto-api/").close()
            return
        except OSError:
            if server.process.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError("moto's server does not start")
