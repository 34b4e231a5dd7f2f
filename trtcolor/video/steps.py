"""The steps between the frames of a film and coloured ones, whatever frames are made of.

    frames -> prepare -> network -> steady -> merge -> coloured frames

Each is a generator that one thread runs (`trtcolor.video.overlap`), so that nothing is in the way
of a network on a device of its own, which is begun in one thread and waited for in the next. Cuts
are found while preparing, on the small copies of the lightness: `trtcolor.video.cuts` looks a few
frames ahead.

Frames that lie on a GPU go the same way (`trtcolor.on_device`): only those small copies, the global
features and the chroma, which is filtered on the host, leave it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from trtcolor.frames import Frame, check_saturation
from trtcolor.geometry import Render, checked_render, crop
from trtcolor.outputs import checked_features
from trtcolor.predictor import Predictor
from trtcolor.resize import resize_plane
from trtcolor.seen import Seen, SeenOnDevice
from trtcolor.stages import Stages
from trtcolor.video.cuts import CutDetector
from trtcolor.video.frames import LumaFrame
from trtcolor.video.overlap import Step
from trtcolor.video.state import FilmState
from trtcolor.video.steady import SteadyChroma, SteadyFeatures, checked_steady

if TYPE_CHECKING:
    from trtcolor.colorizer import Colorizer
    from trtcolor.on_device import OnDevice

Float = NDArray[np.float32]
Taken = TypeVar("Taken", LumaFrame, Frame, SeenOnDevice)


class Network(Protocol):
    """What runs a network on what it sees of a frame: `Predictor`, or `OnDevice` on a GPU."""

    def features(self, seen: Any) -> Float:
        """The (G,) global features of a frame."""
        ...

    def start(self, seen: Any) -> Callable[[], Float]:
        """Begin to run it; what is returned waits for the (2, h, w) chroma."""
        ...


@dataclass(frozen=True)
class Item(Generic[Taken]):
    """A frame between two steps.

    Attributes:
        frame: what the merge needs of it.
        network: what runs on it.
        seen: what that needs.
        lightness: (h, w) float32 L* on the grid of its chroma.
        state: after it, what the next one depends on; each step adds its part.
        cut: whether it begins a shot.
        waiting: gives what the network was begun for; before and behind it, none.
        chroma: (2, h, w) float32 a* and b*; before the network, none yet.
    """

    frame: Taken
    network: Network
    seen: Seen | SeenOnDevice
    lightness: Float
    state: FilmState
    cut: bool = False
    waiting: Callable[[], Float] | None = None
    chroma: Float = field(default_factory=lambda: np.empty((2, 0, 0), np.float32))


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
        check_saturation(saturation)
        self._predictor: Predictor = colorizer.predictor
        if style is not None:
            checked_features(self._predictor.spec, style)
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
        self, take: Callable[[Any], Item[Taken]], merge: Callable[[Item[Taken]], Any]
    ) -> list[Step]:
        """What `overlapped` runs: ``take`` begins with a frame, ``merge`` gives the result.

        What waits for the network has a thread of its own where something else computes it: then
        the next one is begun meanwhile.
        """
        network: list[Step] = [self._begun, self._finished]
        if not self._predictor.overlaps:
            network = [lambda items: self._finished(self._begun(items))]
        return [partial(self._prepare, take), *network, self._filter, partial(self._merge, merge)]

    def item(self, frame: Taken, lightness: Float) -> Item[Taken]:
        """A frame of the host's memory at its first step.

        Args:
            frame: what the merge will need of it.
            lightness: (H, W) float32 L*, at full size.
        """
        seen = self._predictor.see(
            lightness, self._render, global_features=self._style, joint=not self._shared
        )
        unpadded = crop(seen.network_lightness[0, 0], seen.plan.network)
        return self._item(frame, self._predictor, seen, unpadded)

    def item_on_device(self, frame: Any, network: OnDevice) -> Item[SeenOnDevice]:
        """A frame in a GPU's memory at its first step."""
        seen = network.see(frame, self._render, global_features=self._style)
        return self._item(seen, network, seen, network.lightness(seen))

    def _item(
        self, frame: Taken, network: Network, seen: Seen | SeenOnDevice, lightness: Float
    ) -> Item[Taken]:
        small = resize_plane(lightness, seen.plan.chroma, threads=self._predictor.threads)
        return Item(frame, network, seen, small, FilmState(seen.plan.frame, (), ()))

    def _prepare(
        self, take: Callable[[Any], Item[Taken]], frames: Iterator[Any]
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
                    item = take(frame)
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

    def _begun(self, items: Iterator[Item[Taken]]) -> Iterator[Item[Taken]]:
        features = SteadyFeatures(self._steady)
        if (begin := self._begin) is not None:
            past = (begin.shot_frame, begin.target, begin.features)
            features = SteadyFeatures(self._steady, past)
        for item in items:
            with self._stages.timed("network"):
                network, seen = item.network, item.seen
                if self._shared:
                    own = network.features(seen) if features.wanted(cut=item.cut) else None
                    seen = replace(seen, global_features=features.update(own)[np.newaxis])
                waiting = network.start(seen)
            shot_frame, target, now = features.past
            state = replace(item.state, shot_frame=shot_frame, target=target, features=now)
            yield replace(item, waiting=waiting, state=state)
            del item, seen, waiting, state

    def _finished(self, items: Iterator[Item[Taken]]) -> Iterator[Item[Taken]]:
        for item in items:
            assert item.waiting is not None, "the network was begun"
            with self._stages.timed("network", frames=0):
                found = item.waiting()
            yield replace(item, waiting=None, chroma=found)
            del item, found

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
