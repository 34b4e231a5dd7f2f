"""Frames: any accepted array taken apart into lightness and alpha, and put together coloured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.backends.device_arrays import host_array
from trtcolor.upsampling import chroma_guide, joint_bilateral_upsample

Upsampling = Literal["bilinear", "joint-bilateral"]

BAND = 256  # rows of a picture in floats at a time
MAX_SATURATION = 10.0


@dataclass(frozen=True)
class Frame:
    """What is kept of a frame while the network looks at its lightness.

    Attributes:
        lightness: (H, W) float32 L* in 0..100.
        alpha: (H, W, 1) of `dtype`, or None.
        dtype: uint8 or uint16, of the array that came and of the one that goes.
    """

    lightness: NDArray[np.float32]
    alpha: NDArray[Any] | None
    dtype: np.dtype[Any]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = self.lightness.shape
        return height, width


def frame_from_array(array: Any, *, threads: int | None = None) -> Frame:
    """Take an array apart.

    Args:
        array: NumPy's, or another library's in the host's memory that has ``__dlpack__``: uint8 or
            uint16, sRGB-coded, any strides: (H, W) or (H, W, 1) grey, (H, W, 2) grey and alpha,
            (H, W, 3) RGB or (H, W, 4) RGBA; H and W from 1.
        threads: at most, as in `trtcolor.color`.

    Raises:
        TypeError: no array, or of another dtype.
        ValueError: another shape, or empty.
    """
    array = host_array(array, "frame")
    if not isinstance(array, np.ndarray) or array.dtype not in (np.uint8, np.uint16):
        came = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(
            f"a frame of {came} came; a numpy array of uint8 or uint16 was needed; "
            "convert it, for example (255 * frame).round().astype(np.uint8) from 0..1"
        )
    if array.ndim not in (2, 3) or (array.ndim == 3 and not 1 <= array.shape[2] <= 4):
        raise ValueError(
            f"a frame of shape {array.shape} came; (H, W) or (H, W, 1) grey, (H, W, 2) grey and "
            "alpha, (H, W, 3) RGB or (H, W, 4) RGBA was needed; put the channels last"
        )
    if 0 in array.shape:
        raise ValueError(
            f"a frame of shape {array.shape} came; at least 1x1 pixels were needed; "
            "leave empty frames out"
        )
    channels = 1 if array.ndim == 2 else array.shape[2]
    alpha = array[:, :, -1:] if channels in (2, 4) else None
    if channels < 3:
        grey = array if array.ndim == 2 else array[:, :, 0]
        return Frame(color.lightness_from_grey(grey, threads=threads), alpha, array.dtype)
    rgb = array[:, :, :3]
    if array.dtype == np.uint8:
        return Frame(color.lightness_from_rgb(rgb, threads=threads), alpha, array.dtype)
    lightness = np.empty(array.shape[:2], np.float32)
    for top in range(0, len(rgb), BAND):  # a large picture in floats would take four times itself
        band = np.s_[top : top + BAND]
        # float32 has 24 bits, enough for 16
        floats = rgb[band].astype(np.float32) / np.float32(65535)
        color.lightness_from_rgb(floats, out=lightness[band], threads=threads)
    return Frame(lightness, alpha, array.dtype)


def check_saturation(saturation: float) -> None:
    """Refuse a factor on a* and b* that is not in 0..`MAX_SATURATION`.

    Raises:
        ValueError: it is not.
    """
    if not (math.isfinite(saturation) and 0.0 <= saturation <= MAX_SATURATION):
        raise ValueError(
            f"saturation is {saturation}; a number from 0 to {MAX_SATURATION:g} was needed; "
            "1 leaves the colours as predicted"
        )


def array_from_frame(
    frame: Frame,
    chroma: NDArray[np.float32],
    *,
    scale: Literal[1, 2, 4] | None,
    gamut: Literal["reduce", "clip"],
    upsampling: Upsampling = "bilinear",
    threads: int | None = None,
) -> NDArray[Any]:
    """Put a frame together with chroma under its own lightness.

    Args:
        frame: what was taken apart.
        chroma: (2, h, w) float32 a* and b*.
        scale, gamut, threads: as for `trtcolor.color.merge_lab`.
        upsampling: how chroma reaches the frame's resolution: ``"bilinear"``, or
            ``"joint-bilateral"`` by `trtcolor.upsampling.joint_bilateral_upsample`.

    Returns:
        (H, W, 3) RGB or, where the frame had alpha, (H, W, 4) RGBA, of the frame's dtype.

    Raises:
        ValueError: the shape of `chroma` does not fit `scale`.
    """
    picture = np.empty((*frame.size, 3 if frame.alpha is None else 4), frame.dtype)
    rgb = picture[:, :, :3]
    merge = _merge if upsampling == "bilinear" else _merge_along_borders
    merge(rgb, frame.lightness, chroma, scale, gamut, threads)
    if frame.alpha is not None:
        picture[:, :, 3:] = frame.alpha
    return picture


def _merge_along_borders(
    rgb: NDArray[Any],
    lightness: NDArray[np.float32],
    chroma: NDArray[np.float32],
    scale: Literal[1, 2, 4] | None,
    gamut: Literal["reduce", "clip"],
    threads: int | None,
) -> None:
    """In bands: chroma of a large picture at its full resolution would take twice its lightness."""
    guide = chroma_guide(lightness, chroma.shape[1:], scale=scale, threads=threads)
    height, width = lightness.shape
    full = np.empty((2, min(BAND, height), width), np.float32)
    for top in range(0, height, BAND):
        end = min(top + BAND, height)
        part = joint_bilateral_upsample(
            chroma,
            lightness,
            scale=scale,
            guide=guide,
            rows=(top, end),
            out=full[:, : end - top],
            threads=threads,
        )
        _merge(rgb[top:end], lightness[top:end], part, 1, gamut, threads)


def _merge(
    rgb: NDArray[Any],
    lightness: NDArray[np.float32],
    chroma: NDArray[np.float32],
    scale: Literal[1, 2, 4] | None,
    gamut: Literal["reduce", "clip"],
    threads: int | None,
) -> None:
    if rgb.dtype == np.uint8:
        color.merge_lab(lightness, chroma, scale=scale, gamut=gamut, out=rgb, threads=threads)
    else:
        color.merge_lab(
            lightness, chroma, scale=scale, gamut=gamut, format="rgb48", out=rgb, threads=threads
        )
