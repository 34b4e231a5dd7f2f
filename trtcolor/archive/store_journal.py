"""`StoreJournal`: the journal of a store, whose objects cannot be written at their end.

OUT/.trtcolor/results.jsonl       all lines, but those of a run that is at work or was killed
OUT/.trtcolor/journal/ID.jsonl    lines of such a run: a segment

Lines are gathered in a file of this machine. A line that has to be durable waits until a segment
with it is stored; threads that wait at the same time share one. The next run, and the end of this
one, put all lines into one object before they remove the segments, so that a kill in between leaves
lines twice and none out.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from trtcolor.archive.journal import FILE, Journal
from trtcolor.archive.record import Record
from trtcolor.errors import StoreError
from trtcolor.stores.address import Address
from trtcolor.stores.objects import AT_ONCE, below, is_there, load, remove_all, store, upload
from trtcolor.stores.remote_file import RemoteFile

SEGMENTS = "journal"


class StoreJournal(Journal):
    """A `Journal` whose lines are in a store.

    Args:
        inner: ``OUT/.trtcolor``, which is held.
        head: of this run, the new first line.
        check: raises StoreError if `inner` is not held any more: the lines there are another run's.

    Raises:
        StoreError: it does, and as `trtcolor.stores.filesystem.errors_named` says.
        OSError: the disk of this machine is full, and so on.
    """

    def __init__(
        self, inner: Address, head: Mapping[str, Any], *, check: Callable[[], None]
    ) -> None:
        self._check = check
        self._whole, self._segments = inner.joinpath(FILE), inner.joinpath(SEGMENTS)
        self._run = f"{time.time_ns() // 10**6:013}-{secrets.token_hex(4)}"
        self._pending: list[bytes] = []
        self._added = self._stored = self._number = 0
        self._adding, self._storing = threading.Lock(), threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="trtcolor-")
        try:
            earlier = self._gather(Path(self._folder.name) / FILE)
            super().__init__(Path(self._folder.name), head)
            self._publish(earlier)
        except BaseException:
            self._folder.cleanup()
            raise

    def add(self, record: Record, *, durable: bool = False) -> None:
        """Write a record down, whole or not at all.

        Args:
            durable: the store has it when this returns.

        Raises:
            StoreError, OSError: as at the beginning.
        """
        with self._adding:
            super().add(record)
            self._pending.append(record.line())
            self._added += 1
            number = self._added
        if durable:
            self._store(number)

    def close(self) -> None:
        """Put all lines into one object; a second call does nothing."""
        if self._file >= 0:
            super().close()
            try:
                if self._added:
                    self._publish([segment.address for segment in below(self._segments)])
            finally:
                self._folder.cleanup()

    def __exit__(self, *raised: object) -> None:
        if raised[0] is None:
            self.close()
        else:  # the segments have what is durable
            with suppress(StoreError):
                self.close()

    def _store(self, number: int) -> None:
        """Return once so many lines are stored."""
        with self._storing:  # whoever waits here may find that its line went with another's
            if self._stored >= number:
                return
            with self._adding:
                lines, self._pending, count = self._pending, [], self._added
            try:
                segment = self._segments.joinpath(f"{self._run}-{self._number:08}.jsonl")
                store(b"".join(lines), segment, overwrite=True)
            except BaseException:
                with self._adding:
                    self._pending[:0] = lines
                raise
            self._stored, self._number = count, self._number + 1

    def _gather(self, path: Path) -> list[Address]:
        """Write all earlier lines to a file; the segments that had some of them."""
        segments = [segment.address for segment in below(self._segments)]
        if is_there(self._whole):
            RemoteFile(self._whole).fetch(path)
        with path.open("ab") as stream, ThreadPoolExecutor(AT_ONCE) as pool:
            stream.writelines(pool.map(load, segments))
        return segments

    def _publish(self, segments: list[Address]) -> None:
        self._check()
        upload(self._path, self._whole, overwrite=True)
        remove_all(segments)
