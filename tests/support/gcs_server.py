"""A server with as much of Google's JSON API for storage as gcsfs asks for.

Written after https://cloud.google.com/storage/docs/json_api: objects listed, got, inserted at once
or in chunks, rewritten and deleted, with the precondition ``ifGenerationMatch=0``.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

OBJECT = re.compile(r"(?:/download)?/storage/v1/b/([^/]+)/o/([^/]+)")
LISTING = re.compile(r"/storage/v1/b/([^/]+)/o")
INSERT = re.compile(r"/upload/storage/v1/b/([^/]+)/o")
REWRITE = re.compile(r"/storage/v1/b/([^/]+)/o/([^/]+)/rewriteTo/b/([^/]+)/o/([^/]+)")


class GcsServer(ThreadingHTTPServer):
    """Objects by bucket and key; buckets are those in `buckets`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.buckets: set[str] = set()
        self.objects: dict[tuple[str, str], tuple[bytes, int]] = {}
        self.uploads: dict[str, tuple[str, str, bool, bytearray]] = {}
        self.lock = threading.Lock()
        self.generation = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def keys(self, bucket: str) -> list[str]:
        return sorted(key for place, key in self.objects if place == bucket)

    def put(self, bucket: str, key: str, content: bytes, *, only_new: bool = False) -> bool:
        """Whether it may be."""
        with self.lock:
            if only_new and (bucket, key) in self.objects:
                return False
            self.generation += 1
            self.objects[bucket, key] = content, self.generation
            return True

    def described(self, bucket: str, key: str) -> dict[str, Any]:
        content, generation = self.objects[bucket, key]
        written = datetime(2026, 1, 1, 0, generation // 60 % 60, generation % 60, tzinfo=UTC)
        return {
            "bucket": bucket,
            "name": key,
            "size": str(len(content)),
            "generation": str(generation),
            "etag": f"e{generation}",
            "updated": written.isoformat().replace("+00:00", ".000Z"),
        }


class _Handler(BaseHTTPRequestHandler):
    server: GcsServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, query = self._asked()
        if match := OBJECT.fullmatch(path):
            found = self._names(match)
            if found not in self.server.objects:
                self._answer(404, {"error": {"message": "Not Found"}})
            elif query.get("alt") == "media":
                self._answer(200, self.server.objects[found][0])
            else:
                self._answer(200, self.server.described(*found))
        elif match := LISTING.fullmatch(path):
            self._list(unquote(match[1]), query)
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        path, query = self._asked()
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if match := REWRITE.fullmatch(path):
            source, target = self._names(match), (unquote(match[3]), unquote(match[4]))
            if source not in self.server.objects:
                self._answer(404, {"error": {"message": "Not Found"}})
                return
            self.server.put(*target, self.server.objects[source][0])
            self._answer(200, {"done": True, "resource": self.server.described(*target)})
        elif match := INSERT.fullmatch(path):
            self._insert(unquote(match[1]), query, content)
        else:
            self._answer(404, {})

    def do_DELETE(self) -> None:
        if INSERT.fullmatch(self._asked()[0]):  # an upload that is given up
            self._answer(499, {})
            return
        match = OBJECT.fullmatch(self._asked()[0])
        gone = None if match is None else self.server.objects.pop(self._names(match), None)
        self._answer(404 if gone is None else 204, {})

    def _insert(self, bucket: str, query: dict[str, str], content: bytes) -> None:
        only_new, server = query.get("ifGenerationMatch") == "0", self.server
        if bucket not in server.buckets:
            self._answer(404, {"error": {"message": "The specified bucket does not exist."}})
        elif number := query.get("upload_id"):
            bucket, key, only_new, sofar = server.uploads[number]
            sofar += content
            last, whole = re.findall(r"\d+", self.headers["Content-Range"])[1:]
            if int(last) + 1 < int(whole):
                self._answer(308, {}, Range=f"bytes=0-{last}")
            else:
                self._put(bucket, key, bytes(sofar), only_new)
        elif query["uploadType"] == "resumable":
            number = f"upload{len(server.uploads)}"
            server.uploads[number] = bucket, query["name"], only_new, bytearray()
            self._answer(200, {}, Location=f"{server.address}{self.path}&upload_id={number}")
        else:
            _, head, body = content.split(b"--==0==", 2)
            key = json.loads(head.split(b"\n\n", 1)[1])["name"]
            body = body.split(b"\n\n", 1)[1].removesuffix(b"\n--==0==--")
            self._put(bucket, key, body, only_new)

    def _put(self, bucket: str, key: str, content: bytes, only_new: bool) -> None:
        if self.server.put(bucket, key, content, only_new=only_new):
            self._answer(200, self.server.described(bucket, key))
        else:
            self._answer(412, {"error": {"message": "Precondition Failed"}})

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        if bucket not in self.server.buckets:
            self._answer(404, {"error": {"message": "The specified bucket does not exist."}})
            return
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        items, prefixes = [], set()
        for key in self.server.keys(bucket):
            inner, folder, _ = key.removeprefix(prefix).partition(delimiter or "\0")
            if key.startswith(prefix) and folder:
                prefixes.add(f"{prefix}{inner}{folder}")
            elif key.startswith(prefix):
                items.append(self.server.described(bucket, key))
        self._answer(200, {"items": items, "prefixes": sorted(prefixes)})

    def _asked(self) -> tuple[str, dict[str, str]]:
        split = urlsplit(self.path)
        return split.path, {name: last for name, (*_, last) in parse_qs(split.query).items()}

    def _names(self, match: re.Match[str]) -> tuple[str, str]:
        return unquote(match[1]), unquote(match[2])

    def _answer(self, status: int, content: bytes | dict[str, Any], **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        body = b"" if status == 204 else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def gcs_server() -> Iterator[GcsServer]:
    """Start one, in threads of this process."""
    with GcsServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
