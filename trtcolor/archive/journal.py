"""What runs into a folder did, a line a picture: ``OUT/.trtcolor/results.jsonl``.

The first line names the version and the settings of the last run. A line is on the disk before the
output that it tells of has its name, so whatever ends a run, no output is unknown; a line whose
output is missing says that it has to be made again. Of an output that several runs told of, the
last word counts, but that it was skipped says nothing new.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trtcolor.archive.record import Record, line_of
from trtcolor.closing import Closing
from trtcolor.files import whole_file

FILE = "results.jsonl"


class Journal(Closing):
    """Remembers what earlier runs did, and writes down what this one does. Threads may share it.

    Args:
        folder: ``OUT/.trtcolor``, whose lock is held.
        head: of this run, the new first line.

    Raises:
        OSError: the disk is full, and so on.
    """

    def __init__(self, folder: Path, head: Mapping[str, Any]) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._made: dict[str, tuple[int, int]] = {}
        with whole_file(self._path, overwrite=True) as stream:
            stream.write(line_of(head))
            for line, record in _kept(self._path):
                if record.outcome == "coloured" and record.output is not None:
                    self._made[record.output] = (stream.tell(), len(line))
                stream.write(line)
            self._begin = self._end = stream.tell()
        self._file = os.open(self._path, os.O_RDWR)

    def made(self, output: str) -> Record | None:
        """Of the last time that an output was made by an earlier run; None: none has."""
        place = self._made.get(output)
        if place is None:
            return None
        offset, length = place
        return Record.from_line(os.pread(self._file, length, offset))

    def add(self, record: Record, *, durable: bool = False) -> None:
        """Write a record down, whole or not at all.

        Args:
            durable: it is on the disk when this returns.

        Raises:
            OSError: the disk is full, and so on.
        """
        line = record.line()
        with self._lock:
            try:
                written = os.pwrite(self._file, line, self._end)
                if written < len(line):  # the disk is full: the rest says so
                    os.pwrite(self._file, line[written:], self._end + written)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._file, self._end)
                raise
            self._end += len(line)
        if durable:
            os.fsync(self._file)

    def lines(self) -> Iterator[bytes]:
        """The first line, and those of this run."""
        with self._path.open("rb") as stream:
            yield stream.readline()
            stream.seek(self._begin)
            yield from stream

    def close(self) -> None:
        """A second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _kept(path: Path) -> Iterator[tuple[bytes, Record]]:
    """Lines that still say something, with their records, in the order in which they came."""
    last: dict[str, int] = {}
    made: dict[str, int] = {}
    for number, (_, record) in enumerate(_records(path)):
        key = record.output or record.input
        if record.output:  # what was no picture once is one now
            last.pop(record.input, None)
        if record.outcome != "skipped":
            last[key] = number
        if record.outcome == "coloured":
            made[key] = number
    wanted = {*last.values(), *made.values()}
    for number, (line, record) in enumerate(_records(path)):
        if number in wanted:
            yield line, record


def _records(path: Path) -> Iterator[tuple[bytes, Record]]:
    """Whole lines that are records; a line that a full disk or a power cut left torn is none."""
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return
    with stream:
        for line in stream:
            if line.endswith(b"\n") and (record := Record.from_line(line)) is not None:
                yield line, record
