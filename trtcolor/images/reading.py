"""Picture files read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from trtcolor.errors import PictureError
from trtcolor.images import samples
from trtcolor.images.conversion import meaning_of, to_srgb
from trtcolor.images.directory import (
    ORIENTATION,
    Directory,
    count_directories,
    directories,
    read_directory,
)
from trtcolor.images.formats import webp_is_lossless
from trtcolor.images.metadata import made_true, metadata_of
from trtcolor.images.opening import (
    check_size,
    errors_named,
    is_tiff,
    open_image,
    opened,
    refuse_lack,
    require_page,
    seek_page,
)
from trtcolor.images.picture import MAX_PIXELS, Origin, Picture
from trtcolor.images.planar import decode_tiff
from trtcolor.images.samples import Samples

_WIDTH, _HEIGHT = 256, 257  # TIFF 6.0
_COMPRESSION, _UNCOMPRESSED = 259, 1
_SUBFILE_TYPE, _SUB_DIRECTORIES = 254, 330
_LAYERS, _DNG_VERSION = 37724, 50706  # Photoshop's TIFF note; DNG 1.6


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
    with errors_named(path), opened(path) as stream:
        check = partial(check_size, path, max_pixels)
        found = _decode(path, stream, number, check)
        metadata = metadata_of(found.format, stream, found.info, number)
        meaning = meaning_of(found.info, metadata.exif, found.icc)
        pixels, keeps_profile, warnings = to_srgb(found.samples, meaning)
        if found.several:
            warnings += ("the file holds several pictures; the first alone was read",)
        tags = _tiff_tags(stream, number) if found.format == "TIFF" else Directory("<")
        if _LAYERS in tags.entries or _SUB_DIRECTORIES in tags.entries:
            warnings += ("layers or reduced pictures inside the page are left out",)
        return Picture(
            np.ascontiguousarray(_upright(pixels, found.orientation)),
            found.format,
            found.samples.bits,
            number,
            found.pages,
            Origin(
                made_true(metadata, turned=_exchanges_sides(found, stream, number)),
                meaning.icc if keeps_profile else b"",
                tags.number(_COMPRESSION) != _UNCOMPRESSED,
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
        with opened(path) as stream:
            if not is_tiff(stream):
                image = open_image(path, stream)
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
        turned = _tiff_tags(stream, page).number(ORIENTATION)
    return (turned or found.orientation) in (5, 6, 7, 8)


def _tiff_tags(stream: BinaryIO, page: int) -> Directory:
    """The tags of a TIFF's page; none where decoders are more patient than our reading."""
    try:
        return read_directory(stream, page)
    except ValueError:
        return Directory("<")


def _refuse_raw(path: Path, tags: Directory) -> None:
    """Refuse what is built like a TIFF and has, in the place of its picture, a preview."""
    reduced = (tags.number(_SUBFILE_TYPE) or 0) & 1
    if _DNG_VERSION in tags.entries or (reduced and _SUB_DIRECTORIES in tags.entries):
        raise PictureError(
            f"{path} is a camera's raw file, of which only the preview could be read; a developed "
            "picture was needed; save it as TIFF first"
        )


def _decode(path: Path, stream: BinaryIO, page: int, check: Callable[[int, int], None]) -> _Found:
    try:
        image = open_image(path, stream)
        kind = "JPEG" if image.format == "MPO" else image.format or ""
        pages = count_directories(stream) if kind == "TIFF" else 1
        require_page(path, page, pages)
        seek_page(image, page)
        check(*image.size)
        if kind == "TIFF":
            _refuse_raw(path, _tiff_tags(stream, page))
        refuse_lack(image, stream)
        # of a PNG it would be read by decoding
        seen = image.getexif().get(ORIENTATION) if kind == "TIFF" else None
        decoded = samples.decode(image, partial(open_image, path, stream, page))
        # after decoding: a TIFF has been turned by Pillow then, and says so
        turned = image.getexif().get(ORIENTATION, 1)
        if kind == "TIFF" and seen is None:  # as in a BigTIFF of big-endian numbers
            turned = _tiff_tags(stream, page).number(ORIENTATION) or 1
        several = kind != "TIFF" and bool(getattr(image, "is_animated", False))
        return _Found(decoded, kind, image.info, b"", turned, pages, several)
    except (UnidentifiedImageError, NotImplementedError) as error:
        if not is_tiff(stream):
            raise
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "a TIFF of a rare kind" if unknown else str(error)
    decoded, icc, pages = decode_tiff(stream, page, f"{path} holds {reason}; it", check)
    turned = _tiff_tags(stream, page).number(ORIENTATION) or 1
    return _Found(decoded, "TIFF", {}, icc, turned, pages, several=False)


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an EXIF orientation, which says where row 0 and column 0 of the file belong."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
