"""`Address`: where something lies that is not on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path, PurePath
from typing import TypeGuard
from urllib.parse import unquote, urlsplit

from trtcolor.errors import StoreError

STORES = ("s3", "gs")
"""Schemes of what is read and written."""
WEB = ("https", "http")
"""Schemes of what is read."""
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Address:
    """An object in a store, a prefix of some, or a page of a web server.

    It is shown without what may be a credential: user, password and query of a web page.

    Attributes:
        scheme: one of `STORES` and `WEB`.
        location: bucket and key, or host and path, the latter coded as in a URL.
        user: before the host, with its ``@``.
        query: behind the path, with its ``?``.
    """

    scheme: str
    location: str
    user: str = field(default="", repr=False)
    query: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.location}"

    @property
    def url(self) -> str:
        """All of it, to be asked for and never to be shown."""
        return f"{self.scheme}://{self.user}{self.location}{self.query}"

    @property
    def is_web(self) -> bool:
        """Whether it can be read only."""
        return self.scheme in WEB

    @property
    def parts(self) -> tuple[str, ...]:
        """Bucket or host, and the names below it, as a path has them."""
        parts = self.location.rstrip("/").split("/") if self.location else []
        return tuple(map(unquote, parts)) if self.is_web else tuple(parts)

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def suffix(self) -> str:
        return PurePath(self.name).suffix

    @property
    def parent(self) -> Address:
        """The prefix that it lies in; that of a bucket or a host is itself."""
        above, slash, _ = self.location.rstrip("/").rpartition("/")
        return Address(self.scheme, above) if slash else self

    def joinpath(self, name: PurePath | str) -> Address:
        """What has a name below this prefix of a store."""
        return Address(self.scheme, f"{self.location.rstrip('/')}/{PurePath(name).as_posix()}")

    def relative_to(self, root: Address) -> PurePath:
        """The name below a prefix that holds it, as of a path."""
        return PurePath(*self.parts[len(root.parts) :])

    def is_below(self, root: Address) -> bool:
        """Whether a prefix holds it, or is it."""
        own, others = self.parts, root.parts
        return self.scheme == root.scheme and own[: len(others)] == others


def is_address(text: str | os.PathLike[str]) -> TypeGuard[str]:
    """Whether a text names something that is not on this machine."""
    scheme, colon, _ = os.fspath(text).partition("://")
    return bool(colon) and scheme.lower() in STORES + WEB


def place_of(text: str) -> Path | Address:
    """What a text names: a path of this machine, or an `Address`; ``file://`` is a path.

    Raises:
        StoreError: no bucket or host, a user's name where a store has none, a scheme that is not
            known, what is no URL, or plain ``http`` to another machine.
    """
    scheme, colon, rest = text.partition("://")
    scheme = scheme.lower()
    if not colon or not scheme.isalnum() or os.path.lexists(text):
        return Path(text)
    if scheme == "file":
        return Path(unquote(urlsplit(text).path))
    if scheme in WEB:
        return _web(scheme, text)
    if scheme not in STORES:
        raise StoreError(
            f"{scheme}:// is no store that can be read; a path, s3://, gs:// or https:// was "
            "needed; copy the files there"
        )
    bucket = rest.split("/")[0]
    if not bucket:
        raise StoreError(f"{scheme}:// came without a bucket; {scheme}://BUCKET/KEY was needed")
    if "@" in bucket or ":" in bucket or _is_signed(rest):
        raise StoreError(
            f"an address of {scheme}:// came with a credential in it; BUCKET/KEY alone was needed; "
            "set credentials in the environment, or pass a signed https:// address"
        )
    return Address(scheme, rest)


def common_root(places: Sequence[Address]) -> Address:
    """The deepest prefix that holds all of them, each of which is a prefix too."""
    levels = zip(*(place.location.rstrip("/").split("/") for place in places), strict=False)
    shared = takewhile(lambda parts: len(set(parts)) == 1, levels)
    return Address(places[0].scheme, "/".join(parts[0] for parts in shared))


def _web(scheme: str, text: str) -> Address:
    try:
        split = urlsplit(text)
        _ = split.port  # a number, or there is an @ that is not coded, behind what has to be hidden
    except ValueError:  # whose text may show that
        raise StoreError(
            f"an address of {scheme}:// came that is none; {scheme}://HOST/PATH was needed; code "
            "what is special in it, as %40 for @"
        ) from None
    user, at, host = split.netloc.rpartition("@")
    if not host:
        raise StoreError(f"{scheme}:// came without a host; {scheme}://HOST/PATH was needed")
    if scheme == "http" and split.hostname not in _LOCAL_HOSTS:
        raise StoreError(
            f"http://{host} would send all in the clear; https:// was needed; ask for that"
        )
    query = f"?{split.query}" if split.query else ""
    return Address(scheme, host + split.path, user + at, query)


def _is_signed(key: str) -> bool:
    """Whether somebody has made an address of a store out of a signed one of the web."""
    query = key.partition("?")[2].lower()
    return any(word in query for word in ("x-amz-", "x-goog-", "signature=", "accesskeyid="))
