"""Timings that can be trusted: raw values kept, their spread stated, the machine named."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from trtcolor.threads import usable_cores

UNSTABLE_SPREAD = 0.2
"""(p90 - p10) / median from which on a measurement is called unstable."""

Clock = Callable[[], float]


@dataclass(frozen=True)
class Measurement:
    """How long something took, each time that it was run.

    Attributes:
        name: of what was run.
        seconds: every value, in the order of the runs, nothing left out.

    Raises:
        ValueError: no values.
    """

    name: str
    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", tuple(float(value) for value in self.seconds))
        if not self.seconds:
            raise ValueError(
                f"measurement {self.name!r} came without values; at least one was needed"
            )

    @property
    def median(self) -> float:
        """In seconds."""
        return float(np.median(self.seconds))

    @property
    def p10(self) -> float:
        """10th percentile in seconds, linear between values."""
        return float(np.percentile(self.seconds, 10))

    @property
    def p90(self) -> float:
        """90th percentile in seconds, linear between values."""
        return float(np.percentile(self.seconds, 90))

    @property
    def p99(self) -> float:
        """99th percentile in seconds, linear between values; near the largest of few."""
        return float(np.percentile(self.seconds, 99))

    @property
    def minimum(self) -> float:
        """In seconds."""
        return min(self.seconds)

    @property
    def mean(self) -> float:
        """In seconds."""
        return float(np.mean(self.seconds))

    @property
    def spread(self) -> float:
        """(p90 - p10) / median; 0 for a single run, which tells nothing of it."""
        return (self.p90 - self.p10) / self.median if self.median > 0 else 0.0

    @property
    def unstable(self) -> bool:
        """Whether the values differ so much that something else was using the machine."""
        return self.spread > UNSTABLE_SPREAD

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the values and, for who reads the file, the statistics of them."""
        statistics = ("median", "p10", "p90", "p99", "minimum", "mean", "spread", "unstable")
        return {
            "name": self.name,
            "seconds": list(self.seconds),
            **{entry: getattr(self, entry) for entry in statistics},
        }

    def to_json(self) -> str:
        """The text of `to_dict`."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Measurement:
        """Read what `to_json` wrote; the statistics are computed again from the values.

        Raises:
            ValueError: the text is no measurement.
        """
        try:
            entries = json.loads(text)
        except ValueError as error:
            raise ValueError(
                f"no measurement came ({error}); an object with name and seconds was needed"
            ) from None
        return cls.from_dict(entries)

    @classmethod
    def from_dict(cls, entries: Any) -> Measurement:
        """The same of plain data, as `to_dict` gives it.

        Raises:
            ValueError: it is no measurement.
        """
        try:
            return cls(entries["name"], tuple(entries["seconds"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"no measurement came ({error}); an object with name and seconds was needed"
            ) from None


def measure(
    function: Callable[[], object],
    *,
    runs: int,
    warmup: int,
    name: str = "",
    clock: Clock = time.perf_counter,
    synchronize: Callable[[], object] | None = None,
) -> Measurement:
    """Run a function again and again and time each run.

    Args:
        function: what to time; its result is dropped.
        runs: how many values to take, at least 1.
        warmup: runs before these that are not timed.
        name: for the `Measurement`.
        clock: seconds from any origin.
        synchronize: waits until the device has finished; called before every reading of the clock,
            so that work which was only queued is not taken for done.

    Raises:
        ValueError: `runs` below 1 or `warmup` below 0.
    """
    check_rounds(runs, warmup)
    for _ in range(warmup):
        function()
    values = []
    for _ in range(runs):
        if synchronize is not None:
            synchronize()
        start = clock()
        function()
        if synchronize is not None:
            synchronize()
        values.append(clock() - start)
    return Measurement(name, tuple(values))


def check_rounds(runs: int, warmup: int) -> None:
    """Refuse numbers of runs that cannot be.

    Raises:
        ValueError: `runs` below 1 or `warmup` below 0.
    """
    if runs < 1 or warmup < 0:
        raise ValueError(
            f"{runs} runs after {warmup} warm-ups came; at least 1 run and no negative number were "
            "needed"
        )


def machine() -> dict[str, Any]:
    """What a timing depends on: processor, cores, system and versions (None: not installed)."""
    return {
        "processor": processor(),
        "cores": usable_cores(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "platform": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("trtcolor", "numpy", "onnxruntime", "openvino")},
    }


def peak_memory() -> int | None:
    """Largest resident size of this process so far in bytes; None where the system is silent."""
    try:  # first: what getrusage says on Linux begins with the size of the process that forked us
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kibibytes on Linux


def processor() -> str:
    """The model's name: Linux knows it in one place only, others by ``platform``."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
