"""What counts as a border: for the benchmarks that measure colour beside strong edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEP = 20.0
REACH = 4


def borders(lightness: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels at most REACH rows and REACH columns from a strong edge of lightness.

    A strong edge is where two pixels side by side, or one above the other, differ by STEP or more
    in L*.

    Args:
        lightness: (H, W) L*.
    """
    near = np.zeros(lightness.shape, bool)
    for axis in (0, 1):
        strong = np.abs(np.diff(lightness, axis=axis)) >= STEP
        first, second = ((slice(None, -1), slice(1, None))[side] for side in (0, 1))
        for part in (first, second):
            near[(part, slice(None)) if axis == 0 else (slice(None), part)] |= strong
    for axis in (0, 1):
        edges = near.copy()
        for distance in range(1, REACH + 1):
            ahead, behind = np.moveaxis(near, axis, 0), np.moveaxis(edges, axis, 0)
            ahead[distance:] |= behind[:-distance]
            ahead[:-distance] |= behind[distance:]
    return near
