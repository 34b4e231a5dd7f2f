"""`color_frames`: the frames of a film in colour, the steps of the work overlapping.

    frames -> prepare -> network and steady -> merge -> coloured frames

Frames are decoded, prepared, sent through the network and merged in a thread each; the filter along
time, which takes next to nothing, is in the network's. Cuts are found while preparing, on the small
copies of the lightness: `trtcolor.video.cuts` looks a few frames ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from trtcolor.frames import Frame, array_from_frame, frame_from_array
from trtcolor.geometry import MergeScale, Render, checked_render, chroma_size, crop
from trtcolor.planes import chroma_planes, lightness_from_luma
from trtcolor.predictor import Predictor, Seen
from trtcolor.resize import resize_plane
from trtcolor.video.cuts import CutDetector
from trtcolor.video.frames import ColouredFrame, LumaFrame
from trtcolor.video.overlap import overlapped
from trtcolor.video.stages import Stages
from trtcolor.video.state import FilmState
from trtcolor.video.steady import DEFAULT_STEADY, SteadyChroma, SteadyFeatures, checked_steady

if TYPE_CHECKING:
    from trtcolor.colorizer import Colorizer

AHEAD = 4
"""Frames that may wait between two steps."""

Float = NDArray[np.float32]
Taken = TypeVar("Taken", LumaFrame, Frame)


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
        steady: 0 colours frame by frame, exactly as `Colorizer.predict` does; up to 1, the colours
            of a shot are held more and more (see `trtcolor.video.steady`).
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

    def take(frame: LumaFrame) -> tuple[LumaFrame, Float]:
        signal = frame.signal
        return frame, lightness_from_luma(
            frame.luma, depth=signal.depth, range=signal.range, threads=colorizer.threads
        )

    def merge(item: _Item[LumaFrame]) -> ColouredFrame:
        merged = planes_from_chroma(
            item.frame, item.chroma, cut=item.cut, threads=colorizer.threads
        )
        return replace(merged, state=item.state)

    steps = _Steps(colorizer, times, steady, style, saturation, render, state)
    return overlapped(times.timing("decode", frames), steps.of(take, merge), ahead=ahead)


def color_arrays(
    colorizer: Colorizer,
    frames: Iterable[NDArray[Any]],
    *,
    steady: float = DEFAULT_STEADY,
    style: NDArray[Any] | None = None,
    saturation: float = 1.0,
    render: Render | None = None,
    ahead: int = AHEAD,
    stages: Stages | None = None,
) -> Generator[NDArray[Any], None, None]:
    """`color_frames` for pictures: `Colorizer.stream`, which see."""
    times = stages or Stages()

    def take(array: NDArray[Any]) -> tuple[Frame, Float]:
        frame = frame_from_array(array, threads=colorizer.threads)
        return frame, frame.lightness

    def merge(item: _Item[Frame]) -> NDArray[Any]:
        return array_from_frame(
            item.frame,
            item.chroma,
            scale=item.seen.plan.merge_scale,
            gamut=colorizer.gamut,
            threads=colorizer.threads,
        )

    steps = _Steps(colorizer, times, steady, style, saturation, render)
    return overlapped(times.timing("decode", frames), steps.of(take, merge), ahead=ahead)


def planes_from_chroma(
    frame: LumaFrame, chroma: Float, *, cut: bool, threads: int | None = None
) -> ColouredFrame:
    """The last step alone: chroma put beside the Y' plane that it belongs to.

    Args:
        frame: it is only read; its luma goes out as the same object.
        chroma: (2, h, w) float32 a* and b*, of any size. Where h and w are those of the frame
            divided by 1, 2 or 4 and rounded up, its samples lie on that grid; else it is stretched
            over the frame.
        cut: as in `ColouredFrame`.
        threads: as in `trtcolor.planes`.

    Raises:
        TypeError, ValueError: ``chroma`` is of another dtype or shape.
    """
    signal = frame.signal
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


@dataclass(frozen=True)
class _Item(Generic[Taken]):
    """A frame between two steps.

    Attributes:
        frame: what the merge needs of it.
        seen: what the network needs.
        lightness: (h, w) float32 L* on the grid of its chroma.
        cut: whether it begins a shot.
        chroma: (2, h, w) float32 a* and b*; before the network, none yet.
        state: after it, what the next one depends on; before the network, the cuts' part of it.
    """

    frame: Taken
    seen: Seen
    lightness: Float
    cut: bool
    chroma: Float
    state: FilmState | None = None


_NONE: Float = np.empty((2, 0, 0), np.float32)


class _Steps:
    """The steps between frames and coloured frames; each is run by one thread."""

    def __init__(
        self,
        colorizer: Colorizer,
        stages: Stages,
        steady: float,
        style: NDArray[Any] | None,
        saturation: float,
        render: Render | None,
        state: FilmState | None = None,
    ) -> None:
        from trtcolor.colorizer import check_saturation

        check_saturation(saturation)
        self._predictor: Predictor = colorizer.predictor
        if style is not None:
            self._predictor.checked_features(style)
        self._stages = stages
        self._steady = checked_steady(steady)
        self._style = style
        self._saturation = np.float32(saturation)
        self._begin = state
        self._render = colorizer.render if render is None else checked_render(render)
        self._shared = (
            self._steady > 0.0 and style is None and self._predictor.spec.has_global_features
        )  # whether frames share their global features

    def of(
        self, take: Callable[[Any], tuple[Taken, Float]], merge: Callable[[_Item[Taken]], Any]
    ) -> list[Callable[[Iterator[Any]], Iterator[Any]]]:
        """What `overlapped` runs: ``take`` gives a frame's lightness, ``merge`` the result."""
        return [partial(self._prepare, take), self._predict, partial(self._merge, merge)]

    def _prepare(
        self, take: Callable[[Any], tuple[Taken, Float]], frames: Iterator[Any]
    ) -> Iterator[_Item[Taken]]:
        begin = self._begin
        past = ((), ()) if begin is None else (begin.cells, begin.differences)
        detector, waiting = CutDetector(*past), deque[_Item[Taken]]()
        failure: Exception | None = None
        size = None if begin is None else begin.size
        while True:
            try:
                frame = next(frames)
                with self._stages.timed("prepare"):
                    item = self._prepared(*take(frame))
            except StopIteration:
                break
            except Exception as error:  # the frames that wait are whole
                failure = error
                break
            with self._stages.timed("prepare", frames=0):
                cut = detector.update(item.lightness)
            waiting.append(replace(item, cut=item.seen.plan.frame != size))
            size = item.seen.plan.frame
            del frame, item
            if cut is not None:
                yield _judged(waiting.popleft(), cut, detector)
        for cut in detector.finish():
            yield _judged(waiting.popleft(), cut, detector)
        if failure is not None:
            raise failure

    def _prepared(self, frame: Taken, lightness: Float) -> _Item[Taken]:
        seen = self._predictor.see(
            lightness, self._render, global_features=self._style, joint=not self._shared
        )
        unpadded = crop(seen.network_lightness[0, 0], seen.plan.network)
        small = resize_plane(unpadded, seen.plan.chroma, threads=self._predictor.threads)
        return _Item(frame, seen, small, False, _NONE)

    def _predict(self, items: Iterator[_Item[Taken]]) -> Iterator[_Item[Taken]]:
        features, chroma = SteadyFeatures(self._steady), SteadyChroma(self._steady)
        if (begin := self._begin) is not None:
            past = (begin.shot_frame, begin.target, begin.features)
            features = SteadyFeatures(self._steady, past)
            chroma = SteadyChroma(self._steady, (begin.lightness, begin.chroma))
        for item in items:
            seen = item.seen
            with self._stages.timed("network"):
                if self._shared:
                    own = self._own_features(seen) if features.wanted(cut=item.cut) else None
                    seen = replace(seen, global_features=features.update(own)[np.newaxis])
                found = self._predictor.predict(seen).chroma
            with self._stages.timed("steady"):
                held = chroma.update(item.lightness, found, cut=item.cut)
            yield replace(item, chroma=held, state=_after(item, features, chroma))
            del item, seen, found, held

    def _own_features(self, seen: Seen) -> Float:
        assert seen.global_lightness is not None, "made for networks with global features"
        return self._predictor.run_global(seen.global_lightness, "global_features")[
            "global_features"
        ][0]

    def _merge(
        self, merge: Callable[[_Item[Taken]], Any], items: Iterator[_Item[Taken]]
    ) -> Iterator[Any]:
        for item in items:
            with self._stages.timed("merge"):
                if self._saturation != 1.0:
                    item = replace(item, chroma=item.chroma * self._saturation)
                merged = merge(item)
            yield merged
            del item, merged


def _judged(item: _Item[Taken], cut: bool, detector: CutDetector) -> _Item[Taken]:
    """The item with what the detector says of it; that of another size was a cut before."""
    cells, differences = detector.past
    state = FilmState(item.seen.plan.frame, cells, differences)
    return replace(item, cut=item.cut or cut, state=state)


def _after(item: _Item[Taken], features: SteadyFeatures, chroma: SteadyChroma) -> FilmState | None:
    """The item's state with the part of the filters."""
    if item.state is None:
        return None
    shot_frame, target, now = features.past
    lightness, held = chroma.past
    return replace(
        item.state,
        shot_frame=shot_frame,
        target=target,
        features=now,
        lightness=lightness,
        chroma=held,
    )
