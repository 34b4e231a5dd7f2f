"""Sizes: what part of a frame the network sees, and where its chroma samples lie. Pure functions.

Always (height, width), in pixels. A network takes heights and widths that are multiples of some
number, and may be asked to look at a smaller copy of the frame, because chroma needs far less
resolution than luminance does (paper 004 = Iizuka et al. 2016, section 3.4, runs the network at any
size; the size that it was trained on is the one that it knows best).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trtcolor.spec import SizeRule

Size = tuple[int, int]
Render = int | Literal["auto", "full"]
MergeScale = Literal[1, 2, 4]

MERGE_SCALES: dict[int, MergeScale] = {1: 1, 2: 2, 4: 4}
"""Chroma scales that `trtcolor.color.merge_lab` lays over a frame at its own resolution."""


@dataclass(frozen=True)
class RenderPlan:
    """The sizes on the way of one frame through a network, each (height, width).

    Attributes:
        frame: the frame that came in and goes out.
        network: the frame's lightness as the network sees it, before padding; never larger than
            the frame.
        padded: ``network`` with replicated edges at the bottom and the right, a multiple of the
            size rule's.
        chroma: samples of the network's output that cover ``network``; the rest is padding.
        merge_scale: pixels of the frame per chroma sample, or None where the chroma grid covers
            the frame from edge to edge and is resized onto it.
    """

    frame: Size
    network: Size
    padded: Size
    chroma: Size
    merge_scale: MergeScale | None


def checked_render(render: Any) -> Render:
    """The same value if it is ``"auto"``, ``"full"`` or a positive integer.

    Raises:
        ValueError: it is something else.
    """
    if render in ("auto", "full"):
        return "auto" if render == "auto" else "full"
    if isinstance(render, bool) or not isinstance(render, int | np.integer) or render < 1:
        raise ValueError(
            f"render is {render!r}; 'auto', 'full' or a positive number of pixels for the shorter "
            "side was needed; pass one of these"
        )
    return int(render)


def network_size(frame: Size, shorter_side: int, chroma_scale: int) -> Size:
    """The frame's size reduced until its shorter side is about `shorter_side` pixels.

    A frame that is no larger keeps its size, so this never enlarges. A reduced size is rounded to
    multiples of `chroma_scale` on both sides: then the chroma grid covers the frame exactly, and
    merging by a plain resize of the grid is aligned to the pixel.

    Args:
        frame: (height, width) in pixels, positive.
        shorter_side: in pixels, positive; raised to `chroma_scale` where it is below.
        chroma_scale: pixels per chroma sample.
    """
    shorter = min(frame)
    wanted = max(shorter_side, chroma_scale)
    if shorter <= wanted:
        return frame

    def reduced(side: int) -> int:
        # side * wanted / shorter to the nearest multiple, in whole numbers; no side grows by it
        cells = (2 * side * wanted + shorter * chroma_scale) // (2 * shorter * chroma_scale)
        return min(max(cells, 1), side // chroma_scale) * chroma_scale

    return reduced(frame[0]), reduced(frame[1])


def plan_render(frame: Size, rule: SizeRule, render: Render = "auto") -> RenderPlan:
    """Decide all sizes for a frame.

    Args:
        frame: (height, width) in pixels, from 1x1.
        rule: the model's `SizeRule`.
        render: ``"full"`` gives the network the frame at its own size; a number N reduces it until
            its shorter side is N pixels (`network_size`); ``"auto"`` takes the model's default
            render size, or full size where it has none.

    Raises:
        ValueError: a side below 1, a `render` that is none of these, or a rule whose chroma scale
            is not in `MERGE_SCALES`.
    """
    if min(frame) < 1:
        raise ValueError(
            f"a frame of {frame[0]}x{frame[1]} pixels came; at least 1x1 was needed; "
            "leave empty frames out"
        )
    if rule.chroma_scale not in MERGE_SCALES:
        raise ValueError(
            f"a chroma scale of {rule.chroma_scale} came; one of "
            f"{', '.join(map(str, MERGE_SCALES))} was needed; use a network with a finer grid"
        )
    render = checked_render(render)
    shorter_side = rule.render_size if render == "auto" else render
    network = frame
    if isinstance(shorter_side, int):
        network = network_size(frame, shorter_side, rule.chroma_scale)
    return RenderPlan(
        frame=frame,
        network=network,
        padded=padded_size(network, rule.multiple),
        chroma=chroma_size(network, rule.chroma_scale),
        merge_scale=MERGE_SCALES[rule.chroma_scale] if network == frame else None,
    )


def padded_size(size: Size, multiple: int) -> Size:
    """The smallest (height, width) not below `size` whose sides are multiples of `multiple`."""
    return -(-size[0] // multiple) * multiple, -(-size[1] // multiple) * multiple


def chroma_size(size: Size, scale: int) -> Size:
    """(height, width) of the chroma grid that covers `size` at `scale` pixels per sample."""
    return -(-size[0] // scale), -(-size[1] // scale)


def pad_edges(planes: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """Replicate the last row and column until the planes are `size`.

    Args:
        planes: (..., H, W), for example (H, W) or (N, 1, H, W).
        size: (height, width), not below (H, W).

    Returns:
        (..., height, width); `planes` itself where nothing is missing.

    Raises:
        ValueError: `size` is below (H, W).
    """
    height, width = planes.shape[-2:]
    below, right = size[0] - height, size[1] - width
    if below < 0 or right < 0:
        raise ValueError(
            f"planes of {height}x{width} came for a padded size of {size[0]}x{size[1]}; "
            "padding never crops; give a size that is not smaller"
        )
    if not below and not right:
        return planes
    widths = [(0, 0)] * (planes.ndim - 2) + [(0, below), (0, right)]
    return np.pad(planes, widths, mode="edge")


def crop(planes: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """The top left `size` = (height, width) of (..., H, W) planes, contiguous."""
    return np.ascontiguousarray(planes[..., : size[0], : size[1]])
