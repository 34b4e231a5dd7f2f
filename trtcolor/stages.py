"""What the stages of a run take: seconds busy and CPU seconds of each, and of the whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from trtcolor.threads import usable_cores

STAGES = ("decode", "prepare", "network", "steady", "merge", "encode")
"""Names of a film's, in the order of the way."""

T = TypeVar("T")


@dataclass
class Stage:
    """One stage's sums.

    Attributes:
        frames: how often it was done, for a frame or a picture.
        busy_seconds: on the clock, without waiting for its neighbours.
        own_cpu_seconds: of the thread that did it. What the network, a decoder or a kernel does on
            threads of its own is in `Stages.cpu_seconds` alone.
    """

    frames: int = 0
    busy_seconds: float = 0.0
    own_cpu_seconds: float = 0.0


class Stages:
    """Takes the times of a run from all its threads.

    The clock begins when the object is made or `start` is called, and goes on until `stop`.

    Args:
        order: names of stages, in the order of the way.
        workers: how many threads do each stage at the same time; 1 of those that are not named.
        unit: what goes through them.
        cores: that all of them share; None: those of this process.

    Attributes:
        stages: by name, those that were timed, in that order.
    """

    def __init__(
        self,
        order: Sequence[str] = STAGES,
        *,
        workers: Mapping[str, int] | None = None,
        unit: str = "frame",
        cores: int | None = None,
    ) -> None:
        self._cores = cores or usable_cores()
        self._order, self._workers, self._unit = tuple(order), dict(workers or {}), unit
        self._stages: dict[str, Stage] = {}
        self._lock = threading.Lock()
        self.start()

    def start(self) -> None:
        """Begin anew, dropping what was taken."""
        with self._lock:
            self._stages.clear()
            self._began, self._cpu_began = time.perf_counter(), time.process_time()
            self._cpu_elsewhere = 0.0
            self._ended: tuple[float, float] | None = None

    def stop(self) -> None:
        """Stop the clock of the whole."""
        self._ended = time.perf_counter(), time.process_time()

    @contextmanager
    def timed(self, name: str, frames: int = 1) -> Iterator[None]:
        """Count what the block takes, in the calling thread, to the stage of that name."""
        began, cpu_began = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            self.count(name, frames, time.perf_counter() - began, time.thread_time() - cpu_began)

    def count(self, name: str, frames: int, busy_seconds: float, own_cpu_seconds: float) -> None:
        """Count what was measured elsewhere to the stage of that name."""
        with self._lock:
            stage = self._stages.setdefault(name, Stage())
            stage.frames += frames
            stage.busy_seconds += busy_seconds
            stage.own_cpu_seconds += own_cpu_seconds

    def add(self, stages: Mapping[str, Stage], cpu_seconds: float) -> None:
        """Count what another process took, all its threads' CPU time included."""
        for name, stage in stages.items():
            self.count(name, stage.frames, stage.busy_seconds, stage.own_cpu_seconds)
        self._cpu_elsewhere += cpu_seconds

    def taken(self) -> dict[str, Stage]:
        """What was counted since the last time, which is counted to the whole no more."""
        with self._lock:
            taken, self._stages = self._stages, {}
        return taken

    def timing(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """The same items; what each takes to come is counted to the stage."""
        iterator, end = iter(items), object()
        while True:
            with self.timed(name, frames=0):
                item = next(iterator, end)
            if item is end:
                return
            with self._lock:
                self._stages[name].frames += 1
            yield item  # type: ignore[misc]
            del item

    @property
    def stages(self) -> dict[str, Stage]:
        """By name, in the order of the way."""
        with self._lock:
            known = [name for name in self._order if name in self._stages]
            return {name: self._stages[name] for name in (*known, *self._stages)}

    @property
    def seconds(self) -> float:
        """On the clock, from start to stop or to now."""
        return (self._ended or (time.perf_counter(),))[0] - self._began

    @property
    def cpu_seconds(self) -> float:
        """Of all threads of the process, and of those that were added, in that time."""
        ended = self._ended[1] if self._ended else time.process_time()
        return ended - self._cpu_began + self._cpu_elsewhere

    @property
    def bound(self) -> float:
        """Seconds that no order of the work could go below: max(slowest stage, CPU / cores).

        A stage that several threads do at once takes its share of each.
        """
        stages = self.stages.items()
        busy = [stage.busy_seconds / self._workers.get(name, 1) for name, stage in stages]
        return max([*busy, self.cpu_seconds / self._cores])

    def table(self) -> str:
        """Aligned text: a row a stage, and the whole."""
        unit = self._unit
        lines = [f"{'stage':<9}{f'{unit}s':>8}{'busy s':>10}{f'ms/{unit}':>11}{'own CPU s':>11}"]
        for name, stage in self.stages.items():
            each = 1000 * stage.busy_seconds / max(stage.frames, 1)
            lines.append(
                f"{name:<9}{stage.frames:>8}{stage.busy_seconds:>10.2f}{each:>11.2f}"
                f"{stage.own_cpu_seconds:>11.2f}"
            )
        lines.append(
            f"wall {self.seconds:.2f} s, {self.seconds / max(self.bound, 1e-9):.2f} x "
            f"max(slowest stage, CPU of {self.cpu_seconds:.2f} s / {self._cores} cores)"
        )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "cores": self._cores,
            "bound_seconds": self.bound,
            "stages": {name: vars(stage).copy() for name, stage in self.stages.items()},
        }


class Laps:
    """One picture's way through the stages in one thread, to and fro where it has several pages.

    Attributes:
        seconds: on the clock, by stage.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._cpu: dict[str, float] = {}
        self._name: str | None = None
        self._began = self._cpu_began = 0.0

    def begin(self, name: str | None) -> None:
        """What follows is counted to that stage, or to none."""
        now, cpu_now = time.perf_counter(), time.thread_time()
        if self._name is not None:
            taken, cpu = now - self._began, cpu_now - self._cpu_began
            self.seconds[self._name] = self.seconds.get(self._name, 0.0) + taken
            self._cpu[self._name] = self._cpu.get(self._name, 0.0) + cpu
        self._name, self._began, self._cpu_began = name, now, cpu_now

    def end(self, stages: Stages) -> None:
        """Count what was taken to the stages of the run, as one picture."""
        self.begin(None)
        for name, seconds in self.seconds.items():
            stages.count(name, 1, seconds, self._cpu[name])
