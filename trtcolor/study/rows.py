"""A CSV file to whose end whole rows are added, each on the disk before anything counts on it."""

from __future__ import annotations

import csv
import io
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from trtcolor.closing import Closing
from trtcolor.errors import StudyError

Row = list[str]


class Rows(Closing):
    """Adds rows, as UTF-8 with a line each. Threads may share it; processes may not.

    A last line without its end, which a crash or a power cut left, is cut off: whoever sent it was
    never told that it is stored.

    Args:
        path: of the file, made with its heading if it is missing.
        heading: names of the columns.

    Attributes:
        torn: bytes that were cut off.

    Raises:
        StudyError: another file is there.
        OSError: it cannot be read or written.
    """

    def __init__(self, path: Path, heading: Sequence[str]) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._path, self._lock = path, threading.Lock()
        self._file = os.open(path, flags, 0o600)
        try:
            self.torn = self._cut()
            if self._end == 0:
                self.add(heading)
            elif _first_line(path) != _line(heading):
                raise _other_file(path, heading)
        except BaseException:
            self.close()
            raise

    def add(self, row: Sequence[str]) -> None:
        """Add a row; when this returns it is on the disk, and where it raises it is not there.

        Raises:
            ValueError: a text that is no text, or holds the end of a line.
            OSError: the disk is full, and so on.
        """
        line = _line(row)
        if line.count(b"\n") != 1 or b"\r" in line:
            raise ValueError(f"a row with the end of a line in it came ({row!r}); none was needed")
        with self._lock:
            try:
                written = os.write(self._file, line)
                while written < len(line):  # the disk is full: the rest says so
                    written += os.write(self._file, line[written:])
                os.fsync(self._file)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._file, self._end)
                raise
            self._end += len(line)

    def close(self) -> None:
        """A second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _cut(self) -> int:
        """Cut off a torn last line; how many bytes those were."""
        size = os.fstat(self._file).st_size
        self._end = at = size
        while at > 0:
            start = max(0, at - 4096)
            found = os.pread(self._file, at - start, start).rfind(b"\n")
            if found >= 0:
                at = start + found + 1
                break
            at = start
        if at < size:
            os.ftruncate(self._file, at)
            os.fsync(self._file)
        self._end = at
        return size - at


def read_rows(path: Path, heading: Sequence[str]) -> tuple[list[Row], int]:
    """Rows of a file that may be being written to, and how many lines are none.

    A last line without its end is left out, and counts neither here nor there. No file is one
    without rows.

    Raises:
        StudyError: it is another file.
        OSError: it cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return [], 0
    if lines and lines[0] + b"\n" != _line(heading):
        raise _other_file(path, heading)
    rows, strange = [], 0
    for line in lines[1:]:
        try:
            (row,) = csv.reader([line.decode()], strict=True)
        except (ValueError, csv.Error):
            strange += 1
            continue
        if len(row) == len(heading):
            rows.append(row)
        else:
            strange += 1
    return rows, strange


def _line(row: Sequence[str]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(row)
    return stream.getvalue().encode()


def _first_line(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.readline(1 << 16)


def _other_file(path: Path, heading: Sequence[str]) -> StudyError:
    return StudyError(
        f"{path} does not begin with the columns {', '.join(heading)}; a study's own file was "
        "needed; move it away"
    )
