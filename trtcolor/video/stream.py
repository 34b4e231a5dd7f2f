"""`color_frames`: the frames of a film in colour, as they come, the steps of the work overlapping.

Frames are decoded, prepared, sent through the network, filtered and merged in a thread each
(`trtcolor.video.steps`, `trtcolor.video.overlap`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.device_arrays import DeviceArray, is_on_gpu
from trtcolor.frames import Frame, array_from_frame, frame_from_array
from trtcolor.geometry import MergeScale, Render, chroma_size
from trtcolor.planes import chroma_planes, lightness_from_luma
from trtcolor.stages import Stages
from trtcolor.video.frames import ColouredFrame, LumaFrame
from trtcolor.video.overlap import overlapped
from trtcolor.video.records import rounded_chroma
from trtcolor.video.state import FilmState
from trtcolor.video.steady import DEFAULT_STEADY
from trtcolor.video.steps import Item, Steps

if TYPE_CHECKING:
    from trtcolor.colorizer import Colorizer

AHEAD = 4
"""Frames that may wait between two steps."""

Float = NDArray[np.float32]


def color_frames(
    colorizer: Colorizer,
    frames: Iterable[LumaFrame],
    *,
    steady: float = DEFAULT_STEADY,
    style: NDArray[Any] | None = None,
    saturation: float = 1.0,
    render: Render | None = None,
    ahead: int = AHEAD,
    stages: Stages | None = None,
    state: FilmState | None = None,
) -> Generator[ColouredFrame, None, None]:
    """Colour the frames of a film, in order, as they come.

    A few frames are held at a time, however long the film. ``frames`` is iterated in a thread of
    its own, from when the first coloured frame is asked for. An error there or in the network is
    raised here, after the frames before it have come. Closing the generator ends all threads;
    ``contextlib.closing`` does it at a known time, even if the loop over it is left by an error.

    Args:
        colorizer: an open one; others may use it meanwhile.
        frames: of any sizes. One of another size than that before begins a shot.
        steady: 0 colours frame by frame, exactly as `Colorizer.colorize_yuv` does; up to 1, the
            colours of a shot are held more and more (see `trtcolor.video.steady`).
        style: (G,) global features to colour all frames with, those of a picture, from
            `Colorizer.global_features`.
        saturation: factor on a* and b*, 0 (grey) to 10.
        render: how large the network sees a frame, instead of the colorizer's own.
        ahead: frames that may wait between two steps, at least 1.
        stages: takes the times of decode, prepare, network, steady and merge.
        state: that of the coloured frame before the first of these, which then get the chroma that
            they would have got had the two runs been one; all else must be as it was.

    Raises:
        ValueError: an argument is none of these; at once.
        NoGlobalFeaturesError: a style was given to a network that takes none; at once.
        BackendError: the network failed.
        BaseException: whatever ``frames`` raises.
    """
    times = stages or Stages()
    steps = Steps(colorizer, times, steady, style, saturation, render, state)

    def take(frame: LumaFrame) -> Item[LumaFrame]:
        signal = frame.signal
        lightness = lightness_from_luma(
            frame.luma, depth=signal.depth, range=signal.range, threads=colorizer.threads
        )
        return steps.item(frame, lightness)

    def merge(item: Item[LumaFrame]) -> ColouredFrame:
        merged = planes_from_chroma(
            item.frame, item.chroma, cut=item.cut, threads=colorizer.threads
        )
        return replace(merged, state=item.state)

    return overlapped(times.timing("decode", frames), steps.of(take, merge), ahead=ahead)


def color_arrays(
    colorizer: Colorizer,
    frames: Iterable[Any],
    *,
    steady: float = DEFAULT_STEADY,
    style: NDArray[Any] | None = None,
    saturation: float = 1.0,
    render: Render | None = None,
    ahead: int = AHEAD,
    stages: Stages | None = None,
) -> Generator[Any, None, None]:
    """`color_frames` for pictures: `Colorizer.stream`, which see."""
    times = stages or Stages()
    steps = Steps(colorizer, times, steady, style, saturation, render)

    def came(source: Iterable[Any]) -> Iterator[Any]:
        for frame in source:
            yield colorizer.on_device.take(frame) if is_on_gpu(frame) else frame
            del frame

    def take(array: Any) -> Item[Any]:
        if isinstance(array, DeviceArray):
            return steps.item_on_device(array, colorizer.on_device)
        frame = frame_from_array(array, threads=colorizer.threads)
        return steps.item(frame, frame.lightness)

    def merge(item: Item[Any]) -> NDArray[Any] | DeviceArray:
        if not isinstance(item.frame, Frame):
            return colorizer.on_device.merge(item.frame, item.chroma)
        return array_from_frame(
            item.frame,
            item.chroma,
            scale=item.seen.plan.merge_scale,
            gamut=colorizer.gamut,
            upsampling=colorizer.upsampling,
            threads=colorizer.threads,
        )

    return overlapped(times.timing("decode", came(frames)), steps.of(take, merge), ahead=ahead)


def planes_from_chroma(
    frame: LumaFrame, chroma: Float, *, cut: bool, threads: int | None = None
) -> ColouredFrame:
    """The last step alone: chroma put beside the Y' plane that it belongs to.

    Args:
        frame: it is only read; its luma goes out as the same object.
        chroma: (2, h, w) a* and b*, of any size. It is rounded as a sidecar keeps it
            (`trtcolor.video.records.rounded_chroma`), so that what is merged from a file is what a
            run gave. Where h and w are those of the frame divided by 1, 2 or 4 and rounded up, its
            samples lie on that grid; else it is stretched over the frame.
        cut: as in `ColouredFrame`.
        threads: as in `trtcolor.planes`.

    Raises:
        ValueError: ``chroma`` is of another shape.
    """
    signal = frame.signal
    chroma = rounded_chroma(chroma)
    u, v = chroma_planes(
        frame.luma,
        chroma,
        scale=_scale(frame.size, chroma.shape[1:]),
        subsampling=signal.subsampling,
        depth=signal.depth,
        matrix=signal.matrix,
        range=signal.range,
        siting=signal.siting,
        threads=threads,
    )
    return ColouredFrame(frame.luma, u, v, signal, frame.time, frame.tag, chroma, cut)


def _scale(frame: tuple[int, int], grid: tuple[int, ...]) -> MergeScale | None:
    scales: tuple[MergeScale, ...] = (1, 2, 4)
    return next((scale for scale in scales if chroma_size(frame, scale) == grid), None)
