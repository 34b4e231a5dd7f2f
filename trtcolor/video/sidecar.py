"""The chroma sidecar: the low-resolution chroma of every frame of a film, in a file of its own.

With it a film is merged again, at any resolution and after any change by hand, without its network:

    with ChromaReader("film.chroma") as film, ChromaWriter("calm.chroma", film.header) as calm:
        for frame in film:
            calm.append(replace(frame, chroma=frame.chroma * 0.8))  # dataclasses.replace

The form of the file is in `trtcolor.video.records`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from trtcolor.closing import Closing
from trtcolor.errors import VideoError
from trtcolor.files import refuse_existing
from trtcolor.video.records import (
    LARGEST_HEADER,
    TITLE,
    Chroma,
    ChromaFrame,
    ChromaHeader,
    frame_of,
    record_of,
    rounded_chroma,
    whole_records,
)

__all__ = ["ChromaFrame", "ChromaHeader", "ChromaReader", "ChromaWriter", "rounded_chroma"]


class HasChroma(Protocol):
    """A `ChromaFrame`, or a `trtcolor.video.frames.ColouredFrame`."""

    @property
    def chroma(self) -> Chroma: ...
    @property
    def cut(self) -> bool: ...
    @property
    def time(self) -> Fraction | None: ...


class ChromaReader(Closing):
    """A sidecar's frames, in order and by number, up to the last whole one.

    Args:
        path: of the file.

    Attributes:
        header: the file's `ChromaHeader`.
        rest: bytes behind the last whole frame; 0 unless writing was broken off.

    Raises:
        VideoError: no such file, no sidecar, or its header is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._file = _opened(self._path, "rb")
        try:
            self.header = _read_header(self._file, self._path)
            self._offsets = whole_records(self._file, self.header.grid)
            self.rest = self._file.seek(0, os.SEEK_END) - self._offsets[-1]
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __iter__(self) -> Iterator[ChromaFrame]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> ChromaFrame:
        """A frame by its number.

        Raises:
            IndexError: there is none of that number.
            VideoError: its record is damaged.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"frame {index} was asked of a sidecar of {len(self)} frames")
        start, end = self._offsets[index % len(self) :][:2]
        self._file.seek(start)
        frame = frame_of(self._file.read(end - start), self.header.grid)
        if frame is None:
            raise VideoError(
                f"frame {index} of {str(self._path)!r} is damaged; a whole record was needed; make "
                "the sidecar again"
            )
        return frame

    def end_of(self, frames: int) -> int:
        """Where in the file the first `frames` frames end, in bytes.

        Raises:
            VideoError: there are fewer.
        """
        if not 0 <= frames <= len(self):
            raise VideoError(
                f"{str(self._path)!r} has {len(self)} whole frames; {frames} were needed to go on "
                "behind them; begin the sidecar again"
            )
        return self._offsets[frames]

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()


class ChromaWriter(Closing):
    """Writes a sidecar, a frame a call; what was appended stays, whatever happens later.

    Args:
        path: of the new file; its folder exists.
        header: what to say of it.
        overwrite: replace a file that is there.

    Raises:
        OutputExistsError: there is a file and `overwrite` is false.
        VideoError: it cannot be written there.
    """

    def __init__(
        self, path: str | os.PathLike[str], header: ChromaHeader, *, overwrite: bool = False
    ) -> None:
        self.header = header
        self._path = Path(path)
        if not overwrite:
            refuse_existing(self._path)
        self._file = _opened(self._path, "wb" if overwrite else "xb")
        self._write(TITLE + header.to_json().encode() + b"\n")

    @classmethod
    def resume(cls, path: str | os.PathLike[str], frames: int | None = None) -> Self:
        """Go on behind the whole frames of a file, or behind the first `frames` of them.

        Raises:
            VideoError: as from `ChromaReader`, there are fewer frames, or it is not writable.
        """
        with ChromaReader(path) as reader:
            end = reader.end_of(len(reader) if frames is None else frames)
        writer = cls.__new__(cls)
        writer.header, writer._path = reader.header, Path(path)
        writer._file = _opened(writer._path, "r+b")
        writer._file.truncate(end)
        writer._file.seek(end)
        return writer

    def append(self, frame: HasChroma) -> None:
        """Write a frame's chroma, rounded as by `rounded_chroma`.

        Raises:
            ValueError: its chroma is not of the header's grid, or its time is no 64-bit fraction.
            VideoError: the disk is full, and so on.
        """
        needed = (2, *self.header.grid)
        if frame.chroma.shape != needed:
            raise ValueError(
                f"chroma of shape {frame.chroma.shape} came; {needed} was needed for this sidecar; "
                "keep frames of one size in one file"
            )
        self._write(record_of(frame.chroma, frame.cut, frame.time))

    def sync(self) -> None:
        """Wait until what was appended would survive a power cut."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise VideoError(
                f"{str(self._path)!r} was not written ({error.strerror}); a disk with free space "
                "was needed; write elsewhere"
            ) from None


def _opened(path: Path, mode: str) -> BinaryIO:
    """Unbuffered where it is written, so that a record is with the system when `append` is done."""
    try:
        return path.open(mode, buffering=-1 if mode == "rb" else 0)  # type: ignore[return-value]
    except OSError as error:
        raise VideoError(
            f"{str(path)!r} cannot be opened ({error.strerror}); a chroma sidecar was needed; "
            "check the path"
        ) from None


def _read_header(file: BinaryIO, path: Path) -> ChromaHeader:
    title = file.read(len(TITLE))
    if title != TITLE:
        raise VideoError(
            f"{str(path)!r} is no chroma sidecar of version 1 (it begins with {title!r}); one was "
            "needed; choose another file"
        )
    line = file.readline(LARGEST_HEADER)
    try:
        if not line.endswith(b"\n"):
            raise ValueError("it does not end")
        return ChromaHeader.from_json(line)
    except ValueError as error:
        raise VideoError(
            f"the header of {str(path)!r} is damaged ({error}); one line of JSON was needed; make "
            "the sidecar again"
        ) from None
