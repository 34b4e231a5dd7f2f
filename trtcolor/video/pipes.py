"""Pipes as a filter among others has them: standard input and output, FIFOs, files.

A filter that waits for its input must still go when nobody wants its output any more, or upon
Ctrl-C. `Intake` therefore waits so that another thread can wake it.
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from trtcolor.errors import VideoError
from trtcolor.files import refuse_existing

STANDARD = Path("-")
"""Stands for standard input or output."""


class Intake(io.RawIOBase):
    """A file whose readers can be sent away.

    Args:
        file: unbuffered, open for reading; closed with this object.
    """

    def __init__(self, file: io.FileIO) -> None:
        super().__init__()
        self._file = file
        self._woken, self._wake = os.pipe()

    def readable(self) -> bool:
        return True

    def readinto(self, place: Any) -> int | None:
        """Some bytes, once there are any; 0 at the end, and for ever after `stop`."""
        ready, _, _ = select.select([self._file.fileno(), self._woken], [], [])
        return 0 if self._woken in ready else self._file.readinto(place)

    def stop(self) -> None:
        """End every `readinto`, that which waits now and all to come."""
        if not self.closed:
            os.write(self._wake, b"!")

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._file.close()
            os.close(self._woken)
            os.close(self._wake)


def open_intake(path: Path) -> Intake:
    """Standard input for ``-``, else a file, FIFO or device.

    Raises:
        VideoError: it cannot be read.
    """
    try:
        file = _standard(0) if path == STANDARD else io.FileIO(path)
    except OSError as error:
        raise VideoError(
            f"{str(path)!r} cannot be opened ({error.strerror}); raw frames were needed; check the "
            "path"
        ) from None
    return Intake(file)


def open_outlet(path: Path, *, overwrite: bool) -> BinaryIO:
    """Standard output for ``-``, else a new file, or a FIFO or device that is there. Unbuffered.

    Raises:
        OutputExistsError: there is a file and `overwrite` is false.
        VideoError: it cannot be written.
    """
    if path != STANDARD and not overwrite and not _is_special(path):
        refuse_existing(path)
    try:
        return _standard(1) if path == STANDARD else io.FileIO(path, "wb")
    except OSError as error:
        raise VideoError(
            f"{str(path)!r} cannot be written ({error.strerror}); a file in an existing folder was "
            "needed; choose another"
        ) from None


def _standard(descriptor: int) -> io.FileIO:
    """Standard input (0) or output (1), unless Python found it closed: then its number is free, and
    may be that of another file by now."""
    if (sys.stdin, sys.stdout)[descriptor] is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return io.FileIO(descriptor, "rb" if descriptor == 0 else "wb", closefd=False)


def _is_special(path: Path) -> bool:
    """Whether something is there that writing to does not destroy."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


class Writer(Protocol):
    """Of frames, for example `trtcolor.video.y4m.Y4MWriter`."""

    def write(self, frame: Any, /) -> None: ...


def pass_on(coloured: Generator[Any, None, None], writer: Writer, intake: Intake) -> int:
    """Write frames as they are made, until there are no more; then end what makes them.

    Args:
        coloured: closed in the end.
        writer: of what it gives.
        intake: where the frames come from that are coloured. It is stopped in the end: a thread may
            still wait there for what nobody wants any more.

    Returns:
        How many frames were written.

    Raises:
        BrokenPipeError: nobody reads the output any more.
        VideoError: it cannot be written for another reason.
        TrtcolorError: whatever `coloured` raises; what came before is written.
    """
    count = 0
    try:
        for frame in coloured:
            writer.write(frame)
            count += 1
    finally:
        intake.stop()
        coloured.close()
    return count


def write_all(stream: BinaryIO, *parts: Any) -> None:
    """Write whole parts (bytes or contiguous arrays) to a buffered or an unbuffered stream.

    Raises:
        BrokenPipeError: nobody reads the pipe.
        VideoError: the disk is full, and so on.
    """
    try:
        for part in parts:
            left = memoryview(part).cast("B")
            while left:
                count = stream.write(left)
                if count is None:  # whoever gave us the pipe made it one that does not wait
                    select.select([], [stream], [])
                    continue
                left = left[count:]
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise VideoError(
            f"the frames were not written ({error.strerror}); a disk with free space was needed; "
            "write them elsewhere"
        ) from None
