"""Raw frames with Y', one behind the other, as ``ffmpeg -f rawvideo`` passes them on.

Those of RGB are in `trtcolor.video.rgb`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import VideoError
from trtcolor.planes import Matrix, Range, Siting
from trtcolor.video.formats import MAX_PIXELS, PixelFormat, Size, check_pixels, with_chroma
from trtcolor.video.frames import ColouredFrame, LumaFrame, Signal, usual_matrix
from trtcolor.video.pipes import write_all

_SKIPPED = 1 << 20  # bytes of chroma that are read and dropped at a time


class RawReader:
    """Frames of a headerless stream, in order; their times are not known.

    Args:
        stream: binary, at the first frame; it is not closed.
        size: (height, width) of all of them.
        format: of all of them, grey or YUV; chroma that comes in is dropped.
        name: what to call the stream in errors.
        matrix: of the chroma that goes out; None: the usual one of that size.
        range: of the codes; None: full of grey, limited of YUV, as FFmpeg has them.
        siting: of the chroma that goes out.
        max_pixels: larger frames are refused.

    Attributes:
        signal: what the codes of the coloured frames mean.

    Raises:
        ValueError: the frames would be larger.
    """

    def __init__(
        self,
        stream: BinaryIO,
        size: Size,
        format: PixelFormat,
        *,
        name: str = "the stream",
        matrix: Matrix | None = None,
        range: Range | None = None,
        siting: Siting = "left",
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        check_pixels(size, max_pixels)
        self.signal = Signal(
            depth=format.depth,
            range=range or ("full" if format.kind == "grey" else "limited"),
            matrix=matrix or usual_matrix(size),
            subsampling=format.subsampling or 420,
            siting=siting,
        )
        self._format = format
        self._planes = PlaneReader(stream, format, size, name)

    def __iter__(self) -> Iterator[LumaFrame]:
        """Each frame once; its tag is its first plane as it came.

        Raises:
            VideoError: a frame is cut short.
        """
        while (plane := self._planes.read()) is not None:
            yield LumaFrame(self._format.luma_of(plane), self.signal, None, plane)

    def writer(self, stream: BinaryIO) -> RawWriter:
        """For the frames of this reader, once they have colour."""
        return RawWriter(stream, self._format)


class RawWriter:
    """Writes coloured frames without headers, each of them whole at once.

    Args:
        stream: binary; it is not closed.
        format: of the frames that came; grey ones go out as planar 4:2:0, the rest as they came.

    Attributes:
        format: of the frames that go out.
    """

    def __init__(self, stream: BinaryIO, format: PixelFormat) -> None:
        self.format = with_chroma(format)
        self._stream = stream

    def write(self, frame: ColouredFrame) -> None:
        """Write a frame whose tag is as `RawReader` gave it.

        Raises:
            BrokenPipeError, VideoError: as from `trtcolor.video.pipes.write_all`.
        """
        chroma = [frame.u, frame.v]
        if self.format.kind == "semiplanar":
            chroma = [np.stack(chroma, axis=-1) << self.format.shift]
        write_all(self._stream, *map(little_endian, (frame.tag, *chroma)))


class PlaneReader:
    """Reads frames' first planes and drops what lies behind them.

    Args:
        stream: binary; it is not closed.
        format, size: of the frames.
        name: what to call the stream in errors.

    Attributes:
        count: frames that were read.
    """

    def __init__(self, stream: BinaryIO, format: PixelFormat, size: Size, name: str) -> None:
        self.count = 0
        self._stream, self._format, self._size, self._name = stream, format, size, name
        self._rest = format.chroma_samples(size) * format.dtype.itemsize
        self._dropped = bytearray(min(self._rest, _SKIPPED))

    def read(self) -> NDArray[Any] | None:
        """The next frame's first plane, an array of its own; None at the end of the stream.

        Raises:
            VideoError: the frame is cut short.
        """
        # What never comes takes no memory: pages are the system's until something is written there.
        plane = np.empty(self._format.first_plane(self._size), self._format.dtype)
        came = _filled(self._stream, memoryview(plane.data).cast("B"))
        if not came:
            return None
        if came == plane.nbytes:
            came += self._drop()
        if came < self._format.frame_bytes(self._size):
            raise self.cut_short(came)
        self.count += 1
        return plane

    def cut_short(self, came: int) -> VideoError:
        """What to raise where the stream ends after some bytes of a frame."""
        needed = self._format.frame_bytes(self._size)
        return VideoError(
            f"{self._name} ends after {came} of the {needed} bytes of frame {self.count}; whole "
            f"frames were needed; the {self.count} before it are whole, check what feeds it"
        )

    def _drop(self) -> int:
        left = self._rest
        while left:
            came = _filled(self._stream, memoryview(self._dropped)[: min(left, _SKIPPED)])
            if not came:
                break
            left -= came
        return self._rest - left


def _filled(stream: BinaryIO, place: memoryview) -> int:
    """Bytes read into a place: fewer than it has only at the end of the stream."""
    came = 0
    while came < len(place):
        count: int = stream.readinto(place[came:])  # type: ignore[attr-defined]
        if not count:
            break
        came += count
    return came


def little_endian(plane: NDArray[Any]) -> NDArray[Any]:
    """In the order of bytes that raw frames have, contiguous."""
    return np.ascontiguousarray(plane, plane.dtype.newbyteorder("<"))
