"""The machine's own tasks do the work that they are said to do."""

from __future__ import annotations

import itertools

import pytest

from trtcolor.bench.floor import KINDS, Floor
from trtcolor.measure import Measurement


def test_each_task_is_run_once_a_value_and_names_its_work() -> None:
    floor = Floor(1, side=64, copy_bytes=1000)
    works = {kind: floor.task(kind).work for kind in KINDS}
    assert works == {"sgemm": 2 * 64**3, "int8": 2 * 64**3, "copy": 2000}
    for kind in KINDS:
        timed = floor.measure(kind, 3)
        assert len(timed.seconds) == 3
        assert timed.minimum > 0


def test_the_products_are_products() -> None:
    floor = Floor(1, side=16, copy_bytes=10)
    (by_numpy, by_runtime) = floor._sgemm_tasks()
    assert by_numpy.function() == pytest.approx(by_runtime.function()[0], rel=1e-4, abs=1e-4)
    (result,) = floor.task("int8").function()
    assert result.dtype == "int32"
    assert result.shape == (16, 16)


def test_the_faster_product_is_taken() -> None:
    # Readings of the clock come in pairs; three trials of NumPy's take 5 s each, the others 1 s.
    ticks = iter(itertools.accumulate([*[0, 5] * 3, *[0, 1] * 3, *[0, 2] * 2]))
    floor = Floor(1, side=16, clock=lambda: next(ticks))
    assert floor.sgemm.name == "sgemm by ONNX Runtime"
    assert floor.measure("sgemm", 2) == Measurement("sgemm by ONNX Runtime", (2, 2))
