"""Structural similarity (SSIM) between pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW = 11
SIGMA = 1.5
# Wang et al. 2004: C1 = (K1 L)^2 and C2 = (K2 L)^2 for the dynamic range L.
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
# Taken off all values first: variances do not change, and float32 keeps more of their digits.
CENTRE = 128.0

Float = NDArray[np.float32]


def ssim(rgb: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    """SSIM of a picture against its original, mean over R, G, B and over window positions.

    11x11 Gaussian window of deviation 1.5, population covariances, float arithmetic; the mean is
    over the positions where the window lies inside the picture. A picture less than 11 pixels high
    or wide is first continued to 11 by mirroring it at its edges, the edge pixel repeated.

    Args:
        rgb, original: uint8 RGB (H, W, 3) of one shape, from 1x1.

    Returns:
        At most 1, for equal pictures; may be negative.

    Raises:
        ValueError: the shapes differ.

    Source: Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error visibility
    to structural similarity". Equals scikit-image's ``structural_similarity`` with
    ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255``.
    """
    return StructuralReference(original).ssim(rgb)


class StructuralReference:
    """An original against which several pictures are held: its own part is computed once.

    Args:
        original: uint8 RGB (H, W, 3).
    """

    def __init__(self, original: NDArray[np.uint8]) -> None:
        self._shape = original.shape
        self._pixels = _channels(original)
        self._mean = _windowed(self._pixels)
        self._square = self._mean * self._mean
        self._variance = _windowed(self._pixels * self._pixels) - self._square

    def ssim(self, picture: NDArray[np.uint8]) -> float:
        """As the function `ssim`, of this picture against the original."""
        if picture.shape != self._shape:
            raise ValueError(
                f"a picture of shape {picture.shape} came for an original of {self._shape}; equal "
                "shapes were needed; crop or resize one of them"
            )
        pixels = _channels(picture)
        mean = _windowed(pixels)
        square, product = mean * mean, mean * self._mean
        variance = _windowed(pixels * pixels) - square
        covariance = _windowed(pixels * self._pixels) - product
        # Means are of centred values, luminance's term needs the real ones.
        shift = np.float32(CENTRE)
        real, real_own = mean + shift, self._mean + shift
        luminance = (2 * real * real_own + C1) / (real * real + real_own * real_own + C1)
        contrast = (2 * covariance + C2) / (variance + self._variance + C2)
        return float((luminance * contrast).mean(dtype=np.float64))


def _channels(picture: NDArray[np.uint8]) -> Float:
    """(H, W, 3) -> (3, H, W) float32 about 0, each side at least the window's."""
    missing = [max(0, WINDOW - side) for side in picture.shape[:2]]
    if any(missing):
        around = [(lack // 2, lack - lack // 2) for lack in missing]
        picture = np.pad(picture, [*around, (0, 0)], "symmetric")
    planes = np.moveaxis(picture, -1, 0).astype(np.float32, order="C")
    planes -= CENTRE
    return planes


def _weights() -> Float:
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * SIGMA**2))
    return (weights / weights.sum()).astype(np.float32)


WEIGHTS = _weights()


def _windowed(planes: Float) -> Float:
    """Gaussian mean over each window inside the planes: (3, H, W) -> (3, H - 10, W - 10)."""
    height, width = planes.shape[1] - WINDOW + 1, planes.shape[2] - WINDOW + 1
    rows = WEIGHTS[0] * planes[:, :height]
    for offset in range(1, WINDOW):
        rows += WEIGHTS[offset] * planes[:, offset : offset + height]
    result: Float = WEIGHTS[0] * rows[..., :width]
    for offset in range(1, WINDOW):
        result += WEIGHTS[offset] * rows[..., offset : offset + width]
    return result
