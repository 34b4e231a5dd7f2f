"""What every request to a study must be, and what every response says: the outermost layer.

- The Host header is one of this server's own, so that no page of another site can reach it under a
  name that it has pointed here (DNS rebinding).
- What changes something comes from a page of this very server (Origin and Sec-Fetch-Site).
- Nothing is kept by a browser, framed, or sent on; a page loads nothing but what this server has.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
METHODS = frozenset({"GET", "HEAD", "POST"})
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)\.?(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Hosts:
    """By which names and addresses a server may be called.

    An address cannot be pointed elsewhere by others, as a name can.

    Attributes:
        names: in small letters, ``localhost`` left out.
        addresses: any address, not only those of this machine alone (127.0.0.1, ::1).
    """

    names: frozenset[str] = frozenset()
    addresses: bool = False

    def allow(self, header: str) -> bool:
        """Whether a Host header is one of them, whatever its port."""
        found = HOST.fullmatch(header.lower())
        if found is None:
            return False
        host = found[1]
        try:
            address = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return host == "localhost" or host in self.names
        return self.addresses or address.is_loopback


@dataclass(frozen=True)
class Access:
    """Who may join, and how the server may be called.

    Attributes:
        hosts: names and addresses.
        token: in the link to the page where users join; None: they join at ``/``.
        invited: nobody joins: each user was given a link.
    """

    hosts: Hosts
    token: str | None = None
    invited: bool = False


class Guard:
    """An ASGI application around another one.

    Args:
        app: what answers the requests that may pass.
        hosts: by which this server may be called.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        if scope["type"] != "http":  # no websockets
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                others = [
                    (n, v) for n, v in message.get("headers", ()) if n.decode() not in HEADERS
                ]
                message = {**message, "headers": [*others, *own]}
            await send(message)

        problem = self._problem(scope)
        if problem is None:
            await self._app(scope, receive, send_guarded)
        else:
            await _refuse(send_guarded, *problem)

    def _problem(self, scope: Scope) -> tuple[int, str] | None:
        """Status and sentence where a request may not pass."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        hosts = headers.get("host", [])
        if len(hosts) != 1 or not self._hosts.allow(hosts[0]):
            return 421, "this server was called by a name that is not its own; use the link told"
        if scope["method"] not in METHODS:
            return 405, "GET, HEAD or POST was needed"
        if scope["method"] == "POST" and not _is_own(headers, hosts[0]):
            return 403, "this came from another page; one of this server was needed"
        return None


def _is_own(headers: dict[str, list[str]], host: str) -> bool:
    """Whether a page of this server sent it, as the browser says."""
    if any(site != "same-origin" for site in headers.get("sec-fetch-site", ())):
        return False
    origins = headers.get("origin", [])
    if len(origins) != 1:
        return False
    try:
        parts = urlsplit(origins[0])
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
