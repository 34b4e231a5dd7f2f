"""Chroma brought to full resolution along the borders that full-resolution lightness shows.

Source: Kopf, Cohen, Lischinski, Uyttendaele 2007, "Joint bilateral upsampling": a sample counts the
more, the nearer it is in space and in the guide's value. Here the spatial kernel is the bilinear
tent over the four samples around a pixel, the guide is CIE L*, and the range kernel is a Gaussian
above a small floor, so that a pixel whose lightness none of the four has gets their bilinear mean.
The work is done in C (csrc/color.h, tc_upsample), without the GIL.
"""

from __future__ import annotations

import math
from operator import index

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trtcolor.arrays import as_chroma, as_output, as_plane, shown
from trtcolor.kernels import _color, thread_count
from trtcolor.resize import resize_plane

__all__ = ["RANGE_SIGMA", "chroma_guide", "joint_bilateral_upsample"]

Float = NDArray[np.float32]

RANGE_SIGMA = 12.0
"""Deviation of the range kernel in L*, chosen by benchmarks/upsampling.py."""


def chroma_guide(
    lightness: ArrayLike, size: tuple[int, int], *, scale: int | None, threads: int | None = None
) -> Float:
    """L* of each chroma sample: the mean over the pixels that it covers.

    lightness: (H, W) float32 L*. size: (h, w) of the chroma. scale, threads: as in
    joint_bilateral_upsample.
    Returns (h, w) float32.
    """
    light = as_plane("lightness", lightness, (np.float32,))
    if scale is None:
        return resize_plane(light, size, threads=threads)
    guide = np.empty(size, np.float32)
    # The last samples of a grid that ends beyond the picture cover fewer pixels.
    rows, columns = (_whole_and_rest(side, scale) for side in light.shape)
    for from_rows, to_rows in rows:
        for from_columns, to_columns in columns:
            part = guide[to_rows, to_columns]
            resize_plane(light[from_rows, from_columns], part.shape, out=part, threads=threads)
    return guide


def joint_bilateral_upsample(
    chroma: ArrayLike,
    lightness: ArrayLike,
    *,
    scale: int | None,
    guide: Float | None = None,
    rows: tuple[int, int] | None = None,
    range_sigma: float = RANGE_SIGMA,
    out: Float | None = None,
    threads: int | None = None,
) -> Float:
    """Chroma of every pixel from chroma of lower resolution, guided by the pixels' lightness.

    chroma: (2, h, w) float32 a*, b*. lightness: (H, W) float32 L*. Both are clamped to -1000..1000,
    and a NaN counts as 0.
    scale: 1, 2 or 4, or None for any h and w, as in trtcolor.color.merge_lab.
    guide: (h, w) float32 L* of the samples; None takes chroma_guide of `lightness`.
    rows: (first, end) of the rows to return; None: all. Bands are as the same rows of the whole.
    range_sigma: 0.01 to 1000, in L*; large values are bilinear.
    out: an array to fill in place of a new one. threads: at most; None for the default.
    Returns (2, end - first, W) float32; each value lies within those of the four samples around it.

    Raises TypeError for a dtype that it does not take and ValueError for a shape, a number or an
    ``out`` that does not fit.
    """
    light = as_plane("lightness", lightness, (np.float32,))
    ab, scale = as_chroma(chroma, scale, "lightness", light.shape)
    height, width = light.shape
    first, end = _checked_rows(rows, height)
    sigma = _checked_sigma(range_sigma)
    count = thread_count(threads)
    if guide is None:
        guide = chroma_guide(light, ab.shape[1:], scale=scale, threads=count)
    low = as_plane("guide", guide, (np.float32,))
    if low.shape != ab.shape[1:]:
        raise ValueError(
            f"guide is {low.shape}, but chroma {ab.shape} needs {ab.shape[1:]}; pass chroma_guide "
            "of the lightness"
        )
    result = as_output(out, (2, end - first, width), np.float32, ab, light, low)
    _color.upsample_chroma(
        result, light[first:end], ab, low, height, first, scale or 0, sigma, count
    )
    return result


def _whole_and_rest(side: int, scale: int) -> list[tuple[slice, slice]]:
    """Pixels of an axis and the samples that cover them: whole ones, then the rest if any."""
    whole = side // scale
    parts = [(slice(0, whole * scale), slice(0, whole))] if whole else []
    if side % scale:
        parts.append((slice(whole * scale, side), slice(whole, whole + 1)))
    return parts


def _checked_sigma(sigma: float) -> float:
    try:
        number = float(sigma)
    except (TypeError, ValueError):
        number = math.nan
    if not 0.01 <= number <= 1000:
        raise ValueError(
            f"range_sigma is {shown(sigma)}, but must be 0.01 to 1000; pass such a number"
        )
    return number


def _checked_rows(rows: tuple[int, int] | None, height: int) -> tuple[int, int]:
    if rows is None:
        return 0, height
    try:
        first, end = (index(row) for row in rows)
    except (TypeError, ValueError):
        first = end = 0
    if not 0 <= first < end <= height:
        raise ValueError(
            f"rows is {shown(rows)}, but must be (first, end) of some of the {height} rows; pass so"
        )
    return first, end
