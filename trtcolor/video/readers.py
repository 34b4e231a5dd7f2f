"""Which reader fits what comes in, and how what it gives is coloured."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, BinaryIO

from trtcolor.colorizer import Colorizer
from trtcolor.planes import Matrix, Range
from trtcolor.video.formats import MAX_PIXELS, parse_size, pixel_format
from trtcolor.video.raw import RawReader
from trtcolor.video.rgb import RgbReader
from trtcolor.video.stream import color_frames
from trtcolor.video.y4m import Y4MReader

Reader = Y4MReader | RawReader | RgbReader


def open_reader(
    stream: BinaryIO,
    *,
    name: str = "the stream",
    size: str | None = None,
    format: str | None = None,
    matrix: Matrix | None = None,
    range: Range | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Reader:
    """A reader of y4m, or of raw frames where their size and format are given.

    Args:
        stream: binary, at its beginning; it is not closed.
        name: what to call it in errors.
        size: ``WIDTHxHEIGHT`` of raw frames.
        format: their pixel format by FFmpeg's name.
        matrix, range, max_pixels: as for the readers.

    Raises:
        ValueError: size, format or range do not go together, or one of them is impossible.
        VideoError: it is no y4m stream, or of frames that are not read here.
    """
    if size is None and format is None:
        if range is not None:
            raise ValueError(
                "a range came for y4m, which says its own; none was needed; leave it out, or give "
                "size and format of raw frames"
            )
        return Y4MReader(stream, name=name, matrix=matrix, max_pixels=max_pixels)
    if size is None or format is None:
        raise ValueError(
            "one of size and format came alone; raw frames needed both, y4m none; add the other"
        )
    shape, pixels = parse_size(size), pixel_format(format)
    if pixels.is_rgb:
        if matrix is not None or range is not None:
            raise ValueError(
                f"a matrix or a range came for {format}, which has neither; frames of YUV or grey "
                "were needed for it; leave it out"
            )
        return RgbReader(stream, shape, pixels, name=name, max_pixels=max_pixels)
    return RawReader(
        stream, shape, pixels, name=name, matrix=matrix, range=range, max_pixels=max_pixels
    )


def coloured_by(colorizer: Colorizer, reader: Reader, **options: Any) -> Generator[Any, None, None]:
    """What a reader gives in colour, for the writer that the reader makes.

    Args:
        options: of `Colorizer.stream`.

    Raises:
        VideoError: the input broke off; what is whole came before.
    """
    if isinstance(reader, RgbReader):
        return colorizer.stream(reader, **options)
    return color_frames(colorizer, reader, **options)
