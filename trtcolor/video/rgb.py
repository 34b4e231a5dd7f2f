"""Raw RGB frames, which are coloured as pictures are: see `trtcolor.Colorizer.stream`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from numpy.typing import NDArray

from trtcolor.video.formats import MAX_PIXELS, PixelFormat, Size, check_pixels
from trtcolor.video.pipes import write_all
from trtcolor.video.raw import PlaneReader, little_endian


class RgbReader:
    """Pictures of a headerless stream, in order.

    Args:
        stream: binary, at the first frame; it is not closed.
        size: (height, width) of all of them.
        format: of kind ``"rgb"`` or ``"bgr"``.
        name: what to call the stream in errors.
        max_pixels: larger frames are refused.

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
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        check_pixels(size, max_pixels)
        self._format = format
        self._planes = PlaneReader(stream, format, size, name)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """(H, W, 3) uint8 or uint16 RGB each, once.

        Raises:
            VideoError: a frame is cut short.
        """
        while (plane := self._planes.read()) is not None:
            yield _in_other_order(plane, self._format).astype(plane.dtype.type, copy=False)

    def writer(self, stream: BinaryIO) -> RgbWriter:
        """For the pictures of this reader, once they have colour."""
        return RgbWriter(stream, self._format)


class RgbWriter:
    """Writes pictures in a format of kind ``"rgb"`` or ``"bgr"``, each of them whole at once."""

    def __init__(self, stream: BinaryIO, format: PixelFormat) -> None:
        self._stream, self._format = stream, format

    def write(self, picture: NDArray[Any]) -> None:
        """Write (H, W, 3) RGB of the format's depth.

        Raises:
            BrokenPipeError, VideoError: as from `trtcolor.video.pipes.write_all`.
        """
        write_all(self._stream, little_endian(_in_other_order(picture, self._format)))


def _in_other_order(picture: NDArray[Any], format: PixelFormat) -> NDArray[Any]:
    """RGB of what the format has, and the way back."""
    return picture[:, :, ::-1] if format.kind == "bgr" else picture
