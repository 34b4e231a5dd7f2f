"""The steps between the frames of a film and coloured ones, whatever frames are made of.

    frames -> prepare -> network -> steady -> merge -> coloured frames

Each is a generator that one thread runs (`trtcolor.video.overlap`), so that nothing is in the way
of a network on a device of its own. Cuts are found while preparing, on the small copies of the
lightness: `trtcolor.video.cuts` looks a few frames ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from trtcolor.frames import Frame
from trtcolor.geometry import Render, checked_render, crop
from trtcolor.predictor import Predictor, Seen
from trtcolor.resize import resize_plane
from trtcolor.stages import Stages
from trtcolor.video.cuts import CutDetector
from trtcolor.video.frames import LumaFrame
from trtcolor.video.overlap import Step
from trtcolor.video.state import FilmState
from trtcolor.video.steady import SteadyChroma, SteadyFeatures, checked_steady

if TYPE_CHECKING:
    from trtcolor.colorizer import Colorizer

Float = NDArray[np.float32]
Taken = TypeVar("Taken", LumaFrame, Frame)


@dataclass(frozen=True)
class Item(Generic[Taken]):
    """A frame between two steps.

    Attributes:
        frame: what the merge needs of it.
        seen: what the network needs.
        lightness: (h, w) float32 L* on the grid of its chroma.
        cut: whether it begins a shot.
        chroma: (2, h, w) float32 a* and b*; before the network, none yet.
        state: after it, what the next one depends on; each step adds its part.
    """

    frame: Taken
    seen: Seen
    lightness: Float
    cut: bool
    chroma: Float
    state: FilmState


_NONE: Float = np.empty((2, 0, 0), np.float32)


class Steps:
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
        self, take: Callable[[Any], tuple[Taken, Float]], merge: Callable[[Item[Taken]], Any]
    ) -> list[Step]:
        """What `overlapped` runs: ``take`` gives a frame's lightness, ``merge`` the result."""
        return [
            partial(self._prepare, take),
            self._predict,
            self._filter,
            partial(self._merge, merge),
        ]

    def _prepare(
        self, take: Callable[[Any], tuple[Taken, Float]], frames: Iterator[Any]
    ) -> Iterator[Item[Taken]]:
        begin = self._begin
        past = ((), ()) if begin is None else (begin.cells, begin.differences)
        detector, waiting = CutDetector(*past), deque[Item[Taken]]()
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

    def _prepared(self, frame: Taken, lightness: Float) -> Item[Taken]:
        seen = self._predictor.see(
            lightness, self._render, global_features=self._style, joint=not self._shared
        )
        unpadded = crop(seen.network_lightness[0, 0], seen.plan.network)
        small = resize_plane(unpadded, seen.plan.chroma, threads=self._predictor.threads)
        return Item(frame, seen, small, False, _NONE, FilmState(seen.plan.frame, (), ()))

    def _predict(self, items: Iterator[Item[Taken]]) -> Iterator[Item[Taken]]:
        features = SteadyFeatures(self._steady)
        if (begin := self._begin) is not None:
            past = (begin.shot_frame, begin.target, begin.features)
            features = SteadyFeatures(self._steady, past)
        for item in items:
            with self._stages.timed("network"):
                seen = item.seen
                if self._shared:
                    own = self._own_features(seen) if features.wanted(cut=item.cut) else None
                    seen = replace(seen, global_features=features.update(own)[np.newaxis])
                found = self._predictor.predict(seen).chroma
            shot_frame, target, now = features.past
            state = replace(item.state, shot_frame=shot_frame, target=target, features=now)
            yield replace(item, chroma=found, state=state)
            del item, seen, found, state

    def _filter(self, items: Iterator[Item[Taken]]) -> Iterator[Item[Taken]]:
        begin = self._begin
        past = (None, None) if begin is None else (begin.lightness, begin.chroma)
        chroma = SteadyChroma(self._steady, past)
        for item in items:
            with self._stages.timed("steady"):
                held = chroma.update(item.lightness, item.chroma, cut=item.cut)
            lightness, before = chroma.past
            state = replace(item.state, lightness=lightness, chroma=before)
            yield replace(item, chroma=held, state=state)
            del item, held, state

    def _own_features(self, seen: Seen) -> Float:
        assert seen.global_lightness is not None, "made for networks with global features"
        found = self._predictor.run_global(seen.global_lightness, "global_features")
        own: Float = found["global_features"][0]
        return own

    def _merge(
        self, merge: Callable[[Item[Taken]], Any], items: Iterator[Item[Taken]]
    ) -> Iterator[Any]:
        for item in items:
            with self._stages.timed("merge"):
                if self._saturation != 1.0:
                    item = replace(item, chroma=item.chroma * self._saturation)
                merged = merge(item)
            yield merged
            del item, merged


def _judged(item: Item[Taken], cut: bool, detector: CutDetector) -> Item[Taken]:
    """The item with what the detector says of it; that of another size was a cut before."""
    cells, differences = detector.past
    state = FilmState(item.seen.plan.frame, cells, differences)
    return replace(item, cut=item.cut or cut, state=state)
