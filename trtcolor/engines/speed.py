"""How fast an engine on a CPU is: measured once, when it is built, beside what it would replace.

``backend="auto"`` chooses by it (`trtcolor.engines.ranking`), so nothing is timed when a Colorizer
is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.available import RUNNING, available
from trtcolor.backends.base import Runner
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.openvino import OpenVinoRunner
from trtcolor.bundle import Bundle
from trtcolor.engines.profile import Shape, shape_text
from trtcolor.errors import BackendError
from trtcolor.measure import Clock, processor
from trtcolor.resize import resize_plane
from trtcolor.threads import usable_cores

RUNS, WARMUP = 15, 2
ENGINE, REFERENCE = "engine", "onnxruntime fp32"
OWN_GRAPHS: dict[str, Callable[[Bundle], Runner]] = {
    "onnxruntime": OnnxRuntimeRunner,
    "openvino": OpenVinoRunner,
}


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What an engine took beside the bundle's own graphs, in the same minutes.

    Attributes:
        size: of the frame, as ``WxH``: what the engine's first profile is best at.
        processor: its name, as `trtcolor.measure.processor` gives it.
        cores: that the process could use.
        seconds: the least of `RUNS` by what ran the local graph: `ENGINE`, `REFERENCE`, and
            ``"openvino fp32"`` where that works. What else the machine does while an engine is
            built only adds to a time, so that medians of a busy machine said up to twice as much.

    Raises:
        ValueError: one of the first two is missing, or one of all is not positive.
    """

    size: str
    processor: str
    cores: int
    seconds: Mapping[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", {n: float(value) for n, value in self.seconds.items()})
        missing = {ENGINE, REFERENCE} - set(self.seconds)
        if missing or not all(0 < value < np.inf for value in self.seconds.values()):
            raise ValueError(
                f"seconds are {dict(self.seconds)}; positive ones of {ENGINE!r} and {REFERENCE!r} "
                "were needed; build the engine again"
            )

    @property
    def is_of_this_machine(self) -> bool:
        """Whether it was measured on such a processor: a cache may lie on a shared disk."""
        return (self.processor, self.cores) == (processor(), usable_cores())

    def share(self, name: str) -> float:
        """Time of one of `seconds` over that of `REFERENCE`."""
        return self.seconds[name] / self.seconds[REFERENCE]

    def __str__(self) -> str:
        times = ", ".join(f"{name} {1e3 * value:.1f} ms" for name, value in self.seconds.items())
        return f"{1 / self.share(ENGINE):.2f} times {REFERENCE} at {self.size} ({times})"


def measure_speed(
    bundle: Bundle,
    engine: Runner,
    shape: Shape,
    picture: NDArray[np.float32],
    *,
    clock: Clock = time.perf_counter,
) -> Speed:
    """Time an engine's local graph in turns with the bundle's own on every installed backend.

    Args:
        bundle: verified.
        engine: its runner.
        shape: (N, height, width) of the frames.
        picture: (H, W) float32 L*, scaled to that.
        clock: seconds from any origin.

    Raises:
        BackendError: the engine does not run.
        ValueError: ONNX Runtime does not run the bundle.
    """
    batch, height, width = shape
    side = bundle.spec.size.global_size

    def copies(size: tuple[int, int]) -> NDArray[np.float32]:
        return np.repeat(resize_plane(picture, size)[None, None], batch, axis=0)

    inputs = {"lightness": copies((height, width))}
    with ExitStack() as stack:
        if side is not None:
            (features,) = engine.run(
                "global", {"lightness": copies((side, side))}, ["global_features"]
            )
            inputs["global_features"] = features
        runners = {ENGINE: engine}
        for name in reversed(RUNNING):
            if available(name).problem is None:
                runner = stack.enter_context(closing(OWN_GRAPHS[name](bundle)))
                with suppress(BackendError):  # one that does not run them is none to compare with
                    runner.run("local", inputs, ["chroma"])
                    runners[f"{name} fp32"] = runner
        seconds: dict[str, list[float]] = {name: [] for name in runners}
        for turn in range(WARMUP + RUNS):
            for name, runner in runners.items():
                start = clock()
                runner.run("local", inputs, ["chroma"])
                if turn >= WARMUP:
                    seconds[name].append(clock() - start)
    return Speed(
        size=shape_text(shape),
        processor=processor(),
        cores=usable_cores(),
        seconds={name: min(values) for name, values in seconds.items()},
    )
