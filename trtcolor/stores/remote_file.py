"""`RemoteFile`: a picture, film or list that is not on this machine, as an input."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from trtcolor.errors import StoreError, TrtcolorError
from trtcolor.stores.address import Address
from trtcolor.stores.filesystem import errors_named, filesystem

TRIALS = 3
"""How often something is fetched that changes meanwhile, or comes cut short."""


@dataclass(frozen=True)
class State:
    """What a server says of an object without giving it.

    Attributes:
        bytes: its length; -1: not said.
        mtime_ns: when it was written, in whole seconds, in nanoseconds; 0: not said.
        tag: differs between contents; empty: not said.
    """

    bytes: int
    mtime_ns: int
    tag: str

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> State:
        """From what fsspec says; listings and single questions agree."""
        size = info.get("size")
        written = info.get("LastModified") or info.get("mtime") or info.get("Last-Modified")
        if isinstance(written, str):
            written = parsedate_to_datetime(written)
        seconds = int(written.timestamp()) if isinstance(written, datetime) else 0
        tag = info.get("ETag") or info.get("etag") or ""
        return cls(-1 if size is None else int(size), seconds * 10**9, str(tag))


@dataclass(frozen=True)
class RemoteFile:
    """An input that has to be fetched. It pickles.

    Attributes:
        address: where it is.
        state: what the listing that it was found in said of it; None: it was named.
    """

    address: Address
    state: State | None = None

    def __str__(self) -> str:
        return str(self.address)

    @property
    def name(self) -> str:
        return self.address.name

    @property
    def suffix(self) -> str:
        return self.address.suffix

    def now(self) -> State:
        """What the server says of it now.

        Raises:
            StoreError: it is not there, and whatever else `errors_named` says.
        """
        with errors_named(self.address):
            return State.of(filesystem(self.address).info(path_of(self.address)))

    def seen(self) -> State:
        """What the listing said, or what the server says now; a web server may say nothing.

        Raises:
            StoreError: a store has no such object, and whatever else `errors_named` says.
        """
        return self.state or self._looked_at()

    def fetch(self, path: Path) -> None:
        """Write it to a file, whole and of one state, whose time the file has then.

        Raises:
            StoreError: it is not there, keeps changing, and whatever else `errors_named` says.
            OSError: the disk is full, and so on.
        """
        after = self.seen()
        for _ in range(TRIALS):
            before = after
            with errors_named(self.address):
                filesystem(self.address).get_file(path_of(self.address), str(path))
            after, length = self._looked_at(), path.stat().st_size
            rested = self.address.is_web or before == after
            if rested and after.bytes in (-1, length):
                os.utime(path, ns=(after.mtime_ns, after.mtime_ns))
                return
        raise StoreError(
            f"{self} changed while it was read, or came cut short ({length} bytes); an object at "
            "rest was needed; try again"
        )

    @contextmanager
    def local(self) -> Iterator[Path]:
        """A copy on this machine, which is gone when the block ends.

        What trtcolor refuses in the block names the address in the place of the copy.

        Raises:
            StoreError, OSError: as `fetch`.
        """
        with tempfile.TemporaryDirectory(prefix="trtcolor-") as folder:
            path = Path(folder) / f"input{self.suffix[:20]}"
            self.fetch(path)
            with renamed(path, self.address):
                yield path

    def read(self) -> bytes:
        """All of it; errors are those of `fetch`."""
        with self.local() as path:
            return path.read_bytes()

    def _looked_at(self) -> State:
        try:
            return self.now()
        except StoreError:
            if self.address.is_web:  # not every one answers a HEAD
                return State(-1, 0, "")
            raise


@contextmanager
def renamed(path: Path, address: Address) -> Iterator[None]:
    """What trtcolor refuses in the block names an address in the place of its copy."""
    try:
        yield
    except TrtcolorError as error:
        if str(path) not in str(error):
            raise
        raise type(error)(str(error).replace(str(path), str(address))) from None


def path_of(address: Address) -> str:
    """What fsspec calls it."""
    return address.url if address.is_web else address.location
