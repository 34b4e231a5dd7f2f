"""Colour: sRGB, grey and CIELAB arrays into one another, and the merge of lightness with chroma.

Definition: sRGB of IEC 61966-2-1; RGB to XYZ with the matrix in csrc/color.h; the white point is
the sums of its rows, so that a grey has a* = b* = 0; CIELAB of CIE 15 with (6/29)^3 unrounded.
The work is done in C (csrc/color.c) on one thread, without the GIL.

Arrays are NumPy arrays of any strides. ``layout`` says where the channels are: "hwc" is
(H, W, 3), "chw" is (3, H, W). ``out`` is an array to fill and return in place of a new one: of
the very shape and dtype of the result, writeable, and apart from the inputs.

Out of range: RGB and grey floats are clamped to 0..1; L*, a*, b* to -1000..1000. A NaN counts as 0,
except in resize_plane. Every function raises TypeError for a dtype that it does not take and
ValueError for a shape, a size, a word or an ``out`` that does not fit.
"""

from __future__ import annotations

from functools import cache
from operator import index
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

try:
    from trtcolor import _color
except ImportError as error:
    raise ImportError(
        "trtcolor's compiled module trtcolor._color is not there or does not load "
        f"({error}); build it with: pip install -e ."
    ) from error

Layout = Literal["hwc", "chw"]
Gamut = Literal["clip", "reduce"]
Float = NDArray[np.float32]
Picture = NDArray[np.uint8] | NDArray[np.float32]

_GAMUTS = {"clip": _color.GAMUT_CLIP, "reduce": _color.GAMUT_REDUCE}
_HWC_OF_CHW = (1, 2, 0)


def lab_from_rgb(rgb: ArrayLike, *, layout: Layout = "hwc", out: Float | None = None) -> Float:
    """CIELAB of an sRGB picture.

    rgb: (H, W, 3) or (3, H, W), uint8 or float32 in 0..1.
    Returns float32 of the same layout: L* in 0..100, a* and b* in real units.
    """
    source = _input("rgb", rgb, (np.uint8, np.float32), layout)
    lab = _output(out, source.shape, np.float32, source)
    convert = _color.lab_from_rgb_u8 if source.dtype == np.uint8 else _color.lab_from_rgb_f32
    convert(_hwc(lab, layout), _hwc(source, layout))
    return lab


@overload
def rgb_from_lab(
    lab: ArrayLike,
    *,
    dtype: type[np.uint8] = ...,
    layout: Layout = ...,
    gamut: Gamut = ...,
    out: NDArray[np.uint8] | None = ...,
) -> NDArray[np.uint8]: ...
@overload
def rgb_from_lab(
    lab: ArrayLike,
    *,
    dtype: type[np.float32],
    layout: Layout = ...,
    gamut: Gamut = ...,
    out: Float | None = ...,
) -> Float: ...
def rgb_from_lab(
    lab: ArrayLike,
    *,
    dtype: DTypeLike = np.uint8,
    layout: Layout = "hwc",
    gamut: Gamut = "clip",
    out: Picture | None = None,
) -> Picture:
    """sRGB of a CIELAB picture.

    lab: (H, W, 3) or (3, H, W) float32: L* in 0..100, a* and b* in real units.
    dtype: uint8 (rounded to nearest) or float32 in 0..1.
    gamut: for colours that sRGB does not have, "clip" clips linear R, G and B to 0..1 each;
    "reduce" clamps L* to 0..100 and scales a*b* toward 0 until the colour fits, which keeps L*.
    Returns RGB of the same layout.
    """
    source = _input("lab", lab, (np.float32,), layout)
    kind = _rgb_dtype(dtype)
    rgb = _output(out, source.shape, kind, source)
    convert = _color.rgb_u8_from_lab if kind == np.uint8 else _color.rgb_f32_from_lab
    convert(_hwc(rgb, layout), _hwc(source, layout), _gamut(gamut))
    return rgb


def lightness_from_rgb(
    rgb: ArrayLike, *, layout: Layout = "hwc", out: Float | None = None
) -> Float:
    """CIE L* of an sRGB picture: the first channel of lab_from_rgb without the other two.

    rgb: (H, W, 3) or (3, H, W), uint8 or float32 in 0..1.
    Returns (H, W) float32 in 0..100.
    """
    source = _input("rgb", rgb, (np.uint8, np.float32), layout)
    pixels = _hwc(source, layout)
    lightness = _output(out, pixels.shape[:2], np.float32, source)
    if source.dtype == np.uint8:
        _color.lightness_from_rgb_u8(lightness, pixels)
    else:
        _color.lightness_from_rgb_f32(lightness, pixels)
    return lightness


def lightness_from_grey(grey: ArrayLike, *, out: Float | None = None) -> Float:
    """CIE L* of an sRGB-coded grey picture (R = G = B = grey).

    grey: (H, W), uint8, uint16 or float32 in 0..1.
    Returns (H, W) float32 in 0..100.
    """
    source = _input("grey", grey, (np.uint8, np.uint16, np.float32), None)
    lightness = _output(out, source.shape, np.float32, source)
    if source.dtype == np.uint8:
        _color.lightness_from_grey_u8(lightness, source, _lightness_table(256))
    elif source.dtype == np.uint16:
        _color.lightness_from_grey_u16(lightness, source, _lightness_table(65536))
    else:
        _color.lightness_from_grey_f32(lightness, source)
    return lightness


@overload
def merge_lab(
    lightness: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    gamut: Gamut = ...,
    dtype: type[np.uint8] = ...,
    layout: Layout = ...,
    out: NDArray[np.uint8] | None = ...,
) -> NDArray[np.uint8]: ...
@overload
def merge_lab(
    lightness: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    gamut: Gamut = ...,
    dtype: type[np.float32],
    layout: Layout = ...,
    out: Float | None = ...,
) -> Float: ...
def merge_lab(
    lightness: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    gamut: Gamut = "reduce",
    dtype: DTypeLike = np.uint8,
    layout: Layout = "hwc",
    out: Picture | None = None,
) -> Picture:
    """sRGB from full-resolution lightness and chroma of its own, lower resolution.

    lightness: (H, W) float32 L*. chroma: (2, h, w) float32 a*, b*.
    scale: 1, 2 or 4, where h = ceil(H / scale) and w = ceil(W / scale), and pixel y reads the
    chroma at (y + 0.5) / scale - 0.5; None for any h and w, read at (y + 0.5) * h / H - 0.5.
    Between samples chroma is bilinear, beyond the outermost it is constant.
    gamut, dtype: as in rgb_from_lab.
    Returns (H, W, 3) or (3, H, W) RGB.
    """
    light = _input("lightness", lightness, (np.float32,), None)
    ab = _input("chroma", chroma, (np.float32,), "chw", channels=2)
    (height, width), kind = light.shape, _rgb_dtype(dtype)
    if scale is not None:
        if scale not in (1, 2, 4):
            raise ValueError(f"scale is {scale!r}, but must be 1, 2, 4 or None; pass one of these")
        needed = (2, -(-height // scale), -(-width // scale))
        if ab.shape != needed:
            raise ValueError(
                f"chroma is {ab.shape}, but lightness {light.shape} at scale {scale} needs "
                f"{needed}; crop the chroma to that, or pass scale=None to stretch it"
            )
    _require_layout(layout)
    shape = (height, width, 3) if layout == "hwc" else (3, height, width)
    rgb = _output(out, shape, kind, light, ab)
    merge = _color.merge_lab_u8 if kind == np.uint8 else _color.merge_lab_f32
    scratch = np.empty(2 * ab.shape[2], np.float32)
    merge(_hwc(rgb, layout), light, ab, int(scale or 0), _gamut(gamut), scratch)
    return rgb


def resize_plane(plane: ArrayLike, size: tuple[int, int], *, out: Float | None = None) -> Float:
    """A plane, or a stack of planes, at another size: W_rows @ plane @ W_columns.T.

    plane: (H, W) or (C, H, W) float32 of any unit. size: (height, width) of the result.
    The weights are those of resize_weights, each axis by itself; the same size gives an exact
    copy. A NaN spreads to each sample in which it has a weight.
    Returns (height, width) or (C, height, width) float32.
    """
    planes = _array("plane", plane, (np.float32,))
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
        raise ValueError(f"size is {size!r}, but must be (height, width), each at least 1; pass so")
    resized = _output(out, (*planes.shape[:-2], height, width), np.float32, planes)
    rows, columns = planes.shape[-2:]
    _color.resize_planes(
        resized[np.newaxis] if planes.ndim == 2 else resized,
        planes[np.newaxis] if planes.ndim == 2 else planes,
        *_sparse_weights(rows, height),
        *_sparse_weights(columns, width),
        np.empty(columns, np.float32),
    )
    return resized


def resize_weights(source: int, target: int) -> Float:
    """The matrix that takes one axis from ``source`` samples to ``target``.

    Area weights when reducing; bilinear with half-pixel centres and a clamped edge when enlarging;
    the identity when nothing changes.
    Returns (target, source) float32; each row sums to 1.
    """
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


@cache
def _lightness_table(levels: int) -> Float:
    table = np.empty(levels, np.float32)
    _color.lightness_table(table)
    table.flags.writeable = False
    return table


def _hwc(array: NDArray[Any], layout: Layout) -> NDArray[Any]:
    return array if layout == "hwc" else array.transpose(_HWC_OF_CHW)


def _array(name: str, value: ArrayLike, dtypes: tuple[type[np.generic], ...]) -> NDArray[Any]:
    """The value as an array that C can walk: copied only if bytes are swapped or misaligned."""
    array = np.asarray(value)
    native = array.dtype.newbyteorder("=")
    if native not in dtypes:
        raise TypeError(
            f"{name} is of dtype {array.dtype}, but must be "
            f"{' or '.join(dtype.__name__ for dtype in dtypes)}; convert it first"
        )
    if array.dtype != native or not _walkable(array):
        array = array.astype(native, order="C")
    return array


def _input(
    name: str,
    value: ArrayLike,
    dtypes: tuple[type[np.generic], ...],
    layout: Layout | None,
    channels: int = 3,
) -> NDArray[Any]:
    """A checked picture, or a checked plane where layout is None."""
    array = _array(name, value, dtypes)
    if layout is None:
        fits, needed = array.ndim == 2, "(H, W)"
    else:
        _require_layout(layout)
        axis = 2 if layout == "hwc" else 0
        fits = array.ndim == 3 and array.shape[axis] == channels
        needed = f"(H, W, {channels})" if layout == "hwc" else f"({channels}, H, W)"
    if not fits or 0 in array.shape:
        raise ValueError(
            f"{name} is {array.shape}, but must be {needed} with no side 0; pass such an array"
        )
    return array


def _output(
    out: NDArray[Any] | None,
    shape: tuple[int, ...],
    dtype: type[np.generic],
    *inputs: NDArray[Any],
) -> NDArray[Any]:
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray) or out.dtype != dtype:
        came = f"of dtype {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
        raise TypeError(
            f"out is {came}, but must be a {dtype.__name__} array; pass numpy.empty({shape}, "
            f"numpy.{dtype.__name__})"
        )
    if out.shape != shape:
        raise ValueError(f"out is {out.shape}, but the result is {shape}; pass an array of that")
    if not out.flags.writeable:
        raise ValueError(
            "out is read-only, but the result is written to it; pass a writeable array"
        )
    if not _walkable(out) or _overlaps_itself(out):
        raise ValueError(
            "out is misaligned or overlaps itself, but each of its samples must have a place of "
            "its own; pass an ordinary array"
        )
    if any(_overlap(out, array) for array in inputs):
        raise ValueError("out shares memory with an input, but must not; pass an array of its own")
    return out


def _walkable(array: NDArray[Any]) -> bool:
    """Whether samples are aligned and a whole number of samples apart."""
    return array.flags.aligned and not any(
        stride % array.itemsize
        for stride, side in zip(array.strides, array.shape, strict=True)
        if side > 1
    )


def _overlaps_itself(array: NDArray[Any]) -> bool:
    """True for broadcast and sliding-window views; False for any slice, flip or transposition."""
    end = array.itemsize
    axes = zip(map(abs, array.strides), array.shape, strict=True)
    for stride, side in sorted(axis for axis in axes if axis[1] > 1):
        if stride < end:
            return True
        end = stride * (side - 1) + end
    return False


def _overlap(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Exact where that is quick to decide, otherwise True when their extents meet."""
    effort: Any = 10_000  # NumPy's stub knows -1 and 0 only
    return np.may_share_memory(one, other, max_work=effort)


def _require_layout(layout: str) -> None:
    if layout not in ("hwc", "chw"):
        raise ValueError(f'layout is {layout!r}, but must be "hwc" or "chw"; pass one of these')


def _gamut(gamut: str) -> int:
    if gamut not in _GAMUTS:
        raise ValueError(f'gamut is {gamut!r}, but must be "clip" or "reduce"; pass one of these')
    return _GAMUTS[gamut]


def _rgb_dtype(dtype: DTypeLike) -> type[np.uint8 | np.float32]:
    kind = np.dtype(dtype)
    if kind == np.uint8:
        return np.uint8
    if kind == np.float32:
        return np.float32
    raise TypeError(f"dtype is {kind}, but must be uint8 or float32; pass one of these")
