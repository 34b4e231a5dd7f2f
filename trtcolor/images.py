"""Picture files: read into an array, written all or not at all.

Reads PNG, JPEG, TIFF, WebP, BMP, GIF and PNM, the first picture of a file that has several, turned
upright by its EXIF orientation. Writes PNG, JPEG, TIFF and WebP, without metadata.

16 bits a sample are read from PNG, from grey and RGB TIFF and from grey PNM, and written to PNG.
JPEG and WebP hold 8, so a 16-bit picture is rounded for them; TIFF could hold 16 but is not written
so, and is refused. Colour profiles are not applied: what comes in is taken for sRGB.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from trtcolor import images16
from trtcolor.errors import PictureError
from trtcolor.files import refuse_existing, whole_file

READ_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "PPM")
WRITE_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
MAX_PIXELS = 178_956_970
"""Width times height read by default: where Pillow by itself refuses a picture too."""

PNG_LEVEL = 4
"""Of zlib's 9: half of the time of its default, 6, for photographs 0 to 4 % larger."""

_ORIENTATION = 0x0112
_PILLOW_LIMIT_LOCK = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """A picture that was read.

    Attributes:
        pixels: uint8 or uint16: (H, W) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or
            (H, W, 4) RGBA.
        format: Pillow's name of the file's format, e.g. ``"JPEG"``.
    """

    pixels: NDArray[Any]
    format: str


def read_picture(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture file.

    Args:
        path: of the file; its format is told from its content.
        max_pixels: refuse a picture of more than this before decoding it.

    Raises:
        PictureError: nothing there, a folder, empty, no picture, damaged or cut short, too large,
            or samples of a kind that has no black and white (32-bit integers, floats).
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            if not stream.read(1):
                raise PictureError(
                    f"{path} is empty (0 bytes); a picture was needed; copy the file again"
                )
            image = _open_image(stream)
            if image.width * image.height > max_pixels:
                raise PictureError(
                    f"{path} is {image.width}x{image.height}, more than {max_pixels} pixels; a "
                    "smaller picture was needed; reduce it or raise the limit"
                )
            return Picture(_upright_pixels(image, stream), image.format or "")
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(
            f"{path} is no picture that can be read; one of {', '.join(READ_FORMATS)} was needed; "
            "convert it first"
        ) from None
    except NotImplementedError as error:
        raise PictureError(
            f"{path} holds {error}; grey, RGB or CMYK samples of 8 bits, or grey or RGB ones of "
            "16, were needed; convert it first"
        ) from None
    except Exception as error:  # a decoder on broken bytes may raise nearly anything
        if isinstance(error, OSError) and error.errno is not None:
            raise PictureError(
                f"{path} cannot be read ({error.strerror}); a picture file was needed; "
                "check the path and its permissions"
            ) from None
        raise PictureError(
            f"{path} is damaged or cut short ({error or type(error).__name__}); a whole picture "
            "was needed; copy the file again"
        ) from None


def check_output(
    path: str | os.PathLike[str], *, overwrite: bool = False, pixels: NDArray[Any] | None = None
) -> None:
    """Refuse an output that could not be written, before the work for it begins.

    Args:
        path: of the file to come; its suffix names the format.
        overwrite: allow a file that is there already.
        pixels: the picture, or the one that it will be made from: same dtype and alpha.

    Raises:
        OutputExistsError: there is a file already and `overwrite` is false.
        PictureError: a suffix that is not written, a folder in place of the file, a parent that is
            no folder or not writable, or pixels that the format does not hold.
    """
    path = Path(path)
    kind = _write_format(path)
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
    if pixels is None:
        return
    has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
    if kind == "JPEG" and has_alpha and (pixels[..., -1] != np.iinfo(pixels.dtype).max).any():
        raise PictureError(
            f"{path.name} is to be JPEG, which holds no transparency, and the picture has some; "
            "another format was needed; write .png, .tif or .webp"
        )
    if kind == "TIFF" and pixels.dtype == np.uint16:
        raise PictureError(
            f"{path.name} is to be TIFF, which is written with 8 bits only, and the picture has "
            "16; another format was needed; write .png"
        )


def write_picture(
    path: str | os.PathLike[str],
    pixels: NDArray[Any],
    *,
    overwrite: bool = False,
    quality: int = 95,
) -> None:
    """Write a picture file, complete under its name or not at all (`trtcolor.files.whole_file`).

    JPEG keeps chroma at full resolution (4:4:4), which WebP cannot. An alpha channel that is opaque
    everywhere is left out of a JPEG; any other is refused rather than lost.

    Args:
        path: of the file; the suffix names the format (`WRITE_FORMATS`).
        pixels: uint8 or uint16: (H, W), (H, W, 3) or (H, W, 4).
        overwrite: replace a file that is there.
        quality: 1..100 for JPEG and WebP.

    Raises:
        OutputExistsError, PictureError: as from `check_output`, or the writing failed.
        ValueError: pixels or a quality that are none of these.
    """
    path = Path(path)
    if pixels.dtype not in (np.uint8, np.uint16) or not (
        pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    ):
        raise ValueError(
            f"pixels of {pixels.dtype} {pixels.shape} came; uint8 or uint16 (H, W), (H, W, 3) or "
            "(H, W, 4) was needed; convert them"
        )
    if not 1 <= quality <= 100:
        raise ValueError(f"quality is {quality}; 1 to 100 was needed; 95 is a good choice")
    check_output(path, overwrite=overwrite, pixels=pixels)
    try:
        with whole_file(path, overwrite=overwrite) as stream:
            _encode(stream, pixels, _write_format(path), quality)
    except PictureError:
        raise
    except Exception as error:  # an encoder may raise nearly anything
        raise PictureError(
            f"{path} was not written ({error}); a format and a disk that hold a picture of "
            f"{pixels.shape[1]}x{pixels.shape[0]} were needed; write elsewhere or another format"
        ) from error


def _write_format(path: Path) -> str:
    try:
        return WRITE_FORMATS[path.suffix.lower()]
    except KeyError:
        raise PictureError(
            f"{path.name!r} does not end like a picture that is written; one of "
            f"{', '.join(WRITE_FORMATS)} was needed; change the ending"
        ) from None


def _open_image(stream: BinaryIO) -> ImageFile.ImageFile:
    """Read a picture's header, without Pillow's own size limit: that is global, ours follows."""
    stream.seek(0)
    with _PILLOW_LIMIT_LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(stream, formats=READ_FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _upright_pixels(image: ImageFile.ImageFile, stream: BinaryIO) -> NDArray[Any]:
    images16.refuse_separate_planes(image)
    if images16.is_grey(image):
        pixels: NDArray[Any] = images16.decode_grey(image)
    elif images16.is_colour(image):
        pixels = images16.decode_colour(image, _open_image(stream))
    elif image.mode in ("1", "L", "LA", "La"):
        pixels = np.asarray(image.convert("LA" if image.has_transparency_data else "L"))
    elif image.mode in ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"):
        pixels = np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    else:
        raise NotImplementedError(f"samples of Pillow's mode {image.mode!r}")
    # after decoding: a TIFF has been turned by Pillow then, and says so
    return np.ascontiguousarray(_upright(pixels, image.getexif().get(_ORIENTATION, 1)))


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an EXIF orientation, which says where row 0 and column 0 of the file belong."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _encode(stream: BinaryIO, pixels: NDArray[Any], kind: str, quality: int) -> None:
    if kind == "PNG" and pixels.dtype == np.uint16:
        images16.encode_png(stream, pixels)
        return
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)  # v / 257, to nearest
    if kind == "JPEG" and pixels.ndim == 3:
        pixels = pixels[:, :, :3]
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": quality, "subsampling": 0},
        "PNG": {"compress_level": PNG_LEVEL},
        "WEBP": {"quality": quality},
        "TIFF": {"compression": "tiff_adobe_deflate"},
    }
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, kind, **options.get(kind, {}))
