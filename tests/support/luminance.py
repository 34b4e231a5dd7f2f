"""How far the luminance of coloured copies lies from that of the files they were made from.

    python tests/support/luminance.py

prints the largest |dL*| (lossless) or the mean |dY'| (lossy) of each kind of file. What the numbers
in a file mean is worked out here from their definitions, in float64, with nothing of
trtcolor.images; how the copy is decoded is Pillow's or tifffile's.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from luminance_files import CASES, LUMINANCE, Case, Floats, srgb_linear
from numpy.typing import NDArray
from PIL import Image

from trtcolor import frames
from trtcolor.images import read_picture, write_picture


def measured(case: Case, folder: Path) -> float:
    """Write the file, colour it at random, write the copy, and compare."""
    source = folder / case.name
    truth = case.write(source)
    picture = read_picture(source)
    size = picture.pixels.shape[:2]
    most = 25 if case.lossy else 60  # such as networks give, and such as leave the gamut
    chroma = np.random.default_rng(1).uniform(-most, most, (2, 8, 8)).astype(np.float32)
    frame = frames.frame_from_array(picture.pixels)
    coloured = frames.array_from_frame(frame, chroma, scale=None, gamut="reduce")
    copy = folder / f"copy{case.copy or source.suffix}"
    write_picture(copy, coloured, like=picture, overwrite=True)
    assert truth.shape == size
    found = _luminance(copy)
    if case.lossy:
        return float(abs(_code(found) - _code(truth)).mean() * 255)
    return float(abs(_lightness(found) - _lightness(truth)).max())


def _luminance(path: Path) -> Floats:
    """Linear luminance of an sRGB picture, decoded by others than trtcolor."""
    if path.suffix in (".tif", ".png"):
        pixels = tifffile.imread(path) if path.suffix == ".tif" else _png(path)
    else:  # Pillow has learnt HEIF from read_picture
        with Image.open(path) as image:
            pixels = np.asarray(image)
    codes = pixels[..., :3].astype(np.float64) / np.iinfo(pixels.dtype).max
    luminance: Floats = srgb_linear(codes) @ LUMINANCE
    return luminance


def _png(path: Path) -> NDArray[Any]:
    import cv2

    bgr = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert bgr is not None
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def _code(linear: Floats) -> Floats:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _lightness(y: Floats) -> Floats:
    y = np.clip(y, 0, 1)
    return np.where(y > (6 / 29) ** 3, 116 * np.cbrt(y) - 16, y * (29 / 3) ** 3)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            found = measured(case, Path(folder))
            what = "mean |dY'|" if case.lossy else "max |dL*|"
            print(f"{case.name:24} {what:10} {found:.4f}  (at most {case.limit})")


if __name__ == "__main__":
    main()
