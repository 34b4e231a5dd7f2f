"""Planes at another size: area weights when reducing, bilinear when enlarging.

The work is done in C (csrc/resize.c), without the GIL.
"""

from __future__ import annotations

from operator import index

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trtcolor.arrays import as_array, as_output, shown
from trtcolor.kernels import _color, thread_count

__all__ = ["resize_plane", "resize_weights"]

Float = NDArray[np.float32]


def resize_plane(
    plane: ArrayLike,
    size: tuple[int, int],
    *,
    out: Float | None = None,
    threads: int | None = None,
) -> Float:
    """A plane, or a stack of planes, at another size: W_rows @ plane @ W_columns.T.

    plane: (H, W) or (C, H, W) float32 of any unit. size: (height, width) of the result.
    out: an array to fill in place of a new one. threads: at most; None for the default.
    The weights are those of resize_weights, each axis by itself; the same size gives an exact
    copy. A NaN spreads to each sample in which it has a weight.
    Returns (height, width) or (C, height, width) float32.

    Raises TypeError for another dtype, ValueError for a shape, a size or an ``out`` that does not
    fit.
    """
    planes = as_array("plane", plane, (np.float32,))
    if planes.ndim not in (2, 3) or 0 in planes.shape:
        raise ValueError(
            f"plane is {planes.shape}, but must be (H, W) or (C, H, W) with no side 0; "
            "pass such an array"
        )
    try:
        height, width = (index(side) for side in size)
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise ValueError(
            f"size is {shown(size)}, but must be (height, width), each at least 1; pass so"
        )
    count = thread_count(threads)
    resized = as_output(out, (*planes.shape[:-2], height, width), np.float32, planes)
    rows, columns = planes.shape[-2:]
    _color.resize_planes(
        resized[np.newaxis] if planes.ndim == 2 else resized,
        planes[np.newaxis] if planes.ndim == 2 else planes,
        *_sparse_weights(rows, height),
        *_sparse_weights(columns, width),
        count,
    )
    return resized


def window_means(planes: Float, weights: Float) -> Float:
    """The weighted mean of each window that lies inside planes, by the calling thread alone.

    planes: (C, H, W) float32. weights: (n,) float32 of sum 1 along either axis, n at most H and W.
    Returns (C, H - n + 1, W - n + 1) float32.
    """
    channels, height, width = planes.shape
    taps = len(weights)
    means = np.empty((channels, height - taps + 1, width - taps + 1), np.float32)
    axes = (
        (np.arange(side), np.full(side, taps), np.tile(weights, (side, 1)))
        for side in means.shape[1:]
    )
    rows, columns = axes
    _color.resize_planes(means, planes, *rows, *columns, 1)
    return means


def resize_weights(source: int, target: int) -> Float:
    """The matrix that takes one axis from ``source`` samples to ``target``.

    Area weights when reducing; bilinear with half-pixel centres and a clamped edge when enlarging;
    the identity when nothing changes.
    Returns (target, source) float32; each row sums to 1.

    Raises TypeError for a size that is no whole number, ValueError for one below 1.
    """
    try:
        source, target = index(source), index(target)
    except TypeError:
        raise TypeError(
            f"sizes are {shown(source)} and {shown(target)}, but must be whole numbers; pass such "
            "sizes"
        ) from None
    if source < 1 or target < 1:
        raise ValueError(
            f"sizes are {source} and {target}, but must be at least 1; pass such sizes"
        )
    start, count, values = _sparse_weights(source, target)
    matrix = np.zeros((target, source), np.float32)
    for row, first, number, weights in zip(matrix, start, count, values, strict=True):
        row[first : first + number] = weights[:number]
    return matrix


def _sparse_weights(source: int, target: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Float]:
    start, count = np.empty(target, np.intp), np.empty(target, np.intp)
    values = np.empty((target, _color.resize_taps(source, target)), np.float32)
    _color.resize_weights(start, count, values, source)
    return start, count, values
