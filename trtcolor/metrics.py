"""Measures of colour pictures: CIEDE2000 and colourfulness."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from trtcolor import color

FloatArray = NDArray[np.floating]


def ciede2000(lab1: FloatArray, lab2: FloatArray) -> FloatArray:
    """Colour difference CIEDE2000, kL = kC = kH = 1.

    Args:
        lab1, lab2: (..., 3), CIE L*a*b* in real units; computed in their common dtype.

    Returns:
        (...), 0 for equal colours; about 1 is just noticeable.

    Source: Sharma, Wu, Dalal 2005, "The CIEDE2000 Color-Difference Formula", checked on its 34
    pairs.
    """
    l1, a1, b1 = lab1[..., 0], lab1[..., 1], lab1[..., 2]
    l2, a2, b2 = lab2[..., 0], lab2[..., 1], lab2[..., 2]
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    c7 = mean_c**7
    g = 0.5 * (1 - np.sqrt(c7 / (c7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = _hue(a1, b1), _hue(a2, b2)

    d_l, d_c = l2 - l1, c2 - c1
    turn = h2 - h1
    # Exactly opposite hues count as not wrapped (pairs 10 and 14), whatever way they round.
    turn = np.where(np.abs(turn) > math.pi + 1e-6, turn - np.copysign(2 * math.pi, turn), turn)
    grey = (c1 * c2) == 0
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.where(grey, 0, turn) / 2)

    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    # The mean hue lies half the shorter turn from the first; of a grey and a colour, the colour's.
    mean_h = np.where(grey, h1 + h2, h1 + turn / 2)
    t = (
        1
        - 0.17 * np.cos(mean_h - math.radians(30.0))
        + 0.24 * np.cos(2 * mean_h)
        + 0.32 * np.cos(3 * mean_h + math.radians(6.0))
        - 0.20 * np.cos(4 * mean_h - math.radians(63.0))
    )
    degrees = np.degrees(mean_h) % 360
    rotation = math.radians(30.0) * np.exp(-(((degrees - 275) / 25) ** 2))
    c7 = mean_c**7
    r_t = -2 * np.sqrt(c7 / (c7 + 25.0**7)) * np.sin(2 * rotation)
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c = 1 + 0.045 * mean_c
    s_h = 1 + 0.015 * mean_c * t
    l_term, c_term, h_term = d_l / s_l, d_c / s_c, d_h / s_h
    squared = l_term**2 + c_term**2 + h_term**2 + r_t * c_term * h_term
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def _hue(a: FloatArray, b: FloatArray) -> FloatArray:
    """In radians, from 0 to 2 pi; 0 for a grey."""
    hue = np.arctan2(b, a)
    return np.where(hue < 0, hue + 2 * math.pi, hue)


def mean_ciede2000(rgb1: NDArray[np.uint8], rgb2: NDArray[np.uint8]) -> float:
    """Mean over pixels of CIEDE2000 between two uint8 RGB pictures (H, W, 3)."""
    return float(ciede2000(color.lab_from_rgb(rgb1), color.lab_from_rgb(rgb2)).mean())


def colourfulness(rgb: NDArray[np.uint8]) -> float:
    """Colourfulness of a uint8 RGB picture (H, W, 3): 0 for grey, above 100 for gaudy.

    Source: Hasler and Suesstrunk 2003, "Measuring colourfulness in natural images", with the
    signed opponent differences rg = R - G and yb = (R + G) / 2 - B.
    """
    r, g, b = (rgb[..., channel].astype(np.float64) for channel in range(3))
    rg, yb = r - g, (r + g) / 2 - b
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))
