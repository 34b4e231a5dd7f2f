"""Structural similarity (SSIM) between pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trtcolor.resize import window_means

WINDOW = 11
SIGMA = 1.5
# Wang et al. 2004: C1 = (K1 L)^2 and C2 = (K2 L)^2 for the dynamic range L.
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
# Taken off all values before they are squared: variances do not change, and float32 keeps more of
# their digits.
CENTRE = 128.0

# Pixels that are worked on at once: with what is made of their channels they fill 2 MB.
BAND = 1 << 14

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
        self._bands = [_Band.of(values) for values in _bands(original)]

    def ssim(self, picture: NDArray[np.uint8]) -> float:
        """As the function `ssim`, of this picture against the original."""
        if picture.shape != self._shape:
            raise ValueError(
                f"a picture of shape {picture.shape} came for an original of {self._shape}; equal "
                "shapes were needed; crop or resize one of them"
            )
        pairs = zip(_bands(picture), self._bands, strict=True)
        total = sum(_summed_similarity(values, band) for values, band in pairs)
        return total / sum(band.mean.size for band in self._bands)


class _Band(NamedTuple):
    """Rows of a picture, (3, h, W): values about 0, their mean in each window, their variance."""

    values: Float
    mean: Float
    variance: Float

    @classmethod
    def of(cls, values: Float) -> _Band:
        mean = window_means(values, WEIGHTS)
        variance = window_means(values * values, WEIGHTS)
        variance -= mean * mean
        return cls(values, mean, variance)


def _summed_similarity(values: Float, other: _Band) -> float:
    """Sum of SSIM over a band's windows; in place, as new arrays cost more than the arithmetic."""
    own = _Band.of(values)
    covariance = window_means(values * other.values, WEIGHTS)
    covariance -= own.mean * other.mean
    # Contrast does not see that the values are about 0; luminance does.
    mean, other_mean = own.mean + CENTRE, other.mean + CENTRE
    similarity = mean * other_mean
    similarity *= 2
    similarity += C1
    covariance *= 2
    covariance += C2
    similarity *= covariance
    mean *= mean
    other_mean *= other_mean
    mean += other_mean
    mean += C1
    similarity /= mean
    variances = own.variance + other.variance
    variances += C2
    similarity /= variances
    return float(similarity.sum(dtype=np.float64))


def _bands(picture: NDArray[np.uint8]) -> Iterator[Float]:
    """(H, W, 3) -> float32 about 0, (3, h, W) each: as many rows as fit the cache.

    A band repeats the last rows of the one above it, so that each window is in one band.
    """
    missing = [max(0, WINDOW - side) for side in picture.shape[:2]]
    if any(missing):
        around = [(lack // 2, lack - lack // 2) for lack in missing]
        picture = np.pad(picture, [*around, (0, 0)], "symmetric")
    height, width = picture.shape[:2]
    overlap = WINDOW - 1
    step = max(WINDOW, BAND // width) - overlap
    for top in range(0, height - overlap, step):
        rows = picture[top : top + step + overlap].transpose(2, 0, 1)
        values = rows.astype(np.float32, order="C")
        values -= CENTRE
        yield values


def _weights() -> Float:
    """Of the window along one axis."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * SIGMA**2))
    normalised: Float = (weights / weights.sum()).astype(np.float32)
    return normalised


WEIGHTS = _weights()
