"""The measures of 001: accuracy of u* and v* bins, and how far saturation is off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

LIMIT = 100.0
"""The bins divide -LIMIT..LIMIT of u* and of v* equally (001, section 3.6)."""


def uv_bin(uv: FloatArray, bins: int = 50) -> NDArray[np.intp]:
    """Index of each value's bin, of the same shape; values outside -100..100 go to the end bins.

    Source: 001, section 3.6; as ``trtcolor_train.bins.LuvBins.bin``.
    """
    index = (uv + LIMIT) / (2 * LIMIT / bins)
    np.clip(index, 0, bins - 1, out=index)  # before truncation, which is the floor from 0 on
    return np.asarray(index.astype(np.intp))


def uv_accuracy(luv: FloatArray, luv_true: FloatArray, bins: int = 50) -> tuple[float, float]:
    """Share of pixels whose u*, and of those whose v*, lies in the bin of the true one.

    Args:
        luv, luv_true: (..., 3), CIE L*u*v* in real units; L* is not looked at.
        bins: equal ones over -100..100.

    Source: 001, section 5.1, "Acc U" and "Acc V" of Table 2 (there printed with a percent sign,
    though they are shares).
    """
    u, v = (
        float((uv_bin(luv[..., channel], bins) == uv_bin(luv_true[..., channel], bins)).mean())
        for channel in (1, 2)
    )
    return u, v


def saturation_difference(rgb: NDArray[np.uint8], original: NDArray[np.uint8]) -> float | None:
    """|sum S - sum S_true| / sum S_true of the HSV saturations S, a share (1 is 100 %).

    Args:
        rgb, original: uint8 RGB (H, W, 3).

    Returns:
        0 or more; None for an original without any saturation, against which nothing is measured.

    Source: 001, section 5.1, "average percent difference in saturation", of one picture.
    """
    true = _saturation_sum(original)
    return abs(_saturation_sum(rgb) - true) / true if true > 0 else None


def _saturation_sum(rgb: NDArray[np.uint8]) -> float:
    """Sum over pixels of (max - min) / max, 0 for black."""
    r, g, b = np.moveaxis(rgb, -1, 0)
    largest = np.maximum(np.maximum(r, g), b)
    smallest = np.minimum(np.minimum(r, g), b)
    spread = (largest - smallest).astype(np.float32)
    return float((spread / np.maximum(largest, 1)).sum(dtype=np.float64))
