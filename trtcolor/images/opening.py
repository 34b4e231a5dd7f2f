"""Picture files opened, and refused in one sentence where they are none or too much."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from trtcolor.errors import PictureError
from trtcolor.images.formats import kind_of_head, readable_formats, require_library

_PILLOW_LIMIT_LOCK = threading.Lock()
_DEFLATE_RATIO = 1040
"""Deflate makes no byte to more than 1032."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a pipe would be waited for
        raise PictureError(f"{path} is a device or a pipe; a file was needed; save it first")
    with path.open("rb") as stream:
        if not stream.read(1):
            raise PictureError(
                f"{path} is empty (0 bytes); a picture was needed; copy the file again"
            )
        yield stream


@contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Any error of a decoder as a PictureError of one sentence with the file's name."""
    try:
        yield
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(
            f"{path} is no picture that can be read; one of {', '.join(readable_formats())} was "
            "needed; convert it first"
        ) from None
    except NotImplementedError as error:
        raise PictureError(
            f"{path} holds {error}; grey, RGB, CMYK or L*a*b* in unsigned samples of up to 16 bits "
            "was needed; convert it first"
        ) from None
    except MemoryError:
        raise PictureError(
            f"{path} does not fit into the memory; a smaller picture was needed; reduce it"
        ) from None
    except Exception as error:  # a decoder on broken bytes may raise nearly anything
        if isinstance(error, OSError) and error.errno is not None:
            raise PictureError(
                f"{path} cannot be read ({error.strerror}); a picture file was needed; "
                "check the path and its permissions"
            ) from None
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise PictureError(
            f"{path} is damaged or cut short ({reason}); a whole picture was needed; "
            "copy the file again"
        ) from None


def open_image(path: Path, stream: BinaryIO, page: int = 0) -> ImageFile.ImageFile:
    """Read a picture's header, without Pillow's own size limit: that is global, ours follows."""
    stream.seek(0)
    kind = kind_of_head(stream.read(12))
    if kind is not None:
        require_library(path, kind)
    stream.seek(0)
    with _no_pillow_limit():
        image = Image.open(stream, formats=readable_formats())
    seek_page(image, page)
    return image


def seek_page(image: ImageFile.ImageFile, page: int) -> None:
    if page:
        with _no_pillow_limit():
            image.seek(page)


@contextmanager
def _no_pillow_limit() -> Iterator[None]:
    with _PILLOW_LIMIT_LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def require_page(path: Path, page: int, pages: int) -> None:
    if page >= pages:
        raise PictureError(
            f"{path} has {pages} {'page' if pages == 1 else 'pages'} and page {page} was asked "
            f"for; one from 0 to {pages - 1} was needed; choose one of these"
        )


def check_size(path: Path, max_pixels: int, width: int, height: int) -> None:
    if width * height > max_pixels:
        raise PictureError(
            f"{path} is {width}x{height}, more than {max_pixels} pixels; a smaller picture was "
            "needed; reduce it or raise the limit"
        )


def refuse_lack(image: ImageFile.ImageFile, stream: BinaryIO) -> None:
    """Refuse a PNG that says it is larger than its bytes could hold, before memory is taken."""
    if image.format != "PNG":
        return
    length = stream.seek(0, os.SEEK_END)
    stream.seek(24)
    depth, colour_type = stream.read(2)
    samples_a_pixel = {2: 3, 4: 2, 6: 4}.get(colour_type, 1)
    if image.width * image.height * depth * samples_a_pixel // 8 > length * _DEFLATE_RATIO:
        raise ValueError(f"{image.width}x{image.height} in {length} bytes")


def is_tiff(stream: BinaryIO) -> bool:
    stream.seek(0)
    return stream.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
