"""Small 8-bit copies of pictures, for looking at."""

from __future__ import annotations

import base64
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trtcolor.images import MAX_PIXELS, read_picture
from trtcolor.sheet import GROUND, fit

Source = str | os.PathLike[str] | NDArray[Any]
"""A picture's file, or its pixels as `trtcolor.colorizer.Colorizer.colorize` takes and gives."""


def thumbnail(source: Source, longest: int, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """A picture as it looks on a neutral dark ground, reduced.

    Args:
        source: a file, or uint8 or uint16 (H, W), (H, W, 1), (H, W, 2) grey and alpha, (H, W, 3)
            RGB or (H, W, 4) RGBA.
        longest: pixels of its longer side at most; a smaller picture is not enlarged.
        max_pixels: of a file, as for `trtcolor.images.read_picture`.

    Returns:
        uint8 (h, w) grey or (h, w, 3) RGB.

    Raises:
        PictureError: a file that is gone or is no picture that can be read.
        ValueError: pixels that are none of these.
    """
    if isinstance(source, np.ndarray):
        pixels = source
    else:
        pixels = read_picture(Path(source), max_pixels=max_pixels).pixels
    pixels = _eight_bits(pixels)
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels = _on_ground(pixels)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return fit(pixels, min(longest, max(pixels.shape[:2], default=longest)))


@dataclass(frozen=True)
class Embedded:
    """A small picture as it lies in a page.

    Attributes:
        text: the bytes of a WebP file in base64.
        width, height: in pixels.
    """

    text: str
    width: int
    height: int


def embedded(
    source: Source, longest: int, *, quality: int = 75, max_pixels: int = MAX_PIXELS
) -> Embedded:
    """A picture, reduced, as text for a page.

    Args:
        source, longest, max_pixels: as for `thumbnail`.
        quality: of WebP, 1..100.

    Raises:
        PictureError, ValueError: as from `thumbnail`.
    """
    image = Image.fromarray(thumbnail(source, longest, max_pixels=max_pixels))
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=quality, method=2)  # half the time of 4, 2 % larger
    text = base64.b64encode(stream.getbuffer()).decode("ascii")
    return Embedded(text, image.width, image.height)


def _eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype != np.uint16:
        return pixels
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)  # v / 257, to nearest


def _on_ground(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey or RGB of what is seen through alpha on the ground of a sheet."""
    alpha = pixels[..., -1:].astype(np.uint16)
    opaque = pixels[..., :-1] * alpha + np.uint16(GROUND[0]) * (255 - alpha)
    return ((opaque + 127) // 255).astype(np.uint8)
