"""Picture files written, complete under their names or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import PictureError
from trtcolor.files import refuse_existing, whole_file
from trtcolor.images.encode import Content, encode
from trtcolor.images.formats import require_library
from trtcolor.images.picture import WRITE_FORMATS, Metadata, Picture, rounded_to_8
from trtcolor.images.srgb import srgb_icc
from trtcolor.images.tiff import TiffWriter, order_of

_DEEP = ("PNG", "TIFF", "PPM")
_OPAQUE = ("JPEG", "BMP", "PPM")


def check_output(
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    pixels: NDArray[Any] | None = None,
    format: str | None = None,
    pages: int = 1,
) -> None:
    """Refuse an output that could not be written, before the work for it begins.

    Args:
        path: of the file to come.
        overwrite: allow a file that is there already.
        pixels: the picture, or the one that it will be made from: same dtype and alpha.
        format: as for `write_picture`.
        pages: how many there are to be, as far as is known.

    Raises:
        OutputExistsError: there is a file already and `overwrite` is false.
        PictureError: a format that is not written, a folder in place of the file, a parent that is
            no folder or not writable, or pixels or pages that the format does not hold.
    """
    path = Path(path)
    kind = write_format(path, format)
    if path.is_dir():
        raise PictureError(f"{path} is a folder; a file name was needed; add one to the path")
    if not path.parent.is_dir():
        raise PictureError(
            f"{path.parent} is no folder; an existing one was needed to write {path.name} into; "
            "make it first"
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PictureError(
            f"{path.parent} is not writable; a writable folder was needed; choose another"
        )
    if not overwrite:
        refuse_existing(path)
    if pages > 1 and kind != "TIFF":
        raise PictureError(
            f"{path.name} is to be {kind}, which holds one page, and the picture has more; "
            "another format was needed; write .tif"
        )
    has_alpha = pixels is not None and pixels.ndim == 3 and pixels.shape[2] in (2, 4)
    if pixels is None or not has_alpha or kind not in _OPAQUE:
        return
    if (pixels[..., -1] != np.iinfo(pixels.dtype).max).any():
        raise PictureError(
            f"{path.name} is to be {kind}, which holds no transparency, and the picture has some; "
            "another format was needed; write .png, .tif or .webp"
        )


def write_picture(
    path: str | os.PathLike[str],
    pixels: NDArray[Any],
    *,
    like: Picture | None = None,
    keep_metadata: bool = True,
    quality: int = 95,
    format: str | None = None,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write a picture file, complete under its name or not at all (`trtcolor.files.whole_file`).

    JPEG, AVIF and HEIF keep chroma at full resolution (4:4:4), which WebP cannot. An alpha channel
    that is opaque everywhere is left out where the format has none; any other is refused rather
    than lost.

    Args:
        path: of the file; without `format` the suffix names the format (`WRITE_FORMATS`).
        pixels: sRGB-coded, uint8 or uint16: (H, W), (H, W, 3) or (H, W, 4). 16 bits are kept by
            PNG, TIFF and PNM, and rounded to 8 by the others.
        like: the picture that they were made from. What its file said beside its pixels is written
            again and a profile of sRGB with it; 16-bit pixels of a file that had 8 become 8 again,
            a WebP without loss stays one, and so does a TIFF without compression.
        keep_metadata: write what `like` said. The profile is written in any case.
        quality: 1..100 for JPEG, WebP, AVIF and HEIF.
        format: Pillow's name of the format, one of `WRITE_FORMATS`' values.
        overwrite: replace a file that is there.

    Returns:
        What of the metadata the format has no place for, a few words each.

    Raises:
        OutputExistsError, PictureError: as from `check_output`, or the writing failed.
        ValueError: pixels or a quality that are none of these.
    """
    return write_pages(
        path,
        [(pixels, like)],
        keep_metadata=keep_metadata,
        quality=quality,
        format=format,
        overwrite=overwrite,
    )


def write_pages(
    path: str | os.PathLike[str],
    pages: Iterable[tuple[NDArray[Any], Picture | None]],
    *,
    keep_metadata: bool = True,
    quality: int = 95,
    format: str | None = None,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write a TIFF of several pages; with one page, any format.

    A page is asked for when the one before it is written, so that no two need be in memory.

    Args:
        path, keep_metadata, quality, format, overwrite: as for `write_picture`.
        pages: pixels and what they were made from, at least one; pixels as for `write_picture`.

    Returns:
        As `write_picture`, of all pages.

    Raises:
        OutputExistsError, PictureError, ValueError: as from `write_picture`, and whatever `pages`
            raises.
    """
    path = Path(path)
    if not 1 <= quality <= 100:
        raise ValueError(f"quality is {quality}; 1 to 100 was needed; 95 is a good choice")
    kind = write_format(path, format)
    check_output(path, overwrite=overwrite, format=format)
    left_out: dict[str, None] = {}
    try:
        with whole_file(path, overwrite=overwrite) as stream:
            tiff: TiffWriter | None = None
            for number, (pixels, like) in enumerate(pages, 1):
                _require_pixels(pixels)
                check_output(path, overwrite=True, pixels=pixels, format=format, pages=number)
                content = _content(pixels, like, kind, keep_metadata, quality)
                try:
                    if kind == "TIFF":
                        tiff = tiff or TiffWriter(stream, order_of(content.metadata))
                        tiff.add(content, compressed=like is None or like.origin.compressed)
                    else:
                        left_out |= dict.fromkeys(encode(stream, kind, content))
                except Exception as error:  # an encoder may raise nearly anything
                    raise _not_written(path, error) from error
            if not stream.tell():
                raise ValueError("no page came; at least one was needed; leave the file out")
    except OSError as error:
        raise _not_written(path, error) from error
    return tuple(left_out)


def write_format(path: Path, format: str | None = None) -> str:
    """Pillow's name of the format to write: the one asked for, else the one of the suffix.

    Raises:
        PictureError: it is not written, or this installation has not its library.
    """
    if format is not None and format not in WRITE_FORMATS.values():
        raise PictureError(
            f"{format!r} is no format that is written; one of "
            f"{', '.join(sorted(set(WRITE_FORMATS.values())))} was needed; choose another"
        )
    kind = format or WRITE_FORMATS.get(path.suffix.lower())
    if kind is None:
        raise PictureError(
            f"{path.name!r} does not end like a picture that is written; one of "
            f"{', '.join(WRITE_FORMATS)} was needed; change the ending"
        )
    require_library(path, kind)
    return kind


def _content(
    pixels: NDArray[Any], like: Picture | None, kind: str, keep_metadata: bool, quality: int
) -> Content:
    """What goes into the file: 8 bits where the format or the picture before has no more."""
    if pixels.dtype == np.uint16 and (kind not in _DEEP or (like is not None and like.bits <= 8)):
        pixels = rounded_to_8(pixels)
    if kind in _OPAQUE and pixels.ndim == 3:
        pixels = pixels[:, :, :3]
    if like is None:
        return Content(np.ascontiguousarray(pixels), Metadata(), b"", quality)
    icc = like.origin.icc or srgb_icc()
    metadata = like.origin.metadata if keep_metadata else Metadata()
    return Content(np.ascontiguousarray(pixels), metadata, icc, quality, like.origin.lossless)


def _require_pixels(pixels: NDArray[Any]) -> None:
    if pixels.dtype not in (np.uint8, np.uint16) or not (
        pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    ):
        raise ValueError(
            f"pixels of {pixels.dtype} {pixels.shape} came; uint8 or uint16 (H, W), (H, W, 3) or "
            "(H, W, 4) was needed; convert them"
        )


def _not_written(path: Path, error: Exception) -> PictureError:
    return PictureError(
        f"{path} was not written ({error or type(error).__name__}); a format and a disk that hold "
        "the picture were needed; write elsewhere or another format"
    )
