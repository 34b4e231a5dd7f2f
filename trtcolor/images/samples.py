"""Samples as a file has them: decoded, not yet converted to sRGB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from trtcolor.images import sixteen

Space = Literal["grey", "rgb", "cmyk", "lab"]


@dataclass(frozen=True)
class Samples:
    """A decoded picture.

    Attributes:
        colour: uint8 or uint16; (H, W) grey, (H, W, 3) RGB or L*a*b*, (H, W, 4) CMYK with full ink
            at the largest. L* is 0 at 0 and 100 at the largest; a* and b* lie 128 (of 8 bits) or
            32768 (of 16, in steps of 1/256) above 0.
        alpha: (H, W) of the same dtype, or None.
        space: of `colour`.
        bits: a sample in the file.
    """

    colour: NDArray[Any]
    alpha: NDArray[Any] | None
    space: Space
    bits: int


def decode(image: ImageFile.ImageFile, reopen: Callable[[], ImageFile.ImageFile]) -> Samples:
    """Decode what Pillow has opened.

    Args:
        image: not yet decoded.
        reopen: opens the same once more.

    Raises:
        NotImplementedError: samples of a kind that has no black and white.
    """
    bits = sixteen.bits(image)
    if sixteen.in_separate_planes(image):
        raise NotImplementedError("16-bit samples in separate planes")
    if sixteen.is_grey(image):
        return _split(sixteen.decode_grey(image), bits)
    if sixteen.is_colour(image):
        is_cmyk = image.mode == "CMYK"
        pixels = sixteen.decode_colour(image, reopen())
        return Samples(pixels, None, "cmyk", bits) if is_cmyk else _split(pixels, bits)
    if image.mode == "CMYK":
        return Samples(np.asarray(image), None, "cmyk", bits)
    if image.mode == "LAB":  # as an array with a* and b* signed
        return Samples(np.asarray(image) ^ np.array([0, 128, 128], np.uint8), None, "lab", bits)
    if image.mode in ("1", "L", "LA", "La"):
        return _split(np.asarray(image.convert("LA" if image.has_transparency_data else "L")), bits)
    if image.mode in ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"):
        mode = "RGBA" if image.has_transparency_data else "RGB"
        return _split(np.asarray(image.convert(mode)), bits)
    raise NotImplementedError(f"samples of Pillow's mode {image.mode!r}")


def _split(pixels: NDArray[Any], bits: int) -> Samples:
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if channels in (1, 3):
        return Samples(pixels, None, "grey" if channels == 1 else "rgb", bits)
    if channels == 2:
        return Samples(pixels[..., 0], pixels[..., 1], "grey", bits)
    return Samples(pixels[..., :3], pixels[..., 3], "rgb", bits)
