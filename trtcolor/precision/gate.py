"""Whether graphs at a precision colour as the bundle does in float32, on real pictures.

The measure is CIEDE2000 between the coloured uint8 pictures, its mean over a picture's pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.available import Precision
from trtcolor.backends.base import Runner
from trtcolor.errors import PrecisionError
from trtcolor.metrics.difference import mean_ciede2000
from trtcolor.precision.trial import Trial, coloured, trials
from trtcolor.spec import ModelSpec


@dataclass(frozen=True)
class Limits:
    """CIEDE2000 that a precision may cost: mean over pictures, and of the worst picture."""

    mean: float
    worst: float


LIMITS: dict[Precision, Limits] = {
    "fp32": Limits(0.01, 0.03),
    "fp16": Limits(0.3, 0.9),
    "bf16": Limits(0.5, 1.5),
    "int8": Limits(1.0, 3.0),
}
"""About 1 is just noticeable where two flat patches lie side by side.

The worst picture may cost three times the mean: the worst of 15 photographs measured 2 to 4 times
their mean, that of 199 pictures up to 8 times (benchmarks/results/precisions.json), all of them
within these limits; beyond is a picture that has gone wrong, which a mean over many would hide.
"""


@dataclass(frozen=True)
class Figures:
    """CIEDE2000 to float32 of some pictures: mean, 90th percentile and worst picture."""

    mean: float
    p90: float
    worst: float

    @classmethod
    def of(cls, differences: Sequence[float]) -> Figures:
        array = np.asarray(differences)
        return cls(float(array.mean()), float(np.percentile(array, 90)), float(array.max()))

    def within(self, limits: Limits) -> bool:
        return self.mean <= limits.mean and self.worst <= limits.worst

    def __str__(self) -> str:
        return f"mean {self.mean:.3f}, worst picture {self.worst:.3f}"


@dataclass(frozen=True)
class GateReport:
    """What a precision costs, and whether it may.

    Attributes:
        precision: ``fp32``, ``fp16``, ``bf16`` or ``int8``.
        limits: what it was held against.
        ways: figures by the graphs that ran and at which size, e.g. ``joint 128x128``.
        pictures: how many were coloured, each in every way.
        pictures_sha256: of these.
        emulated: the numbers were rounded in float32 graphs, for want of a CPU that computes so.
        accepted: published although it is over the limit, as was asked for.
    """

    precision: Precision
    limits: Limits
    ways: Mapping[str, Figures]
    pictures: int
    pictures_sha256: str
    emulated: bool
    accepted: bool = False

    @property
    def passed(self) -> bool:
        """Whether every way is within the limits."""
        return all(figures.within(self.limits) for figures in self.ways.values())

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a sidecar."""
        return {**asdict(self), "ways": {k: asdict(v) for k, v in self.ways.items()}} | {
            "passed": self.passed
        }

    def __str__(self) -> str:
        ways = "; ".join(f"{way}: {figures}" for way, figures in self.ways.items())
        emulated = ", emulated" if self.emulated else ""
        return (
            f"{self.precision} against float32 on {self.pictures} pictures{emulated}, CIEDE2000: "
            f"{ways} (limits: mean {self.limits.mean:g}, worst picture {self.limits.worst:g})"
        )


class Gate:
    """Holds graphs against a bundle's own on some pictures.

    Args:
        spec: of the bundle.
        reference: runs the bundle's graphs in float32.
        pictures: (H, W) float32 L* planes.
    """

    def __init__(
        self, spec: ModelSpec, reference: Runner, pictures: Sequence[NDArray[np.float32]]
    ) -> None:
        self.spec = spec
        self.trials: list[Trial] = [t for picture in pictures for t in trials(spec, picture)]
        self._expected = [coloured(reference, spec, trial) for trial in self.trials]

    def measure(self, runner: Runner) -> dict[str, Figures]:
        """Figures of other graphs, by way.

        Raises:
            PrecisionError: a graph gives something that is not finite.
            BackendError: a graph does not run.
        """
        found: dict[str, list[float]] = {}
        for trial, expected in zip(self.trials, self._expected, strict=True):
            difference = mean_ciede2000(coloured(runner, self.spec, trial), expected)
            found.setdefault(trial.way, []).append(difference)
        return {way: Figures.of(differences) for way, differences in found.items()}


def check_gate(report: GateReport, model: str) -> None:
    """Refuse a precision that costs too much and was not accepted so.

    Raises:
        PrecisionError: with the figures.
    """
    if not report.passed and not report.accepted:
        raise PrecisionError(
            f"model {model!r} changes its colours too much ({report}); a smaller error was needed; "
            "choose another precision, give more and more fitting pictures to calibrate on, or "
            "accept the error with --accept-error"
        )
