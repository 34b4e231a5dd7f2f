"""Reports of benchmarks made of given times, for tests of what is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trtcolor.bench.candidates import Candidate
from trtcolor.bench.report import BenchReport, BenchRow, FloorRate
from trtcolor.bench.subject import STEPS
from trtcolor.geometry import Size
from trtcolor.measure import Measurement

ORT = Candidate("onnxruntime", "fp32")
FLOOR_WORK = 1e9  # 1 GFLOP in each of the floor's times


def row(
    seconds: Sequence[float],
    *,
    size: Size = (224, 224),
    candidate: Candidate = ORT,
    turns: Sequence[int] | None = None,
    floor: Sequence[float] = (0.01,),
    **entries: Any,
) -> BenchRow:
    """A row whose network took `seconds`; each other step a tenth of them."""
    tenth = tuple(s / 10 for s in seconds)
    total = tuple(s * 1.2 for s in seconds)
    steps = dict(zip(STEPS, (tenth, tuple(seconds), tenth, total), strict=True))
    return BenchRow(
        candidate,
        size,
        steps={name: Measurement(name, values) for name, values in steps.items()},
        turns=tuple(turns if turns is not None else [1] * len(seconds)),
        floor=Measurement("sgemm", tuple(floor)),
        floor_work=FLOOR_WORK,
        **{"device": "cpu", "network": size} | entries,
    )


def report(*rows: BenchRow, **entries: Any) -> BenchReport:
    """A report of these rows, of iizuka2016 unless `entries` say otherwise."""
    defaults: dict[str, Any] = {
        "model": "iizuka2016",
        "family": "iizuka2016",
        "model_sha256": "0" * 64,
        "remark": "",
        "picture": "astronaut.png of scikit-image",
        "settings": {
            "runs": 10,
            "warmup": 2,
            "batch": 1,
            "threads": None,
            "render": "full",
            "budget": 540.0,
            "floor": False,
        },
        "machine": {"processor": "a processor", "cores": 2, "gpus": []},
        "floor": {"sgemm": FloorRate("sgemm", FLOOR_WORK, Measurement("sgemm by X", (0.01,)))},
        "estimate": 10.0,
        "seconds": 12.0,
        "rows": rows,
    }
    return BenchReport(**defaults | entries)


def noisy(
    median: float, *, noise: float, seed: int, turns: int = 10, each: int = 2
) -> tuple[list[float], list[int]]:
    """Times as a shared machine gives them: each turn has its own slowness, never below the best.

    Returns:
        Seconds, and how many of them each turn has.
    """
    random = np.random.default_rng(seed)
    slow = 1 + noise * random.exponential(1.0, turns)
    seconds = [
        median * float(s) * (1 + 0.005 * float(random.random())) for s in slow for _ in range(each)
    ]
    return seconds, [each] * turns
