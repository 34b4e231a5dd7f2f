"""Colourfulness: how vivid a picture is, whatever its true colours were."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def colourfulness(rgb: NDArray[np.uint8]) -> float:
    """Colourfulness of a uint8 RGB picture (H, W, 3): 0 for grey, above 100 for gaudy.

    Source: Hasler and Suesstrunk 2003, "Measuring colourfulness in natural images", with the
    signed opponent differences rg = R - G and yb = (R + G) / 2 - B, not their absolute values.
    """
    r, g, b = (rgb[..., channel].astype(np.int16).ravel() for channel in range(3))
    rg_mean, rg_variance = _moments(r - g, 1)
    yb_mean, yb_variance = _moments(r + g - 2 * b, 2)
    return math.sqrt(rg_variance + yb_variance) + 0.3 * math.hypot(rg_mean, yb_mean)


def _moments(numbers: NDArray[np.int16], divisor: int) -> tuple[float, float]:
    """Mean and variance of numbers / divisor; the sums of whole numbers are exact in float64."""
    values = numbers.astype(np.float64)
    mean = float(values.sum()) / values.size
    # Not np.dot: BLAS would wake its threads for it, which takes 200 times as long as the sum.
    variance = float(np.square(values).sum()) / values.size - mean**2
    return mean / divisor, max(variance, 0.0) / divisor**2
