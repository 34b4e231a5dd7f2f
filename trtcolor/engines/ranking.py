"""The ways to run a model on a CPU, fastest first: what ``backend="auto"`` tries in this order.

A way is a backend on the bundle's own graphs, in float32, or an engine of the user's cache. An
engine is exact enough if it was verified and its precision passed the gate of `build_engine`
(`trtcolor.precision.gate.LIMITS`: of int8, CIEDE2000 to float32 of 1.0 at most in the mean); one
that was built with ``--accept-error`` is not, and is taken only by its precision.

How fast an engine is was measured when it was built, beside the bundle's own graphs
(`trtcolor.engines.speed`): nothing is timed here, and the same cache gives the same order. One that
was measured on another processor is passed over; where no engine was measured on this one, the
backends stand as they measured elsewhere (`trtcolor.backends.available.FLOAT_TIME`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trtcolor.backends.available import FLOAT_TIME, RUNNING, Precision
from trtcolor.bundle import Bundle
from trtcolor.engines.entry import Entry
from trtcolor.engines.speed import ENGINE, REFERENCE, Speed
from trtcolor.engines.store import Store
from trtcolor.errors import EngineError

INEXACT = 1.1
"""What the time of an engine that is not in float32 is multiplied by: a smaller gain is no reason
to give up any exactness, and no more than two measurements differ by."""


@dataclass(frozen=True)
class Way:
    """One way to run a model on a CPU.

    Attributes:
        backend: of `trtcolor.backends.available.RUNNING`.
        precision: that it computes in.
        engine: folder of the engine; None: the bundle's own graphs in float32, in another precision
            the newest engine of the backend, however fast.
        time: over that of ONNX Runtime in float32; infinite: nothing is known.
        measured: on this processor; else it is `FLOAT_TIME`.
        error: CIEDE2000 to float32 of the engine's graphs, the mean over pictures; None: none.
    """

    backend: str
    precision: Precision
    engine: Path | None
    time: float
    measured: bool
    error: float | None = None

    @property
    def name(self) -> str:
        """E.g. ``openvino int8``."""
        return f"{self.backend} {self.precision}"

    def __str__(self) -> str:
        if self.name == REFERENCE and self.engine is None:
            return self.name
        if math.isinf(self.time):
            return f"{self.name} (not measured here)"
        where = "measured here" if self.measured else "as measured elsewhere"
        error = "" if self.error is None else f", CIEDE2000 to float32 {self.error:.3f}"
        return f"{self.name} ({self.time:.2f} of the time of {REFERENCE}, {where}{error})"


def ranked(
    bundle: Bundle, precision: Precision | None = None, store: Store | None = None
) -> list[Way]:
    """The ways to run a bundle on a CPU, the fastest first (`INEXACT`).

    Whether they work is not looked at: a backend may not be installed, an engine damaged.

    Args:
        bundle: verified.
        precision: None: any that is exact enough; else that one, exact enough or not.
        store: of engines; None: the user's own.

    Raises:
        EngineError: the store cannot be read.
    """
    measured = list(_measured(bundle, store or Store()))
    ways = [
        _way(entry, speed)
        for entry, speed in measured
        if precision == entry.sidecar.identity.config.precision
        or (precision is None and _exact(entry))
    ]
    ways += unengined(precision, [speed for _, speed in measured])
    return sorted(ways, key=lambda way: way.time * (1 if way.precision == "fp32" else INEXACT))


def usable_ways(
    bundle: Bundle, precision: Precision | None = None
) -> tuple[list[Way], EngineError | None]:
    """As `ranked` of the user's own store; why no engine is among them, if that cannot be read."""
    try:
        return ranked(bundle, precision), None
    except EngineError as error:
        return unengined(precision), error


def unengined(precision: Precision | None = None, speeds: Sequence[Speed] = ()) -> list[Way]:
    """A way for each backend, whatever engines there are, the fastest first.

    Args:
        precision: as for `ranked`.
        speeds: of engines of the bundle, measured on this processor, the newest first.
    """
    ways = []
    for backend in RUNNING:
        name = f"{backend} fp32"
        times = [speed.share(name) for speed in speeds if name in speed.seconds]
        time = times[0] if times else FLOAT_TIME[backend]
        if precision in (None, "fp32"):
            ways.append(Way(backend, "fp32", None, time, bool(times)))
        else:
            ways.append(Way(backend, precision, None, math.inf, False))
    return sorted(ways, key=lambda way: way.time)


def _measured(bundle: Bundle, store: Store) -> Iterator[tuple[Entry, Speed]]:
    """Engines of a bundle for the CPU that were measured on this machine, the newest first."""
    found = [entry for entry in store.entries() if isinstance(entry, Entry)]
    for entry in sorted(found, key=lambda entry: entry.sidecar.built_at, reverse=True):
        speed, identity = entry.sidecar.speed, entry.sidecar.identity
        if (
            (identity.model, identity.files) == (bundle.spec.name, dict(bundle.spec.files))
            and identity.config.backend in RUNNING
            and speed is not None
            and speed.is_of_this_machine
        ):
            yield entry, speed


def _exact(entry: Entry) -> bool:
    gate = entry.sidecar.gate or {}
    return entry.sidecar.verification.status == "verified" and gate.get("passed") is True


def _way(entry: Entry, speed: Speed) -> Way:
    config = entry.sidecar.identity.config
    means = [figures["mean"] for figures in (entry.sidecar.gate or {}).get("ways", {}).values()]
    error = max(means, default=None)
    return Way(config.backend, config.precision, entry.path, speed.share(ENGINE), True, error)
