"""Colour: sRGB, grey, CIELAB and CIELUV into one another, and lightness merged with chroma.

Definition: sRGB of IEC 61966-2-1; RGB to XYZ with the matrix in csrc/color.h; the white point is
the sums of its rows, so that a grey has no chroma; CIELAB and CIELUV of CIE 15 with (6/29)^3
unrounded. The work is done in C (csrc/color.h), without the GIL.

Arrays are NumPy arrays of any strides. ``layout`` says where the channels are: "hwc" is
(H, W, 3), "chw" is (3, H, W). ``out`` is an array to fill and return in place of a new one: of
the very shape and dtype of the result, writeable, and apart from the inputs. ``threads`` is how
many threads the call uses at most; None stands for the number of set_threads. Neither changes the
result.

Out of range: RGB and grey floats are clamped to 0..1; L*, a*, b*, u* and v* to -1000..1000. A NaN
counts as 0. Every function raises TypeError for a dtype or ``threads`` that it does not take and
ValueError for a shape, a number, a word or an ``out`` that does not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from trtcolor.arrays import (
    Layout,
    as_chroma,
    as_hwc,
    as_output,
    as_picture,
    as_plane,
    one_dtype,
    one_of,
    require_layout,
)
from trtcolor.kernels import _color, get_threads, set_threads, thread_count

__all__ = [
    "get_threads",
    "lab_from_rgb",
    "lightness_from_grey",
    "lightness_from_rgb",
    "luv_from_rgb",
    "merge_lab",
    "rgb_from_lab",
    "rgb_from_luv",
    "set_threads",
]

Gamut = Literal["clip", "reduce"]
Format = Literal["rgb24", "bgr24", "rgb48", "rgbf32"]
Float = NDArray[np.float32]
Byte = NDArray[np.uint8]

_GAMUTS = {"clip": _color.GAMUT_CLIP, "reduce": _color.GAMUT_REDUCE}
_FORMATS: dict[str, type[np.generic]] = {
    "rgb24": np.uint8,
    "bgr24": np.uint8,
    "rgb48": np.uint16,
    "rgbf32": np.float32,
}


# ---- sRGB to CIELAB and CIELUV -----------------------------------------------------------------


def lab_from_rgb(
    rgb: ArrayLike,
    *,
    layout: Layout = "hwc",
    out: Float | None = None,
    threads: int | None = None,
) -> Float:
    """CIELAB of an sRGB picture.

    rgb: (H, W, 3) or (3, H, W), uint8 or float32 in 0..1.
    Returns float32 of the same layout: L* in 0..100, a* and b* in real units.
    """
    return _from_rgb(_color.lab_from_rgb, rgb, layout, out, threads)


def luv_from_rgb(
    rgb: ArrayLike,
    *,
    layout: Layout = "hwc",
    out: Float | None = None,
    threads: int | None = None,
) -> Float:
    """CIELUV of an sRGB picture.

    rgb: (H, W, 3) or (3, H, W), uint8 or float32 in 0..1.
    Returns float32 of the same layout: L* in 0..100, u* (-84..176 in sRGB) and v* (-135..108).
    """
    return _from_rgb(_color.luv_from_rgb, rgb, layout, out, threads)


def _from_rgb(
    convert: Callable[[Any, Any, int], None],
    rgb: ArrayLike,
    layout: Layout,
    out: Float | None,
    threads: int | None,
) -> Float:
    source = as_picture("rgb", rgb, (np.uint8, np.float32), layout)
    count = thread_count(threads)
    result = as_output(out, source.shape, np.float32, source)
    convert(as_hwc(result, layout), as_hwc(source, layout), count)
    return result


# ---- and back ----------------------------------------------------------------------------------


@overload
def rgb_from_lab(
    lab: ArrayLike,
    *,
    dtype: type[np.uint8] = ...,
    layout: Layout = ...,
    gamut: Gamut = ...,
    out: Byte | None = ...,
    threads: int | None = ...,
) -> Byte: ...
@overload
def rgb_from_lab(
    lab: ArrayLike,
    *,
    dtype: type[np.float32],
    layout: Layout = ...,
    gamut: Gamut = ...,
    out: Float | None = ...,
    threads: int | None = ...,
) -> Float: ...
def rgb_from_lab(
    lab: ArrayLike,
    *,
    dtype: DTypeLike = np.uint8,
    layout: Layout = "hwc",
    gamut: Gamut = "clip",
    out: Byte | Float | None = None,
    threads: int | None = None,
) -> Byte | Float:
    """sRGB of a CIELAB picture.

    lab: (H, W, 3) or (3, H, W) float32: L* in 0..100, a* and b* in real units.
    dtype: uint8 (rounded to nearest) or float32 in 0..1.
    gamut: for colours that sRGB does not have, "clip" clips linear R, G and B to 0..1 each;
    "reduce" clamps L* to 0..100 and scales a*b* toward 0 until the colour fits, which keeps L*.
    Returns RGB of the same layout.
    """
    return _to_rgb(_color.rgb_from_lab, "lab", lab, dtype, layout, gamut, out, threads)


@overload
def rgb_from_luv(
    luv: ArrayLike,
    *,
    dtype: type[np.uint8] = ...,
    layout: Layout = ...,
    gamut: Gamut = ...,
    out: Byte | None = ...,
    threads: int | None = ...,
) -> Byte: ...
@overload
def rgb_from_luv(
    luv: ArrayLike,
    *,
    dtype: type[np.float32],
    layout: Layout = ...,
    gamut: Gamut = ...,
    out: Float | None = ...,
    threads: int | None = ...,
) -> Float: ...
def rgb_from_luv(
    luv: ArrayLike,
    *,
    dtype: DTypeLike = np.uint8,
    layout: Layout = "hwc",
    gamut: Gamut = "clip",
    out: Byte | Float | None = None,
    threads: int | None = None,
) -> Byte | Float:
    """sRGB of a CIELUV picture.

    luv: (H, W, 3) or (3, H, W) float32: L* in 0..100, u* and v*; L* below 0.0001 is black. For
    "clip" v' is taken as at least 0.01, far outside sRGB.
    dtype, gamut: as in rgb_from_lab, with u*v* in the place of a*b*.
    Returns RGB of the same layout.
    """
    return _to_rgb(_color.rgb_from_luv, "luv", luv, dtype, layout, gamut, out, threads)


def _to_rgb(
    convert: Callable[[Any, Any, int, int], None],
    name: str,
    value: ArrayLike,
    dtype: DTypeLike,
    layout: Layout,
    gamut: Gamut,
    out: Byte | Float | None,
    threads: int | None,
) -> NDArray[Any]:
    source = as_picture(name, value, (np.float32,), layout)
    kind = one_dtype("dtype", dtype, (np.uint8, np.float32))
    rule, count = _gamut(gamut), thread_count(threads)
    rgb = as_output(out, source.shape, kind, source)
    convert(as_hwc(rgb, layout), as_hwc(source, layout), rule, count)
    return rgb


# ---- lightness ---------------------------------------------------------------------------------


def lightness_from_rgb(
    rgb: ArrayLike,
    *,
    layout: Layout = "hwc",
    out: Float | None = None,
    threads: int | None = None,
) -> Float:
    """CIE L* of an sRGB picture: the first channel of lab_from_rgb without the other two.

    rgb: (H, W, 3) or (3, H, W), uint8 or float32 in 0..1.
    Returns (H, W) float32 in 0..100.
    """
    source = as_picture("rgb", rgb, (np.uint8, np.float32), layout)
    pixels, count = as_hwc(source, layout), thread_count(threads)
    lightness = as_output(out, pixels.shape[:2], np.float32, source)
    _color.lightness_from_rgb(lightness, pixels, count)
    return lightness


def lightness_from_grey(
    grey: ArrayLike, *, out: Float | None = None, threads: int | None = None
) -> Float:
    """CIE L* of an sRGB-coded grey picture (R = G = B = grey).

    grey: (H, W), uint8, uint16 or float32 in 0..1.
    Returns (H, W) float32 in 0..100.
    """
    source = as_plane("grey", grey, (np.uint8, np.uint16, np.float32))
    count = thread_count(threads)
    lightness = as_output(out, source.shape, np.float32, source)
    _color.lightness_from_grey(lightness, source, _table_for(source), count)
    return lightness


# ---- lightness merged with chroma --------------------------------------------------------------


@overload
def merge_lab(
    lightness: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    format: Literal["rgb24", "bgr24"] = ...,
    gamut: Gamut = ...,
    layout: Layout = ...,
    out: Byte | None = ...,
    threads: int | None = ...,
) -> Byte: ...
@overload
def merge_lab(
    lightness: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    format: Literal["rgb48"],
    gamut: Gamut = ...,
    layout: Layout = ...,
    out: NDArray[np.uint16] | None = ...,
    threads: int | None = ...,
) -> NDArray[np.uint16]: ...
@overload
def merge_lab(
    lightness: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    format: Literal["rgbf32"],
    gamut: Gamut = ...,
    layout: Layout = ...,
    out: Float | None = ...,
    threads: int | None = ...,
) -> Float: ...
def merge_lab(
    lightness: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    format: Format = "rgb24",
    gamut: Gamut = "reduce",
    layout: Layout = "hwc",
    out: NDArray[Any] | None = None,
    threads: int | None = None,
) -> NDArray[Any]:
    """sRGB from full-resolution lightness and chroma of its own, lower resolution.

    lightness: (H, W) float32 L*, or the grey picture itself, uint8 or uint16, which has the L* of
    lightness_from_grey. chroma: (2, h, w) float32 a*, b*.
    scale: 1, 2 or 4, where h = ceil(H / scale) and w = ceil(W / scale), and pixel y reads the
    chroma at (y + 0.5) / scale - 0.5; None for any h and w, read at (y + 0.5) * h / H - 0.5.
    Between samples chroma is bilinear, beyond the outermost it is constant.
    format: "rgb24" (uint8), "bgr24" (uint8, blue first), "rgb48" (uint16 in 0..65535), both rounded
    to nearest, or "rgbf32" (float32 in 0..1).
    gamut: as in rgb_from_lab.
    Returns (H, W, 3) or (3, H, W).
    """
    light = as_plane("lightness", lightness, (np.float32, np.uint8, np.uint16))
    ab, scale = as_chroma(chroma, scale, "lightness", light.shape)
    height, width = light.shape
    kind, rule = _FORMATS[one_of("format", format, _FORMATS)], _gamut(gamut)
    shape = (height, width, 3) if require_layout(layout) == "hwc" else (3, height, width)
    count = thread_count(threads)
    picture = as_output(out, shape, kind, light, ab)
    pixels = as_hwc(picture, layout)
    rgb = pixels[:, :, ::-1] if format == "bgr24" else pixels
    _color.merge_lab(rgb, light, ab, _table_for(light), scale or 0, rule, count)
    return picture


def _gamut(gamut: Gamut) -> int:
    return _GAMUTS[one_of("gamut", gamut, _GAMUTS)]


def _table_for(grey: NDArray[Any]) -> Float | None:
    """L* of each code that the samples can have; None for float32."""
    return None if grey.dtype == np.float32 else _lightness_table(1 << 8 * grey.itemsize)


@cache
def _lightness_table(levels: int) -> Float:
    table = np.empty(levels, np.float32)
    _color.lightness_table(table)
    table.flags.writeable = False
    return table
