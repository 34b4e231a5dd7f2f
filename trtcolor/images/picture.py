"""What reading a picture gives, and what a faithful copy of it takes over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

READ_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "PPM")
"""Pillow's names of what any installation reads; AVIF and HEIF come with their libraries."""

WRITE_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".ppm": "PPM",
    ".pnm": "PPM",
    ".avif": "AVIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
}

MAX_PIXELS = 178_956_970
"""Width times height read by default: where Pillow by itself refuses a picture too."""


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its pixels, ready to be written beside upright sRGB ones.

    The orientation is 1 everywhere, thumbnails (they would stay grey) are gone, and the colour
    space is sRGB.

    Attributes:
        exif: a block with TIFF's structure, without the ``Exif\\0\\0`` before it; for a TIFF its
            own tags. Its byte order and all offsets of a block that was one are as they were.
        xmp: the packet.
        extended_xmp: contents of JPEG's segments that continue it.
        iptc: IIM records that lie outside `photoshop`.
        photoshop: image resource blocks ("8BIM"), IPTC records and captions among them.
        comments: of a JPEG or GIF.
        text: PNG's chunks of text and time: (type, data).
        dpi: dots an inch, across and down, where a file has them outside its EXIF.
    """

    exif: bytes = b""
    xmp: bytes = b""
    extended_xmp: tuple[bytes, ...] = ()
    iptc: bytes = b""
    photoshop: bytes = b""
    comments: tuple[bytes, ...] = ()
    text: tuple[tuple[bytes, bytes], ...] = ()
    dpi: tuple[float, float] | None = None


@dataclass(frozen=True)
class Origin:
    """All that a copy of a picture takes over from its file beside the pixels.

    Attributes:
        metadata: what the file said.
        icc: the file's profile where that is an sRGB one for RGB; else empty, and a copy carries
            trtcolor's own.
        compressed: False for a TIFF that was not compressed.
        lossless: True for a WebP that was.
    """

    metadata: Metadata = field(default_factory=Metadata)
    icc: bytes = b""
    compressed: bool = True
    lossless: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture, or one page of it, that was read.

    Attributes:
        pixels: sRGB-coded, upright: (H, W) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or
            (H, W, 4) RGBA. uint8, or uint16 where the file has more than 8 bits a sample or where
            its colour space is another and 8 bits would not hold it.
        format: Pillow's name of the file's format, e.g. ``"JPEG"``.
        bits: a sample in the file, 1 to 16; a copy has 16 where this is more than 8.
        page: which this is, from 0.
        pages: in the file; more than one in TIFF and in animations.
        origin: for `trtcolor.images.write_picture`.
        warnings: what was not as it should be, a sentence each: a profile that is broken, frames
            that are left out.
    """

    pixels: NDArray[Any]
    format: str
    bits: int = 8
    page: int = 0
    pages: int = 1
    origin: Origin = field(default_factory=Origin)
    warnings: tuple[str, ...] = ()

    @property
    def alpha(self) -> NDArray[Any] | None:
        """(H, W) of the pixels' dtype, opaque at its largest; None without."""
        has = self.pixels.ndim == 3 and self.pixels.shape[2] in (2, 4)
        return self.pixels[:, :, -1] if has else None

    @property
    def rgb8(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB, without alpha: rounded from 16 bits, grey three times."""
        pixels = rounded_to_8(self.pixels)
        if pixels.ndim == 2 or pixels.shape[2] == 2:
            grey = pixels.reshape(*pixels.shape[:2], -1)[..., :1]
            return np.repeat(grey, 3, axis=2)
        return pixels[..., :3]


def rounded_to_8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """uint16 to the nearest uint8, v / 257; uint8 as it is."""
    if pixels.dtype == np.uint8:
        return pixels
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
