"""Folders of small colour pictures, with some that are grey or broken."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def picture(seed: int) -> NDArray[np.uint8]:
    """Smooth, colourful and of its own, 32 high and 40 wide."""
    small = np.random.default_rng(seed).integers(30, 226, (4, 5, 3), np.uint8)
    return np.array(Image.fromarray(small).resize((40, 32), Image.Resampling.BICUBIC))


def fill(folder: Path, count: int = 4, **others: bytes) -> Path:
    """A flat folder of pictures 0.png, 1.png, ... and of these other files."""
    folder.mkdir(parents=True)
    for index in range(count):
        Image.fromarray(picture(index)).save(folder / f"{index}.png")
    for name, content in others.items():
        (folder / f"{name}.png").write_bytes(content)
    return folder


def grey_file() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture(0)[..., 0]).save(stream, "PNG")
    return stream.getvalue()


def no_chroma() -> dict[str, NDArray[np.float32]]:
    """Weights of a tiny network that predicts a* = b* = 0."""
    return one_colour(0, 0)


def one_colour(a: float, b: float) -> dict[str, NDArray[np.float32]]:
    """Weights of a tiny network that predicts the same a* and b* everywhere."""
    return {"low": np.zeros((2, 1, 3, 3), np.float32), "low_bias": np.array([a, b], np.float32)}
