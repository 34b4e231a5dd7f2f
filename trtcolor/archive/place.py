"""The output folder: held by one run at a time, left by none of what it puts there half-made.

OUT/.trtcolor/lock                held while a run is at work; says whose it is
OUT/.trtcolor/results.jsonl       the journal (trtcolor.archive.journal)
OUT/.trtcolor/parts/RUN/ID/NAME   an output on its way; a leftover once the lock is free
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from trtcolor.archive.desk import FolderDesk
from trtcolor.archive.journal import Journal
from trtcolor.closing import Closing
from trtcolor.errors import PictureError
from trtcolor.files import put_file_in_place

INNER, PARTS = ".trtcolor", "parts"
SWEEPS = 10
"""What a network's disk holds back for longer is left for the next run."""


class Place(Closing):
    """An output folder that this process holds. Threads may share it.

    The lock is the operating system's: it is free once its holder is gone, however that ended, and
    what the holder had half-made is removed then.

    Args:
        folder: made, with those above it, if it is missing.

    Attributes:
        folder: as given.
        inner: for what is no output.
        at_once: how many parts are put in place side by side.
        there: names that outputs had when it was taken; None: its desk looks.

    Raises:
        PictureError: another process holds it, or it or what is to be inside is no folder.
        OSError: it is not writable, and so on.
    """

    at_once = 1
    there: frozenset[str] | None = None

    def __init__(self, folder: Path) -> None:
        self.folder, self.inner = folder, folder / INNER
        self._parts = Path(os.path.abspath(self.inner)) / PARTS / secrets.token_hex(8)
        if folder.exists() and not folder.is_dir():
            raise PictureError(
                f"{folder} is a file; a folder was needed for several outputs; name one"
            )
        if self.inner.is_symlink() or (self.inner.exists() and not self.inner.is_dir()):
            raise PictureError(
                f"{self.inner} is a link or a file; a folder was needed, for what is remembered "
                "and half-made; move it, or name another output folder"
            )
        self.inner.mkdir(parents=True, exist_ok=True)
        self._lock = (self.inner / "lock").open("a+")
        try:
            self._claim()
            self._sweep()
            self._parts.mkdir(parents=True)
        except BaseException:
            self._lock.close()
            raise

    @property
    def desk(self) -> FolderDesk:
        """What makes parts of outputs for it, whatever folder a process works in."""
        return FolderDesk(Path(os.path.abspath(self.folder)), self._parts)

    def journal(self, head: Mapping[str, Any]) -> Journal:
        """What is remembered of it."""
        return Journal(self.inner, head)

    def put(self, part: str, output: PurePath, *, overwrite: bool) -> None:
        """Give a part that was kept its name.

        Args:
            part: as `trtcolor.archive.desk.Part.keep` gave it; gone afterwards, whatever happens.
            output: path below the folder.
            overwrite: replace a file that is there.

        Raises:
            OutputExistsError: there is a file and `overwrite` is false.
            OSError: the folder is not writable, the part is gone, and so on.
        """
        file = Path(part)
        try:
            put_file_in_place(file, self.folder / output, overwrite=overwrite)
        finally:
            self.drop(part)

    def drop(self, part: str) -> None:
        """Remove a part that was kept and gets no name."""
        shutil.rmtree(Path(part).parent, ignore_errors=True)

    def close(self) -> None:
        """Let other processes have the folder; a second call does nothing."""
        if not self._lock.closed:
            self._sweep()
            self._lock.close()

    def _claim(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            holder = self._lock.read(200).strip() or "another process"
            raise PictureError(
                f"{holder} is at work on {self.folder}; one run at a time was needed; wait for it, "
                "end it, or name another folder"
            ) from None
        now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        self._lock.truncate(0)
        self._lock.write(f"process {os.getpid()} on {socket.gethostname()}, since {now},\n")
        self._lock.flush()

    def _sweep(self) -> None:
        """Remove what is half-made, though workers of a cluster may be at work on some of it still.

        Under a name that they do not know no more comes but what is being made that very moment.
        """
        with suppress(FileNotFoundError):
            os.rename(self.inner / PARTS, self.inner / f".{secrets.token_hex(8)}.part")
        for left in self.inner.glob(".*.part"):  # also of a journal that was begun (trtcolor.files)
            if left.is_symlink() or not left.is_dir():
                left.unlink()
            for _ in range(SWEEPS):
                if left.exists():
                    shutil.rmtree(left, ignore_errors=True)
