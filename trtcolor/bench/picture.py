"""The grey frames that are coloured: a photograph at the size asked for, not zeros."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trtcolor import demo
from trtcolor.geometry import Size
from trtcolor.images import read_picture


def grey_frames(size: Size, batch: int) -> tuple[list[NDArray[np.uint8]], str]:
    """`batch` frames (H, W) uint8 of a size, and what they were made from.

    Each is the same picture rolled a few columns further, so that no two are equal.
    """
    source, name = _source()
    height, width = size
    frame = np.array(source.resize((width, height), Image.Resampling.BICUBIC))
    return [np.roll(frame, 7 * i, axis=1) for i in range(batch)], name


def _source() -> tuple[Image.Image, str]:
    """A photograph if there is one, else noise whose spectrum falls as 1/f like a photograph's."""
    files = demo.photographs()
    if files:
        rgb = read_picture(files[0]).rgb8
        return Image.fromarray(rgb).convert("L"), f"{files[0].name} of scikit-image"
    side = 512
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    frequency[0, 0] = 1 / side
    noise = np.fft.rfft2(np.random.default_rng(0).normal(size=(side, side)))
    plane = np.fft.irfft2(noise / frequency, (side, side))
    grey = np.clip(128 + 48 * (plane - plane.mean()) / plane.std(), 0, 255)
    return Image.fromarray(grey.astype(np.uint8)), "1/f noise (scikit-image is not installed)"
