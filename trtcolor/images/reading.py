"""Picture files read."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from trtcolor.errors import PictureError
from trtcolor.images import samples
from trtcolor.images.conversion import meaning_of, to_srgb
from trtcolor.images.directory import (
    ORIENTATION,
    count_directories,
    directories,
    read_directory,
)
from trtcolor.images.formats import (
    kind_of_head,
    readable_formats,
    require_library,
    webp_is_lossless,
)
from trtcolor.images.metadata import made_true, metadata_of
from trtcolor.images.picture import MAX_PIXELS, Origin, Picture
from trtcolor.images.planar import decode_tiff
from trtcolor.images.samples import Samples

_PILLOW_LIMIT_LOCK = threading.Lock()
_WIDTH, _HEIGHT = 256, 257  # TIFF 6.0
_COMPRESSION, _UNCOMPRESSED = 259, 1
_DEFLATE_RATIO = 1040
"""Deflate makes no byte to more than 1032."""


def read_picture(
    path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS, page: int | None = None
) -> Picture:
    """Read a picture file.

    Args:
        path: of the file; its format is told from its content.
        max_pixels: refuse a picture of more than this before decoding it.
        page: of a TIFF, from 0; None is the first, of any file.

    Raises:
        PictureError: nothing there, no file, empty, no picture, damaged or cut short, too large, no
            such page, samples of a kind that has no black and white (32-bit integers, floats), or
            one whose library is not installed.
        ValueError: a negative page.
    """
    path = Path(path)
    number = page or 0
    if number < 0:
        raise ValueError(f"page is {page}; 0 or more was needed; 0 is the first")
    with _errors_named(path), _opened(path) as stream:
        check = partial(_check_size, path, max_pixels)
        found = _decode(path, stream, number, check)
        metadata = metadata_of(found.format, stream, found.info, number)
        meaning = meaning_of(found.info, metadata.exif, found.icc)
        pixels, keeps_profile, warnings = to_srgb(found.samples, meaning)
        if found.several:
            warnings += ("the file holds several pictures; the first alone was read",)
        compressed = True
        if found.format == "TIFF":
            compressed = _tiff_number(stream, number, _COMPRESSION) != _UNCOMPRESSED
        return Picture(
            np.ascontiguousarray(_upright(pixels, found.orientation)),
            found.format,
            found.samples.bits,
            number,
            found.pages,
            Origin(
                made_true(metadata, turned=_exchanges_sides(found, stream, number)),
                meaning.icc if keeps_profile else b"",
                compressed,
                found.format == "WEBP" and webp_is_lossless(stream),
            ),
            warnings,
        )


def picture_size(path: str | os.PathLike[str]) -> int | None:
    """Pixels of a picture, of the largest page of a TIFF, by what the file says.

    Args:
        path: of the file, of which the header alone is read.

    Returns:
        Width times height; None where that cannot be read.
    """
    path = Path(path)
    try:
        with _opened(path) as stream:
            if not _is_tiff(stream):
                image = _open_image(path, stream)
                return image.width * image.height
            return max(
                (page.number(_WIDTH) or 0) * (page.number(_HEIGHT) or 0)
                for page in directories(stream)
            )
    except Exception:  # a decoder on broken bytes may raise nearly anything
        return None


def read_pages(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Iterator[Picture]:
    """All pages of a picture file, one in memory at a time.

    Arguments and errors are those of `read_picture`.
    """
    first = read_picture(path, max_pixels=max_pixels)
    yield first
    pages = first.pages
    del first
    for page in range(1, pages):
        yield read_picture(path, max_pixels=max_pixels, page=page)


@dataclass(frozen=True)
class _Found:
    """What was decoded: the samples, Pillow's words beside them, and how to turn them upright."""

    samples: Samples
    format: str
    info: dict[Any, Any]
    icc: bytes
    orientation: int
    pages: int
    several: bool


def _exchanges_sides(found: _Found, stream: BinaryIO, page: int) -> bool:
    """Whether width and height in the file are height and width of the pixels."""
    turned: Any = found.info.get("original_orientation")  # pillow-heif has turned the picture
    if found.format == "TIFF":  # and so, maybe, has Pillow
        turned = _tiff_number(stream, page, ORIENTATION)
    return (turned or found.orientation) in (5, 6, 7, 8)


def _tiff_number(stream: BinaryIO, page: int, tag: int) -> int | None:
    """A tag of a TIFF's page; None as well where decoders are more patient than our reading."""
    try:
        return read_directory(stream, page).number(tag)
    except ValueError:
        return None


def _decode(path: Path, stream: BinaryIO, page: int, check: Callable[[int, int], None]) -> _Found:
    try:
        image = _open_image(path, stream)
        kind = "JPEG" if image.format == "MPO" else image.format or ""
        pages = count_directories(stream) if kind == "TIFF" else 1
        _require_page(path, page, pages)
        _seek(image, page)
        check(*image.size)
        _refuse_lack(image, stream)
        seen = image.getexif().get(ORIENTATION)
        decoded = samples.decode(image, partial(_open_image, path, stream, page))
        # after decoding: a TIFF has been turned by Pillow then, and says so
        turned = image.getexif().get(ORIENTATION, 1)
        if kind == "TIFF" and seen is None:  # as in a BigTIFF of big-endian numbers
            turned = _tiff_number(stream, page, ORIENTATION) or 1
        several = kind != "TIFF" and bool(getattr(image, "is_animated", False))
        return _Found(decoded, kind, image.info, b"", turned, pages, several)
    except (UnidentifiedImageError, NotImplementedError) as error:
        if not _is_tiff(stream):
            raise
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "a TIFF of a rare kind" if unknown else str(error)
    decoded, icc, pages = decode_tiff(stream, page, f"{path} holds {reason}; it", check)
    turned = _tiff_number(stream, page, ORIENTATION) or 1
    return _Found(decoded, "TIFF", {}, icc, turned, pages, several=False)


def _open_image(path: Path, stream: BinaryIO, page: int = 0) -> ImageFile.ImageFile:
    """Read a picture's header, without Pillow's own size limit: that is global, ours follows."""
    stream.seek(0)
    kind = kind_of_head(stream.read(12))
    if kind is not None:
        require_library(path, kind)
    stream.seek(0)
    with _no_pillow_limit():
        image = Image.open(stream, formats=readable_formats())
    _seek(image, page)
    return image


def _seek(image: ImageFile.ImageFile, page: int) -> None:
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


def _require_page(path: Path, page: int, pages: int) -> None:
    if page >= pages:
        raise PictureError(
            f"{path} has {pages} {'page' if pages == 1 else 'pages'} and page {page} was asked "
            f"for; one from 0 to {pages - 1} was needed; choose one of these"
        )


def _check_size(path: Path, max_pixels: int, width: int, height: int) -> None:
    if width * height > max_pixels:
        raise PictureError(
            f"{path} is {width}x{height}, more than {max_pixels} pixels; a smaller picture was "
            "needed; reduce it or raise the limit"
        )


def _refuse_lack(image: ImageFile.ImageFile, stream: BinaryIO) -> None:
    """Refuse a PNG that says it is larger than its bytes could hold, before memory is taken."""
    if image.format != "PNG":
        return
    length = stream.seek(0, os.SEEK_END)
    stream.seek(24)
    depth, colour_type = stream.read(2)
    samples_a_pixel = {2: 3, 4: 2, 6: 4}.get(colour_type, 1)
    if image.width * image.height * depth * samples_a_pixel // 8 > length * _DEFLATE_RATIO:
        raise ValueError(f"{image.width}x{image.height} in {length} bytes")


def _is_tiff(stream: BinaryIO) -> bool:
    stream.seek(0)
    return stream.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an EXIF orientation, which says where row 0 and column 0 of the file belong."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
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
def _errors_named(path: Path) -> Iterator[None]:
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
