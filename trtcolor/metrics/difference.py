"""How far a picture's colours are from the true ones, pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from trtcolor import color

FloatArray = NDArray[np.floating]

BEST_PSNR = 100.0
"""dB given to a picture that is reproduced exactly, whose true value is infinite."""

BLOCK = 1 << 14
"""Pixels of which CIEDE2000 is computed at once, so that what lies between stays in the cache."""

NEARLY_GREY = 1e-15
"""Products of chroma below this are taken for it, so that nothing is divided by 0."""

CHROMA_UNIT = 128.0
"""a* and b* are divided by this for `chroma_l1` and `chroma_l2` (003, section 4.3)."""


# ---- CIEDE2000 ---------------------------------------------------------------------------------


def ciede2000(lab1: FloatArray, lab2: FloatArray) -> FloatArray:
    """Colour difference CIEDE2000, kL = kC = kH = 1.

    Args:
        lab1, lab2: (..., 3), CIE L*a*b* in real units; computed in their common dtype,
            float32 (to 2e-5) or float64.

    Returns:
        (...), 0 for equal colours; about 1 is just noticeable.

    Source: Sharma, Wu, Dalal 2005, "The CIEDE2000 Color-Difference Formula", checked on its 34
    pairs.
    """
    first, second = np.broadcast_arrays(lab1, lab2)
    result = np.empty(first.shape[:-1], np.result_type(lab1, lab2, np.float32))
    flat, first, second = result.reshape(-1), first.reshape(-1, 3), second.reshape(-1, 3)
    for start in range(0, len(flat), BLOCK):
        part = slice(start, start + BLOCK)
        flat[part] = _ciede2000(_planes(first[part]), _planes(second[part]))
    return result


def _ciede2000(lab1: FloatArray, lab2: FloatArray) -> FloatArray:
    """Of (3, n) colours, (n,)."""
    (l1, a1, b1), (l2, a2, b2) = lab1, lab2
    mean_c = (_length(a1, b1) + _length(a2, b2)) / 2
    stretch = 1.5 - 0.5 * _saturated(mean_c)  # 1 + G
    a1, a2 = stretch * a1, stretch * a2
    c1, c2 = _length(a1, b1), _length(a2, b2)
    d_h, cos_h, sin_h = _hues(a1, b1, c1, a2, b2, c2)

    mean_l, mean_c = (l1 + l2) / 2 - 50, (c1 + c2) / 2
    squared_l = mean_l * mean_l
    s_l = 1 + 0.015 * squared_l / np.sqrt(20 + squared_l)
    s_c = 1 + 0.045 * mean_c
    s_h = 1 + 0.015 * mean_c * _hue_weight(cos_h, sin_h)
    l_term, c_term, h_term = (l2 - l1) / s_l, (c2 - c1) / s_c, d_h / s_h
    r_t = -2 * _saturated(mean_c) * np.sin(2 * _rotation(cos_h, sin_h))
    squared = l_term * l_term + c_term * c_term + h_term * (h_term + r_t * c_term)
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def _planes(colours: FloatArray) -> FloatArray:
    """(..., K) -> (K, ...), in which numpy's inner loops run over pixels, not over channels."""
    return np.ascontiguousarray(np.moveaxis(colours, -1, 0))


def _length(a: FloatArray, b: FloatArray) -> FloatArray:
    """As np.hypot, whose care against overflow takes three times as long."""
    return np.asarray(np.sqrt(a * a + b * b))


def _saturated(chroma: FloatArray) -> FloatArray:
    """sqrt(C^7 / (C^7 + 25^7))."""
    ratio = chroma / 25
    square = ratio * ratio
    seventh = square * square * square * ratio
    return np.asarray(np.sqrt(seventh / (seventh + 1)))


def _hues(
    a1: FloatArray, b1: FloatArray, c1: FloatArray, a2: FloatArray, b2: FloatArray, c2: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """dH', and cosine and sine of the mean hue, without an angle and without a case.

    Both colours as vectors of one length, C1 C2, differ by 2 C1 C2 sin(t / 2) for the turn t
    between their hues: dH' times sqrt(C1 C2). Their sum points to the mean hue and is 0 for
    opposite hues; their difference, turned by a right angle, does so too and is 0 for equal ones;
    the sum of these two is never short. Beside a grey dH' is 0, and no hue matters.
    """
    x1, y1, x2, y2 = a1 * c2, b1 * c2, a2 * c1, b2 * c1
    product, cross = c1 * c2, a1 * b2 - b1 * a2
    sign = np.copysign(product.dtype.type(1), cross)
    opposite = np.abs(cross) <= 1e-6 * product
    opposite &= a1 * a2 + b1 * b2 < 0
    if opposite.any():
        # These count as not wrapped (pairs 10 and 14): the turn leads from the smaller hue in
        # 0..360 to the larger one. Rounding must not decide that.
        a, b = a1[opposite], b1[opposite]
        sign[opposite] = np.where((b > 0) | ((b == 0) & (a > 0)), 1, -1)
    dx, dy = x2 - x1, y2 - y1
    d_h = sign * _length(dx, dy) / np.sqrt(np.maximum(product, NEARLY_GREY))
    x, y = x1 + x2 + sign * dy, y1 + y2 - sign * dx
    scale = 1 / np.maximum(_length(x, y), NEARLY_GREY)
    return d_h, x * scale, y * scale


def _hue_weight(cos_h: FloatArray, sin_h: FloatArray) -> FloatArray:
    """T of the formula, its multiple angles by multiplication."""
    cos_2h, sin_2h = 2 * cos_h * cos_h - 1, 2 * sin_h * cos_h
    cos_3h, sin_3h = cos_2h * cos_h - sin_2h * sin_h, sin_2h * cos_h + cos_2h * sin_h
    cos_4h, sin_4h = 2 * cos_2h * cos_2h - 1, 2 * sin_2h * cos_2h
    terms = (
        (-0.17, cos_h, sin_h, 30.0),
        (0.24, cos_2h, sin_2h, 0.0),
        (0.32, cos_3h, sin_3h, -6.0),
        (-0.20, cos_4h, sin_4h, 63.0),
    )
    weight = np.ones_like(cos_h)
    for factor, cosine, sine, phase in terms:  # factor cos(k h - phase)
        weight += factor * math.cos(math.radians(phase)) * cosine
        weight += factor * math.sin(math.radians(phase)) * sine
    return weight


def _rotation(cos_h: FloatArray, sin_h: FloatArray) -> FloatArray:
    """delta theta, in radians; the hue is taken from 0 to 2 pi, as the formula has it."""
    hue = np.arctan2(-sin_h, -cos_h) + math.pi
    scaled = (hue - math.radians(275)) * (1 / math.radians(25))
    # Beyond 40 the exponential is as good as 0, and in float32 it would soon be a slow subnormal.
    return np.asarray(math.radians(30) * np.exp(-np.minimum(scaled * scaled, 40)))


def mean_ciede2000(rgb1: NDArray[np.uint8], rgb2: NDArray[np.uint8]) -> float:
    """Mean over pixels of CIEDE2000 between two uint8 RGB pictures (H, W, 3)."""
    return float(ciede2000(color.lab_from_rgb(rgb1), color.lab_from_rgb(rgb2)).mean())


# ---- distances of chroma -----------------------------------------------------------------------


def chroma_l1(ab: FloatArray, ab_true: FloatArray) -> float:
    """Mean over pixels and both channels of |d| / 128, for d of a* and b*.

    Args:
        ab, ab_true: (..., 2) a*b* in real units.

    Source: 003, Table 1 ("L1"), a* and b* divided by 128 as in section 4.3.
    """
    return float(np.abs(_planes(ab) - _planes(ab_true)).mean()) / CHROMA_UNIT


def chroma_l2(ab: FloatArray, ab_true: FloatArray) -> float:
    """Mean over pixels and both channels of (d / 128)^2, for d of a* and b*.

    Args:
        ab, ab_true: (..., 2) a*b* in real units.

    Source: 003, Table 1 ("L2", "also known as mean squared error" in section 3.2).
    """
    return float(np.square(_planes(ab) - _planes(ab_true)).mean()) / CHROMA_UNIT**2


def chroma_cosine(ab: FloatArray, ab_true: FloatArray, threshold: float = 10.0) -> float | None:
    """Mean cosine between predicted and true a*b* where the truth is colourful.

    A tint over everything cannot score: it points the right way for one hue only. A predicted
    a*b* of exactly 0 has no direction and counts as 0.

    Args:
        ab, ab_true: (..., 2) a*b* in real units.
        threshold: pixels whose true chroma exceeds this are taken.

    Returns:
        -1..1, or None where no pixel is colourful enough.

    Source: this project's own; the threshold keeps out greys, whose hue is noise.
    """
    a, b = ab[..., 0], ab[..., 1]
    true_a, true_b = ab_true[..., 0], ab_true[..., 1]
    true_chroma = _length(true_a, true_b)
    colourful = true_chroma > threshold
    count = int(np.count_nonzero(colourful))
    if count == 0:
        return None
    lengths = _length(a, b) * true_chroma
    counted = colourful & (lengths > 0)
    cosines = (a * true_a + b * true_b)[counted] / lengths[counted]
    return float(cosines.sum(dtype=np.float64)) / count


# ---- other distances ---------------------------------------------------------------------------


def psnr(rgb: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB over all three channels, at most `BEST_PSNR`.

    Args:
        rgb, original: uint8 RGB (H, W, 3) of one shape.

    Source: 10 log10(255^2 / MSE), the MSE in float arithmetic (unsigned ones wrap around).
    """
    error = rgb.astype(np.float32)
    error -= original
    # Not np.dot: BLAS would wake its threads for it, which takes far longer than the sum.
    error *= error
    squared = float(error.sum(dtype=np.float64)) / error.size
    return min(10 * math.log10(255**2 / squared), BEST_PSNR) if squared else BEST_PSNR


def lightness_change(lightness: FloatArray, lightness_true: FloatArray) -> tuple[float, float]:
    """Mean and largest |dL*| between two lightness planes of one shape, L* in 0..100.

    Source: this project's own: what colouring must leave alone.
    """
    moved = np.abs(lightness - lightness_true)
    return float(moved.mean()), float(moved.max())
