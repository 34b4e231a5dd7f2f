"""YUV4MPEG2, the form in which ``ffmpeg -f yuv4mpegpipe`` and others pass raw frames on.

A line of parameters, then for each frame a line ``FRAME`` and its planes. Read and written: grey
and 4:2:0, 4:2:2, 4:4:4 of 8, 9, 10, 12, 14 and 16 bits (``Cmono12``, ``C422p10``; of 4:2:0 in 8
bits all three sitings), progressive. Chroma that comes in is dropped. Parameters go out as they
came, but for grey, which goes out as 4:2:0 with MPEG-2's siting.

FFmpeg 5.1 writes 4:2:0 and 4:2:2 of odd width and more than 8 bits with rows of chroma that are a
byte short, and reads them so; FFmpeg 8 does not. Such frames are not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

from trtcolor.errors import VideoError
from trtcolor.planes import Matrix
from trtcolor.video.formats import MAX_PIXELS, check_pixels
from trtcolor.video.frames import ColouredFrame, LumaFrame, usual_matrix
from trtcolor.video.pipes import write_all
from trtcolor.video.raw import PlaneReader, little_endian
from trtcolor.video.y4m_header import Y4MHeader

LONGEST_LINE = 4096
"""Bytes of a line of parameters."""


class Y4MReader:
    """Frames of a y4m stream, in order; times are those of a constant rate from 0.

    Args:
        stream: binary, at the header; it is not closed.
        name: what to call it in errors.
        matrix: of the chroma that goes out; None: the usual one of that size.
        max_pixels: larger frames are refused.

    Attributes:
        header: the stream's `Y4MHeader`.
        signal: what the codes mean.

    Raises:
        VideoError: it is no y4m stream, or of frames that are not read here.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        name: str = "the stream",
        matrix: Matrix | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        line = stream.readline(LONGEST_LINE)
        try:
            if not line.endswith(b"\n"):
                raise ValueError(
                    f"its header of {len(line)} bytes has no end; a line of at most {LONGEST_LINE} "
                    "was needed; check what feeds it"
                )
            self.header = Y4MHeader.parse(line[:-1])
            check_pixels(self.header.size, max_pixels)
        except ValueError as error:
            raise VideoError(f"{name} is not read as y4m: {error}") from None
        self.signal = self.header.signal(matrix or usual_matrix(self.header.size))
        self._stream, self._name = stream, name
        self._planes = PlaneReader(stream, self.header.format, self.header.size, name)

    def __iter__(self) -> Iterator[LumaFrame]:
        """Each frame once; its tag is what the line FRAME has behind that word, bytes.

        Raises:
            VideoError: a frame is cut short, or something else stands where one should begin.
        """
        format_, rate = self.header.format, self.header.rate
        while line := self._stream.readline(LONGEST_LINE):
            count = self._planes.count
            if not re.fullmatch(rb"FRAME( [!-~]+)*\n", line):
                raise VideoError(
                    f"{self._name} has {line[:20]!r} where frame {count} should begin; a line "
                    f"FRAME was needed; the {count} before it are whole, check what feeds it"
                )
            plane = self._planes.read()
            if plane is None:
                raise self._planes.cut_short(0)
            time = Fraction(count) / rate if rate else None
            yield LumaFrame(format_.luma_of(plane), self.signal, time, line[5:-1])

    def writer(self, stream: BinaryIO) -> Y4MWriter:
        """For the frames of this reader, once they have colour."""
        return Y4MWriter(stream, self.header)


class Y4MWriter:
    """Writes coloured frames as y4m, each of them whole at once.

    Args:
        stream: binary; it is not closed. The header is written at once.
        header: that of the frames that came.
    """

    def __init__(self, stream: BinaryIO, header: Y4MHeader) -> None:
        self._stream = stream
        write_all(stream, header.coloured().to_line())

    def write(self, frame: ColouredFrame) -> None:
        """Write a frame whose tag is as `Y4MReader` gave it.

        Raises:
            BrokenPipeError, VideoError: as from `trtcolor.video.pipes.write_all`.
        """
        start = b"FRAME" + frame.tag + b"\n"
        write_all(self._stream, start, *map(little_endian, (frame.luma, frame.u, frame.v)))
