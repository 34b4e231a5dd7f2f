"""How much of a prediction sRGB does not have."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trtcolor import color

TOLERANCE = 1e-5
"""Of R, G and B in 0..1: above float32's rounding, far below a step of 8 bits (4e-3)."""


def share_outside_gamut(
    lightness: NDArray[np.float32],
    chroma: NDArray[np.float32],
    *,
    scale: Literal[1, 2, 4] | None,
) -> float:
    """Share of pixels whose predicted colour is outside sRGB, and is pulled in when merged.

    Inside, reducing a*b* and clipping R, G and B both leave a colour as it is; outside, they do
    different things to it.

    Args:
        lightness: (H, W) float32 L*.
        chroma: (2, h, w) float32 a*b*.
        scale: as for `trtcolor.color.merge_lab`.

    Returns:
        0..1.

    Raises:
        TypeError, ValueError: as from `trtcolor.color.merge_lab`.

    Source: this project's own.
    """
    reduced = color.merge_lab(lightness, chroma, scale=scale, format="rgbf32", gamut="reduce")
    reduced -= color.merge_lab(lightness, chroma, scale=scale, format="rgbf32", gamut="clip")
    moved = np.abs(reduced, out=reduced) > TOLERANCE
    return float((moved[..., 0] | moved[..., 1] | moved[..., 2]).mean())
