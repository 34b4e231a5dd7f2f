"""One candidate with its frames, run step by step: what a worker process times."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.base import Runner
from trtcolor.colorizer import Colorizer, Prepared
from trtcolor.geometry import crop
from trtcolor.measure import Clock

STEPS = ("prepare", "predict", "merge", "total")
"""Frame to lightness; the network alone; colour under the frame's lightness; all of the way."""

Frames = Sequence[NDArray[np.uint8]]


class Subject:
    """Frames on their way through `Colorizer.prepare`, a runner, and `Colorizer.merge`.

    Args:
        colorizer: prepares and merges.
        runner: the network; gets all frames at once.
        frames: (H, W) uint8 each, of one size.
        clock: seconds from any origin.
        synchronize: waits until the device has finished; called before every reading of the clock.
            A `Runner` returns arrays in main memory, so that nothing is queued when it returns;
            None does nothing.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        runner: Runner,
        frames: Frames,
        *,
        clock: Clock = time.perf_counter,
        synchronize: Callable[[], object] | None = None,
    ) -> None:
        self._colorizer, self._runner, self._frames = colorizer, runner, frames
        self._clock, self._synchronize = clock, synchronize
        self.graph = ""
        self.network: tuple[int, int] = (0, 0)

    def run(self) -> tuple[float, ...]:
        """Colour the frames once.

        Returns:
            Seconds of each of `STEPS`.

        Raises:
            TrtcolorError: as from the Colorizer and the runner.
        """
        start = self._now()
        prepared = [self._colorizer.prepare(frame) for frame in self._frames]
        ready = self._now()
        chroma = self._predict(prepared)
        predicted = self._now()
        for one, planes in zip(prepared, chroma, strict=True):
            self._colorizer.merge(one, crop(planes, one.plan.chroma))
        end = self._now()
        height, width = prepared[0].network_lightness.shape[2:]
        self.graph, self.network = prepared[0].graph, (height, width)
        return ready - start, predicted - ready, end - predicted, end - start

    def _predict(self, prepared: Sequence[Prepared]) -> NDArray[np.float32]:
        """(N, 2, h, w) chroma, as `Colorizer.predict` gives it for one frame."""
        inputs = {"lightness": np.concatenate([one.network_lightness for one in prepared])}
        squares = [one.global_lightness for one in prepared if one.global_lightness is not None]
        if squares:
            square = {"lightness": np.concatenate(squares)}
            (inputs["global_features"],) = self._runner.run("global", square, ["global_features"])
        (chroma,) = self._runner.run(prepared[0].graph, inputs, ["chroma"])
        return chroma

    def _now(self) -> float:
        if self._synchronize is not None:
            self._synchronize()
        return self._clock()
