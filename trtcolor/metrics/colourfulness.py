"""Colourfulness: how vivid a picture is, whatever its true colours were."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# Of pixels, so that a block's sums of squares stay whole numbers that float32 would not hold.
OPPONENTS = np.array([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0]])  # rg and yb from R, G, B


def colourfulness(rgb: NDArray[np.uint8]) -> float:
    """Colourfulness of a uint8 RGB picture (H, W, 3): 0 for grey, above 100 for gaudy.

    Source: Hasler and Suesstrunk 2003, "Measuring colourfulness in natural images", with the
    signed opponent differences rg = R - G and yb = (R + G) / 2 - B, not their absolute values.
    """
    pixels = rgb.reshape(-1, 3).astype(np.float64)
    count = len(pixels)
    # First and second moments of R, G, B are whole numbers, exact in float64, and those of rg and
    # yb follow from them: a grey gives exactly 0.
    sums = OPPONENTS @ pixels.sum(axis=0)
    squares = np.einsum("ki,ij,kj->k", OPPONENTS, pixels.T @ pixels, OPPONENTS)
    variances = np.maximum(squares * count - sums**2, 0.0) / count**2
    return math.sqrt(variances.sum()) + 0.3 * math.hypot(*(sums / count))
